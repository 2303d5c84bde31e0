//! The hashing service: its own threads, a bounded queue, and a deadline for waiting in it.
//!
//! ```text
//! asked ─▶ queue ─┬─ a thread claims it ─▶ hashed, however long that takes ─▶ answered
//!                 └─ the bound runs out, and whoever asked claims it ─▶ [`Busy`], and never hashed
//! ```
//!
//! A request never hashes on its worker. Nobody waits longer than the bound for a thread, whatever
//! the threads are at; a full queue refuses at once. The threads run at a lower priority, so that a
//! sign-in storm slows sign-ins and nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::firebase::FirebaseProject;
use super::foreign::BadHash;
use super::scheme::{Pepper, StoredHash};
use crate::kernel::entropy::Entropy;
use crate::kernel::measure::{Counter, Histogram, Level, Measured, Page, Stopwatch};
use crate::kernel::password::{Password, is_common};

/// How much nicer than the request workers the hashing threads are (`setpriority(2)`).
const NICENESS: i32 = 10;

/// Every hashing thread is busy, and the queue is full or too slow: try again in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the hashing threads are busy")]
pub struct Busy;

/// A handle on the hashing threads; they end with its last clone.
#[derive(Debug, Clone)]
pub struct Hasher {
    queue: SyncSender<Job>,
    measures: Arc<Measures>,
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
    waiting: Level,
    waited: Histogram,
    worked: Histogram,
    too_many: Counter,
    too_late: Counter,
}

struct Job {
    queued: Stopwatch,
    claim: Claim,
    work: Box<dyn FnOnce() + Send>,
}

/// Whose a job is that waits: the thread's that begins it, or that of whoever does not wait any more.
#[derive(Debug, Clone, Default)]
struct Claim(Arc<AtomicBool>);

impl Claim {
    /// Whether nobody was faster.
    fn is_mine(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("claim", &self.claim)
            .finish_non_exhaustive()
    }
}

impl Hasher {
    /// Starts the threads.
    pub fn start(
        pepper: Pepper,
        entropy: Entropy,
        settings: HasherSettings,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(settings.queue);
        let jobs = Arc::new(Mutex::new(jobs));
        let measures = Arc::<Measures>::default();
        for number in 0..settings.threads.max(1) {
            let (jobs, measures) = (jobs.clone(), measures.clone());
            std::thread::Builder::new()
                .name(format!("hasher-{number}"))
                .spawn(move || serve(&jobs, &measures))?;
        }
        Ok(Self {
            queue,
            measures,
            pepper: Arc::new(pepper),
            entropy,
            wait: settings.wait,
        })
    }

    pub async fn hash(&self, password: Password) -> Result<StoredHash, Busy> {
        let (pepper, entropy) = (self.pepper.clone(), self.entropy.clone());
        self.work(move || pepper.hash(&password, &entropy))
            .await?
            .ok_or(Busy)
    }

    /// `false` for a wrong password and, after as long a time, where there is no hash.
    pub async fn verify(
        &self,
        password: Password,
        stored: Option<StoredHash>,
    ) -> Result<bool, Busy> {
        let pepper = self.pepper.clone();
        self.work(move || pepper.verify(&password, stored.as_ref()))
            .await
    }

    /// Whether anybody would guess `password` early; `context` are words of its owner.
    pub async fn is_common(&self, password: Password, context: Vec<String>) -> Result<bool, Busy> {
        self.work(move || {
            let words: Vec<&str> = context.iter().map(String::as_str).collect();
            is_common(&password, &words)
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

    /// Whether `stored` should be made anew at the next sign-in.
    pub fn is_outdated(&self, stored: &StoredHash) -> bool {
        self.pepper.is_outdated(stored)
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let (answer, mut answered) = oneshot::channel();
        let work = Box::new(move || {
            // Nobody waits for what whoever asked has let go of.
            if !answer.is_closed() {
                drop(answer.send(work()));
            }
        });
        let claim = Claim::default();
        let job = Job {
            queued: Stopwatch::start(),
            claim: claim.clone(),
            work,
        };
        // A thread may have taken it before it is counted otherwise.
        self.measures.waiting.rise();
        self.queue.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) | TrySendError::Disconnected(_) => {
                self.measures.waiting.fall();
                self.measures.too_many.add(1);
                Busy
            }
        })?;
        if let Ok(answered) = timeout(self.wait, &mut answered).await {
            return answered.map_err(|_| Busy);
        }
        if claim.is_mine() {
            self.measures.waiting.fall();
            self.measures.too_late.add(1);
            return Err(Busy);
        }
        answered.await.map_err(|_| Busy)
    }

    /// The stored form of a hash as it is written down, of this server or of another system.
    pub fn take_over(&self, text: &str) -> Result<StoredHash, BadHash> {
        self.pepper.take_over(text)
    }
}

impl Measured for Hasher {
    fn tell(&self, page: &mut Page) {
        let Measures {
            waiting,
            waited,
            worked,
            too_many,
            too_late,
        } = &*self.measures;
        page.gauge(
            "authsome_hash_queue_length",
            "Passwords that wait to be hashed.",
        )
        .sample(&[], waiting.height());
        let help = "How long passwords wait for a hashing thread.";
        page.histogram("authsome_hash_wait_seconds", help)
            .samples(&[], waited);
        let help = "How long hashing, comparing and judging a password takes.";
        page.histogram("authsome_hash_duration_seconds", help)
            .samples(&[], worked);
        let help = "Passwords that were not hashed, for the queue was full or too slow.";
        let refused = page.counter("authsome_hash_refusals_total", help);
        refused.sample(&[("reason", "full")], too_many.count());
        refused.sample(&[("reason", "late")], too_late.count());
    }
}

fn serve(jobs: &Mutex<Receiver<Job>>, measures: &Measures) {
    // Where the system refuses, hashing runs at the same priority as everything else.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS);
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else {
            return;
        };
        measures.waited.record(job.queued.elapsed());
        if !job.claim.is_mine() {
            continue;
        }
        measures.waiting.fall();
        let watch = Stopwatch::start();
        // Whoever asked is told `Busy` by the dropped answer; the thread must go on.
        drop(catch_unwind(AssertUnwindSafe(job.work)));
        measures.worked.record(watch.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    const BOUND: Duration = Duration::from_millis(50);

    fn one_thread() -> Hasher {
        let pepper = Pepper::new(b"a pepper of the tests, 32 bytes!", 4);
        let settings = HasherSettings {
            threads: 1,
            queue: 16,
            wait: BOUND,
        };
        Hasher::start(pepper, Entropy::seeded(1), settings).unwrap()
    }

    async fn verifies(hasher: &Hasher) -> Result<bool, Busy> {
        let password = Password::presented("correct horse").unwrap();
        hasher.verify(password, None).await
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_the_bound_whatever_is_hashed_before_him() {
        let hasher = one_thread();
        let (begun, mut has_begun) = unbounded_channel();
        let (end, ends) = channel();
        let ends = Arc::new(Mutex::new(ends));
        let occupy = || {
            let (begun, ends) = (begun.clone(), ends.clone());
            hasher.work(move || {
                begun.send(()).unwrap();
                ends.lock().unwrap().recv().unwrap()
            })
        };
        let long = async {
            loop {
                // Only on a busy machine does the thread not come to it in time.
                if let Ok(done) = occupy().await {
                    return done;
                }
            }
        };
        let others = async {
            has_begun.recv().await.unwrap();
            let (watch, before) = (Stopwatch::start(), hasher.measures.too_late.count());
            let mut busy = 0;
            while watch.elapsed() < 3 * BOUND {
                assert_eq!(verifies(&hasher).await, Err(Busy));
                busy += 1;
            }
            assert_eq!(hasher.measures.too_late.count(), before + busy);
            assert_eq!(hasher.measures.waiting.height(), 0);
            end.send("done").unwrap();
        };

        // What has begun is waited for, also beyond the bound.
        let (done, ()) = tokio::join!(long, others);

        assert_eq!(done, "done");
        // What was given up is passed over.
        while verifies(&hasher).await.is_err() {}
        assert_eq!(hasher.measures.waiting.height(), 0);
    }
}
