//! Refresh tokens: `<session id>.<generation>.<random>.<mac>`.
//!
//! The mac under the refresh secret vouches for the other three, so that made-up tokens never
//! reach the store; the session holds the digest of the whole text and its generation. What an
//! authentic token is worth, and that an older generation is a replay, is for sessions to judge.
//! Exactly one text is a given token: nothing shorter, longer or spelled otherwise is read.

use std::fmt;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

use crate::kernel::entropy::Entropy;
use crate::kernel::id::SessionId;
use crate::kernel::secret::{ExposeSecret, MacKey, SecretString, digest};

const PURPOSE: &str = "refresh token";

/// Makes and reads refresh tokens. Needs nothing but the secret.
#[derive(Clone, Debug)]
pub struct RefreshTokens {
    key: MacKey,
}

/// An authentic token: this server made it for this session. Not yet: that it is the current one.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented {
    pub session_id: SessionId,
    pub generation: i64,
    /// What the session stores of the token it issued last.
    pub digest: String,
}

/// Text that this server never made. Callers answer 401 `invalid_refresh_token`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a refresh token of this server")]
pub struct Forged;

impl RefreshTokens {
    /// `secret` is `SECURITY__REFRESH_SECRET`.
    pub fn new(secret: &SecretString) -> Self {
        Self {
            key: MacKey::new(secret.expose_secret().as_bytes()),
        }
    }

    /// A fresh token of a generation, and its digest for the session to keep. Two calls never give
    /// the same token: it has 256 random bits.
    pub fn issue(
        &self,
        session_id: SessionId,
        generation: i64,
        entropy: &Entropy,
    ) -> (SecretString, String) {
        let text = self.compose(session_id, generation, &entropy.bytes());
        let digest = digest(text.as_bytes());
        (SecretString::from(text), digest)
    }

    /// Reads a token that a client presents. Takes the same time wherever the mac is wrong.
    pub fn parse(&self, text: &str) -> Result<Presented, Forged> {
        let mut parts = text.split('.');
        let (Some(session_id), Some(generation), Some(random), Some(mac), None) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return Err(Forged);
        };
        let session_id = session_id.parse::<SessionId>().map_err(|_| Forged)?;
        let generation = canonical_number(generation).ok_or(Forged)?;
        let (random, mac) = (bytes(random).ok_or(Forged)?, bytes(mac).ok_or(Forged)?);
        if !self.key.verify(
            PURPOSE,
            &vouched(session_id, generation, &random).slices(),
            &mac,
        ) {
            return Err(Forged);
        }
        Ok(Presented {
            session_id,
            generation,
            digest: digest(text.as_bytes()),
        })
    }

    fn compose(&self, session_id: SessionId, generation: i64, random: &[u8; 32]) -> String {
        let mac = self
            .key
            .tag(PURPOSE, &vouched(session_id, generation, random).slices());
        let (random, mac) = (
            BASE64_URL_SAFE_NO_PAD.encode(random),
            BASE64_URL_SAFE_NO_PAD.encode(mac),
        );
        format!("{session_id}.{generation}.{random}.{mac}")
    }
}

/// What the mac is over.
struct Vouched<'a> {
    session_id: String,
    generation: [u8; 8],
    random: &'a [u8; 32],
}

fn vouched(session_id: SessionId, generation: i64, random: &[u8; 32]) -> Vouched<'_> {
    Vouched {
        session_id: session_id.to_string(),
        generation: generation.to_be_bytes(),
        random,
    }
}

impl Vouched<'_> {
    fn slices(&self) -> [&[u8]; 3] {
        [self.session_id.as_bytes(), &self.generation, self.random]
    }
}

/// A number in the one spelling that we write: no sign but a needed one, no leading zero.
fn canonical_number(text: &str) -> Option<i64> {
    text.parse()
        .ok()
        .filter(|number: &i64| number.to_string() == text)
}

/// 32 bytes in their one spelling: 43 characters without padding, and no stray bits in the last.
fn bytes(text: &str) -> Option<[u8; 32]> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

// The digest is what a session is looked up by.
impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("session_id", &self.session_id)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::kernel::time::Timestamp;

    fn tokens() -> RefreshTokens {
        RefreshTokens::new(&SecretString::from("a secret of at least 32 characters"))
    }

    fn session() -> SessionId {
        SessionId::new(
            Timestamp::from_millis(2_208_988_800_000),
            &Entropy::seeded(1),
        )
    }

    fn issued(generation: i64) -> (String, String) {
        let (token, digest) = tokens().issue(session(), generation, &Entropy::seeded(2));
        (token.expose_secret().to_owned(), digest)
    }

    #[test]
    fn a_token_is_read_back_as_it_was_issued() {
        for generation in [0, 1, 9, 10, 41, i64::MAX] {
            let (token, digest) = issued(generation);

            let presented = tokens().parse(&token);

            assert_eq!(
                presented,
                Ok(Presented {
                    session_id: session(),
                    generation,
                    digest
                })
            );
        }
    }

    #[test]
    fn the_same_session_and_generation_give_another_token_each_time() {
        let entropy = Entropy::seeded(3);
        let issue = |_| {
            tokens()
                .issue(session(), 1, &entropy)
                .0
                .expose_secret()
                .to_owned()
        };

        let all: HashSet<String> = (0..200).map(issue).collect();

        assert_eq!(all.len(), 200);
    }

    #[test]
    fn no_part_of_a_token_is_a_token() {
        let (token, _) = issued(7);

        for end in 0..token.len() {
            assert_eq!(tokens().parse(&token[..end]), Err(Forged), "{end}");
            assert_eq!(tokens().parse(&token[end + 1..]), Err(Forged), "{end}");
        }
    }

    #[test]
    fn nothing_can_be_added_to_a_token() {
        let (token, _) = issued(7);

        for added in [
            "\0", " ", "\n", "\t", "=", "==", ".", "A", "%00", ".A", "/", "\u{feff}", "é",
        ] {
            assert_eq!(
                tokens().parse(&format!("{token}{added}")),
                Err(Forged),
                "{added:?}"
            );
            assert_eq!(
                tokens().parse(&format!("{added}{token}")),
                Err(Forged),
                "{added:?}"
            );
        }
        assert_eq!(tokens().parse(&token.replace('.', "%2E")), Err(Forged));
        assert_eq!(tokens().parse(&token.repeat(2)), Err(Forged));
    }

    #[test]
    fn every_character_counts_in_every_spelling() {
        let (token, _) = issued(7);

        for (at, letter) in token.char_indices() {
            for other in [
                'A', 'a', 'Q', '0', '1', '9', '-', '_', '+', '/', '.', '=', ' ',
            ] {
                if other == letter {
                    continue;
                }
                let mut changed = token.clone();
                changed.replace_range(at..at + letter.len_utf8(), &other.to_string());
                assert_eq!(tokens().parse(&changed), Err(Forged), "{changed}");
            }
        }
        assert_eq!(tokens().parse(&token.to_uppercase()), Err(Forged));
        assert_eq!(tokens().parse(&token.to_lowercase()), Err(Forged));
    }

    #[test]
    fn every_flipped_bit_counts() {
        let (token, _) = issued(7);

        for at in 0..token.len() {
            for bit in 0..8 {
                let mut changed = token.clone().into_bytes();
                changed[at] ^= 1 << bit;
                let Ok(changed) = String::from_utf8(changed) else {
                    continue;
                };
                assert_eq!(tokens().parse(&changed), Err(Forged), "{changed:?}");
            }
        }
    }

    #[test]
    fn a_generation_has_one_spelling() {
        let (token, _) = issued(7);

        for other in [
            "07",
            "+7",
            "-7",
            " 7",
            "7 ",
            "8",
            "٧",
            "7.0",
            "",
            "-0",
            "99999999999999999999",
        ] {
            let changed = token.replacen(".7.", &format!(".{other}."), 1);
            assert_eq!(tokens().parse(&changed), Err(Forged), "{other}");
        }
    }

    #[test]
    fn parts_of_two_tokens_do_not_make_a_third() {
        let ((one, _), (two, _)) = (issued(1), issued(2));
        let (one, two): (Vec<_>, Vec<_>) = (one.split('.').collect(), two.split('.').collect());

        for mixed in 1..15_u8 {
            let pick = |at: usize| {
                if mixed >> at & 1 == 0 {
                    one[at]
                } else {
                    two[at]
                }
            };
            let token = [pick(0), pick(1), pick(2), pick(3)].join(".");
            let whole = token == one.join(".") || token == two.join(".");
            assert_eq!(tokens().parse(&token).is_ok(), whole, "{token}");
        }
    }

    #[test]
    fn another_secret_vouches_for_nothing() {
        let (token, _) = issued(1);
        let others = RefreshTokens::new(&SecretString::from("another secret of 32 characters.."));

        assert_eq!(others.parse(&token), Err(Forged));
    }
}
