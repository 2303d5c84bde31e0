//! Text that has been checked once: addresses, names, numbers, origins.
//!
//! Each type holds one canonical spelling, made by its `parse`; two values are the same exactly
//! when they are equal as text. They read from JSON through `parse` and so can stand in the body
//! of a request. A refusal while reading begins with its code, `invalid_email: …`;
//! [`refusal`] finds it again behind whatever a JSON reader adds.
//! Not here: whether an address exists, a slug is free, a name is polite.

mod email;
mod names;
mod origin;
mod phone;

pub use email::{Email, NotAnEmail};
pub use names::{Label, NotALabel, NotASlug, NotAUsername, Slug, Username};
pub use origin::{NotAnOrigin, Origin};
pub use phone::{NotAPhone, Phone};

/// Defines a type of checked text and what its refusal is called.
///
/// The type still needs `parse(&str) -> Result<Self, $refusal>`.
macro_rules! checked_text {
    (
        $(#[$doc:meta])* $name:ident, refused as $refusal:ident: $code:literal, $detail:literal;
        schema: $min:literal..=$max:literal, $format:expr, $example:literal
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        #[doc = concat!("Refused with the code `", $code, "`.")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        #[error($detail)]
        pub struct $refusal;

        impl $refusal {
            /// The stable code of this refusal in a problem's `errors`.
            pub const CODE: &'static str = $code;
            pub(super) const DETAIL: &'static str = $detail;
        }

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $refusal;

            fn from_str(text: &str) -> Result<Self, $refusal> {
                Self::parse(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                Self::parse(&text)
                    .map_err(|why| serde::de::Error::custom(format!("{}: {why}", $code)))
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let format: Option<&str> = $format;
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .format(format.map(|name| {
                        utoipa::openapi::schema::SchemaFormat::Custom(String::from(name))
                    }))
                    .min_length(Some($min))
                    .max_length(Some($max))
                    .examples([$example])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}
use checked_text;

const REFUSALS: [(&str, &str); 6] = [
    (NotAnEmail::CODE, NotAnEmail::DETAIL),
    (NotASlug::CODE, NotASlug::DETAIL),
    (NotALabel::CODE, NotALabel::DETAIL),
    (NotAUsername::CODE, NotAUsername::DETAIL),
    (NotAPhone::CODE, NotAPhone::DETAIL),
    (NotAnOrigin::CODE, NotAnOrigin::DETAIL),
];

/// Code and detail of the refusal that a deserialiser's message begins with, if it is one of
/// this module's.
pub fn refusal(message: &str) -> Option<(&'static str, &'static str)> {
    let (code, _) = message.split_once(": ")?;
    REFUSALS.into_iter().find(|(known, _)| *known == code)
}

/// Characters that show nothing, or reorder what is shown: controls, zero-width and other
/// default-ignorable characters, bidirectional formatting (Unicode UAX #44, UTS #39).
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
                | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
                | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFC}' | '\u{1BCA0}'..='\u{1BCA3}'
                | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Form {
        #[expect(dead_code, reason = "only its refusal is looked at")]
        email: Email,
    }

    #[test]
    fn a_refusal_is_found_in_the_message_of_a_json_reader() {
        let message = serde_json::from_str::<Form>(r#"{"email": "no"}"#)
            .unwrap_err()
            .to_string();

        let found = refusal(&message);

        assert_eq!(
            found,
            Some(("invalid_email", NotAnEmail::DETAIL)),
            "{message}"
        );
        for other in [
            "missing field `email`",
            "invalid type: integer `7`",
            "",
            ": ",
        ] {
            assert_eq!(refusal(other), None, "{other}");
        }
    }

    #[test]
    fn refusals_have_their_own_codes() {
        let codes: std::collections::HashSet<_> = REFUSALS.iter().map(|(code, _)| code).collect();

        assert_eq!(codes.len(), REFUSALS.len());
    }

    #[test]
    fn text_survives_json_and_its_own_display() {
        let email = Email::parse("Mia@Example.org").unwrap();

        let json = serde_json::to_value(&email).unwrap();

        assert_eq!(json, "mia@example.org");
        assert_eq!(serde_json::from_value::<Email>(json).unwrap(), email);
        assert_eq!(email.to_string().parse(), Ok(email));
    }
}
