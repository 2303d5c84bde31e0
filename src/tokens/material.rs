//! Key material: made once, parsed once, then signing and being published.
//!
//! Keys are drawn from aws-lc's own generator, which cannot be handed in; a shared secret comes
//! from [`Entropy`] like every other. Signing uses the parsed pair: jsonwebtoken would parse the
//! private key again for every token.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use jsonwebtoken::DecodingKey;
use secrecy::SecretSlice;

use super::jwks::Jwk;
use super::low_s;
use crate::kernel::algorithm::Algorithm;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::SigningKeyId;
use crate::kernel::secret::ExposeSecret;

/// A parsed private key, ready to sign.
pub(super) enum Material {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
    Hs256(Box<SharedSecret>),
}

/// A secret, as it signs and as it is.
pub(super) struct SharedSecret {
    key: hmac::Key,
    secret: SecretSlice<u8>,
}

/// Bytes that are no private key of the algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotAKey;

impl Material {
    /// A new private key: PKCS#8 v1, or 32 random bytes. RSA takes up to a second of one core.
    pub(super) fn generate(
        algorithm: Algorithm,
        entropy: &Entropy,
    ) -> Result<SecretSlice<u8>, Unspecified> {
        let private = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?
                .to_pkcs8v1()?
                .as_ref()
                .to_vec(),
            Algorithm::EdDsa => Ed25519KeyPair::generate()?.to_pkcs8v1()?.as_ref().to_vec(),
            Algorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048)?
                .as_der()?
                .as_ref()
                .to_vec(),
            Algorithm::Hs256 => entropy.bytes::<32>().to_vec(),
        };
        Ok(SecretSlice::from(private))
    }

    pub(super) fn parse(algorithm: Algorithm, private: &SecretSlice<u8>) -> Result<Self, NotAKey> {
        let bytes = private.expose_secret();
        match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes)
                .map(Self::Es256)
                .map_err(|_| NotAKey),
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(bytes)
                .map(Self::EdDsa)
                .map_err(|_| NotAKey),
            Algorithm::Rs256 => RsaKeyPair::from_pkcs8(bytes)
                .ok()
                .filter(|pair| pair.public_modulus_len() >= 256)
                .map(Self::Rs256)
                .ok_or(NotAKey),
            Algorithm::Hs256 if bytes.len() == 32 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, bytes);
                Ok(Self::Hs256(Box::new(SharedSecret {
                    key,
                    secret: private.clone(),
                })))
            }
            Algorithm::Hs256 => Err(NotAKey),
        }
    }

    /// The public half as it is published; `None` for a shared secret.
    pub(super) fn public(&self, kid: SigningKeyId) -> Option<Jwk> {
        match self {
            Self::Es256(pair) => {
                // SEC 1 §2.3.3: 4, then both coordinates in full width.
                let (_, point) = pair.public_key().as_ref().split_first()?;
                let (x, y) = point.split_first_chunk()?;
                Some(Jwk::p256(kid, x, y.try_into().ok()?))
            }
            Self::EdDsa(pair) => Some(Jwk::ed25519(
                kid,
                pair.public_key().as_ref().try_into().ok()?,
            )),
            Self::Rs256(pair) => {
                let public = pair.public_key();
                let modulus = public.modulus();
                let exponent = public.exponent();
                Some(Jwk::rsa(
                    kid,
                    modulus.big_endian_without_leading_zero(),
                    exponent.big_endian_without_leading_zero(),
                ))
            }
            Self::Hs256(_) => None,
        }
    }

    /// The half that jsonwebtoken verifies with.
    pub(super) fn decoding(&self) -> DecodingKey {
        match self {
            Self::Es256(pair) => DecodingKey::from_ec_der(pair.public_key().as_ref()),
            Self::EdDsa(pair) => DecodingKey::from_ed_der(pair.public_key().as_ref()),
            Self::Rs256(pair) => {
                let public = pair.public_key();
                DecodingKey::from_rsa_raw_components(
                    public.modulus().big_endian_without_leading_zero(),
                    public.exponent().big_endian_without_leading_zero(),
                )
            }
            Self::Hs256(shared) => DecodingKey::from_secret(shared.secret.expose_secret()),
        }
    }

    /// The signature of `message` in the form that RFC 7518 gives it.
    #[expect(
        clippy::disallowed_methods,
        reason = "aws-lc has the parameter for the sake of ring's callers, and ignores it"
    )]
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        match self {
            Self::Es256(pair) => {
                let signed = pair.sign(&random, message)?;
                let mut signature: [u8; 64] =
                    signed.as_ref().try_into().map_err(|_| Unspecified)?;
                low_s::lower(&mut signature);
                Ok(signature.to_vec())
            }
            Self::EdDsa(pair) => Ok(pair.try_sign(message)?.as_ref().to_vec()),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                Ok(signature)
            }
            Self::Hs256(shared) => Ok(hmac::sign(&shared.key, message).as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Material(redacted)")
    }
}
