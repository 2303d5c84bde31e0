//! Access tokens as an attacker would make them, and as only somebody with our key could.

use authsome::tokens::SigningKey;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::Value;

use super::app::{Door, TestApp};

/// The signing key of an environment, out of its safe.
#[derive(Debug)]
pub struct Forge {
    key: EcdsaKeyPair,
}

/// A token, taken apart.
#[derive(Debug, Clone)]
pub struct Token {
    pub header: Value,
    pub claims: Value,
    pub signature: Vec<u8>,
}

impl Forge {
    /// The oldest key of an environment.
    pub async fn of(app: &TestApp, door: &Door) -> Self {
        let keys: Vec<SigningKey> = app.of_environment(door).await;
        let key = keys
            .iter()
            .min_by_key(|key| key.generation)
            .expect("a signing key");
        let place = format!("authsome_signing_keys|{}|{}", key.env_id, key.id);
        let private = app
            .key_ring()
            .open(&key.private_key, &place)
            .expect("a key that opens");
        Self::with(&private)
    }

    pub fn with(private: &[u8]) -> Self {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private);
        Self {
            key: key.expect("a key on P-256"),
        }
    }

    /// The token over exactly these texts.
    pub fn signs(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", text(header), text(claims));
        let signature = self.signature(&message);
        format!("{message}.{}", text(signature))
    }

    /// In the one spelling that is accepted: with the smaller `s`.
    pub fn signature(&self, message: &str) -> Vec<u8> {
        loop {
            let signature = self.key.sign(&SystemRandom::new(), message.as_bytes());
            let signature = signature.expect("a signature");
            if signature.as_ref()[32] < 0x7f {
                return signature.as_ref().to_vec();
            }
        }
    }
}

impl Token {
    pub fn of(text: &str) -> Self {
        let part = |number| {
            let part = text
                .split('.')
                .nth(number)
                .expect("a token has three parts");
            BASE64_URL_SAFE_NO_PAD
                .decode(part)
                .expect("a part is base64url")
        };
        let json = |number| serde_json::from_slice(&part(number)).expect("a part is JSON");
        Self {
            header: json(0),
            claims: json(1),
            signature: part(2),
        }
    }

    /// The token with this header and these claims, under the signature of the original.
    pub fn rewritten(&self, header: &str, claims: &str) -> String {
        format!(
            "{}.{}.{}",
            text(header),
            text(claims),
            text(&self.signature)
        )
    }
}

/// Base64url without padding.
pub fn text(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
