//! Secrets: how they are stored, compared, bound to a purpose and sealed.
//!
//! | secret | at rest |
//! |---|---|
//! | random (refresh and link tokens, API keys) | [`digest`]: SHA-256 |
//! | short codes | [`MacKey`]: HMAC under a server key |
//! | what must be read back (signing keys, webhook secrets) | [`KeyRing`]: sealed |
//! | passwords | not here: bcrypt, in the feature that signs people in |
//!
//! Nothing here prints a secret: `Debug` is redacted throughout.

mod keyring;

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

pub use keyring::{BadKeyRing, CannotOpen, KeyRing, Unopened};
pub use secrecy::{ExposeSecret, SecretString};

/// SHA-256 as 43 characters of base64url. Only for secrets of at least 128 random bits: anything
/// shorter is found again by trying.
pub fn digest(secret: &[u8]) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret);
    BASE64_URL_SAFE_NO_PAD.encode(hash)
}

/// Equality in a time that depends on the lengths alone.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// HMAC-SHA-256 (RFC 2104) as others know it: of the bare message, for signatures that are somebody
/// else's format. What only we verify takes a [`MacKey`].
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut tag = [0; 32];
    tag.copy_from_slice(hmac::sign(&key, message).as_ref());
    tag
}

/// A key that vouches for values: HMAC-SHA-256 (RFC 2104) over a purpose and its parts.
#[derive(Clone)]
pub struct MacKey(hmac::Key);

impl MacKey {
    /// Takes key material of any length; 32 random bytes or more are worth having.
    pub fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The tag of `parts` for `purpose`.
    ///
    /// Purpose and every part go in behind their length (64 bits, big-endian), so that bytes
    /// cannot move from one part to the next, nor a tag from one purpose to another.
    pub fn tag(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in [purpose.as_bytes()].iter().chain(parts) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// Whether `tag` is the whole tag of these parts; compares in constant time.
    pub fn verify(&self, purpose: &str, parts: &[&[u8]], tag: &[u8]) -> bool {
        same(&self.tag(purpose, parts), tag)
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_sha_256_in_base64url() {
        assert_eq!(digest(b""), "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
        assert_eq!(
            digest(b"abc"),
            "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"
        );
    }

    #[test]
    fn equality_is_of_all_bytes() {
        assert!(same(b"", b""));
        assert!(same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd"));
        assert!(!same(b"abc", b"ab"));
        assert!(!same(b"abc", b""));
    }

    /// RFC 4231, test case 2, over what goes in once the lengths are written out.
    #[test]
    fn a_tag_is_the_hmac_of_lengths_and_parts() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
        let message = b"\0\0\0\0\0\0\0\x04what\0\0\0\0\0\0\0\x02do\0\0\0\0\0\0\0\0";

        let tag = MacKey::new(b"Jefe").tag("what", &[b"do", b""]);

        assert_eq!(tag, hmac::sign(&key, message).as_ref());
    }

    #[test]
    fn bytes_cannot_move_between_purpose_and_parts() {
        let key = MacKey::new(&[7; 32]);
        let tag = key.tag("invite", &[b"ab", b"c"]);

        for (purpose, parts) in [
            ("invite", &[b"a".as_slice(), b"bc"] as &[&[u8]]),
            ("invite", &[b"abc"]),
            ("invite", &[b"ab", b"c", b""]),
            ("invite", &[b"", b"ab", b"c"]),
            ("invite", &[b"c", b"ab"]),
            ("invitea", &[b"b", b"c"]),
            ("reset", &[b"ab", b"c"]),
            ("", &[b"invite", b"ab", b"c"]),
        ] {
            assert!(!key.verify(purpose, parts, &tag), "{purpose} {parts:?}");
        }
        assert!(key.verify("invite", &[b"ab", b"c"], &tag));
    }

    #[test]
    fn another_key_and_a_shortened_tag_vouch_for_nothing() {
        let key = MacKey::new(&[7; 32]);
        let tag = key.tag("invite", &[b"x"]);

        assert!(!MacKey::new(&[8; 32]).verify("invite", &[b"x"], &tag));
        assert!(!key.verify("invite", &[b"x"], &tag[..16]));
        assert!(!key.verify("invite", &[b"x"], b""));
        assert_eq!(format!("{key:?}"), "MacKey(redacted)");
    }
}
