//! Figures: what rounds came to, and the median of them.

use std::time::Duration;

use serde::Serialize;

use crate::load::Load;
use crate::machine::{cpu_time, threads_time};
use crate::yardsticks::Reached;

/// What the server calls its hashing threads.
const HASHING: &str = "hasher-";

/// One round, or the median of several, of each member apart. Times are microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Figure {
    /// Right answers.
    pub count: usize,
    pub per_second: f64,
    pub p50_us: f64,
    pub p99_us: f64,
    /// Time of the process on its core, in its own code and in the kernel, for one answer.
    pub cpu_us: f64,
    /// The same of the database beside it; absent where there is none, or it cannot be seen.
    pub store_cpu_us: Option<f64>,
    /// What of that the hashing threads have used; absent where nobody has any.
    pub hashing_us: Option<f64>,
    /// What of that, and of the database beside it, is left without the hashing threads.
    pub besides_hashing_us: f64,
    /// What part of the core both have used: where it is far from 1, somebody else was the limit.
    pub busy: f64,
}

/// What a round came to: a figure, or why there is none.
pub type Round = Result<Figure, String>;

/// Whose time is told apart.
#[derive(Debug, Clone, Copy)]
pub struct Processes {
    pub own: u32,
    pub store: Option<u32>,
}

/// What processes had used when it was made.
#[derive(Debug)]
pub struct Used {
    own: Duration,
    store: Option<Duration>,
    hashing: Option<Duration>,
    /// Of threads that are still there, more exactly than `own`.
    threads: Option<Duration>,
}

impl Processes {
    pub fn used(self) -> Used {
        Used {
            own: cpu_time(self.own).expect("a process that is there"),
            store: self.store.and_then(cpu_time),
            hashing: threads_time(self.own, HASHING),
            threads: threads_time(self.own, ""),
        }
    }

    /// The figure of a load that began when they had used so much.
    ///
    /// A request that failed, or was refused, is an error of the round.
    pub fn figure(self, before: &Used, load: &Load) -> Round {
        if load.missed() > 0 || load.times.is_empty() {
            let why = load.why.as_deref().unwrap_or("no answer was right");
            let (failed, refused) = (load.failed, load.refusals.len());
            return Err(format!("{failed} failed, {refused} refused: {why}"));
        }
        let after = self.used();
        let since = |(before, after): (Duration, Duration)| after.saturating_sub(before);
        let figure = Figure::of(
            (load.times.len(), load.elapsed),
            (load.percentile(0.50), load.percentile(0.99)),
            (
                since((before.own, after.own)),
                before.store.zip(after.store).map(since),
            ),
        );
        let each = |it: Duration| micros(it) / figure.count as f64;
        let hashing = before.hashing.zip(after.hashing).map(since).map(each);
        let threads = before.threads.zip(after.threads).map(since).map(each);
        let besides = threads.zip(hashing).map(|(all, hashing)| all - hashing);
        let besides = besides.unwrap_or(figure.cpu_us) + figure.store_cpu_us.unwrap_or_default();
        Ok(Figure {
            hashing_us: hashing,
            besides_hashing_us: besides,
            ..figure
        })
    }
}

impl Figure {
    fn of(
        (count, elapsed): (usize, Duration),
        (p50, p99): (Duration, Duration),
        (own, store): (Duration, Option<Duration>),
    ) -> Self {
        let each = |time: Duration| micros(time) / count as f64;
        Self {
            count,
            per_second: count as f64 / elapsed.as_secs_f64(),
            p50_us: micros(p50),
            p99_us: micros(p99),
            cpu_us: each(own),
            store_cpu_us: store.map(each),
            hashing_us: None,
            besides_hashing_us: each(own + store.unwrap_or_default()),
            busy: (own + store.unwrap_or_default()).as_secs_f64() / elapsed.as_secs_f64(),
        }
    }

    /// Of a limit, and of the database beside it.
    pub fn of_limit(reached: &Reached, store: Option<Duration>) -> Self {
        let seconds = Duration::from_secs_f64;
        Self::of(
            (reached.count, seconds(reached.seconds)),
            (seconds(reached.p50_seconds), seconds(reached.p99_seconds)),
            (seconds(reached.cpu_seconds), store),
        )
    }

    /// The time on the core for one answer, whoever used it.
    pub fn all_cpu_us(&self) -> f64 {
        self.cpu_us + self.store_cpu_us.unwrap_or_default()
    }

    /// Of several rounds; none where there was no round.
    pub fn median(rounds: &[Self]) -> Option<Self> {
        let of = |part: fn(&Self) -> f64| median(rounds.iter().map(part).collect());
        let some =
            |part: fn(&Self) -> Option<f64>| median(rounds.iter().filter_map(part).collect());
        Some(Self {
            count: rounds.iter().map(|it| it.count).sum(),
            per_second: of(|it| it.per_second)?,
            p50_us: of(|it| it.p50_us)?,
            p99_us: of(|it| it.p99_us)?,
            cpu_us: of(|it| it.cpu_us)?,
            store_cpu_us: some(|it| it.store_cpu_us),
            hashing_us: some(|it| it.hashing_us),
            besides_hashing_us: of(|it| it.besides_hashing_us)?,
            busy: of(|it| it.busy)?,
        })
    }
}

pub fn median(mut all: Vec<f64>) -> Option<f64> {
    all.sort_unstable_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}

pub fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
