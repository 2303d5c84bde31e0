//! What settings take: the kinds of values, each with its range and the words that tell it.
//!
//! A kind reads text, because a variable is text; the file's numbers and lists arrive here as
//! text too. `allowed` completes "it takes …" in the sentence that refuses a value and in the
//! README's table.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

use crate::kernel::time::parse_duration;

/// Why a text is not a value of its kind.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The words of [`Takes::allowed`] say it all.
    NotAllowed,
    /// A clause of its own, which must not quote a secret.
    Because(String),
}

pub(super) trait Takes {
    type Value;
    /// Values are never printed, and may come from a file.
    const SECRET: bool = false;

    fn allowed(&self) -> String;

    fn parse(&self, text: &str) -> Result<Self::Value, Unfit>;

    /// The value where none is given and there is no default: only [`Optional`] has one.
    fn absent(&self) -> Option<Self::Value> {
        None
    }
}

/// A length of time, both ends allowed.
pub(super) struct Span {
    pub(super) min: Duration,
    pub(super) max: Duration,
}

impl Takes for Span {
    type Value = Duration;

    fn allowed(&self) -> String {
        format!(
            "a duration from {} to {}",
            in_words(self.min),
            in_words(self.max)
        )
    }

    fn parse(&self, text: &str) -> Result<Duration, Unfit> {
        let duration = parse_duration(text).map_err(|_| Unfit::NotAllowed)?;
        within(duration, self.min..=self.max)
    }
}

/// A whole number, both ends allowed.
pub(super) struct Count<N> {
    pub(super) min: N,
    pub(super) max: N,
}

impl<N: Copy + PartialOrd + Display + FromStr> Takes for Count<N> {
    type Value = N;

    fn allowed(&self) -> String {
        format!("a whole number from {} to {}", self.min, self.max)
    }

    fn parse(&self, text: &str) -> Result<N, Unfit> {
        within(parsed(text)?, self.min..=self.max)
    }
}

/// A number of threads or connections that follows the machine: `cores` is one a core.
pub(super) struct Cores {
    pub(super) max: usize,
}

impl Takes for Cores {
    type Value = usize;

    fn allowed(&self) -> String {
        format!(
            "`cores` (one a core) or a whole number from 1 to {}",
            self.max
        )
    }

    fn parse(&self, text: &str) -> Result<usize, Unfit> {
        if text == "cores" {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            return Ok(cores.min(self.max));
        }
        within(parsed(text)?, 1..=self.max)
    }
}

/// One of a few words.
pub(super) struct Choice<T: 'static>(pub(super) &'static [(&'static str, T)]);

impl<T: Copy> Takes for Choice<T> {
    type Value = T;

    fn allowed(&self) -> String {
        let words: Vec<String> = self.0.iter().map(|(word, _)| format!("`{word}`")).collect();
        match words.split_last() {
            Some((last, others)) if !others.is_empty() => {
                format!("{} or {last}", others.join(", "))
            }
            Some(_) | None => words.concat(),
        }
    }

    fn parse(&self, text: &str) -> Result<T, Unfit> {
        let found = self.0.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).ok_or(Unfit::NotAllowed)
    }
}

/// Anything else: the words, and the function that reads it.
pub(super) struct By<T> {
    pub(super) takes: &'static str,
    pub(super) parse: fn(&str) -> Result<T, Unfit>,
}

impl<T> Takes for By<T> {
    type Value = T;

    fn allowed(&self) -> String {
        self.takes.to_owned()
    }

    fn parse(&self, text: &str) -> Result<T, Unfit> {
        (self.parse)(text)
    }
}

/// The same, but secret.
pub(super) struct Secret<K>(pub(super) K);

impl<K: Takes> Takes for Secret<K> {
    type Value = K::Value;
    const SECRET: bool = true;

    fn allowed(&self) -> String {
        self.0.allowed()
    }

    fn parse(&self, text: &str) -> Result<K::Value, Unfit> {
        self.0.parse(text)
    }
}

/// The same, but it may be missing.
pub(super) struct Optional<K>(pub(super) K);

impl<K: Takes> Takes for Optional<K> {
    type Value = Option<K::Value>;
    const SECRET: bool = K::SECRET;

    fn allowed(&self) -> String {
        self.0.allowed()
    }

    fn parse(&self, text: &str) -> Result<Option<K::Value>, Unfit> {
        self.0.parse(text).map(Some)
    }

    fn absent(&self) -> Option<Self::Value> {
        Some(None)
    }
}

pub(super) const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

pub(super) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(super) const fn minutes(count: u64) -> Duration {
    seconds(60 * count)
}

pub(super) const fn hours(count: u64) -> Duration {
    minutes(60 * count)
}

pub(super) const fn days(count: u64) -> Duration {
    hours(24 * count)
}

/// Reads a type by its own `FromStr`.
pub(super) fn parsed<T: FromStr>(text: &str) -> Result<T, Unfit> {
    text.parse().map_err(|_| Unfit::NotAllowed)
}

fn within<T: PartialOrd>(value: T, range: RangeInclusive<T>) -> Result<T, Unfit> {
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(Unfit::NotAllowed)
    }
}

/// A duration as people write it: in the largest unit that measures it exactly.
fn in_words(duration: Duration) -> String {
    let units = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
        ("ms", 1),
    ];
    let length = duration.as_millis();
    let exact = units
        .iter()
        .find(|(_, size)| length >= *size && length.is_multiple_of(*size));
    exact.map_or_else(
        || "0s".to_owned(),
        |(unit, size)| format!("{}{unit}", length / size),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_told_in_the_largest_exact_unit() {
        let span = Span {
            min: minutes(1),
            max: days(90),
        };
        assert_eq!(span.allowed(), "a duration from 1m to 90d");
        assert_eq!(in_words(seconds(90)), "90s");
        assert_eq!(in_words(millis(1500)), "1500ms");
        assert_eq!(in_words(Duration::ZERO), "0s");
    }

    #[test]
    fn both_ends_of_a_range_are_allowed() {
        let cost = Count {
            min: 10_u32,
            max: 15,
        };
        assert_eq!(cost.parse("10"), Ok(10));
        assert_eq!(cost.parse("15"), Ok(15));
        for beyond in ["9", "16", "-1", "12.0", "", "twelve"] {
            assert_eq!(cost.parse(beyond), Err(Unfit::NotAllowed), "{beyond}");
        }
    }

    #[test]
    fn choices_are_listed_like_a_sentence() {
        let choice = Choice(&[("a", 1), ("b", 2), ("c", 3)]);
        assert_eq!(choice.allowed(), "`a`, `b` or `c`");
        assert_eq!(choice.parse("b"), Ok(2));
        assert_eq!(choice.parse("B"), Err(Unfit::NotAllowed));
    }
}
