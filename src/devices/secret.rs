//! The secret by which a client names its device.

use std::fmt;
use std::ops::RangeInclusive;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::kernel::entropy::Entropy;
use crate::kernel::secret::{ExposeSecret, SecretString, digest};

/// 43 characters that this server made, or what a client made for itself: 16 to 128 of
/// `A-Z a-z 0-9 . _ ~ -`, the letters that stand in a URL as they are (RFC 3986 §2.3).
#[derive(Clone)]
pub struct DeviceSecret(SecretString);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 16 to 128 letters, digits, dots, underscores, tildes and hyphens")]
pub struct NotADeviceSecret;

impl DeviceSecret {
    const LENGTHS: RangeInclusive<usize> = 16..=128;
    const PATTERN: &str = "^[A-Za-z0-9._~-]+$";

    pub fn new(entropy: &Entropy) -> Self {
        Self(SecretString::from(entropy.token()))
    }

    /// Nothing is repaired.
    pub fn parse(text: &str) -> Result<Self, NotADeviceSecret> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._~-".contains(&b);
        if !Self::LENGTHS.contains(&text.len()) || !text.bytes().all(is_plain) {
            return Err(NotADeviceSecret);
        }
        Ok(Self(SecretString::from(text)))
    }

    /// What is stored of it, and looked for.
    pub fn fingerprint(&self) -> String {
        digest(self.0.expose_secret().as_bytes())
    }

    /// For the client that holds it, and nobody else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialSchema for DeviceSecret {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(*Self::LENGTHS.start()))
            .max_length(Some(*Self::LENGTHS.end()))
            .pattern(Some(Self::PATTERN))
            .into()
    }
}

impl ToSchema for DeviceSecret {}

impl fmt::Debug for DeviceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceSecret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_makes_is_one_that_it_reads() {
        let secret = DeviceSecret::new(&Entropy::seeded(1));

        let read = DeviceSecret::parse(secret.expose()).unwrap();

        assert_eq!(read.fingerprint(), secret.fingerprint());
        assert_eq!(secret.expose().len(), 43);
    }

    #[test]
    fn a_client_s_own_is_plain_and_neither_short_nor_long() {
        for good in [
            "0123456789abcdef",
            "6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b",
            &"~".repeat(128),
        ] {
            assert!(DeviceSecret::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "0123456789abcde",
            &"a".repeat(129),
            "0123456789abcdef ",
            "0123456789abcde\u{e9}",
            "0123456789abcde;",
            "0123456789abcde%",
            "0123456789abcde\0",
            "0123456789abcde\n",
        ] {
            assert!(DeviceSecret::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn it_is_not_printed() {
        let secret = DeviceSecret::parse("0123456789abcdef").unwrap();

        assert_eq!(format!("{secret:?}"), "DeviceSecret");
    }
}
