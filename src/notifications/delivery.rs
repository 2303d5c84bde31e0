//! Delivery: every node takes due letters in hand, a few at once, and sends them.
//!
//! ```text
//! due ──claim: one conditional write──▶ in hand for a minute ──▶ sent │ again later │ failed
//!  ▲                                        │
//!  └────── the node died, or stopped ───────┘   the next one sends it, under the same Message-ID
//! ```
//!
//! Nothing is sent inside a transaction, and no letter keeps another waiting: a server that hangs
//! holds one of the places, for a time that is shorter than the lease.

use std::time::Duration;

use tokio::task::JoinSet;

use super::composing::Composer;
use super::outbox::Outbox;
use super::record::Notification;
use super::repo;
use crate::events::{self, Event, Name, Origin, Party};
use crate::jobs::{Steady, Stopping};
use crate::kernel::entropy::Entropy;
use crate::kernel::time::{Clock, Timestamp};
use crate::mail::{Mailer, Refusal};
use crate::store::{Store, Stored};

/// Letters in hand at once.
const PLACES: usize = 8;
/// How often a node looks for letters of others, and for those whose time has come.
const EVERY: Duration = Duration::from_secs(1);
/// Longer than any letter takes.
const LEASE: Duration = Duration::from_mins(1);
/// How long a node that stops waits for letters in hand.
const LAST: Duration = Duration::from_secs(5);
/// The first wait after a refusal, and the longest.
const SOONEST: Duration = Duration::from_secs(10);
const LATEST: Duration = Duration::from_hours(1);
/// How often what became of a letter is written before that is left to the end of its lease.
const WRITES: u32 = 10;

/// What delivers letters on this node.
#[derive(Debug, Clone)]
pub struct Post {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub outbox: Outbox,
    pub composer: Composer,
    pub mailer: Mailer,
}

/// The job that delivers, as its process holds it. Clones are one job.
#[derive(Debug, Clone, Default)]
pub struct Deliveries(Steady);

/// What became of a letter in hand.
enum Fate {
    Sent,
    Refused(Refusal),
    GivenBack,
}

impl Deliveries {
    /// Delivers until [`Deliveries::stop`], on the runtime of the caller.
    pub fn start(&self, post: Post) {
        tracing::info!("letters go to {}", post.mailer);
        self.0.start(|stopping| post.run(stopping));
    }

    /// Takes no more letters in hand, and returns when those that are have been sent or given back.
    pub async fn stop(&self) {
        self.0.stop().await;
    }
}

impl Post {
    async fn run(self, mut stopping: Stopping) {
        let mut due = tokio::time::interval(EVERY);
        due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut in_hand = JoinSet::new();
        loop {
            for letter in self.claimed(PLACES - in_hand.len()).await {
                let (post, stopping) = (self.clone(), stopping.clone());
                in_hand.spawn_local(async move { post.deliver(letter, stopping).await });
            }
            tokio::select! {
                biased;
                () = stopping.asked() => break,
                Some(_) = in_hand.join_next() => {}
                () = self.outbox.hurried() => {}
                _ = due.tick() => {}
            }
        }
        while in_hand.join_next().await.is_some() {}
        self.mailer.close().await;
    }

    /// At most `places` letters that are due, taken in hand. A store that cannot be asked is asked
    /// again.
    async fn claimed(&self, places: usize) -> Vec<Notification> {
        let mut claimed = Vec::new();
        if let Err(error) = self.claim(places, &mut claimed).await {
            tracing::warn!(%error, "letters cannot be taken in hand");
        }
        claimed
    }

    async fn claim(&self, places: usize, claimed: &mut Vec<Notification>) -> Stored<()> {
        let now = self.clock.now();
        let places = u32::try_from(places).unwrap_or(0);
        if places == 0 {
            return Ok(());
        }
        let mut once = self.store.once();
        let mut every = once.across_tenants("every node delivers the letters of all tenants");
        for due in repo::due(&mut every, now, places).await? {
            let letter = repo::claim(&mut every, due.id, now, now.plus(LEASE)).await?;
            claimed.extend(letter);
        }
        Ok(())
    }

    async fn deliver(&self, letter: Notification, stopping: Stopping) {
        let fate = tokio::select! {
            carried = self.carry(&letter) => match carried {
                Ok(()) => Fate::Sent,
                Err(refusal) => Fate::Refused(refusal),
            },
            () = the_last_moment(stopping) => Fate::GivenBack,
        };
        for _ in 0..WRITES {
            match self.settle(&letter, &fate).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!(%error, id = %letter.id, "a letter's fate is not written");
                }
            }
            wait(EVERY).await;
        }
    }

    async fn carry(&self, letter: &Notification) -> Result<(), Refusal> {
        let now = self.clock.now();
        if letter.give_up_at <= now {
            let reason = letter.last_error.clone();
            return Err(Refusal::for_good(reason.unwrap_or("too late".to_owned())));
        }
        let parcel = self.composer.parcel(letter, &self.outbox, now).await?;
        self.mailer.send(&parcel, now).await
    }

    async fn settle(&self, letter: &Notification, fate: &Fate) -> Stored<()> {
        let (now, tenant) = (self.clock.now(), letter.tenant());
        let mut once = self.store.once();
        let mut tx = once.within(tenant);
        let (id, template) = (letter.id, &letter.template);
        match fate {
            Fate::Sent => {
                repo::sent(&mut tx, letter, now).await?;
                tracing::info!(%id, template, "letter sent");
                Ok(())
            }
            Fate::GivenBack => repo::given_back(&mut tx, letter, now).await,
            Fate::Refused(refusal) if refusal.for_now => {
                let next = now.plus(self.pause(letter.attempts)).min(letter.give_up_at);
                let reason = refusal.to_string();
                repo::again(&mut tx, letter, (next, &reason), now).await?;
                tracing::warn!(%id, template, reason, %next, "letter not sent, tried again");
                Ok(())
            }
            Fate::Refused(refusal) => self.give_up(letter, &refusal.to_string(), now).await,
        }
    }

    async fn give_up(&self, letter: &Notification, reason: &str, now: Timestamp) -> Stored<()> {
        let tenant = letter.tenant();
        let (id, template) = (letter.id, &letter.template);
        let chance = (now, &self.entropy);
        let event = Event::new(
            Name::NotificationFailed,
            tenant,
            Party::system(),
            &Origin::default(),
            chance,
        )
        .denied()
        .on(Party::new("notification", id))
        .with("template", template.as_str())
        .with("reason", reason);
        let given_up = self
            .store
            .write(async |tx| -> Stored<_> {
                let mut tx = tx.within(tenant);
                let failed = repo::failed(&mut tx, letter, reason, now).await?;
                if failed.is_some() {
                    events::record(&mut tx, &event).await?;
                }
                Ok(failed.is_some())
            })
            .await?;
        if given_up {
            tracing::warn!(%id, template, reason, "letter given up");
        }
        Ok(())
    }

    /// How long to wait after so many attempts: twice as long each time, and up to a quarter more,
    /// so that letters that were refused together do not come back together.
    fn pause(&self, attempts: i64) -> Duration {
        let doublings = u32::try_from(attempts.clamp(1, 16)).unwrap_or(1) - 1;
        let pause = SOONEST.saturating_mul(1 << doublings).min(LATEST);
        let [chance] = self.entropy.bytes();
        (pause + pause * u32::from(chance) / 1_024).min(LATEST)
    }
}

/// When a node that stops waits no longer.
async fn the_last_moment(mut stopping: Stopping) {
    stopping.asked().await;
    wait(LAST).await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "a job waits for letters in hand, and for a store that does not answer"
)]
async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}
