//! The jobs of a node: each on one node at a time, again and again.
//!
//! ```text
//! every node:  asks for the lease ──no──▶ asks again a beat later
//!                   └──yes──▶ works every period, and keeps the lease beat by beat, also meanwhile
//! ```
//!
//! A node that is killed is replaced when its lease is over; one that stops hands it back. Who loses
//! his lease while he works stops there, between two verbs of the store, as if he had been killed:
//! so a job is a row of small units that can be begun again.

use std::fmt::Display;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::lease::Claim;
use crate::kernel::entropy::Entropy;
use crate::kernel::time::{Clock, Timestamp};
use crate::store::Store;

/// How long a job is held without a sign of life, where nothing shorter is asked for: what its
/// work waits for at most after its node was killed, with one beat.
pub const TERM: Duration = Duration::from_secs(30);
/// Signs of life in a term.
const BEATS: u32 = 3;

/// A job's name, which all nodes know it by, and how often it is done.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    pub name: &'static str,
    pub period: Duration,
    pub term: Duration,
}

/// What this node does by itself. Clones are of the same node.
#[derive(Debug, Clone)]
pub struct Jobs {
    store: Store,
    clock: Clock,
    /// Names this process in its leases.
    owner: String,
    stopping: Arc<watch::Sender<bool>>,
    tasks: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Jobs {
    pub fn new(store: Store, clock: Clock, entropy: &Entropy) -> Self {
        Self {
            store,
            clock,
            owner: entropy.token(),
            stopping: Arc::new(watch::Sender::new(false)),
            tasks: Arc::default(),
        }
    }

    /// Does `job` every period, as soon as no other node does it. It is told the time at which it
    /// begins; what it cannot do is written to the log and tried again in the next period.
    ///
    /// Within an actix system; it ends with it, or by [`Jobs::stop`].
    pub fn every<E, J>(&self, schedule: Schedule, job: J)
    where
        E: Display + 'static,
        J: AsyncFn(Timestamp) -> Result<(), E> + 'static,
    {
        let claim = Claim::new(
            self.store.clone(),
            schedule.name,
            self.owner.clone(),
            schedule.term,
        );
        let turn = Turn {
            name: schedule.name,
            claim,
            clock: self.clock.clone(),
            beats: ticks(schedule.term / BEATS),
            until: None,
        };
        let task = turn.goes_on(ticks(schedule.period), self.stopping.clone(), job);
        let task = actix_web::rt::spawn(task);
        self.tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(task);
    }

    /// Lets what is being done be done, and hands every lease back.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a job ended badly");
            }
        }
    }
}

/// The first at once, and none made up for.
fn ticks(period: Duration) -> Interval {
    let mut ticks = interval(period.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// One job on this node.
struct Turn {
    name: &'static str,
    claim: Claim,
    clock: Clock,
    beats: Interval,
    /// Until when it is this node's.
    until: Option<Timestamp>,
}

impl Turn {
    async fn goes_on<E: Display>(
        mut self,
        mut due: Interval,
        stopping: Arc<watch::Sender<bool>>,
        job: impl AsyncFn(Timestamp) -> Result<(), E>,
    ) {
        let mut stopping = stopping.subscribe();
        loop {
            let is_held = self.is_held();
            tokio::select! {
                biased;
                _ = stopping.wait_for(|stops| *stops) => break,
                _ = self.beats.tick() => self.claims().await,
                _ = due.tick(), if is_held => self.works(&job).await,
            }
        }
        if self.is_held()
            && let Err(error) = self.claim.release().await
        {
            tracing::warn!(job = self.name, %error, "a lease was not handed back");
        }
    }

    fn is_held(&self) -> bool {
        self.until.is_some_and(|until| self.clock.now() < until)
    }

    /// A sign of life. While the store cannot be asked, the term goes on that it last gave.
    async fn claims(&mut self) {
        match self.claim.hold(self.clock.now()).await {
            Ok(until) => self.until = until,
            Err(error) => {
                tracing::warn!(job = self.name, %error, "a lease could not be asked for");
            }
        }
    }

    /// Does the job once, as long as the lease is held.
    async fn works<E: Display>(&mut self, job: &impl AsyncFn(Timestamp) -> Result<(), E>) {
        let mut work = pin!(job(self.clock.now()));
        loop {
            tokio::select! {
                done = &mut work => {
                    if let Err(error) = done {
                        tracing::warn!(job = self.name, %error, "a job was not done");
                    }
                    return;
                }
                _ = self.beats.tick() => self.claims().await,
            }
            if !self.is_held() {
                tracing::warn!(job = self.name, "a job was left: another node may be at it");
                return;
            }
        }
    }
}
