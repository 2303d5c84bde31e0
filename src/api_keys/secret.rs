//! The text of a key: `sk_test_` + 43 characters of chance + 6 of a checksum, all of base62.
//!
//! The checksum is CRC-32 (ISO 3309) of what stands before it. It proves nothing: by it scanners of
//! source code know a key, and a misspelt one is told without the store. Keys without one, of
//! base64url, are older, and good.

use crate::kernel::entropy::Entropy;
use crate::kernel::secret::SecretString;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^43 is more than 2^256.
const CHANCE: usize = 43;
/// 62^6 is more than 2^32.
const CHECKSUM: usize = 6;
const MARKERS: [&str; 3] = ["sk_test_", "sk_stg_", "sk_live_"];

/// A new key, of an environment with this marker.
pub(super) fn minted(marker: &str, entropy: &Entropy) -> SecretString {
    let chance = base62(&mut entropy.bytes::<32>(), CHANCE);
    let text = format!("sk_{marker}_{chance}");
    let checksum = checksum(&text);
    SecretString::from(text + checksum.as_str())
}

/// Whether a text can be a key of ours.
pub(super) fn is_one(text: &str) -> bool {
    let body = MARKERS.iter().find_map(|it| text.strip_prefix(it));
    let is_of = |body: &str, more: &str| {
        let mut letters = body.chars();
        letters.all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    match body {
        Some(body) if body.len() == CHANCE + CHECKSUM && is_of(body, "") => {
            let (vouched, tail) = text.split_at(text.len() - CHECKSUM);
            checksum(vouched) == tail
        }
        Some(body) => body.len() == CHANCE && is_of(body, "-_"),
        None => false,
    }
}

fn checksum(text: &str) -> String {
    base62(&mut crc32(text.as_bytes()).to_be_bytes(), CHECKSUM)
}

/// A number, most significant byte first, as `width` digits. It is used up.
fn base62(number: &mut [u8], width: usize) -> String {
    let mut digits: Vec<char> = Vec::with_capacity(width);
    for _ in 0..width {
        let mut rest = 0_usize;
        for byte in number.iter_mut() {
            let value = rest << 8 | usize::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or_default();
            rest = value % 62;
        }
        digits.push(char::from(DIGITS[rest]));
    }
    digits.iter().rev().collect()
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| crc >> 1 ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1));
    let whole = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), step);
    !bytes.iter().fold(u32::MAX, whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::secret::ExposeSecret;

    #[test]
    fn the_checksum_is_the_one_that_others_compute() {
        // The check value of the algorithm's catalogue entry, CRC-32/ISO-HDLC.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(base62(&mut [0, 0, 0, 61], 6), "00000z");
        assert_eq!(base62(&mut [0xFF; 4], 6), "4gfFC3");
        assert_eq!(base62(&mut [0xFF; 32], CHANCE).len(), CHANCE);
    }

    #[test]
    fn a_key_that_is_misspelt_is_none() {
        let entropy = Entropy::seeded(1);
        for marker in ["test", "stg", "live"] {
            let key = minted(marker, &entropy);
            let key = key.expose_secret();
            assert!(is_one(key), "{key}");
            for at in 8..key.len() {
                let other = if &key[at..=at] == "a" { "b" } else { "a" };
                let mut misspelt = key.to_owned();
                misspelt.replace_range(at..=at, other);
                assert!(!is_one(&misspelt), "{misspelt}");
            }
            assert!(!is_one(&key[..key.len() - 1]) && !is_one(&format!("{key}0")));
        }
    }

    #[test]
    fn older_keys_are_good_and_nothing_else_is() {
        let older = format!("sk_test_{}", Entropy::seeded(1).token());

        assert!(is_one(&older));
        for text in ["", "sk_", "sk_test_", "pk_test_x", "sk_prod_x", "é"] {
            assert!(!is_one(text), "{text}");
        }
        assert!(!is_one(&older.replace("sk_", "pk_")));
        assert!(!is_one(&format!("sk_test_{}", "é".repeat(21) + "x")));
    }
}
