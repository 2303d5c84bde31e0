//! Free text: what people write into a form, on one line or on several.
//!
//! NFC, no white space around it, nothing that hides or reorders what is shown around it. It may be
//! empty; how long it may be is the form's affair. Not safe in HTML or mail headers as it stands.

use super::composed;
use super::names::misleads;

/// The text has characters that show nothing, or reorder what is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("has characters that do not show, or a line too many")]
pub struct NotPlain;

/// One line of text.
pub fn line(text: &str) -> Result<String, NotPlain> {
    let line = composed(text.trim());
    if line.chars().any(misleads) {
        return Err(NotPlain);
    }
    Ok(line)
}

/// Any number of lines, each ended by `\n` whatever ended it before. Tabs are kept.
pub fn lines(text: &str) -> Result<String, NotPlain> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines = composed(text.trim());
    if lines
        .chars()
        .any(|c| !matches!(c, '\n' | '\t') && misleads(c))
    {
        return Err(NotPlain);
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_in_one_spelling() {
        assert_eq!(line("  Zoe\u{308} & <Co> "), Ok("Zoë & <Co>".to_owned()));
        assert_eq!(line("   "), Ok(String::new()));
        for bad in [
            "a\nb",
            "a\tb",
            "a\0b",
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{2028}b",
        ] {
            assert_eq!(line(bad), Err(NotPlain), "{bad:?}");
        }
    }

    #[test]
    fn lines_end_alike() {
        assert_eq!(lines("a\r\nb\rc\n\td "), Ok("a\nb\nc\n\td".to_owned()));
        for bad in ["a\0b", "a\u{202e}b", "a\u{2028}b"] {
            assert_eq!(lines(bad), Err(NotPlain), "{bad:?}");
        }
    }
}
