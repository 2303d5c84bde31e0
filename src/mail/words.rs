//! Lengths of time and devices, in words.

use crate::kernel::language::Language;

const HOUR: u64 = 60;
const DAY: u64 = 24 * HOUR;

/// `24 hours`, `1 Stunde`, `90 minutes`, `3 Tage`: never more than it is.
pub(super) fn duration(minutes: u64, language: Language) -> String {
    let (count, unit) = match minutes {
        0 => return less_than_a_minute(language).to_owned(),
        HOUR => (1, Unit::Hour),
        _ if minutes < 2 * HOUR => (minutes, Unit::Minute),
        _ if minutes < 2 * DAY => (minutes / HOUR, Unit::Hour),
        _ => (minutes / DAY, Unit::Day),
    };
    format!("{count} {}", unit.word(count, language))
}

/// `Firefox on Linux`, `Firefox unter Linux`, or the one that is known.
pub(super) fn device(
    browser: Option<&str>,
    os: Option<&str>,
    language: Language,
) -> Option<String> {
    let (Some(browser), Some(os)) = (browser, os) else {
        return browser.or(os).map(str::to_owned);
    };
    let on = match language {
        Language::English => "on",
        Language::German => "unter",
    };
    Some(format!("{browser} {on} {os}"))
}

#[derive(Clone, Copy)]
enum Unit {
    Minute,
    Hour,
    Day,
}

impl Unit {
    fn word(self, count: u64, language: Language) -> &'static str {
        let [one, many] = match (language, self) {
            (Language::English, Self::Minute) => ["minute", "minutes"],
            (Language::English, Self::Hour) => ["hour", "hours"],
            (Language::English, Self::Day) => ["day", "days"],
            (Language::German, Self::Minute) => ["Minute", "Minuten"],
            (Language::German, Self::Hour) => ["Stunde", "Stunden"],
            (Language::German, Self::Day) => ["Tag", "Tage"],
        };
        if count == 1 { one } else { many }
    }
}

fn less_than_a_minute(language: Language) -> &'static str {
    match language {
        Language::English => "less than a minute",
        Language::German => "weniger als eine Minute",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_the_largest_unit_that_does_not_promise_too_much() {
        let table = [
            (0, "less than a minute", "weniger als eine Minute"),
            (1, "1 minute", "1 Minute"),
            (59, "59 minutes", "59 Minuten"),
            (60, "1 hour", "1 Stunde"),
            (90, "90 minutes", "90 Minuten"),
            (150, "2 hours", "2 Stunden"),
            (1_440, "24 hours", "24 Stunden"),
            (2_880, "2 days", "2 Tage"),
            (4_319, "2 days", "2 Tage"),
        ];
        for (minutes, english, german) in table {
            assert_eq!(duration(minutes, Language::English), english);
            assert_eq!(duration(minutes, Language::German), german);
        }
    }

    #[test]
    fn a_device_is_called_by_what_is_known_of_it() {
        let (firefox, linux) = (Some("Firefox"), Some("Linux"));
        let table = [
            (
                firefox,
                linux,
                Some("Firefox on Linux"),
                Some("Firefox unter Linux"),
            ),
            (firefox, None, firefox, firefox),
            (None, linux, linux, linux),
            (None, None, None, None),
        ];
        for (browser, os, english, german) in table {
            let of = |language| device(browser, os, language);
            assert_eq!(of(Language::English).as_deref(), english);
            assert_eq!(of(Language::German).as_deref(), german);
        }
    }
}
