//! The hashing service: its own threads, a bounded place to wait, and a deadline for waiting there.
//!
//! ```text
//!            ┌── environments, in turns ──┐     ┌─ thread: up to six at once ─┐
//! asked ─▶   │ a b c a a a …              │ ─▶  │ a b c a a a   of one cost   │ ─▶ answered
//!            └────────────────────────────┘     └─────────────────────────────┘
//! ```
//!
//! A request never hashes on its worker. Nobody waits longer than the bound for a thread, whatever
//! the threads are at, and nobody waits in vain who can be told at once ([`floor`]). The threads run
//! at a lower priority, so that a sign-in storm slows sign-ins and nothing else; a storm of one
//! environment slows its own.

mod engine;
mod fair;
mod floor;
mod forecast;
#[cfg(test)]
mod storms;
#[cfg(test)]
mod tests;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use self::engine::Engine;
pub use self::fair::Share;
use self::fair::Ticket;
use self::floor::{Floor, Turn, Work};
use super::firebase::FirebaseProject;
use super::foreign::BadHash;
use super::scheme::{Pepper, Question, StoredHash};
use crate::kernel::entropy::Entropy;
use crate::kernel::measure::{Counter, Histogram, Measured, Page, Sizes, Stopwatch};
use crate::kernel::password::{Password, is_common};

/// How much nicer than the request workers the hashing threads are (`setpriority(2)`).
const NICENESS: i32 = 10;

/// The hashing threads have more to do than they can in time. A turn of theirs, after which there is
/// room, takes less than a second: try again then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the hashing threads are busy")]
pub struct Busy;

/// A handle on the hashing threads; they end with its last clone.
#[derive(Debug, Clone)]
pub struct Hasher {
    door: Arc<Door>,
    pepper: Arc<Pepper>,
    entropy: Entropy,
    wait: Duration,
}

/// How many hash at once, how many wait, and how long.
#[derive(Debug, Clone, Copy)]
pub struct HasherSettings {
    pub threads: usize,
    pub queue: usize,
    pub wait: Duration,
}

/// How the threads fare.
#[derive(Debug, Default)]
struct Measures {
    waited: Histogram,
    worked: Histogram,
    together: Sizes,
    too_many: Counter,
    too_late: Counter,
    hopeless: Counter,
}

/// The way to the floor, which is closed behind the last who could ask.
struct Door(Arc<Floor>);

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Door(…)")
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A place to wait, which is left when nobody waits there any more.
struct Place<'a> {
    floor: &'a Floor,
    share: Share,
    ticket: Ticket,
}

impl Place<'_> {
    /// Whether it was not its turn yet, and never will be.
    fn is_given_up(&self) -> bool {
        self.floor.leave(self.share, self.ticket)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.is_given_up();
    }
}

impl Hasher {
    /// Starts the threads.
    pub fn start(
        pepper: Pepper,
        entropy: Entropy,
        settings: HasherSettings,
    ) -> std::io::Result<Self> {
        let cost = pepper.cost();
        Self::with(pepper, entropy, settings, move |floor| equip(floor, cost))
    }

    /// `equip` is done by the first thread, before it takes anything.
    fn with(
        pepper: Pepper,
        entropy: Entropy,
        mut settings: HasherSettings,
        equip: impl FnOnce(&Floor) + Send + 'static,
    ) -> std::io::Result<Self> {
        settings.threads = settings.threads.max(1);
        let floor = Arc::new(Floor::new(settings));
        let mut equip = Some(equip);
        for number in 0..settings.threads {
            let (floor, equip) = (floor.clone(), equip.take());
            std::thread::Builder::new()
                .name(format!("hasher-{number}"))
                .spawn(move || {
                    // Where the system refuses, hashing has the priority of everything else.
                    let this = Some(rustix::thread::gettid());
                    let _ = rustix::process::setpriority_process(this, NICENESS);
                    if let Some(equip) = equip {
                        equip(&floor);
                    }
                    serve(&floor, number);
                })?;
        }
        Ok(Self {
            door: Arc::new(Door(floor)),
            pepper: Arc::new(pepper),
            entropy,
            wait: settings.wait,
        })
    }

    pub async fn hash(
        &self,
        share: impl Into<Share>,
        password: Password,
    ) -> Result<StoredHash, Busy> {
        let task = self.pepper.task(&password, &self.entropy);
        self.ask(share.into(), |answer| {
            let told = move |task: &_, digest: &_| drop(answer.send(StoredHash::of(task, digest)));
            Work::Bcrypt(task, Box::new(told))
        })
        .await
    }

    /// `false` for a wrong password and, after as long a time, where there is no hash.
    pub async fn verify(
        &self,
        share: impl Into<Share>,
        password: Password,
        stored: Option<StoredHash>,
    ) -> Result<bool, Busy> {
        let question = self.pepper.question(&password, stored.as_ref());
        let pepper = self.pepper.clone();
        self.ask(share.into(), move |answer| match question {
            Question::Bcrypt(task, hash) => Work::Bcrypt(
                task,
                Box::new(move |_, digest| {
                    let _ = answer.send(hash.is_some_and(|hash| hash.is(digest)));
                }),
            ),
            Question::Foreign => Work::Alone(Box::new(move || {
                let is_right = |stored| pepper.verify_foreign(&password, &stored);
                let _ = answer.send(stored.is_some_and(is_right));
            })),
        })
        .await
    }

    /// Whether anybody would guess `password` early; `context` are words of its owner.
    pub async fn is_common(
        &self,
        share: impl Into<Share>,
        password: Password,
        context: Vec<String>,
    ) -> Result<bool, Busy> {
        self.ask(share.into(), |answer| {
            Work::Alone(Box::new(move || {
                let words: Vec<&str> = context.iter().map(String::as_str).collect();
                let _ = answer.send(is_common(&password, &words));
            }))
        })
        .await
    }

    /// The stored form of a hash that a Firebase project made; hash and salt are in base64. Nothing
    /// is hashed.
    pub fn adopt(
        &self,
        project: &FirebaseProject,
        hash_and_salt: (&str, &str),
    ) -> Result<StoredHash, BadHash> {
        self.pepper.adopt(project, hash_and_salt)
    }

    /// The stored form of a hash as it is written down, of this server or of another system.
    pub fn take_over(&self, text: &str) -> Result<StoredHash, BadHash> {
        self.pepper.take_over(text)
    }

    /// Whether `stored` should be made anew at the next sign-in.
    pub fn is_outdated(&self, stored: &StoredHash) -> bool {
        self.pepper.is_outdated(stored)
    }

    async fn ask<T>(
        &self,
        share: Share,
        work: impl FnOnce(oneshot::Sender<T>) -> Work,
    ) -> Result<T, Busy> {
        let (answer, mut answered) = oneshot::channel();
        let floor = &*self.door.0;
        let ticket = floor.enter(share, work(answer))?;
        let place = Place {
            floor,
            share,
            ticket,
        };
        if let Ok(answered) = timeout(self.wait, &mut answered).await {
            return answered.map_err(|_| Busy);
        }
        if place.is_given_up() {
            floor.measures.too_late.add(1);
            return Err(Busy);
        }
        answered.await.map_err(|_| Busy)
    }
}

impl Measured for Hasher {
    fn tell(&self, page: &mut Page) {
        let floor = &self.door.0;
        let Measures {
            waited,
            worked,
            together,
            too_many,
            too_late,
            hopeless,
        } = &floor.measures;
        page.gauge(
            "authsome_hash_queue_length",
            "Passwords that wait to be hashed.",
        )
        .sample(&[], floor.waiting());
        let help = "How long passwords wait for a hashing thread.";
        page.histogram("authsome_hash_wait_seconds", help)
            .samples(&[], waited);
        let help = "How long hashing, comparing and judging a password takes.";
        page.histogram("authsome_hash_duration_seconds", help)
            .samples(&[], worked);
        let help = "How many passwords a thread hashes together.";
        page.histogram("authsome_hash_batch_size", help)
            .sizes(&[], together);
        let help = "How many a thread can hash together; none where the lanes failed their check.";
        page.gauge("authsome_hash_lanes", help)
            .sample(&[], floor.lanes());
        let help = "Passwords that were not hashed: no place, too long a wait, or as good as certain to be.";
        let refused = page.counter("authsome_hash_refusals_total", help);
        refused.sample(&[("reason", "full")], too_many.count());
        refused.sample(&[("reason", "late")], too_late.count());
        refused.sample(&[("reason", "hopeless")], hopeless.count());
    }
}

fn equip(floor: &Floor, cost: u32) {
    match Engine::of_lanes() {
        Ok(engine) => {
            tracing::debug!(lanes = engine.lanes(), "passwords are hashed in lanes");
            floor.equip(engine, cost);
        }
        // The crate goes on as it began.
        Err(error) => tracing::error!(%error, "passwords are hashed one at a time"),
    }
}

fn serve(floor: &Floor, number: usize) {
    while let Some(Turn { engine, work }) = floor.take(number) {
        let (size, watch) = (work.len(), Stopwatch::start());
        // Whoever asked is told `Busy` by the dropped answer; the thread must go on.
        let work_off = || work_off(engine, work, &floor.measures.together);
        drop(catch_unwind(AssertUnwindSafe(work_off)));
        for _ in 0..size {
            floor.measures.worked.record(watch.elapsed());
        }
        floor.done(number);
    }
}

fn work_off(engine: Engine, work: Vec<Work>, together: &Sizes) {
    let (mut tasks, mut told) = (Vec::new(), Vec::new());
    for work in work {
        match work {
            Work::Bcrypt(task, tell) => {
                tasks.push(task);
                told.push(tell);
            }
            Work::Alone(work) => work(),
        }
    }
    let digests = engine.digests(&tasks);
    if !digests.is_empty() {
        together.record(digests.len());
    }
    for ((task, digest), tell) in tasks.iter().zip(&digests).zip(told) {
        tell(task, digest);
    }
}
