//! Times, durations and rates.

use std::time::Duration;

use proptest::prelude::any;

use super::{always, one_of, settles, texts};
use crate::kernel::rate::{Rate, Rates};
use crate::kernel::time::{Timestamp, parse_duration};

const TIMES: [&str; 9] = [
    "2026-11-21T13:08:19.123Z",
    "2026-11-21T13:08:19.123456789+05:30",
    "2024-02-29T23:59:60Z",
    "1969-12-31T23:59:59.999-00:00",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2026-11-21 13:08:19z",
    "-000001-01-01T00:00:00Z",
    "2026-11-21T13:08:19+01:00[Europe/Berlin]",
];

/// Days since 1970 of the proleptic Gregorian calendar, counted year by year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = |year| if is_leap(year) { 366 } else { 365 };
    let years: i64 = if year >= 1970 {
        (1970..year).map(length).sum()
    } else {
        -(year..1970).map(length).sum::<i64>()
    };
    let lengths = [
        31,
        28 + i64::from(is_leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let months = usize::try_from(month - 1).expect("a month");
    years + lengths[..months].iter().sum::<i64>() + day - 1
}

#[test]
fn a_time_is_written_in_one_way_and_sorts_as_text() {
    always((texts(TIMES), texts(TIMES)), |(one, other)| {
        let (Some(one), Some(other)) = (settles::<Timestamp>(&one), settles::<Timestamp>(&other))
        else {
            return;
        };
        assert_eq!((one.len(), other.len()), (24, 24));
        let times = [&one, &other].map(|it| it.parse::<Timestamp>().expect("a time"));
        assert_eq!(times[0].cmp(&times[1]), one.cmp(&other));
    });
}

#[test]
fn a_time_is_where_the_calendar_has_it() {
    let of_day = (0..24_i64, 0..60_i64, 0..60_i64, 0..1_000_i64);
    always(
        ((0..9_999_i64, 1..=12_i64, 1..=28_i64), of_day),
        |((year, month, day), (h, m, s, ms))| {
            let text = format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{ms:03}Z");
            let time: Timestamp = text.parse().expect("a time");
            let millis = ((days(year, month, day) * 24 + h) * 60 + m) * 60_000 + s * 1_000 + ms;
            assert_eq!((time.as_millis(), time.to_string()), (millis, text));
        },
    );
}

/// Instants that nobody can write become the nearest that he can; what is added does not overflow.
#[test]
fn every_number_is_an_instant() {
    always((any::<i64>(), any::<u64>()), |(millis, more)| {
        let time = Timestamp::from_millis(millis);
        assert_eq!(time.to_string().parse(), Ok(time));
        let (later, earlier) = (
            time.plus(Duration::from_millis(more)),
            time.minus(Duration::from_millis(more)),
        );
        assert!(earlier <= time && time <= later);
        assert!(later.since(time) <= Duration::from_millis(more));
    });
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
/// From the day on that 1970 began with.
const WEEK: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

#[test]
fn a_date_of_http_is_read_as_it_is_written() {
    let seeds = [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Mon, 29 Feb 2024 23:59:59 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Wed, 31 Dec 9999 23:59:59 -2359",
    ];
    always(texts(seeds), |text| {
        if let Some(time) = Timestamp::of_http_date(&text) {
            assert_eq!(time.as_millis() % 1_000, 0);
        }
    });
    always(
        (1900..9_999_i64, 1..=12_usize, 1..=28_i64, 0..86_400_i64),
        |(year, month, day, second)| {
            let days = days(year, i64::try_from(month).expect("a month"), day);
            let of_week = WEEK[usize::try_from(days.rem_euclid(7)).expect("a day")];
            let clock = format!(
                "{:02}:{:02}:{:02}",
                second / 3_600,
                second / 60 % 60,
                second % 60
            );
            let text = format!(
                "{of_week}, {day:02} {} {year:04} {clock} GMT",
                MONTHS[month - 1]
            );
            let time = Timestamp::of_http_date(&text).map(Timestamp::as_secs);
            assert_eq!(time, Some(days * 86_400 + second), "{text}");
        },
    );
}

const UNITS: [(&str, u64); 6] = [
    ("", 1_000),
    ("s", 1_000),
    ("ms", 1),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

#[test]
fn a_duration_is_a_number_and_a_unit() {
    always(
        texts([
            "900", "45s", "15m", "1h", "30d", "500ms", "1h30m", "+5s", "1.5h",
        ]),
        |text| {
            let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
            let number = text[..text.len() - unit.len()].parse::<u64>().ok();
            let size = UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .map(|(_, size)| *size);
            let millis = number
                .zip(size)
                .map(|(number, size)| u128::from(number) * u128::from(size));
            let fits = millis.filter(|it| it / 1_000 <= u128::from(u64::MAX));
            assert_eq!(
                parse_duration(&text).ok().map(|it| it.as_millis()),
                fits,
                "{text}"
            );
        },
    );
}

#[test]
fn a_rate_is_a_number_within_a_duration() {
    let good = (1..=1_000_000_u32, 1..=604_800_u64, one_of(&["", "s"]));
    always(good, |(count, seconds, unit)| {
        let rate: Rate = format!("{count}/{seconds}{unit}").parse().expect("a rate");
        assert_eq!(
            (rate.count(), rate.period()),
            (count, Duration::from_secs(seconds))
        );
    });
    always(
        texts([
            "10/1m",
            "3/10m,10/1d",
            "1000000/7d",
            "10/1d, 3/10m",
            "0/1m",
            "-1/1m",
        ]),
        |text| {
            if let Ok(rates) = text.parse::<Rates>() {
                let periods: Vec<_> = rates.iter().map(Rate::period).collect();
                assert!(periods.is_sorted() && periods.len() == text.split(',').count());
                assert!(
                    rates
                        .iter()
                        .all(|it| it.count() > 0 && it.period() >= Duration::from_secs(1))
                );
            }
        },
    );
}
