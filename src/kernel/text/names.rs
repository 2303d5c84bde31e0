//! Names: of things in addresses ([`Slug`]), of things and people in words ([`Label`]), and the
//! name a person signs in by ([`Username`]); the words of rights ([`Word`]); and why somebody did
//! something ([`Reason`]).

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{checked_text, composed, hides};
use crate::kernel::entropy::Entropy;

/// Longer text is refused before it is normalised.
const RAW_MAX: usize = 1_024;

checked_text! {
    /// A slug: 3–40 of `a-z 0-9 -`, no hyphen at either end. Stored and compared lower-case.
    Slug, refused as NotASlug:
        "not 3 to 40 letters a-z, digits and hyphens without a hyphen at either end";
    schema: 3..=40, None, "acme"
}

impl Slug {
    const LENGTHS: std::ops::RangeInclusive<usize> = 3..=40;

    /// Capital letters become small ones; nothing else is repaired.
    pub fn parse(text: &str) -> Result<Self, NotASlug> {
        let slug = text.to_ascii_lowercase();
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let hyphen_at_end = slug.starts_with('-') || slug.ends_with('-');
        if !Self::LENGTHS.contains(&slug.len()) || !slug.bytes().all(is_plain) || hyphen_at_end {
            return Err(NotASlug);
        }
        Ok(Self(slug))
    }

    /// A slug that resembles a name: `Änderungs-Büro 7` gives `anderungs-buro-7`.
    ///
    /// `None` where fewer than three Latin letters or digits are in it. It may be taken.
    pub fn from_name(name: &str) -> Option<Self> {
        let plain: String = name
            .nfkd()
            .filter(|c| !is_combining_mark(*c))
            .take(RAW_MAX)
            .collect();
        let words = plain
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty());
        let mut slug = words.collect::<Vec<_>>().join("-");
        slug.truncate(*Self::LENGTHS.end());
        Self::parse(slug.trim_end_matches('-')).ok()
    }

    /// A slug that begins like another one, which is taken; of chance, so that it is not.
    fn unlike(stem: &str, entropy: &Entropy) -> Option<Self> {
        let stem: String = stem.chars().take(31).collect();
        let token = entropy.token().to_lowercase();
        let plain = token.chars().filter(char::is_ascii_alphanumeric);
        let tail: String = plain.take(8).collect();
        Self::parse(&format!("{}-{tail}", stem.trim_end_matches('-'))).ok()
    }

    /// What to try, one after the other, where nobody has asked for a slug: this one, if there is one
    /// in the name, and then one that begins like it, or else like the word.
    pub fn tries(first: Option<Self>, word: &str, entropy: &Entropy) -> impl Iterator<Item = Self> {
        let stem = first.as_ref().map_or(word, Self::as_str);
        let other = Self::unlike(stem, entropy);
        first.into_iter().chain(other)
    }
}

checked_text! {
    /// A name in words, of a thing or a part of a person's: 1–100 characters on one line.
    ///
    /// NFC, no spaces around it, at least one character that shows, no control characters, none
    /// that reorder the text around them. Not safe in HTML or mail headers as it stands.
    Label, refused as NotALabel: "not 1 to 100 printable characters on one line";
    schema: 1..=100, None, "Acme Research"
}

impl Label {
    const CHARS_MAX: usize = 100;

    /// White space around the name is dropped.
    pub fn parse(text: &str) -> Result<Self, NotALabel> {
        words(text, Self::CHARS_MAX).map(Self).ok_or(NotALabel)
    }
}

checked_text! {
    /// Why somebody did something, in his own words: 1–200 characters on one line, otherwise as a
    /// [`Label`].
    Reason, refused as NotAReason: "not 1 to 200 printable characters on one line";
    schema: 1..=200, None, "Ticket 4711: cannot see her invoices"
}

impl Reason {
    const CHARS_MAX: usize = 200;

    /// White space around it is dropped.
    pub fn parse(text: &str) -> Result<Self, NotAReason> {
        words(text, Self::CHARS_MAX).map(Self).ok_or(NotAReason)
    }
}

fn words(text: &str, most: usize) -> Option<String> {
    if text.len() > RAW_MAX {
        return None;
    }
    let words = composed(text.trim());
    let shows = words.chars().any(|c| !c.is_whitespace() && !hides(c));
    let is_plain = words.chars().count() <= most && !words.chars().any(misleads);
    (shows && is_plain).then_some(words)
}

/// As [`hides`], but for what emoji and several scripts need between letters: joiners, direction
/// marks and variation selectors.
pub(super) fn misleads(c: char) -> bool {
    let needed =
        matches!(c, '\u{200C}'..='\u{200F}' | '\u{61C}' | '\u{34F}' | '\u{FE00}'..='\u{FE0F}');
    hides(c) && !needed
}

checked_text! {
    /// A word of the language of rights, the name of a role, a resource or an action: 2–64 of
    /// `a-z 0-9 _ -` after a letter. Compared as it is; nothing is repaired.
    Word, refused as NotAWord:
        "not 2 to 64 letters a-z, digits, underscores and hyphens after a letter";
    schema: 2..=64, None, "billing"
}

impl Word {
    pub fn parse(text: &str) -> Result<Self, NotAWord> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b);
        let begins_well = text.starts_with(|c: char| c.is_ascii_lowercase());
        if !(2..=64).contains(&text.len()) || !text.bytes().all(is_plain) || !begins_well {
            return Err(NotAWord);
        }
        Ok(Self(text.to_owned()))
    }
}

checked_text! {
    /// A user's name for signing in: 3–32 of `a-z 0-9 . _ -`, beginning with a letter or digit.
    Username, refused as NotAUsername:
        "not 3 to 32 letters a-z, digits, dots, underscores and hyphens after a letter or digit";
    schema: 3..=32, None, "mia.k"
}

impl Username {
    /// Compatibility forms (NFKC) and capital letters become plain small ones.
    pub fn parse(text: &str) -> Result<Self, NotAUsername> {
        if text.len() > RAW_MAX || text.chars().any(hides) {
            return Err(NotAUsername);
        }
        let name = text.nfkc().collect::<String>().to_lowercase();
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        let begins_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !(3..=32).contains(&name.len()) || !name.bytes().all(is_plain) || !begins_well {
            return Err(NotAUsername);
        }
        Ok(Self(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_slug_resembles_the_first_and_is_one() {
        let entropy = Entropy::system();
        for stem in ["org", &"a".repeat(40)] {
            let first = Slug::parse(stem).unwrap();
            let tries = || Slug::tries(Some(first.clone()), "else", &entropy).collect::<Vec<_>>();
            let (one, other) = (tries(), tries());
            assert_eq!((&one[0], &other[0]), (&first, &first));
            assert_ne!(one[1], other[1]);
            assert!(one[1].as_str().starts_with(&stem[..3]));
        }
        let nameless: Vec<Slug> = Slug::tries(None, "team", &entropy).collect();
        assert!(nameless.len() == 1 && nameless[0].as_str().starts_with("team-"));
    }

    #[test]
    fn slugs_are_short_and_plain() {
        for (text, slug) in [
            ("acme", "acme"),
            ("Acme-7", "acme-7"),
            ("a--b", "a--b"),
            ("123", "123"),
        ] {
            assert_eq!(Slug::parse(text).map(|s| s.0).as_deref(), Ok(slug));
        }
        assert!(Slug::parse(&"a".repeat(40)).is_ok());
        for text in [
            "",
            "ab",
            "-acme",
            "acme-",
            "---",
            "ac me",
            " acme",
            "acme\n",
            "ac_me",
            "ac.me",
            "../x",
            ".well-known",
            "acmé",
            "аcme",
            "acme/x",
            "ac\0me",
        ] {
            assert_eq!(Slug::parse(text), Err(NotASlug), "{text:?}");
        }
        assert!(Slug::parse(&"a".repeat(41)).is_err());
    }

    #[test]
    fn words_are_plain_and_taken_as_they_are() {
        for text in ["ok", "documents", "read_all", "level-2", &"a".repeat(64)] {
            assert_eq!(Word::parse(text).map(|word| word.0).as_deref(), Ok(text));
        }
        let long = "a".repeat(65);
        for text in [
            "",
            "a",
            "A1",
            "Owner",
            "1st",
            "_x",
            "-x",
            "a b",
            "a,b",
            "a\nb",
            "a:b",
            "*",
            "a*",
            "a.b",
            "\"a\"",
            "ownér",
            "p, admin",
            " ab",
            "ab ",
            "role:admin",
            &long,
        ] {
            assert_eq!(Word::parse(text), Err(NotAWord), "{text:?}");
        }
    }

    #[test]
    fn a_slug_resembles_the_name_it_comes_from() {
        let slug = |name: &str| Slug::from_name(name).map(|slug| slug.0);

        assert_eq!(
            slug("Acme Research, Inc.").as_deref(),
            Some("acme-research-inc")
        );
        assert_eq!(
            slug("  Änderungs-Büro 7! ").as_deref(),
            Some("anderungs-buro-7")
        );
        assert_eq!(
            slug(&"abc ".repeat(50)).as_deref(),
            Some("abc-abc-abc-abc-abc-abc-abc-abc-abc-abc")
        );
        assert_eq!(slug(&"ab ".repeat(50)).map(|slug| slug.len()), Some(38 + 2));
        for name in ["", "  ", "日本語", "A!", "--"] {
            assert_eq!(slug(name), None, "{name}");
        }
    }

    #[test]
    fn labels_are_what_people_write() {
        for (text, label) in [
            (" Acme ", "Acme"),
            ("O'Brien-Łukasz, Jr.", "O'Brien-Łukasz, Jr."),
            ("Zoe\u{308}", "Zoë"),
            ("日本語", "日本語"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("👩\u{200d}💻 team", "👩\u{200d}💻 team"),
            ("❤\u{fe0f}", "❤\u{fe0f}"),
            ("{{7*7}} <b>", "{{7*7}} <b>"),
        ] {
            assert_eq!(
                Label::parse(text).map(|l| l.0).as_deref(),
                Ok(label),
                "{text:?}"
            );
        }
        assert!(Label::parse(&"é".repeat(100)).is_ok());
    }

    #[test]
    fn labels_that_show_nothing_or_mislead_are_refused() {
        for text in [
            "",
            "   ",
            "\u{3000}",
            "\u{200d}",
            "\u{200b}",
            "\u{3164}",
            "a\nb",
            "a\r\nBcc: x",
            "a\tb",
            "a\0b",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{2028}b",
            "a\u{200b}b",
            "a\u{feff}b",
            "a\u{e0041}b",
            "a\u{85}b",
        ] {
            assert_eq!(Label::parse(text), Err(NotALabel), "{text:?}");
        }
        assert!(Label::parse(&"é".repeat(101)).is_err());
        assert!(Label::parse(&"e\u{301}".repeat(100_000)).is_err());
    }

    #[test]
    fn usernames_have_one_spelling() {
        for (text, name) in [
            ("Mia.K", "mia.k"),
            ("7of9", "7of9"),
            ("ｍｉａ", "mia"),
            ("a_-", "a_-"),
        ] {
            assert_eq!(
                Username::parse(text).map(|u| u.0).as_deref(),
                Ok(name),
                "{text}"
            );
        }
        for text in [
            "",
            "ab",
            ".mia",
            "_mia",
            "-mia",
            "mi a",
            "mia@x.io",
            "+4915112345678",
            "mía",
            "міа",
            "mi\u{200b}a",
            " mia",
            "mia\n",
        ] {
            assert_eq!(Username::parse(text), Err(NotAUsername), "{text:?}");
        }
        assert!(Username::parse(&"a".repeat(33)).is_err());
    }
}
