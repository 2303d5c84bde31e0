use std::fmt;

use serde_json::Value as Json;

use crate::kernel::secret::{ExposeSecret, SecretString};
use crate::kernel::text::{Label, WebUrl};

/// What a setting can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Flag,
    /// A whole number from the first to the second.
    Number(u32, u32),
    /// A line of so many characters at most.
    Text(usize),
    /// One of these words.
    Choice(&'static [&'static str]),
    Url,
    /// Text of so many characters, from the first to the second, that nobody is told.
    Secret(usize, usize),
}

/// What a setting is, which fits its kind.
#[derive(Debug, Clone)]
pub enum Value {
    Flag(bool),
    Number(u32),
    Text(String),
    Secret(SecretString),
}

/// Why something cannot be the value of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfit(Kind);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Flag => f.write_str("must be true or false"),
            Kind::Number(least, most) => write!(f, "not a whole number from {least} to {most}"),
            Kind::Text(most) => write!(f, "not a line of 1 to {most} characters that show"),
            Kind::Choice(words) => write!(f, "must be one of: {}", words.join(", ")),
            Kind::Url => f.write_str("not an https address of a page"),
            Kind::Secret(least, most) => write!(f, "not a text of {least} to {most} characters"),
        }
    }
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flag => "boolean",
            Self::Number(..) => "integer",
            Self::Text(_) => "text",
            Self::Choice(_) => "choice",
            Self::Url => "url",
            Self::Secret(..) => "secret",
        }
    }

    /// The value that JSON means, in the one spelling in which it is kept.
    pub fn parse(self, json: &Json) -> Result<Value, Unfit> {
        self.read(json).ok_or(Unfit(self))
    }

    fn read(self, json: &Json) -> Option<Value> {
        match self {
            Self::Flag => json.as_bool().map(Value::Flag),
            Self::Number(least, most) => {
                let number = u32::try_from(json.as_u64()?).ok()?;
                (least..=most)
                    .contains(&number)
                    .then_some(Value::Number(number))
            }
            Self::Text(most) => {
                let text = Label::parse(json.as_str()?).ok()?.to_string();
                (text.chars().count() <= most).then_some(Value::Text(text))
            }
            Self::Choice(words) => {
                let text = json.as_str()?;
                words.contains(&text).then(|| Value::Text(text.to_owned()))
            }
            Self::Url => {
                let url = WebUrl::parse(json.as_str()?).ok()?;
                Some(Value::Text(url.to_string()))
            }
            Self::Secret(least, most) => {
                let text = json.as_str()?;
                let is_plain = !text.chars().any(char::is_control);
                let fits = is_plain && (least..=most).contains(&text.chars().count());
                fits.then(|| Value::Secret(SecretString::from(text)))
            }
        }
    }
}

impl Value {
    /// As clients see it; `None` for a secret.
    pub fn shown(&self) -> Option<Json> {
        match self {
            Self::Flag(flag) => Some((*flag).into()),
            Self::Number(number) => Some((*number).into()),
            Self::Text(text) => Some(text.as_str().into()),
            Self::Secret(_) => None,
        }
    }

    pub(super) fn secret(&self) -> Option<&str> {
        match self {
            Self::Secret(secret) => Some(secret.expose_secret()),
            Self::Flag(_) | Self::Number(_) | Self::Text(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A kind, what fits it, what does not, and what it says then.
    type Row = (Kind, Vec<Json>, Vec<Json>, &'static str);

    fn plain() -> [Row; 3] {
        [
            (
                Kind::Flag,
                vec![json!(true)],
                vec![json!("true"), json!(1), json!(null)],
                "true or false",
            ),
            (
                Kind::Number(8, 64),
                vec![json!(8), json!(64)],
                vec![
                    json!(7),
                    json!(65),
                    json!(-8),
                    json!(8.5),
                    json!("8"),
                    json!(1e30),
                ],
                "from 8 to 64",
            ),
            (
                Kind::Choice(&["en", "de"]),
                vec![json!("de")],
                vec![json!("fr"), json!("DE")],
                "en, de",
            ),
        ]
    }

    fn texts() -> [Row; 3] {
        [
            (
                Kind::Text(5),
                vec![json!("Abcde")],
                vec![json!("Abcdef"), json!(""), json!("a\nb"), json!(1)],
                "1 to 5 characters",
            ),
            (
                Kind::Url,
                vec![json!("https://x.example/help")],
                vec![
                    json!("javascript:alert(1)"),
                    json!("http://x.example"),
                    json!("//x"),
                ],
                "https",
            ),
            (
                Kind::Secret(8, 16),
                vec![json!("12345678")],
                vec![
                    json!("1234567"),
                    json!("12345678901234567"),
                    json!("1234\n5678"),
                ],
                "8 to 16",
            ),
        ]
    }

    #[test]
    fn every_kind_has_bounds_and_says_them() {
        for (kind, good, bad, says) in plain().into_iter().chain(texts()) {
            for json in good {
                let value = kind.parse(&json).unwrap();
                assert_eq!(value.shown().is_none(), matches!(kind, Kind::Secret(..)));
                assert!(value.shown().is_none_or(|shown| shown == json), "{json}");
            }
            for json in bad {
                let unfit = kind.parse(&json).unwrap_err();
                assert!(unfit.to_string().contains(says), "{json}: {unfit}");
            }
        }
    }

    #[test]
    fn a_secret_shows_in_no_way() {
        let secret = Kind::Secret(8, 16).parse(&json!("open sesame")).unwrap();

        assert!(!format!("{secret:?}").contains("sesame"));
        assert_eq!(secret.shown(), None);
        assert_eq!(secret.secret(), Some("open sesame"));
    }
}
