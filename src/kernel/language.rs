//! Languages that people are written to in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A language every letter exists in, by its primary subtag (RFC 5646 §2.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum Language {
    #[default]
    #[serde(rename = "en")]
    English,
    #[serde(rename = "de")]
    German,
}

/// Longer headers name no language: nobody reads thirty.
const HEADER_MAX: usize = 256;

impl Language {
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The language whose tag this is, whatever its script or region: `de`, `de-AT`, `DE_at`.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?;
        Self::ALL
            .into_iter()
            .find(|language| language.as_str().eq_ignore_ascii_case(primary))
    }

    /// The one that `Accept-Language` likes best among ours (RFC 9110 §12.5.4); the first of equals.
    pub fn accepted(header: &str) -> Option<Self> {
        if header.len() > HEADER_MAX {
            return None;
        }
        let ranked = header.split(',').filter_map(|range| {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let weight = weight(parameters).filter(|weight| *weight > 0)?;
            Some((Self::of_tag(tag.trim())?, weight))
        });
        // `max_by_key` gives the last of equals.
        let mut best: Option<(Self, u16)> = None;
        for (language, weight) in ranked {
            if best.is_none_or(|(_, most)| weight > most) {
                best = Some((language, weight));
            }
        }
        best.map(|(language, _)| language)
    }
}

/// `q=0.8` in thousandths; 1000 where nothing is said, `None` where it is not a weight.
fn weight(parameters: &str) -> Option<u16> {
    let parameters = parameters.trim();
    // RFC 9110 §5.6.6: names of parameters know no case.
    let Some(value) = ["q=", "Q="]
        .iter()
        .find_map(|it| parameters.strip_prefix(it))
    else {
        return parameters.is_empty().then_some(1_000);
    };
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1_000),
        _ => None,
    }
}

/// A tag that is not exactly one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of `en` and `de`")]
pub struct UnknownLanguage;

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(tag: &str) -> Result<Self, UnknownLanguage> {
        let mut known = Self::ALL.into_iter();
        known
            .find(|language| language.as_str() == tag)
            .ok_or(UnknownLanguage)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Language::{self, English, German};

    #[test]
    fn the_best_liked_of_our_languages_is_found() {
        let table = [
            ("de", Some(German)),
            ("de-AT, en;q=0.5", Some(German)),
            ("fr, en;q=0.5, de;q=0.7", Some(German)),
            ("en, de", Some(English)),
            ("de;q=0, en;q=0.1", Some(English)),
            ("de ; q=0.8,en;q=0.9", Some(English)),
            ("fr", None),
            ("*", None),
            ("", None),
            ("de;q=2", None),
            ("de;q=0.1234", None),
            ("de;q=x", None),
            ("deutsch", None),
        ];
        for (header, expected) in table {
            assert_eq!(Language::accepted(header), expected, "{header}");
        }
        assert_eq!(Language::accepted(&"de,".repeat(1_000)), None);
    }
}
