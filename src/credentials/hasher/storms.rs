//! The threads, when more is asked of them than they can do.

use authsome_lanes::{DIGEST, Input};
use tokio::task::JoinSet;
use tokio::time::interval;

use super::*;
use crate::kernel::id::Id;
use crate::kernel::time::Timestamp;

/// What six take on average, whatever the machine is.
const TURN: Duration = Duration::from_millis(12);
const LANES: usize = 6;
const BOUND: Duration = Duration::from_secs(1);
/// Whoever is told later than this was not told at once.
const AT_ONCE: Duration = Duration::from_millis(50);

/// In one turn of the thread come so many.
struct Storm {
    of_one: usize,
    /// Each of an environment that has never asked before.
    of_others: usize,
    turns: u32,
}

/// How those fared who came.
#[derive(Debug, Default)]
struct Fared {
    served: usize,
    refused: usize,
    refused_late: usize,
    /// How often the thread had nothing to do next.
    empty: usize,
}

/// Half as long as usual, up to half as long again: others use the machine as well.
#[expect(
    clippy::unnecessary_wraps,
    reason = "what computes may find an input that it cannot take"
)]
fn takes_its_time(_cost: u32, inputs: &[Input<'_>]) -> Option<Vec<[u8; DIGEST]>> {
    let chance = inputs.first().map_or(0, |input| input.salt[0]);
    let turn = TURN / 2 + TURN * u32::from(chance) / u32::from(u8::MAX);
    let watch = Stopwatch::start();
    while let Some(left) = turn.checked_sub(watch.elapsed()) {
        std::thread::park_timeout(left);
    }
    Some(vec![[0; DIGEST]; inputs.len()])
}

fn one_thread() -> Hasher {
    let settings = HasherSettings {
        threads: 1,
        queue: 10_000,
        wait: BOUND,
    };
    let pepper = Pepper::new(b"a pepper of the tests, 32 bytes!", 4);
    let engine = Engine::of_digests(takes_its_time, LANES, TURN / 12);
    let equip = move |floor: &Floor| floor.equip(engine, 4);
    Hasher::with(pepper, Entropy::seeded(1), settings, equip).unwrap()
}

impl Storm {
    async fn comes(&self, hasher: &Hasher) -> Fared {
        let entropy = Entropy::seeded(2);
        let new = || Share::Environment(Id::new(Timestamp::from_millis(0), &entropy));
        let (one, mut fared, mut all) = (new(), Fared::default(), JoinSet::new());
        let mut turns = interval(TURN);
        for turn in 0..self.turns {
            turns.tick().await;
            if turn > 10 && hasher.door.0.waiting() == 0 {
                fared.empty += 1;
            }
            let others = (0..self.of_others).map(|_| new());
            for share in others.chain((0..self.of_one).map(|_| one)) {
                let hasher = hasher.clone();
                all.spawn(async move {
                    let (watch, password) = (Stopwatch::start(), "correct horse");
                    let password = Password::presented(password).unwrap();
                    let answer = hasher.hash(share, password).await;
                    (answer, watch.elapsed())
                });
            }
        }
        for (answer, after) in all.join_all().await {
            match answer {
                Ok(_) => fared.served += 1,
                Err(Busy) => fared.refused += 1,
            }
            fared.refused_late += usize::from(answer.is_err() && after > AT_ONCE);
        }
        fared
    }
}

/// Three times what can be done, for three seconds.
#[tokio::test]
async fn whoever_is_refused_in_a_storm_is_told_at_once_and_the_thread_has_always_enough_to_do() {
    let hasher = one_thread();
    let storm = Storm {
        of_one: 3 * LANES,
        of_others: 0,
        turns: 250,
    };

    let fared = storm.comes(&hasher).await;

    assert_eq!(fared.served + fared.refused, 250 * 3 * LANES);
    assert!(fared.refused > 100 * LANES, "{fared:?}");
    assert!(fared.refused_late * 50 < fared.refused, "{fared:?}");
    assert!(fared.empty < 10, "{fared:?}");
    // What is served is what the thread can do, and all of it six at a time.
    let full = hasher.door.0.measures.together.count_of(LANES);
    let served = fared.served as u64;
    assert!(full * LANES as u64 * 10 > served * 9, "{fared:?}");
}

/// Who comes after goes before, and takes half of the time: of that nothing is known when the storm
/// begins.
#[tokio::test]
async fn a_storm_learns_what_is_left_to_it_by_others() {
    let hasher = one_thread();
    let storm = Storm {
        of_one: 3 * LANES,
        of_others: LANES / 2,
        turns: 400,
    };

    let fared = storm.comes(&hasher).await;

    assert!(fared.refused_late * 8 < fared.refused, "{fared:?}");
    assert!(fared.empty < 10, "{fared:?}");
}
