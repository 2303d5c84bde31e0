//! Selectors: elements, classes and identifiers, and what stands in what.
//!
//! No attributes, whose values could be told to others, and nothing that counts or negates.

use cssparser::{Parser, Token};

use super::{Read, Told, allowed, is_plain, refused, token};

/// What is written of a list so far.
#[derive(Default)]
struct Written {
    text: String,
    /// Whether something is selected since the last `,` or `>`.
    is_whole: bool,
    /// What stands between that and what comes.
    gap: Gap,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Gap {
    #[default]
    None,
    /// Inside of it.
    Space,
    /// Its child.
    Child,
}

/// `.letter a, .button:hover`
pub(super) fn list(parser: &mut Parser<'_>) -> Read<String> {
    let mut written = Written::default();
    parser.skip_whitespace();
    while let Some(token) = token(parser) {
        written.add(token, parser)?;
    }
    if !written.is_whole || written.gap == Gap::Child {
        return refused(parser, "a selector is missing or not finished");
    }
    Ok(written.text)
}

impl Written {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "tokens are the parser's, and what is not named here is refused"
    )]
    fn add(&mut self, token: Token<'_>, parser: &mut Parser<'_>) -> Read<()> {
        match token {
            Token::WhiteSpace(_) if self.gap == Gap::None => {
                self.gap = Gap::Space;
                Ok(())
            }
            Token::WhiteSpace(_) => Ok(()),
            Token::Delim('>') if self.is_whole && self.gap != Gap::Child => {
                self.gap = Gap::Child;
                Ok(())
            }
            Token::Comma if self.is_whole && self.gap != Gap::Child => {
                self.text.push_str(", ");
                (self.is_whole, self.gap) = (false, Gap::None);
                Ok(())
            }
            Token::Delim('*') if self.is_fresh() => self.part("", "*"),
            Token::Ident(name) if self.is_fresh() => self.named("", &name, parser),
            Token::IDHash(name) => self.named("#", &name, parser),
            Token::Delim('.') => {
                let name = parser.next_including_whitespace().ok().cloned();
                self.named(".", &word(name), parser)
            }
            Token::Colon => {
                let name = word(parser.next_including_whitespace().ok().cloned());
                match allowed::pseudo_class(&name) {
                    Some(known) => self.part(":", known),
                    None => refused(
                        parser,
                        format!("`:{name:.40}` is not allowed in a selector"),
                    ),
                }
            }
            Token::SquareBracketBlock => {
                refused(parser, "attributes are not allowed in a selector")
            }
            _ => refused(parser, "this is not allowed in a selector"),
        }
    }

    /// Whether a new element may begin.
    fn is_fresh(&self) -> bool {
        !self.is_whole || self.gap != Gap::None
    }

    fn named(&mut self, mark: &str, name: &str, parser: &Parser<'_>) -> Read<()> {
        if !is_plain(name) {
            let why = format!("{} is not a name that can be selected", Told(name));
            return refused(parser, why);
        }
        self.part(mark, name)
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "every part of a selector answers alike"
    )]
    fn part(&mut self, mark: &str, name: &str) -> Read<()> {
        if self.is_whole {
            self.text.push_str(match self.gap {
                Gap::None => "",
                Gap::Space => " ",
                Gap::Child => " > ",
            });
        }
        self.text.push_str(mark);
        self.text.push_str(name);
        (self.is_whole, self.gap) = (true, Gap::None);
        Ok(())
    }
}

/// The word of a token; empty where it has none.
fn word(token: Option<Token<'_>>) -> String {
    match token {
        Some(Token::Ident(name)) => name.to_string(),
        _ => String::new(),
    }
}
