//! Text of users and apps, made safe to stand in a letter.

use serde::Serialize;

/// Longer names are cut.
const MOST: usize = 60;

/// A name as a letter may show it: one bounded line without characters that hide, reorder or
/// fold lines, and without what a reader of headers would decode (RFC 2047).
///
/// Not escaped: templates do that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plain(String);

impl Plain {
    /// The name of a user or of what he uses; `None` where mail programs would make a link of it, or
    /// nothing is left. Anybody can sign up with any name, and any address of others.
    pub fn name(text: &str) -> Option<Self> {
        Self::line(text).filter(|name| !becomes_a_link(&name.0))
    }

    /// The name of an app. It may look like an address: whoever names apps also says where links
    /// lead.
    pub fn app(text: &str) -> Option<Self> {
        Self::line(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn line(text: &str) -> Option<Self> {
        let shown = text
            .chars()
            .map(|c| if c.is_whitespace() { ' ' } else { c });
        let shown: String = shown.filter(|c| !misleads(*c)).collect();
        let words: Vec<&str> = shown.split(' ').filter(|word| !word.is_empty()).collect();
        let line = words.join(" ").replace("=?", "= ?");
        if line.chars().count() <= MOST {
            return (!line.is_empty()).then_some(Self(line));
        }
        let cut: String = line.chars().take(MOST - 1).collect();
        Some(Self(format!("{}…", cut.trim_end())))
    }
}

/// Controls, line separators, and what reorders the text around it (UTS #39, Trojan Source).
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

/// `https://x`, `x.io`, `x.io/a`, `mia@x.io`, `www.x`: whatever has a mark that addresses need.
fn becomes_a_link(text: &str) -> bool {
    let has_mark = text.contains([
        '/', '\\', '@', ':', '<', '>', '[', ']', '。', '．', '：', '／',
    ]);
    let mut letters = text.chars().peekable();
    let mut dotted = false;
    while let Some(letter) = letters.next() {
        let follows = letters.peek().is_some_and(|next| next.is_alphanumeric());
        dotted |= letter == '.' && follows;
    }
    has_mark || dotted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Option<String> {
        Plain::name(text).map(|name| name.0)
    }

    #[test]
    fn names_of_people_stay_as_they_are() {
        for text in [
            "Mia",
            "O'Brien, Jr.",
            "Zoë & Bo",
            "J. R.",
            "日本語",
            "👩\u{200d}💻",
        ] {
            assert_eq!(name(text).as_deref(), Some(text), "{text}");
        }
    }

    #[test]
    fn names_that_would_be_links_are_left_out() {
        for text in [
            "https://evil.example",
            "evil.example",
            "see evil.example/x now",
            "www.evil.example",
            "mia@evil.example",
            "evil。example",
            "javascript:alert(1)",
            "//evil",
            "[click](x)",
            "Zoë & <3",
        ] {
            assert_eq!(name(text), None, "{text}");
        }
        assert!(Plain::app("Shop.example").is_some());
    }

    #[test]
    fn what_folds_reorders_or_is_decoded_does_not_get_through() {
        let table = [
            ("Mia\r\nBcc x", Some("Mia Bcc x")),
            ("Mia\u{2028}x", Some("Mia x")),
            ("a\u{202e}b\u{2066}c\u{200f}d", Some("abcd")),
            ("=?utf-8?q?x?=", Some("= ?utf-8?q?x?=")),
            ("  a \t b ", Some("a b")),
            ("\u{200b}\0", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(name(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn long_names_are_cut() {
        let cut = name(&"ü".repeat(10_000)).expect("something is left");

        assert_eq!(cut.chars().count(), MOST);
        assert!(cut.ends_with('…'));
    }
}
