//! The key ring: seals what must be read back, under keys that can be rotated.
//!
//! `SECURITY__ENCRYPTION_KEY = <id>:<new key>,<id>:<old key>`: the first key seals, all open.
//! Sealed text is `<key id>.<base64url of nonce, ciphertext and tag>`; AES-256-GCM (NIST SP
//! 800-38D) with a random 96-bit nonce. Each value is bound to its place by the associated data:
//! sealed text that is moved to another record or field does not open there.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest::{SHA256, digest},
};
use base64::{
    alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::{BASE64_URL_SAFE_NO_PAD, Engine},
};
use secrecy::{ExposeSecret, SecretSlice};

const KEY_LEN: usize = 32;
const KEY_ID_MAX: usize = 32;
/// What marks are of, and where they open.
const KNOWN: (&[u8], &str) = (b"known", "mark");

/// base64url with or without padding; the standard alphabet is translated before.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One or more 256-bit keys, each with an id. Clones share the keys.
#[derive(Clone)]
pub struct KeyRing {
    sealing: Arc<Slot>,
    older: Arc<[Slot]>,
}

struct Slot {
    id: String,
    key: RandomizedNonceKey,
}

/// Why text is not a key ring. Never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKeyRing {
    #[error("no key is given")]
    Empty,
    #[error("a key is not 32 bytes in base64 or hexadecimal")]
    BadKey,
    #[error("a key id is not 1 to 32 letters, digits, hyphens or underscores")]
    BadKeyId,
    #[error("two keys have the same id")]
    RepeatedKeyId,
}

/// The sealed text is damaged, was sealed elsewhere, or under a key that is not in the ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed text does not open here")]
pub struct CannotOpen;

/// Why sealed text does not open, for its operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    #[error("it is sealed under the encryption key {0}, which is not configured")]
    NoKey(String),
    #[error("it was altered, or sealed for another place")]
    NotHere,
}

impl KeyRing {
    /// Reads `[<id>:]<key>` items separated by commas; the first seals.
    ///
    /// A key is 32 bytes as 64 hexadecimal digits or as base64 (standard or URL alphabet, padding
    /// optional). Without an id it goes by the first 8 hexadecimal digits of its SHA-256.
    pub fn parse(text: &str) -> Result<Self, BadKeyRing> {
        if text.trim().is_empty() {
            return Err(BadKeyRing::Empty);
        }
        let mut slots = Vec::new();
        for item in text.split(',') {
            let slot = Slot::parse(item.trim())?;
            if slots.iter().any(|other: &Slot| other.id == slot.id) {
                return Err(BadKeyRing::RepeatedKeyId);
            }
            slots.push(slot);
        }
        let mut slots = slots.into_iter();
        let sealing = Arc::new(slots.next().ok_or(BadKeyRing::Empty)?);
        Ok(Self {
            sealing,
            older: slots.collect(),
        })
    }

    /// Seals under the first key. `aad` names the place, for example `signing_keys/asky_…`; it is
    /// not stored and must be given again to open.
    ///
    /// # Panics
    /// Above 64 GiB, or where the operating system gives no random bytes.
    #[expect(
        clippy::expect_used,
        reason = "storing the secret unsealed would be worse"
    )]
    pub fn seal(&self, plain: &[u8], aad: &str) -> String {
        let mut text = plain.to_vec();
        let nonce = self
            .sealing
            .key
            .seal_in_place_append_tag(Aad::from(aad), &mut text)
            .expect("AES-GCM seals a buffer of this size");
        let sealed = [nonce.as_ref().as_slice(), &text].concat();
        format!(
            "{}.{}",
            self.sealing.id,
            BASE64_URL_SAFE_NO_PAD.encode(sealed)
        )
    }

    /// Opens text that any key of the ring sealed with the same `aad`.
    pub fn open(&self, sealed: &str, aad: &str) -> Result<Vec<u8>, CannotOpen> {
        let (id, body) = sealed.split_once('.').ok_or(CannotOpen)?;
        let key = self.key(id).ok_or(CannotOpen)?;
        let bytes = BASE64_URL_SAFE_NO_PAD
            .decode(body)
            .map_err(|_| CannotOpen)?;
        let (nonce, ciphertext) = bytes.split_at_checked(NONCE_LEN).ok_or(CannotOpen)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CannotOpen)?;
        let mut text = ciphertext.to_vec();
        let plain_len = key
            .open_in_place(nonce, Aad::from(aad), &mut text)
            .map_err(|_| CannotOpen)?
            .len();
        text.truncate(plain_len);
        Ok(text)
    }

    /// By what the first key is known again: whoever has it recognises the mark.
    pub fn mark(&self) -> String {
        self.seal(KNOWN.0, KNOWN.1)
    }

    /// Whether a key of the ring made this mark.
    pub fn recognises(&self, mark: &str) -> bool {
        self.open(mark, KNOWN.1)
            .is_ok_and(|opened| opened == KNOWN.0)
    }

    /// The id of the key that `sealed` names, where the ring lacks it.
    pub fn lacks<'s>(&self, sealed: &'s str) -> Option<&'s str> {
        let id = sealed.split_once('.').map_or("", |(id, _)| id);
        self.key(id).is_none().then_some(id)
    }

    /// The same, sealed under the first key; `None` where it is already.
    pub fn reseal(&self, sealed: &str, aad: &str) -> Result<Option<String>, Unopened> {
        if let Some(id) = self.lacks(sealed) {
            return Err(Unopened::NoKey(id.to_owned()));
        }
        let opened = self.open(sealed, aad);
        let plain = SecretSlice::from(opened.map_err(|CannotOpen| Unopened::NotHere)?);
        let is_current = sealed.split_once('.').map(|(id, _)| id) == Some(&*self.sealing.id);
        Ok((!is_current).then(|| self.seal(plain.expose_secret(), aad)))
    }

    fn key(&self, id: &str) -> Option<&RandomizedNonceKey> {
        self.slots()
            .find(|slot| slot.id == id)
            .map(|slot| &slot.key)
    }

    fn slots(&self) -> impl Iterator<Item = &Slot> {
        [self.sealing.as_ref()].into_iter().chain(self.older.iter())
    }
}

impl Slot {
    fn parse(item: &str) -> Result<Self, BadKeyRing> {
        let (id, key) = match item.split_once(':') {
            Some((id, key)) => (Some(id.trim()), key.trim()),
            None => (None, item),
        };
        let key = key_bytes(key).ok_or(BadKeyRing::BadKey)?;
        let id = id.map_or_else(|| fingerprint(&key), String::from);
        let is_id_char = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if id.is_empty() || id.len() > KEY_ID_MAX || !id.bytes().all(is_id_char) {
            return Err(BadKeyRing::BadKeyId);
        }
        let key = RandomizedNonceKey::new(&AES_256_GCM, &key).map_err(|_| BadKeyRing::BadKey)?;
        Ok(Self { id, key })
    }
}

/// 64 hexadecimal digits would be 48 bytes of base64, so the two cannot be confused.
fn key_bytes(text: &str) -> Option<[u8; KEY_LEN]> {
    if text.len() == 2 * KEY_LEN {
        let digits = text.as_bytes().chunks_exact(2);
        let bytes: Option<Vec<u8>> = digits.map(|pair| hex_byte(pair[0], pair[1])).collect();
        return bytes?.try_into().ok();
    }
    let url_safe = text.replace('+', "-").replace('/', "_");
    LENIENT.decode(url_safe).ok()?.try_into().ok()
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let digit = |letter: u8| {
        char::from(letter)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    Some(digit(high)? << 4 | digit(low)?)
}

fn fingerprint(key: &[u8]) -> String {
    let mut first = [0; 4];
    first.copy_from_slice(&digest(&SHA256, key).as_ref()[..4]);
    format!("{:08x}", u32::from_be_bytes(first))
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.slots().map(|slot| slot.id.as_str()).collect();
        write!(f, "KeyRing({})", ids.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE};

    use super::*;

    const KEY: [u8; 32] = [0xfb; 32];

    fn hex(key: [u8; 32]) -> String {
        key.map(|byte| format!("{byte:02x}")).concat()
    }

    fn ring(text: &str) -> KeyRing {
        KeyRing::parse(text).unwrap()
    }

    #[test]
    fn every_spelling_of_a_key_is_the_same_key() {
        let sealed = ring(&hex(KEY)).seal(b"seed", "here");

        for text in [
            hex(KEY).to_uppercase(),
            BASE64_STANDARD.encode(KEY),
            BASE64_STANDARD_NO_PAD.encode(KEY),
            BASE64_URL_SAFE.encode(KEY),
            BASE64_URL_SAFE_NO_PAD.encode(KEY),
            format!("  {} ", hex(KEY)),
        ] {
            assert_eq!(
                ring(&text).open(&sealed, "here").unwrap(),
                b"seed",
                "{text}"
            );
        }
        assert!(sealed.starts_with(&format!("{}.", fingerprint(&KEY))));
    }

    #[test]
    fn what_an_older_key_sealed_is_sealed_anew_and_the_rest_is_left() {
        let old = format!("old:{}", hex(KEY));
        let new = format!("new:{}", hex([0xfc; 32]));
        let sealed = ring(&old).seal(b"seed", "here");
        let both = ring(&format!("{new},{old}"));

        let anew = both.reseal(&sealed, "here").unwrap().unwrap();

        assert_eq!(ring(&new).open(&anew, "here").unwrap(), b"seed");
        assert_eq!(both.reseal(&anew, "here"), Ok(None));
        assert_eq!(both.reseal(&sealed, "there"), Err(Unopened::NotHere));
        assert_eq!(both.reseal(&anew, "there"), Err(Unopened::NotHere));
        let lacking = ring(&new).reseal(&sealed, "here");
        assert_eq!(lacking, Err(Unopened::NoKey("old".into())));
        assert_eq!(
            both.reseal("seed", "here"),
            Err(Unopened::NoKey(String::new()))
        );
    }

    #[test]
    fn what_is_not_a_ring_is_refused_by_name() {
        let key = hex(KEY);
        for (text, why) in [
            (String::new(), BadKeyRing::Empty),
            (" ".into(), BadKeyRing::Empty),
            (key[2..].into(), BadKeyRing::BadKey),
            (format!("{key}00"), BadKeyRing::BadKey),
            (key.replace('b', "g"), BadKeyRing::BadKey),
            (BASE64_STANDARD.encode([1; 31]), BadKeyRing::BadKey),
            (BASE64_STANDARD.encode([1; 33]), BadKeyRing::BadKey),
            ("correct horse battery staple".into(), BadKeyRing::BadKey),
            (format!("{key},"), BadKeyRing::BadKey),
            (format!(":{key}"), BadKeyRing::BadKeyId),
            (format!("a.b:{key}"), BadKeyRing::BadKeyId),
            (format!("{}:{key}", "a".repeat(33)), BadKeyRing::BadKeyId),
            (format!("a:{key},a:{key}"), BadKeyRing::RepeatedKeyId),
            (format!("{key},{key}"), BadKeyRing::RepeatedKeyId),
        ] {
            assert_eq!(KeyRing::parse(&text).unwrap_err(), why, "{text}");
        }
    }

    #[test]
    fn the_first_key_seals_and_all_open() {
        let (old, new) = (
            format!("old:{}", hex([1; 32])),
            format!("new:{}", hex([2; 32])),
        );
        let sealed_before = ring(&old).seal(b"seed", "here");

        let rotated = ring(&format!("{new}, {old}"));
        let sealed_after = rotated.seal(b"seed", "here");

        assert!(sealed_before.starts_with("old.") && sealed_after.starts_with("new."));
        assert_eq!(rotated.open(&sealed_before, "here").unwrap(), b"seed");
        assert_eq!(rotated.open(&sealed_after, "here").unwrap(), b"seed");
        assert_eq!(ring(&old).open(&sealed_after, "here"), Err(CannotOpen));
    }

    #[test]
    fn sealed_text_opens_only_where_and_as_it_was_sealed() {
        let ring_a = ring(&format!("k:{}", hex([1; 32])));
        let sealed = ring_a.seal(b"seed", "users/1");

        assert_eq!(ring_a.open(&sealed, "users/1").unwrap(), b"seed");
        assert_eq!(ring_a.open(&sealed, "users/2"), Err(CannotOpen));
        let same_id = ring(&format!("k:{}", hex([2; 32])));
        assert_eq!(same_id.open(&sealed, "users/1"), Err(CannotOpen));
        for text in [
            "",
            "k",
            "k.",
            "k.AAAA",
            ".",
            "x.AAAA",
            "k.!!!!",
            &format!("{sealed}A"),
        ] {
            assert_eq!(ring_a.open(text, "users/1"), Err(CannotOpen), "{text}");
        }
    }

    #[test]
    fn any_flipped_bit_is_noticed() {
        let ring = ring(&hex(KEY));
        let sealed = ring.seal(b"seed", "here");
        let (id, body) = sealed.split_once('.').unwrap();
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(body).unwrap();

        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let forged = format!("{id}.{}", BASE64_URL_SAFE_NO_PAD.encode(bytes));
            assert_eq!(ring.open(&forged, "here"), Err(CannotOpen), "bit {bit}");
        }
    }

    #[test]
    fn sealing_twice_gives_two_texts_and_neither_shows_the_secret() {
        let ring = ring(&hex(KEY));

        let (first, second) = (ring.seal(b"seed", "here"), ring.seal(b"seed", "here"));

        assert_ne!(first, second);
        assert_eq!(ring.open(&ring.seal(b"", ""), "").unwrap(), b"");
        assert!(!format!("{ring:?}").contains("fbfb"));
    }

    #[test]
    fn a_mark_is_recognised_by_whoever_has_the_key() {
        let (one, other) = (ring(&hex(KEY)), ring(&hex([7; 32])));
        let both = ring(&format!("{},{}", hex([7; 32]), hex(KEY)));

        let mark = one.mark();

        assert!(one.recognises(&mark) && both.recognises(&mark));
        assert!(!other.recognises(&mark) && !one.recognises("nothing"));
        assert!(!one.recognises(&one.seal(b"known", "elsewhere")));
    }
}
