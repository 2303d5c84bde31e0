//! Style sheets of others, made safe to stand in a letter or on a page.
//!
//! ```text
//! text ─ground─▶ nothing that hides, all closed ─parser─▶ tokens ─rules, selectors, values─▶ normal form
//!         │                                                  │
//!         └──────────── refused: the line, and why ──────────┘
//! ```
//!
//! What is not on a list of [`allowed`] is refused, never left out: nobody finds half of his sheet
//! missing. Nothing loads or runs anything, reads attributes, or is taken out of the flow.
//! The normal form is parsed to itself. Not here: whose sheet it is and where it is shown.

mod allowed;
#[cfg(test)]
mod fuzz;
mod ground;
mod rules;
mod selectors;
#[cfg(test)]
mod tests;
mod values;

use std::fmt;

use cssparser::{ParseError, ParseErrorKind, Parser, Token};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest style sheet, in bytes, as it comes and in its normal form.
const LONGEST: usize = 16 * 1024;

/// A style sheet of harmless rules, in its normal form: without comments, one rule a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String")]
#[schema(
    max_length = 16384,
    example = ".button { border-radius: 12px !important }"
)]
pub struct StyleSheet(String);

/// Text is no such style sheet: why, and on which of its lines, from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct NotAStyleSheet {
    line: u32,
    why: String,
}

/// What is read of a style sheet, or why it is refused.
type Read<T> = Result<T, ParseError<NotAStyleSheet>>;

impl StyleSheet {
    /// Takes `@media` and style rules of simple selectors and presentation (CSS Syntax Level 3), of at
    /// most 16 KiB.
    pub fn parse(text: &str) -> Result<Self, NotAStyleSheet> {
        if text.len() > LONGEST {
            return Err(too_long());
        }
        ground::check(text)?;
        let mut parser = Parser::new(text);
        let normal = match rules::sheet(&mut parser) {
            Ok(normal) => normal,
            Err(error) => return Err(NotAStyleSheet::of(error, &parser)),
        };
        if normal.len() > LONGEST {
            return Err(too_long());
        }
        Ok(Self(normal))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn too_long() -> NotAStyleSheet {
    NotAStyleSheet {
        line: 1,
        why: "is longer than 16 KiB".to_owned(),
    }
}

impl NotAStyleSheet {
    fn of(error: ParseError<Self>, parser: &Parser<'_>) -> Self {
        match error.kind {
            ParseErrorKind::Custom(refusal) => refusal,
            ParseErrorKind::Basic(kind) => Self {
                line: line(parser),
                why: kind.to_string(),
            },
        }
    }
}

impl TryFrom<String> for StyleSheet {
    type Error = NotAStyleSheet;

    fn try_from(text: String) -> Result<Self, NotAStyleSheet> {
        Self::parse(&text)
    }
}

/// Counted from 1.
fn line(parser: &Parser<'_>) -> u32 {
    parser.current_source_location().line + 1
}

fn refused<T>(parser: &Parser<'_>, why: impl Into<String>) -> Read<T> {
    Err(ParseError::custom(NotAStyleSheet {
        line: line(parser),
        why: why.into(),
    }))
}

/// The next token, white space included and comments not; `None` where the part is at its end.
fn token<'i>(parser: &mut Parser<'i>) -> Option<Token<'i>> {
    parser.next_including_whitespace().ok().cloned()
}

/// A name that is written as it is: of `a-z A-Z 0-9 _ -` behind a letter or `_`.
fn is_plain(name: &str) -> bool {
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let goes_on_well = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    begins_well && name.len() <= 64 && name.bytes().all(goes_on_well)
}

/// A token or a name as it is told: quoted, its beginning alone where it is long.
struct Told<'a>(&'a str);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begins: String = self.0.chars().take(40).collect();
        write!(f, "`{begins}`")
    }
}
