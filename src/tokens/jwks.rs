//! Published keys (RFC 7517): what a verifier elsewhere needs, and nothing private.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::algorithm::Algorithm;
use crate::kernel::id::SigningKeyId;

/// One public key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Jwk {
    pub kid: SigningKeyId,
    pub alg: Algorithm,
    /// Always `sig`.
    #[serde(rename = "use")]
    pub usage: String,
    /// `EC`, `OKP` or `RSA`.
    pub kty: String,
    /// `P-256` or `Ed25519`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// Base64url, of the full field size (RFC 7518 §6.2.1.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// Base64url, of the full field size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// The modulus, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// The exponent, base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
}

/// A key set, in the order in which its keys were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Jwks {
    pub keys: Vec<Jwk>,
}

impl Jwk {
    /// A point on P-256, each coordinate of 32 bytes, leading zeros included.
    pub(super) fn p256(kid: SigningKeyId, x: &[u8; 32], y: &[u8; 32]) -> Self {
        let (crv, x, y) = (Some("P-256".to_owned()), Some(text(x)), Some(text(y)));
        Self {
            crv,
            x,
            y,
            ..Self::bare(kid, Algorithm::Es256, "EC")
        }
    }

    pub(super) fn ed25519(kid: SigningKeyId, x: &[u8; 32]) -> Self {
        let (crv, x) = (Some("Ed25519".to_owned()), Some(text(x)));
        Self {
            crv,
            x,
            ..Self::bare(kid, Algorithm::EdDsa, "OKP")
        }
    }

    /// Both numbers without leading zeros (RFC 7518 §2, `Base64urlUInt`).
    pub(super) fn rsa(kid: SigningKeyId, modulus: &[u8], exponent: &[u8]) -> Self {
        let (n, e) = (Some(text(modulus)), Some(text(exponent)));
        Self {
            n,
            e,
            ..Self::bare(kid, Algorithm::Rs256, "RSA")
        }
    }

    fn bare(kid: SigningKeyId, alg: Algorithm, kty: &str) -> Self {
        let (usage, kty) = ("sig".to_owned(), kty.to_owned());
        Self {
            kid,
            alg,
            usage,
            kty,
            crv: None,
            x: None,
            y: None,
            n: None,
            e: None,
        }
    }
}

fn text(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
