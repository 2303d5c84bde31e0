//! Text of users and apps, made safe to stand in a letter.

use serde::Serialize;
use unicode_normalization::char::decompose_compatible;

/// Longer names are cut.
const MOST: usize = 60;
/// Longer messages are cut.
const MOST_OF_A_MESSAGE: usize = 500;

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
        let name = line(text);
        Self::cut(&name, MOST).filter(|_| !becomes_a_link(&name))
    }

    /// The name of an app. It may look like an address: whoever names apps also says where links
    /// lead.
    pub fn app(text: &str) -> Option<Self> {
        Self::cut(&line(text), MOST)
    }

    /// What an app says below its letters. It may name an address, for the same reason.
    pub fn tagline(text: &str) -> Option<Self> {
        Self::cut(&line(text), MOST_OF_A_MESSAGE)
    }

    /// The name of an organization, which a letter cannot leave out: what would become a link is
    /// broken up. Anybody can found one of any name.
    pub fn organization(text: &str) -> Option<Self> {
        Self::cut(&unlinked(&line(text)), MOST)
    }

    /// What one person lets another be told, on one line; what would become a link is broken up.
    pub fn message(text: &str) -> Option<Self> {
        Self::cut(&unlinked(&line(text)), MOST_OF_A_MESSAGE)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn cut(line: &str, most: usize) -> Option<Self> {
        if line.chars().count() <= most {
            return (!line.is_empty()).then(|| Self(line.to_owned()));
        }
        let cut: String = line.chars().take(most - 1).collect();
        Some(Self(format!("{}…", cut.trim_end())))
    }
}

/// One line, single spaces, nothing that misleads.
fn line(text: &str) -> String {
    let shown = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c });
    let shown: String = shown.filter(|c| !misleads(*c)).collect();
    let words: Vec<&str> = shown.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ").replace("=?", "= ?")
}

/// Controls, line separators, and what reorders the text around it (UTS #39, Trojan Source).
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}')
}

/// `https://x`, `x.io`, `x.io/a`, `mia@x.io`, `www.x`: whatever has a mark that addresses need.
fn becomes_a_link(text: &str) -> bool {
    let has_mark = text.contains(['/', '\\', '@', ':', '<', '>', '[', ']']);
    has_mark || unlinked(text) != text
}

/// `https:// x. io/ a`, `mia@ x. io`: a space behind every mark that addresses need, so that no mail
/// program makes a link of it.
fn unlinked(line: &str) -> String {
    let mut broken = String::with_capacity(line.len());
    let mut letters = line.chars().peekable();
    let mut before = ' ';
    while let Some(letter) = letters.next() {
        broken.push(letter);
        let next = letters.peek().copied().unwrap_or(' ');
        let is_time = letter == ':' && before.is_ascii_digit() && next.is_ascii_digit();
        let is_last = next.is_whitespace() || next.is_ascii_punctuation();
        if joins_an_address(letter) && !is_last && !is_time {
            broken.push(' ');
        }
        before = letter;
    }
    broken
}

/// Also in the forms that browsers take for the same (UTS #46), like `．`, `＠` and `。`.
fn joins_an_address(letter: char) -> bool {
    let mut forms = 0;
    let mut plain = letter;
    decompose_compatible(letter, |form| {
        forms += 1;
        plain = form;
    });
    forms == 1 && matches!(plain, '.' | '。' | ':' | '@' | '/' | '\\')
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
            "evil．example",
            "mia＠evil",
            "evil.\u{ad}example",
        ] {
            assert_eq!(name(text), None, "{text}");
        }
        assert!(Plain::app("Shop.example").is_some());
    }

    /// Whoever reads it may still type an address, but nothing leads there.
    #[test]
    fn messages_and_names_of_organizations_are_shown_without_their_links() {
        for (text, shown) in [
            (
                "Welcome! We meet at 10:30...",
                "Welcome! We meet at 10:30...",
            ),
            ("Acme, Inc.", "Acme, Inc."),
            (
                "see https://evil.example/x",
                "see https:// evil. example/ x",
            ),
            ("mia@evil.example", "mia@ evil. example"),
            ("evil。example", "evil。 example"),
            ("evil.\u{ad}example", "evil. \u{ad}example"),
            ("javascript:alert(1)", "javascript: alert(1)"),
            ("<a href=\"//evil\">x</a>", "<a href=\"// evil\">x</ a>"),
            ("one\r\n\u{202e}two", "one two"),
        ] {
            let message = Plain::message(text).map(|it| it.0);
            assert_eq!(message.as_deref(), Some(shown), "{text:?}");
            assert_eq!(Plain::organization(text).map(|it| it.0), message);
        }
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
        let message = Plain::message(&"ü".repeat(10_000)).expect("something is left");
        assert_eq!(message.0.chars().count(), MOST_OF_A_MESSAGE);
    }
}
