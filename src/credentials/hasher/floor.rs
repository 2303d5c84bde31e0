//! Where passwords wait, and the threads fetch them.
//!
//! ```text
//! asked ─▶ waits ─┬─ a thread takes it, with others of its cost ─▶ hashed ─▶ answered
//!    │            ├─ the bound runs out, or somebody with less needs the place ─▶ [`Busy`]
//!    └────────────┴─ certain to come too late, or no place ─▶ [`Busy`] at once
//! ```
//!
//! A thread that is idle begins at once, and waits for no company; what has come meanwhile is
//! hashed together. What has waited out its bound is never begun, and hardly anything has to:
//! there is a place only for what is all but certain to be begun in time ([`Forecast`]).

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use authsome_lanes::DIGEST;

use super::engine::Engine;
use super::fair::{Fair, Share, Ticket};
use super::forecast::Forecast;
use super::{Busy, HasherSettings, Measures};
use crate::credentials::bcrypt::Task;
use crate::kernel::measure::Stopwatch;

/// What is told of a digest, and to whom.
type Tell = Box<dyn FnOnce(&Task, &[u8; DIGEST]) + Send>;

/// What is to be done.
pub(super) enum Work {
    Bcrypt(Task, Tell),
    /// Something that is not done faster in company.
    Alone(Box<dyn FnOnce() + Send>),
}

impl Work {
    fn cost(&self) -> Option<u32> {
        match self {
            Self::Bcrypt(task, _) => Some(task.cost),
            Self::Alone(_) => None,
        }
    }
}

struct Job {
    queued: Stopwatch,
    /// How long it was to wait, by all that was known when it came.
    foretold: Duration,
    work: Work,
}

/// What a thread has in hand.
#[derive(Debug, Clone, Copy)]
struct Hand {
    began: Stopwatch,
    size: usize,
    /// Whether there was as much to take as it could.
    is_full: bool,
}

/// What a thread is to do next, and with what.
pub(super) struct Turn {
    pub engine: Engine,
    pub work: Vec<Work>,
}

struct State {
    waiting: Fair<Job>,
    /// By the number of the thread.
    hands: Vec<Option<Hand>>,
    engine: Engine,
    forecast: Forecast,
    is_closed: bool,
}

pub(super) struct Floor {
    state: Mutex<State>,
    called: Condvar,
    most: usize,
    bound: Duration,
    pub(super) measures: Measures,
}

impl Floor {
    pub(super) fn new(settings: HasherSettings) -> Self {
        Self {
            state: Mutex::new(State {
                waiting: Fair::default(),
                hands: vec![None; settings.threads],
                engine: Engine::of_the_crate(),
                forecast: Forecast::of_pace(Duration::ZERO),
                is_closed: false,
            }),
            called: Condvar::new(),
            most: settings.queue,
            bound: settings.wait,
            measures: Measures::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on `engine` computes; `cost` is what passwords are hashed at here.
    pub(super) fn equip(&self, engine: Engine, cost: u32) {
        let mut state = self.state();
        state.engine = engine;
        state.forecast = Forecast::of_pace(engine.pace(cost));
    }

    pub(super) fn lanes(&self) -> usize {
        self.state().engine.lanes()
    }

    pub(super) fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// A place to wait, unless it would be in vain.
    pub(super) fn enter(&self, share: Share, work: Work) -> Result<Ticket, Busy> {
        let mut state = self.state();
        let foretold = state.begins_after(share);
        if !state.forecast.fits(foretold, self.bound) {
            self.measures.hopeless.add(1);
            return Err(Busy);
        }
        let mut ousted = None;
        if state.waiting.len() >= self.most {
            self.measures.too_many.add(1);
            ousted = Some(state.waiting.yields_to(share).ok_or(Busy)?);
        }
        let queued = Stopwatch::start();
        let job = Job {
            queued,
            foretold,
            work,
        };
        let ticket = state.waiting.push(share, job);
        drop(state);
        self.called.notify_one();
        // Whoever asked for it is told by the end of the job.
        drop(ousted);
        Ok(ticket)
    }

    /// Whether it still waited; then it is gone, and never done.
    pub(super) fn leave(&self, share: Share, ticket: Ticket) -> bool {
        let mut state = self.state();
        let given_up = state.waiting.give_up(share, ticket);
        if let Some(job) = &given_up
            && job.queued.elapsed() >= self.bound
        {
            state.forecast.waited(self.bound, job.foretold, self.bound);
        }
        given_up.is_some()
    }

    /// What is to be done next, once there is something; `None` when nobody will ask any more.
    pub(super) fn take(&self, thread: usize) -> Option<Turn> {
        let mut state = self.state();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(first) = self.in_time(&mut state, |_| true) {
                return Some(self.turn(&mut state, thread, first));
            }
            state.forecast.rests();
            state = self
                .called
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The first, and what goes with it.
    fn turn(&self, state: &mut State, thread: usize, first: Job) -> Turn {
        let (engine, cost) = (state.engine, first.work.cost());
        let mut work = vec![first.work];
        if cost.is_some() {
            while work.len() < engine.at_once()
                && let Some(next) = self.in_time(state, |job| job.work.cost() == cost)
            {
                work.push(next.work);
            }
        }
        state.hands[thread] = Some(Hand {
            began: Stopwatch::start(),
            size: work.len(),
            is_full: work.len() == engine.at_once() || state.waiting.len() > 0,
        });
        Turn { engine, work }
    }

    /// The next that `fits`; what has waited out its bound is passed over, and its end told.
    fn in_time(&self, state: &mut State, fits: impl Fn(&Job) -> bool) -> Option<Job> {
        loop {
            let job = state.waiting.take(&fits)?;
            let waited = job.queued.elapsed();
            self.measures.waited.record(waited);
            state.forecast.waited(waited, job.foretold, self.bound);
            if waited < self.bound {
                return Some(job);
            }
            self.measures.too_late.add(1);
        }
    }

    /// The thread has done what it took.
    pub(super) fn done(&self, thread: usize) {
        let mut state = self.state();
        let hand = state.hands[thread].take();
        if let Some(Hand {
            began,
            size,
            is_full,
        }) = hand
        {
            let sizes = (size, state.engine.at_once());
            state.forecast.worked(began.elapsed(), sizes, is_full);
        }
    }

    /// Nobody asks any more: the threads end.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.called.notify_all();
    }
}

impl State {
    /// How long what `share` asks for now waits, if nobody comes who goes before. Zero where some
    /// thread's next turn is not filled yet.
    fn begins_after(&self, share: Share) -> Duration {
        let (threads, at_once) = (self.hands.len(), self.engine.at_once());
        let turns = self.waiting.ahead_of(share) / at_once;
        if turns < threads {
            return Duration::ZERO;
        }
        let mut left: Vec<_> = self
            .hands
            .iter()
            .map(|hand| self.left(hand.as_ref()))
            .collect();
        left.sort_unstable();
        let turn = self.forecast.of_so_many(at_once);
        let before = u32::try_from(turns / threads).unwrap_or(u32::MAX);
        left[turns % threads].saturating_add(turn.saturating_mul(before))
    }

    /// Until the thread is free.
    fn left(&self, hand: Option<&Hand>) -> Duration {
        let left = |it: &Hand| {
            let whole = self.forecast.of_so_many(it.size);
            whole.saturating_sub(it.began.elapsed())
        };
        hand.map_or(Duration::ZERO, left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::entropy::Entropy;
    use crate::kernel::id::Id;
    use crate::kernel::time::Timestamp;

    const SECOND: Duration = Duration::from_secs(1);

    fn share(seed: u64) -> Share {
        let now = Timestamp::from_millis(0);
        Share::Environment(Id::new(now, &Entropy::seeded(seed)))
    }

    /// Two threads that hash three at once, each of which takes a second, and `size` that each began.
    fn busy(size: usize, waiting: usize) -> State {
        let hand = Hand {
            began: Stopwatch::start(),
            size,
            is_full: true,
        };
        let mut state = State {
            waiting: Fair::default(),
            hands: vec![Some(hand); 2],
            engine: Engine::of_so_many(3, Duration::ZERO),
            forecast: Forecast::of_pace(SECOND),
            is_closed: false,
        };
        for _ in 0..waiting {
            let job = Job {
                queued: Stopwatch::start(),
                foretold: Duration::ZERO,
                work: Work::Alone(Box::new(|| ())),
            };
            state.waiting.push(share(1), job);
        }
        state
    }

    #[test]
    fn a_wait_is_as_long_as_what_is_in_hand_and_the_turns_before() {
        for (size, waiting, expected) in [(3, 6, 6), (3, 11, 6), (3, 12, 9), (1, 6, 4), (1, 20, 10)]
        {
            let wait = busy(size, waiting).begins_after(share(1));

            // What is in hand was begun a moment ago.
            let rounded = (wait + SECOND / 2).as_secs();
            assert_eq!(
                rounded, expected,
                "{waiting} wait, {size} in hand: {wait:?}"
            );
        }
    }

    #[test]
    fn who_may_be_in_the_next_turn_of_a_thread_has_nothing_to_fear() {
        assert_eq!(busy(3, 5).begins_after(share(1)), Duration::ZERO);
        assert_eq!(busy(3, 1_000).begins_after(share(2)), Duration::ZERO);
    }

    #[test]
    fn a_thread_that_finds_nothing_to_do_ends_what_was_learned_of_a_storm() {
        let settings = HasherSettings {
            threads: 1,
            queue: 1,
            wait: 8 * SECOND,
        };
        let (floor, bound) = (Floor::new(settings), settings.wait);
        for _ in 0..20 {
            let forecast = &mut floor.state().forecast;
            forecast.waited(bound, bound / 2, bound);
        }
        let has_room = || floor.state().forecast.fits(bound / 2, bound);
        assert!(!has_room());

        let watch = Stopwatch::start();
        std::thread::scope(|scope| {
            scope.spawn(|| floor.take(0).is_none());
            while !has_room() && watch.elapsed() < 10 * SECOND {
                std::thread::yield_now();
            }
            floor.close();
        });

        assert!(has_room());
    }

    #[test]
    fn an_overdue_thread_is_free_at_any_moment() {
        let mut state = busy(3, 6);
        state.forecast = Forecast::of_pace(Duration::ZERO);

        assert_eq!(state.begins_after(share(1)), Duration::ZERO);
    }
}
