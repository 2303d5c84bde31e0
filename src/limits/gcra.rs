//! The generic cell rate algorithm (ITU-T I.371): a rate and one instant decide.
//!
//! The instant is when everything that was admitted would have been done at an even pace. It may
//! lie ahead by a whole period less one step: a burst of the full number, then one a step. So no
//! fixed window has an edge at which twice the number gets through. What lies further ahead was
//! counted by a clock that is ahead, and says nothing to others.

use std::time::Duration;

use super::AGREEMENT;
use crate::kernel::rate::Rate;
use crate::kernel::time::Timestamp;

/// A rate, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gcra {
    step: i64,
    tolerance: i64,
}

/// An instant in microseconds: finer than the clock, so that steps of rates do not round away.
pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_millis().saturating_mul(1_000)
}

impl Gcra {
    pub(super) fn of(rate: Rate) -> Self {
        let period = i64::try_from(rate.period().as_micros()).unwrap_or(i64::MAX);
        let step = (period / i64::from(rate.count())).max(1);
        Self {
            step,
            tolerance: period - step,
        }
    }

    pub(super) fn step(self) -> i64 {
        self.step
    }

    /// The latest instant with which one more is admitted at `now`.
    pub(super) fn latest(self, now: i64) -> i64 {
        now.saturating_add(self.tolerance)
    }

    /// Whether no clock that agrees with `now` can have counted so far.
    pub(super) fn is_ahead(self, tat: i64, now: i64) -> bool {
        let agreeing = i64::try_from(AGREEMENT.as_micros()).unwrap_or(i64::MAX);
        let full = self.latest(now).saturating_add(self.step);
        tat > full.saturating_add(agreeing)
    }

    /// How long until one more is admitted; `None` if it is at once.
    pub(super) fn wait(self, tat: i64, now: i64) -> Option<Duration> {
        let micros = u64::try_from(tat - self.latest(now)).ok()?;
        (micros > 0).then(|| Duration::from_micros(micros))
    }

    /// The instant after one more was admitted.
    pub(super) fn next(self, tat: i64, now: i64) -> i64 {
        tat.max(now).saturating_add(self.step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    /// Tries at every instant of `at` (seconds); how many are admitted.
    fn admitted(rate: &str, at: impl IntoIterator<Item = i64>) -> usize {
        let gcra = Gcra::of(rate.parse().unwrap());
        let mut tat = 0;
        at.into_iter()
            .filter(|second| {
                let now = second * SECOND;
                let is_admitted = gcra.wait(tat, now).is_none();
                if is_admitted {
                    tat = gcra.next(tat, now);
                }
                is_admitted
            })
            .count()
    }

    #[test]
    fn a_burst_of_the_whole_number_is_admitted_and_no_more() {
        for (rate, count) in [("10/1m", 10), ("7/1m", 7), ("1/1d", 1), ("300/1m", 300)] {
            assert_eq!(admitted(rate, [1_000; 500]), count, "{rate}");
        }
    }

    #[test]
    fn after_a_burst_one_a_step_is_admitted() {
        let burst = [1_000; 10];

        assert_eq!(admitted("10/1m", burst.into_iter().chain([1_005])), 10);
        assert_eq!(admitted("10/1m", burst.into_iter().chain([1_006; 5])), 11);
        assert_eq!(admitted("10/1m", burst.into_iter().chain([1_060; 50])), 20);
    }

    /// Where a fixed window ends and the next begins, two bursts would fit (LG-12).
    #[test]
    fn two_bursts_do_not_fit_around_an_edge() {
        for edge in 1_000..1_060 {
            let (before, after) = ([edge - 1; 50], [edge + 1; 50]);

            let both = admitted("10/1m", before.into_iter().chain(after));

            assert!(both <= 12, "{both} at {edge}");
        }
    }

    #[test]
    fn who_is_refused_is_told_exactly_how_long_to_wait() {
        let gcra = Gcra::of("10/1m".parse().unwrap());
        let full = 1_000 * SECOND + 60 * SECOND;

        assert_eq!(
            gcra.wait(full, 1_000 * SECOND),
            Some(Duration::from_secs(6))
        );
        assert_eq!(
            gcra.wait(full, 1_005 * SECOND),
            Some(Duration::from_secs(1))
        );
        assert_eq!(gcra.wait(full, 1_006 * SECOND), None);
    }

    /// RL-14: nobody is refused for longer than the rule and what clocks may differ by.
    #[test]
    fn only_a_clock_that_is_ahead_counts_beyond_a_full_burst() {
        let gcra = Gcra::of("10/1m".parse().unwrap());
        let now = 1_000 * SECOND;
        let full = now + 60 * SECOND;

        assert!(!gcra.is_ahead(full, now));
        assert!(
            !gcra.is_ahead(full + 60 * SECOND, now),
            "a minute is agreed"
        );
        assert!(gcra.is_ahead(full + 60 * SECOND + 1, now));
        assert!(!gcra.is_ahead(i64::MAX, i64::MAX - 1));
    }
}
