//! Names of fields in forms and maps.

use super::checked_text;

checked_text! {
    /// What a field of a form is called in the map of its answers: 1–64 of `A-Z a-z 0-9 _ -` after a
    /// letter. Compared as it is; nothing is repaired.
    FieldName, refused as NotAFieldName:
        "not 1 to 64 letters A-Z and a-z, digits, underscores and hyphens after a letter";
    schema: 1..=64, None, "company"
}

impl FieldName {
    pub fn parse(text: &str) -> Result<Self, NotAFieldName> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
        let begins_well = text.starts_with(|c: char| c.is_ascii_alphabetic());
        if !(1..=64).contains(&text.len()) || !text.bytes().all(is_plain) || !begins_well {
            return Err(NotAFieldName);
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_taken_as_they_are() {
        for good in ["a", "company", "vatId", "t-shirt_2", &"a".repeat(64)] {
            assert_eq!(FieldName::parse(good).map(|it| it.0).as_deref(), Ok(good));
        }
        let long = "a".repeat(65);
        for bad in [
            "", "1a", "_a", "-a", "a.b", "a b", "$a", "a/b", "a~", "é", "a\0", &long,
        ] {
            assert_eq!(FieldName::parse(bad), Err(NotAFieldName), "{bad:?}");
        }
    }
}
