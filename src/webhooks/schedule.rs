//! The schedule: when what was refused is sent again.
//!
//! Eight attempts within a day. Each wait is a tenth shorter or longer by chance, so that deliveries
//! that were refused together do not come back together.

use std::time::Duration;

use crate::kernel::time::Timestamp;

/// Waits after the first attempt, the second and so on; 23 hours and 35 minutes in all.
const WAITS: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(6),
    Duration::from_hours(10),
];

/// How long a receiver may put us off at most.
const LONGEST: Duration = Duration::from_hours(24);

/// When the attempt after so many is made, not before the receiver wants it; `None` where there is
/// none. `chance` is any byte.
pub(super) fn next_attempt(
    attempts: i64,
    wanted: Option<Timestamp>,
    (now, chance): (Timestamp, u8),
) -> Option<Timestamp> {
    let made = usize::try_from(attempts).ok()?.max(1);
    let wait = WAITS.get(made - 1)?;
    let shortest = *wait * 9 / 10;
    let next = now.plus(shortest + *wait / 5 * u32::from(chance) / 255);
    Some(wanted.map_or(next, |wanted| next.max(wanted.min(now.plus(LONGEST)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(2_208_988_800_000);

    #[test]
    fn there_are_eight_attempts_within_a_day() {
        let mut now = NOON;
        let mut attempts = 1;
        while let Some(next) = next_attempt(attempts, None, (now, 128)) {
            assert!(next > now);
            (now, attempts) = (next, attempts + 1);
        }

        assert_eq!(attempts, 8);
        assert!(now.since(NOON) > Duration::from_hours(23));
        assert!(now.since(NOON) < Duration::from_hours(25));
    }

    #[test]
    fn each_wait_is_a_tenth_shorter_or_longer_by_chance() {
        let wait = |chance| next_attempt(2, None, (NOON, chance)).unwrap().since(NOON);

        assert_eq!(wait(0), Duration::from_secs(270));
        assert_eq!(wait(255), Duration::from_secs(330));
        assert!(wait(100) > wait(0) && wait(100) < wait(255));
    }

    #[test]
    fn a_receiver_puts_us_off_but_not_beyond_a_day_and_brings_nothing_forward() {
        let wanting = |time| next_attempt(1, Some(NOON.plus(time)), (NOON, 0)).unwrap();

        assert_eq!(
            wanting(Duration::from_mins(2)).since(NOON),
            Duration::from_mins(2)
        );
        assert_eq!(wanting(Duration::from_hours(24 * 365)).since(NOON), LONGEST);
        assert!(wanting(Duration::ZERO) > NOON);
    }

    #[test]
    fn a_lease_that_was_lost_after_the_last_attempt_brings_no_more() {
        assert_eq!(next_attempt(8, None, (NOON, 0)), None);
        assert_eq!(next_attempt(9, Some(NOON), (NOON, 0)), None);
        assert!(next_attempt(0, None, (NOON, 0)).is_some());
    }
}
