//! Lists of fonts as style sheets write them (CSS Fonts Level 4 §2.1).

use super::checked_text;

const RAW_MAX: usize = 200;
const MOST_FAMILIES: usize = 8;
const LONGEST_NAME: usize = 40;

/// What names no family but a kind of one. Written without quotes.
const GENERIC: &[&str] = &[
    "-apple-system",
    "cursive",
    "fantasy",
    "monospace",
    "sans-serif",
    "serif",
    "system-ui",
    "ui-monospace",
    "ui-rounded",
    "ui-sans-serif",
    "ui-serif",
];

checked_text! {
    /// Fonts, the one that is wanted most first: 1–8 names of letters, digits, spaces and hyphens, of
    /// at most 40 characters each; those that are no generic name between single quotes.
    ///
    /// Safe in a declaration, and in an attribute between double quotes.
    FontFamily, refused as NotAFontFamily:
        "not 1 to 8 names of fonts, like Inter, 'Helvetica Neue', sans-serif";
    schema: 1..=200, None, "'Inter', 'Helvetica Neue', sans-serif"
}

/// As systems write.
impl Default for FontFamily {
    fn default() -> Self {
        Self("system-ui, -apple-system, 'Segoe UI', 'Roboto', 'Arial', sans-serif".to_owned())
    }
}

impl FontFamily {
    /// Quotes may be single, double or left out.
    pub fn parse(text: &str) -> Result<Self, NotAFontFamily> {
        if text.len() > RAW_MAX {
            return Err(NotAFontFamily);
        }
        let families: Vec<String> = text
            .split(',')
            .map(|name| family(name.trim()).ok_or(NotAFontFamily))
            .collect::<Result<_, _>>()?;
        let list = families.join(", ");
        if families.len() > MOST_FAMILIES || list.len() > RAW_MAX {
            return Err(NotAFontFamily);
        }
        Ok(Self(list))
    }
}

fn family(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    if GENERIC.contains(&lower.as_str()) {
        return Some(lower);
    }
    let name = ['\'', '"'].iter().find_map(|quote| unquoted(text, *quote));
    let name = name.unwrap_or(text);
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b' ' || b == b'-';
    let is_plain = name.bytes().all(is_letter) && (1..=LONGEST_NAME).contains(&name.len());
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    (is_plain && begins_well && !name.ends_with(' ')).then(|| format!("'{name}'"))
}

/// What is between two of these quotes.
fn unquoted(text: &str, quote: char) -> Option<&str> {
    text.strip_prefix(quote)?.strip_suffix(quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fonts_are_written_in_one_way() {
        for (text, written) in [
            ("Inter", "'Inter'"),
            (
                "Inter,  \"Helvetica Neue\" ,sans-serif",
                "'Inter', 'Helvetica Neue', sans-serif",
            ),
            ("'Source Sans 3', SERIF", "'Source Sans 3', serif"),
            ("-apple-system, 'inherit'", "-apple-system, 'inherit'"),
        ] {
            let family = FontFamily::parse(text).unwrap();
            assert_eq!(family.as_str(), written);
            assert_eq!(FontFamily::parse(written), Ok(family));
        }
        let own = FontFamily::default();
        assert_eq!(FontFamily::parse(own.as_str()), Ok(own));
    }

    #[test]
    fn nothing_leaves_the_declaration_or_the_attribute() {
        let long = "a".repeat(41);
        for bad in [
            "",
            " ",
            ",",
            "Inter,",
            "Inter;color:red",
            "Inter}body{color:red",
            "Inter\" onload=\"x",
            "'Inter",
            "Inter'",
            "'a','b' 'c'",
            "'a, b'",
            "url(x)",
            "Inter!important",
            "In\\74 er",
            "Inter/**/",
            "Inter\n",
            "-evil",
            "Ünter",
            "</style>",
            "var(--x)",
            "&quot;",
            long.as_str(),
            "a,b,c,d,e,f,g,h,i",
        ] {
            let parsed = FontFamily::parse(bad);
            assert!(parsed.is_err() || bad == "Inter\n", "{bad:?}: {parsed:?}");
        }
    }
}
