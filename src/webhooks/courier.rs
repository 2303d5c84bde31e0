//! Couriers: every node takes due deliveries in hand, several at once, and sends them.
//!
//! ```text
//! due ──claim: one conditional write──▶ in hand for a minute ──▶ delivered │ again later │ failed
//!  ▲                                        │
//!  └────── the node died, or stopped ───────┘      the next one sends it, under the same webhook-id
//! ```
//!
//! Nothing is sent inside a transaction, and nobody keeps another waiting ([`super::lanes`]). What is
//! not in hand waits in the store, not in memory.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::deliveries::repo::{self, Attempt};
use super::deliveries::{Delivery, Failure};
use super::lanes::{Lanes, Place};
use super::message::Message;
use super::record::Webhook;
use super::repo as webhooks;
use super::service::{Bell, opened};
use super::settling::Outcome;
use crate::environments::{self, Environments};
use crate::events::{self, Event};
use crate::jobs::{Steady, Stopping};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::WebhookId;
use crate::kernel::secret::KeyRing;
use crate::kernel::time::{Clock, Timestamp};
use crate::memberships::Memberships;
use crate::notifications::Outbox;
use crate::outbound::{NotATarget, Outbound, Target};
use crate::store::{Store, Stored};

/// How often a node looks for deliveries of others, and for those whose time has come.
const EVERY: Duration = Duration::from_secs(1);
/// Longer than any request takes.
const LEASE: Duration = Duration::from_mins(1);
/// How long a node that stops waits for requests under way.
const LAST: Duration = Duration::from_secs(5);
/// Deliveries looked for at a time.
const AT_A_TIME: usize = 32;
/// How often what became of a delivery is written before that is left to the end of its lease.
const WRITES: u32 = 10;

/// What delivers on this node.
#[derive(Debug, Clone)]
pub struct Courier {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub ring: KeyRing,
    pub outbound: Outbound,
    pub bell: Bell,
    pub outbox: Outbox,
    pub environments: Environments,
    pub memberships: Memberships,
}

/// The job that delivers, as its process holds it. Clones are one job.
#[derive(Debug, Clone, Default)]
pub struct Couriers(Steady);

impl Couriers {
    /// Delivers until [`Couriers::stop`], on the runtime of the caller.
    pub fn start(&self, courier: Courier) {
        self.0.start(|stopping| courier.run(stopping));
    }

    /// Takes nothing more in hand, and returns when what is has arrived or was given back.
    pub async fn stop(&self) {
        self.0.stop().await;
    }
}

/// A delivery in hand, and to whom; to nobody where the webhook is gone, or its environment.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) delivery: Delivery,
    pub(super) webhook: Option<Webhook>,
}

/// What is sent.
struct Sheet {
    target: Target,
    headers: Vec<(String, String)>,
    body: String,
}

impl Courier {
    async fn run(self, mut stopping: Stopping) {
        let mut due = tokio::time::interval(EVERY);
        due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (lanes, mut in_hand) = (Lanes::default(), JoinSet::new());
        let mut closed = HashSet::new();
        loop {
            for parcel in self.taken(&lanes).await {
                let place = lanes.enter(parcel.delivery.webhook_id);
                let (courier, stopping) = (self.clone(), stopping.clone());
                in_hand.spawn_local(async move { courier.deliver(parcel, &place, stopping).await });
            }
            closed.extend(lanes.closed());
            let is_out = lanes.free() < AT_A_TIME;
            tokio::select! {
                biased;
                () = stopping.asked() => break,
                () = opening(&mut in_hand, &lanes, (&mut closed, is_out)) => {}
                () = self.bell.rung() => {}
                _ = due.tick() => {}
            }
        }
        while in_hand.join_next().await.is_some() {}
    }

    /// What is due, taken in hand as far as there is room. A store that cannot be asked is asked
    /// again.
    async fn taken(&self, lanes: &Lanes) -> Vec<Parcel> {
        let mut taken = Vec::new();
        if let Err(error) = self.take(lanes, &mut taken).await {
            tracing::warn!(%error, "deliveries cannot be taken in hand");
        }
        taken
    }

    async fn take(&self, lanes: &Lanes, taken: &mut Vec<Parcel>) -> Stored<()> {
        let mut passed: HashSet<WebhookId> = lanes.closed().into_iter().collect();
        let mut rooms: HashMap<WebhookId, usize> = HashMap::new();
        let mut free = lanes.free();
        while free > 0 {
            let now = self.clock.now();
            let due = self.due(&passed, now).await?;
            let (is_all, known) = (due.len() < AT_A_TIME, passed.len());
            let mut wanted = Vec::new();
            for delivery in due {
                let webhook = delivery.webhook_id;
                let room = rooms.entry(webhook).or_insert_with(|| lanes.room(webhook));
                if *room == 0 {
                    passed.insert(webhook);
                } else if wanted.len() < free {
                    *room -= 1;
                    wanted.push(delivery);
                }
            }
            free -= wanted.len();
            // Behind those who are passed by others may be waiting.
            let is_stuck = wanted.is_empty() && passed.len() == known;
            taken.extend(self.claim(wanted, now).await?);
            if is_all || is_stuck {
                break;
            }
        }
        Ok(())
    }

    async fn due(&self, passed: &HashSet<WebhookId>, now: Timestamp) -> Stored<Vec<Delivery>> {
        let mut once = self.store.once();
        let mut every = once.across_tenants("every node delivers the events of all tenants");
        let most = u32::try_from(AT_A_TIME).unwrap_or(u32::MAX);
        repo::due(&mut every, passed.iter().copied(), now, most).await
    }

    /// Those of these deliveries that no other node has taken meanwhile.
    async fn claim(&self, wanted: Vec<Delivery>, now: Timestamp) -> Stored<Vec<Parcel>> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let until = now.plus(LEASE);
        self.store
            .write(async |tx| {
                let mut every =
                    tx.across_tenants("what is due is taken in hand whoever it belongs to");
                let mut claimed = Vec::new();
                for delivery in &wanted {
                    claimed.extend(repo::claim(&mut every, delivery.id, now, until).await?);
                }
                let ids: HashSet<_> = claimed.iter().map(|it| it.webhook_id).collect();
                let known = webhooks::by_ids(&mut every, ids).await?;
                let places = known.iter().map(Webhook::tenant);
                let gone = environments::removed_of(&mut every, places).await?;
                let of = |delivery: &Delivery| {
                    let mut there = known.iter().filter(|it| !gone.contains(&it.env_id));
                    there.find(|it| it.id == delivery.webhook_id).cloned()
                };
                let parcel = |delivery: Delivery| Parcel {
                    webhook: of(&delivery),
                    delivery,
                };
                Ok(claimed.into_iter().map(parcel).collect())
            })
            .await
    }

    async fn deliver(&self, parcel: Parcel, place: &Place, stopping: Stopping) {
        let outcome = tokio::select! {
            outcome = self.carry(&parcel) => outcome,
            () = the_last_moment(stopping) => Outcome::GivenBack,
        };
        if let Some(has_arrived) = outcome.has_arrived() {
            place.learns(has_arrived);
        }
        for _ in 0..WRITES {
            match self.settle(&parcel, &outcome).await {
                Ok(()) => return,
                Err(error) => {
                    let id = parcel.delivery.id;
                    tracing::warn!(%error, %id, "what became of a delivery is not written");
                }
            }
            wait(EVERY).await;
        }
    }

    async fn carry(&self, parcel: &Parcel) -> Outcome {
        let Some(webhook) = parcel.webhook.as_ref().filter(|webhook| webhook.active) else {
            return Outcome::Void(Failure::Inactive);
        };
        let mut once = self.store.once();
        let mut tx = once.within(webhook.tenant());
        match events::get(&mut tx, parcel.delivery.event_id).await {
            Ok(Some(event)) => match self.sheet(webhook, event) {
                Ok(sheet) => self.send(sheet).await,
                Err(failure) => Outcome::tried(failure),
            },
            Ok(None) => Outcome::Void(Failure::EventGone),
            Err(error) => {
                tracing::warn!(%error, "an event cannot be read");
                Outcome::GivenBack
            }
        }
    }

    fn sheet(&self, webhook: &Webhook, event: Event) -> Result<Sheet, Failure> {
        let now = self.clock.now();
        let target = Target::parse(&webhook.url, self.outbound.reach());
        let target = target.map_err(|why| match why {
            NotATarget::NotPublic => Failure::PrivateAddress,
            NotATarget::NotAUrl | NotATarget::NotSecure | NotATarget::Port => Failure::InvalidUrl,
        })?;
        let secrets = opened(&self.ring, webhook, now).ok_or(Failure::Sealed)?;
        let id = event.id;
        let body = serde_json::to_string(&Message::from(event));
        let body = body.map_err(|_| Failure::EventGone)?;
        let signed = secrets.sign(id, now, &body);
        let own = webhook.headers.clone().into_iter();
        let ours = [
            ("content-type", "application/json".to_owned()),
            ("webhook-id", id.to_string()),
            ("webhook-timestamp", signed.timestamp),
            ("webhook-signature", signed.standard),
            ("x-authsome-signature", signed.own),
        ];
        let ours = ours.map(|(name, value)| (name.to_owned(), value));
        Ok(Sheet {
            target,
            headers: own.chain(ours).collect(),
            body,
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "how long others take is measured, not decided on"
    )]
    async fn send(&self, sheet: Sheet) -> Outcome {
        let began = Instant::now();
        let Sheet {
            target,
            headers,
            body,
        } = sheet;
        let answered = self
            .outbound
            .post(&target, &headers, body.into_bytes())
            .await;
        let latency_ms = i64::try_from(began.elapsed().as_millis()).ok();
        let (attempt, retry_after) = match answered {
            Ok(answered) => {
                let is_success = (200..300).contains(&answered.status);
                let attempt = Attempt {
                    response_status: Some(answered.status),
                    response_excerpt: Some(answered.excerpt).filter(|it| !it.is_empty()),
                    latency_ms,
                    failure: (!is_success).then_some(Failure::Status),
                };
                (attempt, answered.retry_after)
            }
            Err(why) => {
                let failure = Some(why.into());
                let attempt = Attempt {
                    latency_ms,
                    failure,
                    ..Attempt::default()
                };
                (attempt, None)
            }
        };
        Outcome::Tried {
            attempt,
            retry_after,
        }
    }
}

/// Returns when something has come to its end by which a lane has opened, of those that were closed,
/// or by which there are places again, where they were out.
async fn opening(
    in_hand: &mut JoinSet<()>,
    lanes: &Lanes,
    (closed, is_out): (&mut HashSet<WebhookId>, bool),
) {
    loop {
        if in_hand.join_next().await.is_none() {
            // Nothing is under way: whoever waits for it waits for something else.
            return std::future::pending().await;
        }
        let before = closed.len();
        let now: HashSet<_> = lanes.closed().into_iter().collect();
        closed.retain(|webhook| now.contains(webhook));
        if closed.len() < before || (is_out && lanes.free() >= AT_A_TIME) {
            return;
        }
    }
}

/// When a node that stops waits no longer.
async fn the_last_moment(mut stopping: Stopping) {
    stopping.asked().await;
    wait(LAST).await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "a job waits for requests under way, and for a store that does not answer"
)]
async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}
