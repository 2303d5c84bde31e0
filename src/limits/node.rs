//! Counters in the memory of one node, bounded: for what protects the node and guards nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use moka::sync::Cache;

use super::gcra::{Gcra, micros};
use super::rule::NodeRule;
use crate::kernel::rate::Rates;
use crate::kernel::time::Timestamp;

/// Subjects that are remembered; the longest unseen is forgotten first.
const REMEMBERED: u64 = 100_000;

/// A subject of a rule, and the period of one of its rates.
type Counted = (NodeRule, String, Duration);

/// What the subjects of each rule have used on this node.
#[derive(Debug, Clone)]
pub(super) struct OfThisNode {
    used: Cache<Counted, Arc<Used>>,
}

#[derive(Debug, Default)]
struct Used {
    tat: AtomicI64,
    told_until: AtomicI64,
}

/// A try that is not admitted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) wait: Duration,
    /// The first one of a period.
    pub(super) is_first: bool,
}

impl OfThisNode {
    /// `longest` of the periods that are counted.
    pub(super) fn new(longest: Duration) -> Self {
        Self {
            used: Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_idle(longest)
                .build(),
        }
    }

    pub(super) fn take(
        &self,
        (rule, rates): (NodeRule, &Rates),
        subject: &str,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let at = micros(now);
        for rate in rates.iter() {
            let key = (rule, subject.to_owned(), rate.period());
            let used = self.used.get_with(key, Arc::default);
            let gcra = Gcra::of(rate);
            // There is one clock here: what it counted while it was ahead is forgotten.
            let counted = |tat| if gcra.is_ahead(tat, at) { 0 } else { tat };
            let next = |tat| {
                let tat = counted(tat);
                gcra.wait(tat, at).is_none().then(|| gcra.next(tat, at))
            };
            let Err(full) = used
                .tat
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, next)
            else {
                continue;
            };
            let until = micros(now.plus(rate.period()));
            let tell = |told| (told <= at || gcra.is_ahead(told, at)).then_some(until);
            let is_first = used
                .told_until
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, tell)
                .is_ok();
            let wait = gcra.wait(full, at).unwrap_or_default();
            return Err(Refused { wait, is_first });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_795_262_400_000);
    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn each_subject_has_its_own_number_and_the_first_refusal_is_known() {
        let (node, rates) = (OfThisNode::new(MINUTE), "2/1m".parse().unwrap());
        let takes = |subject, at| node.take((NodeRule::Refresh, &rates), subject, at);
        let refused = |is_first| {
            let wait = Duration::from_secs(30);
            Err(Refused { wait, is_first })
        };

        assert_eq!(takes("a", NOON), Ok(()));
        assert_eq!(takes("a", NOON), Ok(()));
        assert_eq!(takes("a", NOON), refused(true));
        assert_eq!(takes("a", NOON), refused(false));
        assert_eq!(takes("b", NOON), Ok(()));
        let other = node.take((NodeRule::Exchange, &rates), "a", NOON);
        assert_eq!(other, Ok(()), "another rule has another budget");
        let later = NOON.plus(Duration::from_secs(30));
        assert_eq!(takes("a", later), Ok(()));
    }

    #[test]
    fn a_clock_that_was_ahead_leaves_nobody_out_when_it_is_right_again() {
        let (node, rates) = (OfThisNode::new(MINUTE), "2/1m".parse().unwrap());
        let takes = |at| node.take((NodeRule::Refresh, &rates), "a", at);
        let ahead = NOON.plus(Duration::from_hours(1));
        for _ in 0..3 {
            let _ = takes(ahead);
        }

        let admitted = [(); 3].map(|()| takes(NOON));

        let wait = Duration::from_secs(30);
        let is_first = true;
        assert_eq!(admitted, [Ok(()), Ok(()), Err(Refused { wait, is_first })]);
    }
}
