//! What computes bcrypt: lanes that have shown that they are right, or else the crate.
//!
//! How many lanes are best depends on the processor's caches, so it is tried when the threads start,
//! and each trial is held against the crate. That takes some ten milliseconds.

use std::time::Duration;

use authsome_lanes::{DIGEST, Input, Key, MOST, SALT};

use super::super::bcrypt::Task;
use crate::kernel::measure::Stopwatch;

pub(super) type Digests = fn(u32, &[Input<'_>]) -> Option<Vec<[u8; DIGEST]>>;

/// Each is tried that often, and its best time counts: others use the processor too.
const TRIALS: usize = 3;
/// No trial begins after that.
const PATIENCE: Duration = Duration::from_millis(12);
/// What is tried takes a quarter of a millisecond; the least cost of bcrypt takes twice that.
const COST: u32 = 3;
/// More lanes make each wait longer: worth it for this part of the time, in percent.
const WORTH: u32 = 3;

/// The lanes computed something else than the crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{lanes} lanes compute something else than the bcrypt crate")]
pub(super) struct Wrong {
    lanes: usize,
}

/// What computes, and how fast.
#[derive(Debug, Clone, Copy)]
pub(super) struct Engine {
    digests: Digests,
    /// How many it computes at once; none at all where the crate computes.
    lanes: usize,
    /// What one of so many takes at [`COST`]; zero where it was not tried.
    each: Duration,
}

impl Engine {
    /// The `bcrypt` crate, one after another.
    pub(super) const fn of_the_crate() -> Self {
        Self {
            digests: by_the_crate,
            lanes: 0,
            each: Duration::ZERO,
        }
    }

    /// As many lanes as are best here.
    pub(super) fn of_lanes() -> Result<Self, Wrong> {
        Self::tried(authsome_lanes::digests)
    }

    fn tried(digests: Digests) -> Result<Self, Wrong> {
        let keys: [_; MOST] = std::array::from_fn(|at| Key::new(&[b'a'; 44][at..]));
        let salts: [_; MOST] = std::array::from_fn(|at| [b'0' + at.to_le_bytes()[0]; SALT]);
        let inputs: Vec<_> = keys
            .iter()
            .zip(&salts)
            .map(|(key, salt)| Input { key, salt })
            .collect();
        let expected = by_the_crate(COST, &inputs);
        let (mut best, began) = ([Duration::MAX; MOST], Stopwatch::start());
        for trial in 0..TRIALS {
            if trial > 0 && began.elapsed() > PATIENCE {
                break;
            }
            for (best, lanes) in best.iter_mut().zip(1_u32..) {
                let some = &inputs[..lanes as usize];
                let watch = Stopwatch::start();
                let found = digests(COST, some);
                *best = watch.elapsed().div_f64(lanes.into()).min(*best);
                let is_right = found.as_deref() == expected.as_ref().map(|it| &it[..some.len()]);
                if !is_right {
                    return Err(Wrong { lanes: some.len() });
                }
            }
        }
        Ok(Self::best_of(digests, &best))
    }

    /// The fewest lanes that are hardly slower than the fastest.
    fn best_of(digests: Digests, each: &[Duration]) -> Self {
        let fastest = each.iter().min().copied().unwrap_or_default();
        let enough = fastest * (100 + WORTH) / 100;
        let found = (1..).zip(each).find(|(_, took)| **took <= enough);
        let (lanes, took) = found.unwrap_or((1, &fastest));
        Self {
            digests,
            lanes,
            each: *took,
        }
    }

    /// Some number of lanes, whatever is best here.
    #[cfg(test)]
    pub(super) fn of_so_many(lanes: usize, each: Duration) -> Self {
        Self::of_digests(authsome_lanes::digests, lanes, each)
    }

    /// Something that takes the place of what computes.
    #[cfg(test)]
    pub(super) fn of_digests(digests: Digests, lanes: usize, each: Duration) -> Self {
        Self {
            digests,
            lanes,
            each,
        }
    }

    /// None where the crate computes.
    pub(super) fn lanes(&self) -> usize {
        self.lanes
    }

    /// How many a thread does well to take at once.
    pub(super) fn at_once(&self) -> usize {
        self.lanes.max(1)
    }

    /// What one password takes at `cost` when as many as possible are hashed at once.
    pub(super) fn pace(&self, cost: u32) -> Duration {
        let doubled = 1_u32.checked_shl(cost.saturating_sub(COST));
        self.each.saturating_mul(doubled.unwrap_or(u32::MAX))
    }

    /// The digests of `tasks`, which are of one cost; none if the cost is not bcrypt's.
    pub(super) fn digests(&self, tasks: &[Task]) -> Vec<[u8; DIGEST]> {
        let inputs: Vec<_> = tasks.iter().map(Task::input).collect();
        let cost = tasks.first().map_or(0, |task| task.cost);
        (self.digests)(cost, &inputs).unwrap_or_default()
    }
}

fn by_the_crate(cost: u32, inputs: &[Input<'_>]) -> Option<Vec<[u8; DIGEST]>> {
    // The crate panics at another cost.
    let digest = |it: &Input<'_>| ::bcrypt::bcrypt(cost, *it.salt, it.key.bytes());
    (cost < 32).then(|| inputs.iter().map(digest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_that_are_right_are_taken() {
        let engine = Engine::of_lanes().unwrap();

        assert!((1..=MOST).contains(&engine.lanes()), "{engine:?}");
        assert!(engine.pace(4) > Duration::ZERO);
        assert_eq!(engine.pace(12), engine.pace(4) * 256);
    }

    #[test]
    fn lanes_that_are_wrong_are_not_taken_however_many_it_takes_to_see_it() {
        let mixed_up: Digests = |cost, inputs| {
            let mut digests = authsome_lanes::digests(cost, inputs)?;
            if digests.len() == 4 {
                digests.swap(1, 2);
            }
            Some(digests)
        };
        let short: Digests = |cost, inputs| authsome_lanes::digests(cost, &inputs[1..]);
        let none: Digests = |_, _| None;

        let wrong = [mixed_up, short, none].map(|it| Engine::tried(it).unwrap_err().lanes);

        assert_eq!(wrong, [4, 1, 1]);
    }

    #[test]
    fn the_crate_computes_the_same() {
        let tasks = [&b"one"[..], &b"two"[..], &[b'x'; 100][..]];
        let tasks = tasks.map(|password| Task::new(password, 4, [7; SALT]));

        let of_the_crate = Engine::of_the_crate();

        assert_eq!(
            of_the_crate.digests(&tasks),
            Engine::of_so_many(6, Duration::ZERO).digests(&tasks)
        );
        assert_eq!((of_the_crate.lanes(), of_the_crate.at_once()), (0, 1));
        assert!(
            of_the_crate
                .digests(&[Task::new(b"x", 32, [7; SALT])])
                .is_empty()
        );
    }

    #[test]
    fn as_few_lanes_are_used_as_are_hardly_slower() {
        let best = |each: [u64; 6]| {
            let each = each.map(Duration::from_micros);
            Engine::best_of(authsome_lanes::digests, &each).lanes()
        };

        assert_eq!(best([545, 286, 214, 183, 172, 165]), 6);
        assert_eq!(best([545, 286, 214, 183, 168, 165]), 5);
        assert_eq!(best([500, 510, 520, 530, 540, 550]), 1);
        assert_eq!(best([545, 286, 214, 183, 450, 317]), 4);
    }
}
