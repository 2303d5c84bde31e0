//! Rates as people write them in settings: `10/1m`, and `3/10m,10/1d` where several must hold.

use std::str::FromStr;
use std::time::Duration;

use super::time::parse_duration;

/// Longer periods are no protection from guessing but a sentence.
const LONGEST_PERIOD: Duration = Duration::from_hours(7 * 24);
const MOST: u32 = 1_000_000;

/// So many within a period. Both are at least 1 and 1 second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    period: Duration,
}

/// Rates that must all hold, the shortest period first. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates(Vec<Rate>);

/// Text that is not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a rate like 10/1m or 3/10m,10/1d")]
pub struct NotARate;

impl Rate {
    pub const fn count(self) -> u32 {
        self.count
    }

    pub const fn period(self) -> Duration {
        self.period
    }
}

impl FromStr for Rate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        let (count, period) = text.split_once('/').ok_or(NotARate)?;
        let is_number = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
        let count: u32 = count.parse().map_err(|_| NotARate)?;
        let period = parse_duration(period).map_err(|_| NotARate)?;
        let is_within = (1..=MOST).contains(&count)
            && (Duration::from_secs(1)..=LONGEST_PERIOD).contains(&period);
        (is_number && is_within)
            .then_some(Self { count, period })
            .ok_or(NotARate)
    }
}

impl FromStr for Rates {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        let rates: Result<Vec<Rate>, NotARate> =
            text.split(',').map(|part| part.trim().parse()).collect();
        let mut rates = rates?;
        rates.sort_by_key(|rate| rate.period);
        Ok(Self(rates))
    }
}

impl Rates {
    pub fn iter(&self) -> impl Iterator<Item = Rate> + '_ {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(u32, u64)>, NotARate> {
        let rates: Rates = text.parse()?;
        let pair = |rate: Rate| (rate.count(), rate.period().as_secs());
        Ok(rates.iter().map(pair).collect())
    }

    #[test]
    fn a_rate_is_a_number_a_slash_and_a_duration() {
        assert_eq!(read("10/1m"), Ok(vec![(10, 60)]));
        assert_eq!(read("1/1"), Ok(vec![(1, 1)]));
        assert_eq!(read("1000000/7d"), Ok(vec![(1_000_000, 604_800)]));
        for bad in [
            "",
            "10",
            "10/",
            "/1m",
            "0/1m",
            "10/0",
            "10/500ms",
            "10/8d",
            "1000001/1m",
            "-1/1m",
            "+1/1m",
            "1.5/1m",
            "10/1m/1m",
            "10 /1m",
            "10/1m,",
            ",10/1m",
        ] {
            assert_eq!(read(bad), Err(NotARate), "{bad}");
        }
    }

    #[test]
    fn several_rates_stand_in_the_order_of_their_periods() {
        assert_eq!(read("10/1d, 3/10m"), Ok(vec![(3, 600), (10, 86_400)]));
    }
}
