//! Days of the calendar.

use jiff::civil::Date;

use super::checked_text;

checked_text! {
    /// A day of the years 0000–9999 (RFC 3339 §5.6, `full-date`): `2040-01-31`. Sorts as time does.
    Day, refused as NotADay: "not a day of the calendar like 2040-01-31";
    schema: 10..=10, Some("date"), "2040-01-31"
}

impl Day {
    /// Exactly as it is written; nothing is repaired.
    pub fn parse(text: &str) -> Result<Self, NotADay> {
        let is_shaped = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if is_shaped && text.parse::<Date>().is_ok() {
            return Ok(Self(text.to_owned()));
        }
        Err(NotADay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_one_of_the_calendar() {
        for good in ["2040-01-31", "2024-02-29", "0001-01-01", "9999-12-31"] {
            assert!(Day::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "2040-1-31",
            "2040-02-30",
            "2023-02-29",
            "2040-13-01",
            "2040-00-10",
            "20400131",
            "2040-01-31T00:00",
            " 2040-01-31",
            "+040-01-31",
            "2040/01/31",
            "２040-01-3",
        ] {
            assert_eq!(Day::parse(bad), Err(NotADay), "{bad}");
        }
        assert!(Day::parse("1999-12-31").unwrap() < Day::parse("2000-01-01").unwrap());
    }
}
