//! Text that has been checked once: addresses, names, numbers, origins.
//!
//! Each type holds one canonical spelling, made by its `parse`; two values are the same exactly
//! when they are equal as text. They read from JSON through `parse`.
//! Not here: whether an address exists, a slug is free, a name is polite.

mod color;
mod day;
mod email;
mod field_name;
mod font_family;
mod free;
mod names;
mod origin;
mod phone;
mod web_url;

use unicode_normalization::UnicodeNormalization;

pub use color::{Color, NotAColor};
pub use day::{Day, NotADay};
pub use email::{Email, NotAnEmail};
pub use field_name::{FieldName, NotAFieldName};
pub use font_family::{FontFamily, NotAFontFamily};
pub use free::{NotPlain, line, lines};
pub use names::{
    Label, NotALabel, NotAReason, NotASlug, NotAUsername, NotAWord, Reason, Slug, Username, Word,
};
pub use origin::{NotAnOrigin, Origin};
pub use phone::{NotAPhone, Phone};
pub use web_url::{NotAWebUrl, WebUrl, has_plain_host};

/// Defines a type of checked text and what its refusal is called.
///
/// The type still needs `parse(&str) -> Result<Self, $refusal>`.
macro_rules! checked_text {
    (
        $(#[$doc:meta])* $name:ident, refused as $refusal:ident: $detail:literal;
        schema: $min:literal..=$max:literal, $format:expr, $example:literal
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        #[doc = concat!("The text is ", $detail, ".")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        #[error($detail)]
        pub struct $refusal;

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
                Self::parse(&text).map_err(serde::de::Error::custom)
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

/// In NFC (UAX #15), as all ASCII is.
fn composed(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    text.nfc().collect()
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

    #[test]
    fn text_survives_json_and_its_own_display() {
        let email = Email::parse("Mia@Example.org").unwrap();

        let json = serde_json::to_value(&email).unwrap();

        assert_eq!(json, "mia@example.org");
        assert_eq!(serde_json::from_value::<Email>(json).unwrap(), email);
        assert_eq!(email.to_string().parse(), Ok(email));
    }
}
