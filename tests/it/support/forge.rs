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

/// Before the point, in the public key of a P-256 key (RFC 5480).
pub const SPKI_OF_P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The order of P-256 (SEC 2 §2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The other `s` of the same signature: the order less this one.
pub fn high(s: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut digits: Vec<u8> = ORDER
        .iter()
        .zip(s)
        .rev()
        .map(|(order, digit)| {
            let difference = i16::from(*order) - i16::from(*digit) - borrow;
            borrow = i16::from(difference < 0);
            u8::try_from(difference.rem_euclid(256)).unwrap()
        })
        .collect();
    digits.reverse();
    digits
}

/// The same two numbers as ASN.1 has them.
pub fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |digits: &[u8]| [&[0x02, 33, 0][..], digits].concat();
    let both = [integer(r), integer(s)].concat();
    [vec![0x30, u8::try_from(both.len()).unwrap()], both].concat()
}
