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

/// What text and its ground must differ by at least (WCAG 2.2 §1.4.3, level AA).
const READABLE: f64 = 4.5;

const BLACK: &str = "#000000";
const WHITE: &str = "#ffffff";

impl Color {
    pub fn white() -> Self {
        Self(WHITE.to_owned())
    }

    pub fn light_grey() -> Self {
        Self("#f3f4f6".to_owned())
    }

    /// Black or white: whichever is told better from this colour. It can always be read there: even on
    /// the worst ground its contrast is 4.58.
    #[must_use]
    pub fn ink(&self) -> Self {
        let [black, white] = [BLACK, WHITE].map(|ink| Self(ink.to_owned()));
        if self.contrast(&black) >= self.contrast(&white) {
            return black;
        }
        white
    }

    /// Whether text of this colour can be read on a ground.
    pub fn is_readable_on(&self, ground: &Self) -> bool {
        self.contrast(ground) >= READABLE
    }

    /// The ratio of contrast, from 1 to 21 (WCAG 2.2, "contrast ratio").
    fn contrast(&self, other: &Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// From 0, black, to 1, white (WCAG 2.2, "relative luminance").
    fn luminance(&self) -> f64 {
        let part = |at: usize| {
            let digits = self.0.get(at..at + 2).unwrap_or_default();
            let part = f64::from(u8::from_str_radix(digits, 16).unwrap_or_default()) / 255.0;
            if part <= 0.04045 {
                return part / 12.92;
            }
            ((part + 0.055) / 1.055).powf(2.4)
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

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

    fn color(text: &str) -> Color {
        Color::parse(text).unwrap()
    }

    /// Ratios as the W3C tells them.
    #[test]
    fn contrast_is_that_of_wcag() {
        for (one, other, ratio) in [
            ("#000000", "#ffffff", 21.0),
            ("#ffffff", "#ffffff", 1.0),
            ("#777777", "#ffffff", 4.48),
            ("#767676", "#ffffff", 4.54),
            ("#ff0000", "#ffffff", 4.0),
            ("#0000ff", "#ffffff", 8.59),
        ] {
            let told = color(one).contrast(&color(other));
            assert!((told - ratio).abs() < 0.01, "{one} on {other}: {told}");
            assert!((told - color(other).contrast(&color(one))).abs() < 1e-9);
        }
        assert!(color("#767676").is_readable_on(&Color::white()));
        assert!(!color("#777777").is_readable_on(&Color::white()));
    }

    #[test]
    fn there_is_a_readable_ink_for_every_ground() {
        for (ground, ink) in [
            ("#000000", "#ffffff"),
            ("#ffffff", "#000000"),
            ("#1d4ed8", "#ffffff"),
            ("#ffee00", "#000000"),
            ("#ff0000", "#000000"),
        ] {
            assert_eq!(color(ground).ink().as_str(), ink, "{ground}");
        }
        for red in (0..=255).step_by(15) {
            for green in (0..=255).step_by(15) {
                for blue in (0..=255).step_by(15) {
                    let ground = color(&format!("#{red:02x}{green:02x}{blue:02x}"));
                    assert!(ground.ink().is_readable_on(&ground), "{ground}");
                }
            }
        }
    }

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
