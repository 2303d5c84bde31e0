//! Security: the three secrets of an installation, and what hashing a password costs.
//!
//! A secret that is not given here is made or refused by [`super::Secrets`]. One that is given is
//! checked: short ones and those out of a manual are refused, because they would work.

use std::time::Duration;

use crate::kernel::secret::{KeyRing, SecretString};

use super::{
    setting::{Fallback, section},
    takes::{By, Cores, Count, Optional, Secret, Span, Unfit, millis, seconds},
};

const WAY_OUT: &str = "; make one with `openssl rand -base64 32`";
const MADE_ONCE: &str = "made once beside a SQLite file; required with MongoDB";

section! {
    /// The secrets of an installation, and what hashing a password costs.
    pub struct Security in "security" {
        /// Seals what must be read back, like signing keys: the first key seals, all open.
        encryption_key: Option<KeyRing> = Fallback::Unset(MADE_ONCE), Optional(Secret(By {
            takes: "32 random bytes in base64 or hex, also `<key id>:<key>`, also several \
                    separated by commas",
            parse: key_ring,
        }));
        /// Authenticates refresh tokens before the database is asked; links, codes and counters derive from it too.
        refresh_secret: Option<SecretString> = Fallback::Unset(MADE_ONCE), Optional(Secret(By {
            takes: "random text of 32 characters or more",
            parse: random_text,
        }));
        /// Goes into every password hash; passwords are lost with it.
        pepper: Option<SecretString> = Fallback::Unset(MADE_ONCE), Optional(Secret(By {
            takes: "random text of 32 characters or more",
            parse: random_text,
        }));
        /// The work of hashing a password; each step doubles it.
        bcrypt_cost: u32 = Fallback::Value("12"), Count { min: 10, max: 15 };
        /// Threads that hash passwords.
        hash_threads: usize = Fallback::Value("cores"), Cores { max: 256 };
        /// How long a password may wait for a thread before the answer is 503.
        hash_queue_seconds: Duration = Fallback::Value("2s"), Span { min: millis(100), max: seconds(30) };
        /// Passwords that may wait at once.
        hash_queue_length: usize = Fallback::Value("256"), Count { min: 1, max: 100_000 };
    }
}

pub(super) fn key_ring(text: &str) -> Result<KeyRing, Unfit> {
    for part in text.split(',') {
        let key = part.rsplit(':').next().unwrap_or(part).trim();
        not_an_example(key)?;
    }
    // The reasons of a key ring never repeat what was given.
    KeyRing::parse(text).map_err(|why| Unfit::Because(format!("{why}{WAY_OUT}")))
}

pub(super) fn random_text(text: &str) -> Result<SecretString, Unfit> {
    let length = text.chars().count();
    if length < 32 {
        return Err(Unfit::Because(format!(
            "it has {length} characters and takes 32 or more{WAY_OUT}"
        )));
    }
    not_an_example(text)?;
    Ok(SecretString::from(text))
}

/// How secrets begin that were copied from a manual, without regard to case and punctuation.
const EXAMPLES: &[&str] = &[
    "changeme",
    "changethis",
    "example",
    "insecure",
    "password",
    "replaceme",
    "replacethis",
    "secretsecret",
    "yourencryptionkey",
    "yourkey",
    "yourpepper",
    "yourrefreshsecret",
    "yoursecret",
];

fn not_an_example(text: &str) -> Result<(), Unfit> {
    // The padding of base64 is no variety: 32 zero bytes are `AAAA…=`.
    let mut characters = text.trim_end_matches('=').chars();
    let first = characters.next();
    if first.is_some() && characters.all(|next| Some(next) == first) {
        return Err(Unfit::Because(format!(
            "it is one character over and over{WAY_OUT}"
        )));
    }
    let letters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let letters = letters.to_ascii_lowercase();
    if EXAMPLES.iter().any(|example| letters.starts_with(example)) {
        return Err(Unfit::Because(format!(
            "it is an example, which everybody knows{WAY_OUT}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=";

    #[test]
    fn keys_are_one_or_several_with_or_without_a_name() {
        for good in [
            KEY.to_owned(),
            format!("2026:{KEY}"),
            format!("b:{KEY}, a:{KEY}"),
        ] {
            assert!(key_ring(&good).is_ok(), "{good}");
        }
        for bad in ["", "short", "2026:", &KEY[..30]] {
            assert!(key_ring(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_is_long_enough_counted_in_characters() {
        assert!(random_text("abcdefghijklmnopqrstuvwxyz-01234").is_ok());
        assert!(random_text("abcdefghijklmnopqrstuvwxyz-0123").is_err());
        assert!(random_text("éüéüéüéüéüéüéüéü").is_err());
    }

    #[test]
    fn known_and_uniform_secrets_are_refused() {
        for known in [
            "changeme-changeme-changeme-changeme",
            "CHANGE_ME_changeme_changeme_changeme",
            "your-secret-here-your-secret-here-your",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        ] {
            assert!(random_text(known).is_err(), "{known}");
        }
        let zeros = format!("{}=", "A".repeat(43));
        assert!(key_ring(&zeros).is_err());
        assert!(key_ring(&format!("{KEY},old:{}", "0".repeat(64))).is_err());
    }
}
