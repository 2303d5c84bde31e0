//! Telephone numbers in international form.

use super::checked_text;

checked_text! {
    /// A number in the form of ITU-T E.164: `+` and 8–15 digits, the first of them 1–9.
    Phone, refused as NotAPhone: "not a telephone number with + and country code";
    schema: 9..=16, None, "+4915112345678"
}

impl Phone {
    /// Spaces, hyphens, dots and parentheses are dropped. A country code is never guessed.
    pub fn parse(text: &str) -> Result<Self, NotAPhone> {
        let phone: String = text
            .chars()
            .filter(|c| !" -.()".contains(*c))
            .take(17)
            .collect();
        let digits = phone.strip_prefix('+').ok_or(NotAPhone)?;
        let well_formed = (8..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if !well_formed {
            return Err(NotAPhone);
        }
        Ok(Self(phone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_stored_without_decoration() {
        for (text, phone) in [
            ("+4915112345678", "+4915112345678"),
            (" +49 (151) 123-456.78 ", "+4915112345678"),
            ("+12345678", "+12345678"),
            ("+123456789012345", "+123456789012345"),
        ] {
            assert_eq!(
                Phone::parse(text).map(|p| p.0).as_deref(),
                Ok(phone),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_dialled_from_abroad_is_refused() {
        for text in [
            "",
            "+",
            "0151 12345678",
            "004915112345678",
            "+0151123456",
            "+1234567",
            "+1234567890123456",
            "+49151x2345678",
            "+49+15112345678",
            "++4915112345678",
            "+٤٩١٥١١٢٣٤٥",
            "+49151\t12345678",
            "+49151\u{200b}12345678",
            "4915112345678+",
        ] {
            assert_eq!(Phone::parse(text), Err(NotAPhone), "{text:?}");
        }
    }
}
