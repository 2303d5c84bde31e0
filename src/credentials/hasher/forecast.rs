//! How long things take here: what is foretold of a wait, and how far that can be trusted.
//!
//! ```text
//! taken  ─▶ pace     what one password takes      ─┐
//! waited ─▶ stretch  how much longer waits become ─┴▶ is there time for one more?
//! ```
//!
//! What is foretold is right for who is alone. Whoever comes later may go first, if he belongs to
//! another environment, and the machine has other things to do: so each wait is held against what
//! was foretold of it, and the longest of them are what is reckoned with.

use std::time::Duration;

/// One part in so many of the bound is kept free, for what has never been seen.
const RESERVE: u32 = 8;
/// How much of the difference counts where a wait was longer than reckoned with, and where not. So
/// about one in fifty is longer.
const RISE: f64 = 1.0 / 8.0;
const FALL: f64 = 1.0 / 512.0;
/// Nothing that has ever stopped the machine makes it refuse nearly everybody.
const MOST: f64 = 8.0;
/// A turn counts as much as its part of so many full ones.
const TURNS: usize = 4;

/// What was learned of this machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forecast {
    /// What one password takes of a thread that has enough to do, as it was lately.
    pace: Duration,
    /// How many times as long as foretold nearly every wait is, at most.
    stretch: f64,
}

impl Forecast {
    pub(super) fn of_pace(pace: Duration) -> Self {
        let stretch = 1.0;
        Self { pace, stretch }
    }

    /// What so many take that are hashed together.
    pub(super) fn of_so_many(&self, size: usize) -> Duration {
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        self.pace.saturating_mul(size)
    }

    /// Whether a wait that is foretold ends within `bound`, as good as certainly.
    pub(super) fn fits(&self, foretold: Duration, bound: Duration) -> bool {
        self.likely(foretold) <= bound.saturating_sub(bound / RESERVE)
    }

    fn likely(&self, foretold: Duration) -> Duration {
        let likely = foretold.as_secs_f64() * self.stretch;
        Duration::try_from_secs_f64(likely).unwrap_or(Duration::MAX)
    }

    /// A turn of `size`, of `at_once` that there may be in one, took so long. A thread that could
    /// have done more tells nothing of how fast it is, except that it is as fast.
    pub(super) fn worked(
        &mut self,
        took: Duration,
        (size, at_once): (usize, usize),
        is_full: bool,
    ) {
        let each =
            |all: Duration, size: usize| all / u32::try_from(size.max(1)).unwrap_or(u32::MAX);
        let own = each(took, size);
        if is_full && self.pace.is_zero() {
            self.pace = own;
        } else if is_full || own < self.pace {
            let all = TURNS * at_once;
            let before = self.of_so_many(all.saturating_sub(size));
            self.pace = each(before.saturating_add(took), all.max(size));
        }
    }

    /// Nothing waits any more: what was learned of a storm ends with it. Else a wait of one turn could
    /// come to look too long for ever, for nobody would be let in to show that it is not.
    pub(super) fn rests(&mut self) {
        self.stretch = 1.0;
    }

    /// Somebody waited so long, of whom something else was foretold. Short waits tell nothing of long
    /// ones.
    pub(super) fn waited(&mut self, took: Duration, foretold: Duration, bound: Duration) {
        if foretold.is_zero() || self.likely(foretold) < bound / 2 {
            return;
        }
        let found = took.div_duration_f64(foretold);
        let weight = if found > self.stretch { RISE } else { FALL };
        self.stretch = (self.stretch + weight * (found - self.stretch)).clamp(1.0, MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const BOUND: Duration = Duration::from_secs(8);

    #[test]
    fn the_pace_is_that_of_threads_with_enough_to_do() {
        let mut forecast = Forecast::of_pace(SECOND);

        forecast.worked(15 * SECOND, (3, 3), false);
        assert_eq!(forecast.pace, SECOND);
        forecast.worked(15 * SECOND, (3, 3), true);
        assert_eq!(forecast.pace, 2 * SECOND);
        forecast.worked(Duration::ZERO, (3, 3), false);
        assert_eq!(forecast.pace, 3 * SECOND / 2);

        let mut forecast = Forecast::of_pace(Duration::ZERO);
        forecast.worked(3 * SECOND, (3, 3), false);
        assert_eq!(forecast.pace, Duration::ZERO);
        forecast.worked(3 * SECOND, (3, 3), true);
        assert_eq!(forecast.pace, SECOND);
    }

    /// Or a wave of sign-ups, each of which has its password judged, would make hashing look fast.
    #[test]
    fn what_is_done_alone_counts_as_the_one_that_it_is() {
        let mut forecast = Forecast::of_pace(6 * SECOND);

        forecast.worked(Duration::ZERO, (1, 3), true);

        assert_eq!(forecast.pace, 6 * SECOND * 11 / 12);
    }

    #[test]
    fn a_part_of_the_bound_is_kept_free() {
        let forecast = Forecast::of_pace(SECOND);

        assert!(forecast.fits(7 * SECOND, BOUND));
        assert!(!forecast.fits(7 * SECOND + Duration::from_nanos(1), BOUND));
    }

    #[test]
    fn nobody_is_let_in_whose_like_waited_too_long() {
        let mut forecast = Forecast::of_pace(SECOND);

        for _ in 0..20 {
            forecast.waited(8 * SECOND, 5 * SECOND, BOUND);
        }

        assert!(forecast.fits(4 * SECOND, BOUND));
        assert!(!forecast.fits(5 * SECOND, BOUND));
    }

    /// A turn takes a good part of the bound.
    #[test]
    fn a_storm_that_is_over_keeps_nobody_out() {
        let mut forecast = Forecast::of_pace(SECOND);
        for _ in 0..20 {
            forecast.waited(BOUND, 4 * SECOND, BOUND);
        }
        assert!(!forecast.fits(4 * SECOND, BOUND));

        forecast.rests();

        assert!(forecast.fits(4 * SECOND, BOUND));
    }

    #[test]
    fn one_in_fifty_is_reckoned_with_and_what_is_over_is_forgotten() {
        let mut forecast = Forecast::of_pace(SECOND);
        for nth in 0..5_000 {
            let took = if nth % 50 == 0 { 7 } else { 5 };
            forecast.waited(took * SECOND, 5 * SECOND, BOUND);
        }
        assert!((1.2..1.4).contains(&forecast.stretch), "{forecast:?}");

        for _ in 0..5_000 {
            forecast.waited(5 * SECOND, 5 * SECOND, BOUND);
        }
        assert!(forecast.stretch < 1.01, "{forecast:?}");
    }

    #[test]
    fn short_waits_tell_nothing_of_long_ones_and_nothing_counts_for_more_than_eight() {
        let mut forecast = Forecast::of_pace(SECOND);

        forecast.waited(100 * SECOND, Duration::ZERO, BOUND);
        forecast.waited(100 * SECOND, SECOND, BOUND);
        assert!(forecast.fits(7 * SECOND, BOUND));
        for _ in 0..1_000 {
            forecast.waited(1_000 * SECOND, 7 * SECOND, BOUND);
        }

        assert!(forecast.fits(BOUND / 10, BOUND));
        assert!(!forecast.fits(BOUND / 9, BOUND));
    }
}
