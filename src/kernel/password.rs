//! Passwords as people present them, on their way to being hashed.
//!
//! One rule for spelling, when set and when verified: NFC, spaces kept, nothing cut
//! (NIST SP 800-63B-4 §3.1.1.2). There are no rules of composition; length and
//! [`is_common`] decide. The text is erased from memory when dropped and never printed.
//! Not here: hashing, and the limits on attempts.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use super::secret::{ExposeSecret, SecretString};

/// Fewest characters of a new password.
pub const MIN_CHARS: usize = 8;
/// Most characters of any password.
pub const MAX_CHARS: usize = 128;
/// Longer text is refused before it is normalised: 128 characters, decomposed as far as they go.
const RAW_MAX: usize = 4_096;

const COMMON_GUESSES: u64 = 10_000;
const JUDGED_CHARS: usize = 100;
const READ_IN_FULL: usize = 16;

/// A password in NFC without NUL, of at most 128 characters.
#[derive(Clone)]
pub struct Password(SecretString);

/// Why text cannot be a password. Lengths are in characters (Unicode scalar values, after NFC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("shorter than {min} characters")]
    TooShort { min: usize },
    #[error("longer than {max} characters")]
    TooLong { max: usize },
    #[error("contains a NUL character")]
    ControlCharacter,
}

impl Password {
    /// A new password: 8–128 characters.
    pub fn parse(text: &str) -> Result<Self, WeakPassword> {
        let password = Self::presented(text)?;
        if password.expose().chars().count() < MIN_CHARS {
            return Err(WeakPassword::TooShort { min: MIN_CHARS });
        }
        Ok(password)
    }

    /// A password given to sign in: it may be older than today's minimum, and may be empty.
    pub fn presented(text: &str) -> Result<Self, WeakPassword> {
        let too_long = WeakPassword::TooLong { max: MAX_CHARS };
        if text.len() > RAW_MAX {
            return Err(too_long);
        }
        // Allocated once, so that no piece of the secret is left behind by growing.
        let mut secret = String::with_capacity(3 * text.len());
        secret.extend(text.nfc());
        let secret = SecretString::from(secret);
        if secret.expose_secret().contains('\0') {
            return Err(WeakPassword::ControlCharacter);
        }
        if secret.expose_secret().chars().count() > MAX_CHARS {
            return Err(too_long);
        }
        Ok(Self(secret))
    }

    /// Refuses one of fewer characters than that: more may be wanted than of every password.
    pub fn is_at_least(&self, min: usize) -> Result<(), WeakPassword> {
        if self.expose().chars().count() < min {
            return Err(WeakPassword::TooShort { min });
        }
        Ok(())
    }

    /// The text, to be hashed.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(redacted)")
    }
}

/// Whether a password is among the first an attacker would try.
///
/// True when zxcvbn puts it within 10 000 guesses (its first 100 characters, in lower case), or
/// when it is one of the `context` words but for case and punctuation: the e-mail address, its
/// local part, first and last name together, the name of the app. May take as long as hashing
/// does: call it in the same place.
pub fn is_common(password: &Password, context: &[&str]) -> bool {
    let password = password.expose();
    let bare = letters_and_digits(password);
    let in_context = context
        .iter()
        .any(|word| !bare.is_empty() && letters_and_digits(word) == bare);
    if in_context {
        return true;
    }
    zxcvbn::zxcvbn(&judged(password), &[]).guesses() <= COMMON_GUESSES
}

/// What zxcvbn gets to see. It tries every reading of look-alike characters together, for seconds
/// where a text has many kinds of them. No long password is within reach by its punctuation, so
/// there each such character is replaced by another that looks like nothing.
fn judged(password: &str) -> String {
    let text: String = password.chars().take(JUDGED_CHARS).collect();
    let text = text.to_lowercase();
    if text.chars().count() <= READ_IN_FULL {
        return text;
    }
    text.chars().map(without_likeness).collect()
}

fn without_likeness(c: char) -> char {
    match c {
        '(' => '円',
        '{' => '駅',
        '[' => '桜',
        '<' => '犬',
        '|' => '窓',
        '!' => '星',
        '+' => '鳥',
        '%' => '雨',
        '@' => '川',
        '$' => '森',
        plain => plain,
    }
}

fn letters_and_digits(text: &str) -> String {
    text.nfc()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common(text: &str, context: &[&str]) -> bool {
        is_common(&Password::presented(text).unwrap(), context)
    }

    #[test]
    fn length_counts_characters_and_has_both_ends() {
        let short = WeakPassword::TooShort { min: 8 };
        let long = WeakPassword::TooLong { max: 128 };

        assert_eq!(Password::parse("1234567").unwrap_err(), short);
        assert_eq!(Password::parse("").unwrap_err(), short);
        assert!(Password::parse("12345678").is_ok());
        assert!(Password::parse("日本語日本語日本").is_ok());
        assert_eq!(Password::parse("日本語日本語日").unwrap_err(), short);
        assert!(Password::parse(&"x".repeat(64)).is_ok());
        assert!(Password::parse(&"😀".repeat(128)).is_ok());
        assert_eq!(Password::parse(&"x".repeat(129)).unwrap_err(), long);
        assert_eq!(Password::parse(&"x".repeat(50_000_000)).unwrap_err(), long);
    }

    #[test]
    fn one_password_has_one_spelling_and_keeps_its_spaces() {
        let composed = Password::parse(" café au lait ").unwrap();
        let decomposed = Password::parse(" cafe\u{301} au lait ").unwrap();

        assert_eq!(composed.expose(), decomposed.expose());
        assert_eq!(composed.expose(), " café au lait ");
    }

    #[test]
    fn nul_is_refused_when_set_and_when_presented() {
        assert_eq!(
            Password::parse("abc\0defgh").unwrap_err(),
            WeakPassword::ControlCharacter
        );
        assert_eq!(
            Password::presented("abc\0").unwrap_err(),
            WeakPassword::ControlCharacter
        );
    }

    #[test]
    fn a_presented_password_may_be_shorter_than_todays_rule_but_not_longer() {
        assert_eq!(Password::presented("old").unwrap().expose(), "old");
        assert_eq!(
            Password::presented(&"x".repeat(129)).unwrap_err(),
            WeakPassword::TooLong { max: 128 }
        );
    }

    #[test]
    fn nothing_prints_a_password() {
        let printed = format!("{:?}", Password::parse("correct horse").unwrap());

        assert_eq!(printed, "Password(redacted)");
    }

    #[test]
    fn what_an_attacker_tries_first_is_common() {
        for text in [
            "password",
            "PASSWORD",
            "12345678",
            "qwertyuiop",
            "iloveyou",
            "letmein1",
            "aaaaaaaa",
        ] {
            assert!(common(text, &[]), "{text}");
        }
        for text in [
            "correct horse battery staple",
            "vbnqzkpwydm",
            "tr0ub4dor and 3 more",
            "日本語の長い合言葉です",
        ] {
            assert!(!common(text, &[]), "{text}");
        }
    }

    /// zxcvbn 3.1 needed 5 seconds for this one: it enumerates the readings of all look-alikes.
    #[test]
    fn a_long_password_of_look_alikes_is_judged_without_them() {
        let text = "4@8({[<369&#!1/|0$5+7%2".repeat(5);

        let seen = judged(&text);

        assert!(!seen.contains(['(', '{', '[', '<', '|', '!', '+', '%', '@', '$']));
        assert_eq!(seen.chars().count(), JUDGED_CHARS);
        assert_eq!(judged("P@$$w0rd!"), "p@$$w0rd!");
        assert!(!common(&text, &[]));
        assert!(common("P@ssw0rd", &[]) && common("!@#$%^&*()", &[]));
    }

    #[test]
    fn words_of_the_account_are_common_but_for_case_and_punctuation() {
        let context = [
            "mia.kowalska@example.org",
            "mia.kowalska",
            "Mia Kowalska",
            "Zanzibar Portal",
            "",
        ];

        for text in [
            "mia.kowalska",
            "MiaKowalska",
            "Mia-Kowalska!",
            "mia.kowalska@example.org",
            "zanzibar_portal",
        ] {
            assert!(common(text, &context), "{text}");
        }
        assert!(!common("mia kowalska likes tea", &context));
        assert!(!common("!§$%&/()=?-_;:°^", &context));
    }
}
