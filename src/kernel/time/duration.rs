//! Durations as people write them in settings: `900`, `45s`, `15m`, `1h`, `30d`, `500ms`.
//!
//! For `#[serde(with = "crate::kernel::time::duration")]`, too: read from a number of seconds or
//! from such text; written as whole seconds, or as `…ms` where there is a fraction.

use std::{fmt, time::Duration};

use serde::{Deserializer, Serializer, de};

/// Text that is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a duration like 900, 45s, 15m, 1h, 30d or 500ms")]
pub struct BadDuration;

/// Reads `900` (seconds), `500ms`, `45s`, `15m`, `1h`, `30d`: a whole number and at most one unit,
/// without sign, space or fraction. Zero is a duration; what overflows 64 bits is not.
pub fn parse_duration(text: &str) -> Result<Duration, BadDuration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| BadDuration)?;
    let seconds = match unit {
        "ms" => return Ok(Duration::from_millis(number)),
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(BadDuration),
    };
    number
        .checked_mul(seconds)
        .map(Duration::from_secs)
        .ok_or(BadDuration)
}

pub fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    if value.subsec_millis() == 0 {
        return serializer.serialize_u64(value.as_secs());
    }
    serializer.collect_str(&format_args!("{}ms", value.as_millis()))
}

pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    deserializer.deserialize_any(TextOrSeconds)
}

struct TextOrSeconds;

impl de::Visitor<'_> for TextOrSeconds {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration like 900, 45s, 15m, 1h, 30d or 500ms")
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Duration, E> {
        Ok(Duration::from_secs(seconds))
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Duration, E> {
        let unexpected = de::Unexpected::Signed(seconds);
        let seconds = u64::try_from(seconds).map_err(|_| E::invalid_value(unexpected, &self))?;
        Ok(Duration::from_secs(seconds))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        parse_duration(text).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Setting {
        #[serde(with = "super")]
        ttl: Duration,
    }

    #[test]
    fn durations_are_a_number_and_a_unit() {
        let table = [
            ("900", 900_000),
            ("0", 0),
            ("500ms", 500),
            ("45s", 45_000),
            ("15m", 900_000),
            ("1h", 3_600_000),
            ("30d", 2_592_000_000),
        ];
        for (text, millis) in table {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in [
            "",
            "m",
            "-1",
            "+1",
            "1.5h",
            "1 h",
            " 1h",
            "1h30m",
            "1H",
            "1w",
            "٣s",
            "99999999999999999999",
            "999999999999999999d",
        ] {
            assert_eq!(parse_duration(text), Err(BadDuration), "{text}");
        }
    }

    #[test]
    fn a_setting_takes_text_or_seconds_and_writes_what_it_reads() {
        let read = |json: &str| serde_json::from_str::<Setting>(json).map(|setting| setting.ttl);

        assert_eq!(read(r#"{"ttl":"15m"}"#).unwrap(), Duration::from_mins(15));
        assert_eq!(read(r#"{"ttl":900}"#).unwrap(), Duration::from_mins(15));
        assert!(read(r#"{"ttl":-900}"#).is_err());
        assert!(read(r#"{"ttl":true}"#).is_err());
        for ttl in [Duration::from_mins(15), Duration::from_millis(1_500)] {
            let json = serde_json::to_string(&Setting { ttl }).unwrap();
            assert_eq!(read(&json).unwrap(), ttl);
        }
    }
}
