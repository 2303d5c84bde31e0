//! Values: words, lengths, colours and names of fonts.

use cssparser::{Parser, Token};

use super::{Read, allowed, is_plain, refused, token};

/// No number is larger, so that each is written as it is read, to three digits behind the point.
const LARGEST: f64 = 4_000.0;

/// How deep functions stand in each other: a colour in a gradient.
const DEEPEST: u8 = 2;

/// What a property is set to, `!important` included.
pub(super) fn value(parser: &mut Parser<'_>) -> Read<String> {
    let mut written = Written::default();
    while let Some(token) = token(parser) {
        if token == Token::Delim('!') {
            let is_said = parser.expect_ident_matching("important").is_ok();
            if !is_said || written.text.is_empty() || !parser.is_exhausted() {
                return refused(parser, "`!` must be the `!important` behind a value");
            }
            written.word("!important");
            return Ok(written.text);
        }
        written.add(&token, parser, 0)?;
    }
    Ok(written.text)
}

#[derive(Default)]
struct Written {
    text: String,
    /// Whether what comes is joined to what is there.
    is_joined: bool,
}

impl Written {
    /// Words are set apart even where only a comment was between them.
    fn word(&mut self, word: &str) {
        if !self.text.is_empty() && !self.is_joined {
            self.text.push(' ');
        }
        self.text.push_str(word);
        self.is_joined = false;
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "tokens are the parser's, and what is not named here is refused"
    )]
    fn add(&mut self, token: &Token<'_>, parser: &mut Parser<'_>, depth: u8) -> Read<()> {
        let word = match token {
            Token::WhiteSpace(_) => return Ok(()),
            Token::Comma => {
                self.text.push(',');
                return Ok(());
            }
            Token::Delim('/') => "/".to_owned(),
            Token::Ident(name) if is_plain(name) || is_vendor(name) => name.to_string(),
            Token::Hash(digits) | Token::IDHash(digits) if is_color(digits) => {
                format!("#{}", digits.to_ascii_lowercase())
            }
            Token::QuotedString(name) if is_name_of_a_font(name) => format!("'{name}'"),
            Token::Number { .. } | Token::Percentage { .. } | Token::Dimension { .. } => {
                match number(token) {
                    Some(number) => number,
                    None => return refused(parser, UNFIT_NUMBER),
                }
            }
            Token::Function(name) => function(name, parser, depth)?,
            Token::UnquotedUrl(_) | Token::BadUrl(_) => {
                return refused(parser, "`url()` is not allowed in a value");
            }
            _ => return refused(parser, "this is not allowed in a value"),
        };
        self.word(&word);
        Ok(())
    }
}

const UNFIT_NUMBER: &str =
    "numbers are from 0 to 4,000, without a unit, as a percentage, or in a unit of CSS";

/// `rgb(0 0 0 / 50%)`, with what is between the parentheses.
fn function(name: &str, parser: &mut Parser<'_>, depth: u8) -> Read<String> {
    let Some(known) = allowed::function(name) else {
        let why = format!("`{name:.40}()` is not allowed in a value");
        return refused(parser, why);
    };
    if depth >= DEEPEST {
        return refused(parser, format!("`{known}()` stands too deep in others"));
    }
    parser.parse_nested_block(|inner| {
        let mut written = Written::default();
        while let Some(token) = token(inner) {
            written.add(&token, inner, depth + 1)?;
        }
        Ok(format!("{known}({})", written.text))
    })
}

/// A number as it is written, `None` where there is none, or none of the kind.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "tokens are the parser's, and few of them are numbers"
)]
pub(super) fn number(token: &Token<'_>) -> Option<String> {
    match token {
        Token::Number { value, .. } => decimal(f64::from(*value)),
        Token::Percentage { unit_value, .. } => {
            Some(format!("{}%", decimal(f64::from(*unit_value) * 100.0)?))
        }
        Token::Dimension { value, unit, .. } => {
            let unit = allowed::unit(unit)?;
            Some(format!("{}{unit}", decimal(f64::from(*value))?))
        }
        _ => None,
    }
}

/// Never with an exponent, and read again as the same.
fn decimal(number: f64) -> Option<String> {
    let is_fit = (0.0..=LARGEST).contains(&number) && !number.is_sign_negative();
    is_fit.then(|| ((number * 1_000.0).round() / 1_000.0).to_string())
}

/// `-apple-system`
fn is_vendor(name: &str) -> bool {
    name.strip_prefix('-').is_some_and(is_plain)
}

fn is_color(digits: &str) -> bool {
    matches!(digits.len(), 3 | 4 | 6 | 8) && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_name_of_a_font(name: &str) -> bool {
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b' ' || b == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(is_letter)
}
