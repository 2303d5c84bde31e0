//! The threads, with work whose beginning and end the tests decide.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};

use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::yield_now;

use super::*;
use crate::kernel::id::Id;
use crate::kernel::time::Timestamp;

const BOUND: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_mins(1);
const PASSWORD: &str = "correct horse";
/// `correct horse`, by another system, at a cost of 4.
const FOREIGN: &str = "$2b$04$zkbNa7tp49p9pnmbPs5/3.BPQhLj7E//TM1gVYR1Vic30ziCPnWTG";

fn pepper(cost: u32) -> Pepper {
    Pepper::new(b"a pepper of the tests, 32 bytes!", cost)
}

fn environments<const N: usize>() -> [Share; N] {
    let entropy = Entropy::seeded(1);
    std::array::from_fn(|_| Share::Environment(Id::new(Timestamp::from_millis(0), &entropy)))
}

/// One thread that hashes `lanes` at once.
fn one_thread(lanes: usize, (queue, wait): (usize, Duration)) -> Hasher {
    of_a_pace(lanes, (queue, wait), Duration::ZERO)
}

/// The same, where a password is known to take twice `half`.
fn of_a_pace(lanes: usize, (queue, wait): (usize, Duration), half: Duration) -> Hasher {
    let settings = HasherSettings {
        threads: 1,
        queue,
        wait,
    };
    let equip = move |floor: &Floor| floor.equip(Engine::of_so_many(lanes, half), 4);
    Hasher::with(pepper(4), Entropy::seeded(1), settings, equip).unwrap()
}

fn password(text: &str) -> Password {
    Password::presented(text).unwrap()
}

async fn verifies(hasher: &Hasher, share: Share) -> Result<bool, Busy> {
    hasher.verify(share, password(PASSWORD), None).await
}

/// Work that holds the thread from when it has begun until it may end.
struct Long {
    end: Sender<()>,
    begun: UnboundedReceiver<()>,
    work: Box<dyn FnOnce() + Send>,
}

impl Long {
    fn new() -> Self {
        let (end, ends) = channel();
        let (tell, begun) = unbounded_channel();
        let work = Box::new(move || {
            tell.send(()).unwrap();
            ends.recv().unwrap();
        });
        Self { end, begun, work }
    }

    /// Occupies the thread; the rest of the test is `meanwhile`.
    async fn holds<T>(self, hasher: &Hasher, meanwhile: impl AsyncFnOnce(Sender<()>) -> T) -> T {
        let Self {
            end,
            mut begun,
            work,
        } = self;
        let held = hasher.ask(Share::Installation, |answer| {
            Work::Alone(Box::new(move || {
                work();
                answer.send(()).unwrap();
            }))
        });
        let rest = async {
            begun.recv().await.unwrap();
            meanwhile(end).await
        };
        let (held, rest) = tokio::join!(held, rest);
        assert_eq!(held, Ok(()));
        rest
    }
}

/// Ends the long work once so many wait.
async fn once_there_wait(hasher: &Hasher, many: usize, end: Sender<()>) {
    while hasher.door.0.waiting() < many {
        yield_now().await;
    }
    end.send(()).unwrap();
}

#[tokio::test]
async fn nobody_waits_longer_than_the_bound_whatever_is_hashed_before_him() {
    let hasher = one_thread(6, (16, BOUND));
    let measures = &hasher.door.0.measures;
    let [share] = environments();
    let is_done = Arc::new(AtomicBool::new(false));

    // What has begun is waited for, also beyond the bound.
    Long::new()
        .holds(&hasher, async |end| {
            let (watch, mut busy) = (Stopwatch::start(), 0);
            while watch.elapsed() < 3 * BOUND {
                let is_done = is_done.clone();
                let late = hasher.ask(share, |answer| {
                    Work::Alone(Box::new(move || {
                        is_done.store(true, Ordering::Relaxed);
                        answer.send(()).unwrap();
                    }))
                });
                assert_eq!(late.await, Err(Busy));
                busy += 1;
            }
            assert_eq!(measures.too_late.count(), busy);
            assert_eq!(hasher.door.0.waiting(), 0);
            end.send(()).unwrap();
        })
        .await;

    // What was given up is never done.
    while verifies(&hasher, share).await.is_err() {}
    assert!(!is_done.load(Ordering::Relaxed));
}

/// Each of the batch is of another environment, password or system, and is told its own.
#[tokio::test]
async fn what_is_hashed_together_is_answered_each_for_itself() {
    let hasher = one_thread(6, (16, LONG));
    let [a, b, c] = environments();
    let own = hasher.hash(a, password(PASSWORD)).await.unwrap();
    let other = hasher.hash(b, password("another one")).await.unwrap();
    let (foreign, damaged) = (
        hasher.take_over(FOREIGN).unwrap(),
        "bcrypt-hmac-sha256:$2b$31$x",
    );
    let damaged: StoredHash = serde_json::from_value(damaged.into()).unwrap();
    let asked = [
        (a, PASSWORD, Some(&own), true),
        (b, PASSWORD, Some(&other), false),
        (a, "another one", Some(&own), false),
        (c, "another one", Some(&other), true),
        (b, PASSWORD, None, false),
        (a, PASSWORD, Some(&foreign), true),
        (c, "another one", Some(&foreign), false),
        (c, PASSWORD, Some(&damaged), false),
        (b, PASSWORD, Some(&own), true),
    ];

    let answers = Long::new().holds(&hasher, async |end| {
        let answers = asked
            .map(|(share, text, stored, _)| hasher.verify(share, password(text), stored.cloned()));
        let release = once_there_wait(&hasher, asked.len(), end);
        tokio::join!(join_all(answers), release).0
    });

    let expected: Vec<_> = asked.iter().map(|it| Ok(it.3)).collect();
    assert_eq!(answers.await, expected);
    let together = &hasher.door.0.measures.together;
    assert_eq!([1, 3, 6].map(|size| together.count_of(size)), [2, 1, 1]);
}

#[tokio::test]
async fn what_costs_more_is_hashed_by_itself_and_new_ones_go_with_old_ones() {
    let hasher = one_thread(6, (16, LONG));
    let [share] = environments();
    let dearer = one_thread(1, (16, LONG));
    let dearer = Hasher {
        pepper: Arc::new(pepper(5)),
        ..dearer
    };
    let dearer = dearer.hash(share, password(PASSWORD)).await.unwrap();

    let (right, new) = Long::new()
        .holds(&hasher, async |end| {
            let release = once_there_wait(&hasher, 3, end);
            let right = hasher.verify(share, password(PASSWORD), Some(dearer));
            let new = hasher.hash(share, password(PASSWORD));
            let (right, new, _, ()) = tokio::join!(right, new, verifies(&hasher, share), release);
            (right, new.unwrap())
        })
        .await;

    assert_eq!(right, Ok(true));
    let together = &hasher.door.0.measures.together;
    assert_eq!([1, 2].map(|size| together.count_of(size)), [1, 1]);
    assert_eq!(
        hasher.verify(share, password(PASSWORD), Some(new)).await,
        Ok(true)
    );
}

/// PW: a tenant's storm is its own.
#[tokio::test]
async fn whoever_comes_into_the_storm_of_another_environment_is_hashed_next_but_one() {
    let hasher = one_thread(6, (64, LONG));
    let [storm, calm] = environments();
    let order = Arc::new(Mutex::new(Vec::new()));
    let notes = |share: Share| {
        let order = order.clone();
        hasher.ask(share, move |answer| {
            Work::Alone(Box::new(move || {
                order.lock().unwrap().push(share);
                answer.send(()).unwrap();
            }))
        })
    };

    Long::new()
        .holds(&hasher, async |end| {
            let storm = join_all((0..30).map(|_| notes(storm)));
            let calm = join_all((0..2).map(|_| notes(calm)));
            let release = once_there_wait(&hasher, 32, end);
            tokio::join!(storm, calm, release)
        })
        .await;

    let order = order.lock().unwrap();
    assert_eq!(order[..5], [storm, calm, storm, calm, storm]);
    assert_eq!(order.len(), 32);
}

#[tokio::test]
async fn a_storm_that_has_every_place_makes_room_for_others() {
    let hasher = one_thread(1, (4, LONG));
    let [storm, calm] = environments();

    let (stormy, calm) = Long::new()
        .holds(&hasher, async |end| {
            let stormy = join_all((0..6).map(|_| verifies(&hasher, storm)));
            let release = async {
                // The place of the storm's newest is free before anything has been hashed.
                while hasher.door.0.measures.too_many.count() < 3 {
                    yield_now().await;
                }
                assert_eq!(hasher.door.0.waiting(), 4);
                end.send(()).unwrap();
            };
            let (stormy, calm, ()) = tokio::join!(stormy, verifies(&hasher, calm), release);
            (stormy, calm)
        })
        .await;

    assert_eq!(calm, Ok(false));
    assert_eq!(stormy[..3], [Ok(false); 3]);
    assert_eq!(stormy[3..], [Err(Busy); 3]);
}

#[tokio::test]
async fn whoever_is_certain_to_wait_too_long_is_told_when_he_comes() {
    let hasher = of_a_pace(2, (64, LONG), LONG);
    let measures = &hasher.door.0.measures;
    let [storm, calm] = environments();

    Long::new()
        .holds(&hasher, async |end| {
            let first = join_all((0..2).map(|_| verifies(&hasher, storm)));
            let rest = async {
                // The next turn is theirs; the one after it comes too late, and for another environment not.
                for refused in 1..=20 {
                    assert_eq!(verifies(&hasher, storm).now_or_never(), Some(Err(Busy)));
                    assert_eq!(measures.hopeless.count(), refused);
                }
                assert_eq!(hasher.door.0.waiting(), 2);
                let calm = verifies(&hasher, calm);
                tokio::join!(calm, once_there_wait(&hasher, 3, end)).0
            };
            let (first, rest) = tokio::join!(first, rest);
            assert_eq!((first, rest), (vec![Ok(false); 2], Ok(false)));
        })
        .await;

    // What was measured since counts, and nobody is busy any more.
    assert_eq!(verifies(&hasher, storm).await, Ok(false));
    assert_eq!(measures.hopeless.count(), 20);
}

#[tokio::test]
async fn whoever_lets_go_of_the_answer_leaves_his_place() {
    let hasher = one_thread(6, (16, LONG));
    let [share] = environments();

    Long::new()
        .holds(&hasher, async |end| {
            assert_eq!(verifies(&hasher, share).now_or_never(), None);
            assert_eq!(hasher.door.0.waiting(), 0);
            end.send(()).unwrap();
        })
        .await;

    assert_eq!(hasher.door.0.measures.too_late.count(), 0);
}

#[tokio::test]
async fn work_that_panics_is_nobody_elses_trouble() {
    let hasher = one_thread(6, (16, LONG));
    let [share] = environments();

    let panicked = hasher.ask::<()>(share, |_answer| {
        Work::Alone(Box::new(|| panic!("on purpose")))
    });

    assert_eq!(panicked.await, Err(Busy));
    assert_eq!(verifies(&hasher, share).await, Ok(false));
}

#[tokio::test]
async fn the_threads_end_with_the_last_who_could_ask() {
    let hasher = Hasher::start(
        pepper(4),
        Entropy::seeded(1),
        HasherSettings {
            threads: 3,
            queue: 1,
            wait: LONG,
        },
    );
    let hasher = hasher.unwrap();
    let floor = Arc::downgrade(&hasher.door.0);
    let other = hasher.clone();
    drop(hasher);
    assert_eq!(verifies(&other, Share::Installation).await, Ok(false));

    drop(other);

    while floor.strong_count() > 0 {
        yield_now().await;
    }
}

/// Of two cores with two threads each counts for itself.
#[tokio::test]
async fn many_are_hashed_right_by_several_threads_at_once() {
    let settings = HasherSettings {
        threads: 4,
        queue: 1_000,
        wait: LONG,
    };
    let hasher = Hasher::start(pepper(4), Entropy::seeded(1), settings).unwrap();
    let shares: [_; 7] = environments();
    let stored = hasher.hash(shares[0], password(PASSWORD)).await.unwrap();

    let asked = (0..200).map(|number| {
        let text = if number % 3 == 0 {
            PASSWORD
        } else {
            "another one"
        };
        hasher.verify(shares[number % 7], password(text), Some(stored.clone()))
    });
    let answers = join_all(asked).await;

    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer, Ok(number % 3 == 0), "{number}");
    }
    assert_eq!(hasher.door.0.waiting(), 0);
}
