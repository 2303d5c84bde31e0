//! Time, as an argument: instants to the millisecond, the clock that tells them, durations.
//!
//! A unit of work reads the clock once and passes the [`Timestamp`] down. As JSON an instant is
//! fixed-width RFC 3339 text, which sorts as the instants do; as BSON it is a date.
//! Only [`Clock::system`] reads the wall clock.
//! BSON means bson's raw functions (`serialize_to_vec`, `…_to_raw_document_buf`, what the driver
//! does): `serialize_to_document` calls itself human-readable and gets text. Nor can a record that
//! `#[serde(flatten)]`s a part with times be read back: serde's buffer forgets the notation.

pub mod duration;

use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::{
    RefOr,
    schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type},
};

pub use duration::{BadDuration, parse_duration};

/// 0000-01-01T00:00:00.000Z
const EARLIEST: i64 = -62_167_219_200_000;
/// 9999-12-30T22:00:00.000Z: later, some UTC offset has a year of five digits.
const LATEST: i64 = 253_402_207_200_000;

/// An instant: milliseconds since 1970-01-01T00:00Z, between the years 0000 and 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Instants outside the years 0000–9999 become the nearest inside.
    pub const fn from_millis(millis: i64) -> Self {
        if millis < EARLIEST {
            return Self(EARLIEST);
        }
        Self(if millis > LATEST { LATEST } else { millis })
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded towards the past.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Saturates at the last instant; fractions of a millisecond are dropped.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(millis(by)))
    }

    /// Saturates at the first instant; fractions of a millisecond are dropped.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self::from_millis(self.0.saturating_sub(millis(by)))
    }

    /// Reads a date as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
    pub fn of_http_date(text: &str) -> Option<Self> {
        let instant = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text);
        Some(Self::from_millis(instant.ok()?.as_millisecond()))
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = jiff::Timestamp::from_millisecond(self.0).map_err(|_| fmt::Error)?;
        write!(f, "{instant:.3}")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that names no instant between the years 0000 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a time of the form 2026-11-21T13:08:19.123Z")]
pub struct NotATime;

/// RFC 3339 with any offset; digits beyond the millisecond are dropped.
impl FromStr for Timestamp {
    type Err = NotATime;

    fn from_str(text: &str) -> Result<Self, NotATime> {
        let instant: jiff::Timestamp = text.parse().map_err(|_| NotATime)?;
        let millis = instant.as_nanosecond().div_euclid(1_000_000);
        i64::try_from(millis)
            .ok()
            .filter(|millis| (EARLIEST..=LATEST).contains(millis))
            .map(Self)
            .ok_or(NotATime)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        bson::DateTime::from_millis(self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_str(TimeText);
        }
        let date = bson::DateTime::deserialize(deserializer)?;
        Ok(Self::from_millis(date.timestamp_millis()))
    }
}

struct TimeText;

impl de::Visitor<'_> for TimeText {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time of the form 2026-11-21T13:08:19.123Z")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
        text.parse().map_err(E::custom)
    }
}

impl utoipa::PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .examples(["2026-11-21T13:08:19.123Z"])
            .into()
    }
}

impl utoipa::ToSchema for Timestamp {}

/// Tells the time. Clones tell the same time.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Frozen(Arc<AtomicI64>),
}

impl Clock {
    /// The wall clock of the machine.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `at` until it is told to [`Clock::advance`].
    pub fn frozen(at: Timestamp) -> Self {
        Self(Source::Frozen(Arc::new(AtomicI64::new(at.0))))
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the wall clock"
    )]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::from_millis(jiff::Timestamp::now().as_millisecond()),
            Source::Frozen(millis) => Timestamp(millis.load(Ordering::SeqCst)),
        }
    }

    /// Moves a frozen clock, and all its clones, forward. The system clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Source::Frozen(at) = &self.0 {
            let moved = |millis| Some(Timestamp(millis).plus(by).0);
            // The closure always answers, so there is nothing to learn from the result.
            let _ = at.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: i64 = 1_795_266_499_123;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Record {
        at: Timestamp,
        until: Option<Timestamp>,
    }

    #[test]
    fn text_has_one_width_and_sorts_as_the_instants_do() {
        let instants = [
            i64::MIN,
            EARLIEST,
            -1_001,
            -1,
            0,
            1,
            999,
            1_000,
            SAMPLE,
            LATEST,
            i64::MAX,
        ]
        .map(Timestamp::from_millis);

        let texts = instants.map(|at| at.to_string());

        assert!(instants.is_sorted());
        assert!(texts.is_sorted());
        assert!(texts.iter().all(|text| text.len() == 24), "{texts:?}");
        for (text, at) in texts.iter().zip(instants) {
            assert_eq!(text.parse(), Ok(at));
        }
    }

    #[test]
    fn known_instants_have_their_known_text() {
        let text = |millis| Timestamp::from_millis(millis).to_string();

        assert_eq!(text(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(text(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(text(SAMPLE), "2026-11-21T13:08:19.123Z");
        assert_eq!(text(i64::MIN), "0000-01-01T00:00:00.000Z");
        assert_eq!(text(i64::MAX), "9999-12-30T22:00:00.000Z");
    }

    #[test]
    fn other_offsets_and_finer_fractions_are_read() {
        for text in [
            "2026-11-21T13:08:19.123Z",
            "2026-11-21T13:08:19.123999Z",
            "2026-11-21T14:08:19.123+01:00",
            "2026-11-21t13:08:19.123z",
        ] {
            assert_eq!(text.parse(), Ok(Timestamp::from_millis(SAMPLE)), "{text}");
        }
        for text in [
            "",
            "now",
            "2026-11-21",
            "2026-11-21T13:08:19",
            "-000001-01-01T00:00:00Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(NotATime), "{text}");
        }
    }

    #[test]
    fn json_carries_text_and_bson_a_date() {
        let at = Timestamp::from_millis(SAMPLE);
        let record = Record {
            at,
            until: Some(at),
        };

        let json = serde_json::to_value(&record).unwrap();
        let bytes = bson::serialize_to_vec(&record).unwrap();

        assert_eq!(json["at"], "2026-11-21T13:08:19.123Z");
        assert_eq!(serde_json::from_value::<Record>(json).unwrap(), record);
        let document = bson::RawDocument::from_bytes(&bytes).unwrap();
        assert_eq!(
            document.get_datetime("until").unwrap(),
            bson::DateTime::from_millis(SAMPLE)
        );
        assert_eq!(
            bson::deserialize_from_slice::<Record>(&bytes).unwrap(),
            record
        );
    }

    #[test]
    fn arithmetic_saturates() {
        let at = Timestamp::from_millis(SAMPLE);
        let hour = Duration::from_hours(1);

        assert_eq!(at.plus(hour).since(at), hour);
        assert_eq!(at.since(at.plus(hour)), Duration::ZERO);
        assert_eq!(at.plus(hour).minus(hour), at);
        assert_eq!(at.plus(Duration::MAX), Timestamp::from_millis(i64::MAX));
        assert_eq!(at.minus(Duration::MAX), Timestamp::from_millis(i64::MIN));
        assert_eq!(Timestamp::from_millis(-1).as_secs(), -1);
    }

    #[test]
    fn a_frozen_clock_moves_only_when_told_and_takes_its_clones_along() {
        let clock = Clock::frozen(Timestamp::from_millis(SAMPLE));
        let clone = clock.clone();

        clock.advance(Duration::from_millis(77));

        assert_eq!(clone.now(), Timestamp::from_millis(SAMPLE + 77));
        assert_eq!(clone.now(), clock.now());
    }

    #[test]
    fn the_system_clock_cannot_be_moved() {
        let clock = Clock::system();
        let before = clock.now();

        clock.advance(Duration::from_secs(1_000_000));

        assert!(clock.now().since(before) < Duration::from_secs(1_000));
        assert!(before > Timestamp::from_millis(SAMPLE - 366 * 86_400_000));
    }
}
