//! Colours as web pages write them.

use super::checked_text;

checked_text! {
    /// A colour: `#` and six hexadecimal digits, kept in lower case.
    Color, refused as NotAColor: "not a colour of the form #1a73e8";
    schema: 7..=7, Some("color"), "#1a73e8"
}

/// Blue, as links are.
impl Default for Color {
    fn default() -> Self {
        Self("#1d4ed8".to_owned())
    }
}

impl Color {
    pub fn parse(text: &str) -> Result<Self, NotAColor> {
        let digits = text.strip_prefix('#').ok_or(NotAColor)?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotAColor);
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_has_six_digits_and_nothing_else() {
        assert_eq!(Color::parse("#1A73E8").unwrap().as_str(), "#1a73e8");
        for bad in [
            "",
            "#",
            "1a73e8",
            "#1a73e",
            "#1a73e80",
            "#1a73eg",
            " #1a73e8",
            "#1a73é",
            "red",
            "#１２３４５６",
            "#1a73e8;",
            "#+1a73e",
        ] {
            assert_eq!(Color::parse(bad), Err(NotAColor), "{bad}");
        }
    }
}
