//! The notation of password hashes: `$id[$v=n][$parameters]$salt$hash`.
//!
//! What is read is the PHC string format and passlib's older spelling of it, where a lone number
//! stands for the iterations and `.` for `+`. Lengths are bounded before anything is decoded.

use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine};

/// The longest text that is looked into.
pub(super) const LONGEST: usize = 512;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A hash, taken apart.
#[derive(Debug)]
pub(super) struct Phc<'a> {
    pub version: Option<u32>,
    parameters: &'a str,
    pub salt: Vec<u8>,
    pub hash: Vec<u8>,
}

impl<'a> Phc<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix('$')?.split('$');
        parts.next()?;
        let mut next = parts.next()?;
        let mut version = None;
        if let Some(number) = next.strip_prefix("v=") {
            version = Some(number.parse().ok()?);
            next = parts.next()?;
        }
        let (salt, hash) = (decoded(parts.next()?)?, decoded(parts.next()?)?);
        let is_whole = parts.next().is_none() && !salt.is_empty() && !hash.is_empty();
        is_whole.then_some(Self {
            version,
            parameters: next,
            salt,
            hash,
        })
    }

    /// A parameter that must be there.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        let mut all = self.parameters.split(',');
        let value = all.find_map(|it| it.strip_prefix(name)?.strip_prefix('='));
        value?.parse().ok()
    }

    /// The only parameter, where it has no name.
    pub(super) fn lone_number(&self) -> Option<u32> {
        self.parameters.parse().ok()
    }
}

/// Base64 with or without padding, and passlib's.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    if text.contains('.') {
        return BASE64.decode(text.replace('.', "+")).ok();
    }
    BASE64.decode(text).ok()
}

pub(super) fn encoded(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_taken_apart_in_either_spelling() {
        let phc = Phc::parse("$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$AQID").unwrap();
        assert_eq!(phc.version, Some(19));
        assert_eq!((phc.number("t"), phc.number("x")), (Some(3), None));
        assert_eq!((&*phc.salt, &*phc.hash), (&b"somesalt"[..], &[1, 2, 3][..]));

        let older = Phc::parse("$pbkdf2-sha256$29000$N2YMIWQs.WBM$1t8i").unwrap();
        assert_eq!((older.version, older.lone_number()), (None, Some(29_000)));
    }

    #[test]
    fn what_is_cut_off_or_goes_on_is_no_hash() {
        for text in [
            "",
            "$",
            "$a",
            "$a$b$c",
            "$a$b$$AQID",
            "$a$b$AQID$",
            "$a$b$AQID$AQID$AQID",
            "a$b$AQID$AQID",
            "$a$v=x$b$AQID$AQID",
            "$a$b$§$AQID",
        ] {
            assert!(Phc::parse(text).is_none(), "{text}");
        }
    }
}
