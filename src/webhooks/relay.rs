//! The relay: every event that is committed becomes a delivery to each webhook that hears of it.
//!
//! ```text
//! untold events ─┬─ nobody listens ──▶ marks taken away, hundreds in one write
//!                └─ somebody does ───▶ mark taken away and deliveries made, in one unit
//! ```
//!
//! One node does it for all. Were two at it, one of them would find the mark gone: a mark is taken
//! away once, and with it go the deliveries. A node that is killed leaves the mark, or has made them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::deliveries::{self, Delivery};
use super::record::Webhook;
use super::repo;
use super::service::Bell;
use crate::events::{self, Event};
use crate::jobs::Schedule;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::EventId;
use crate::kernel::time::{Clock, Timestamp};
use crate::store::{AcrossTenants, Once, Store, Stored, Tx};

/// When untold events are looked for.
pub const RELAYING: Schedule = Schedule {
    name: "webhook_relay",
    period: Duration::from_millis(500),
    // Nothing arrives meanwhile when a node is killed.
    term: Duration::from_secs(10),
};

/// Events that are read at a time.
const BATCH: u32 = 200;
/// Of them, those that are passed on in one unit of work.
const IN_ONE_UNIT: usize = 25;

/// Passes on events.
#[derive(Debug, Clone)]
pub struct Relay {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub bell: Bell,
}

/// An event, and who hears of it.
type Heard<'a> = (&'a Event, Vec<&'a Webhook>);

impl Relay {
    /// Passes on what there is.
    pub async fn pass(&self) -> Stored<()> {
        loop {
            // Events first: who makes a webhook before something happens is found.
            let untold = self.untold().await?;
            if untold.is_empty() {
                return Ok(());
            }
            let webhooks = self.listening(&untold).await?;
            let heard: Vec<Heard<'_>> = untold
                .iter()
                .map(|it| (it, hearing(it, &webhooks)))
                .collect();
            let (silent, heard): (Vec<_>, Vec<_>) =
                heard.into_iter().partition(|(_, by)| by.is_empty());
            let silent: Vec<EventId> = silent.iter().map(|(event, _)| event.id).collect();
            self.forget(&silent).await?;
            for some in heard.chunks(IN_ONE_UNIT) {
                self.fan_out(some).await?;
                self.bell.ring();
            }
        }
    }

    async fn untold(&self) -> Stored<Vec<Event>> {
        let mut once = self.store.once();
        events::untold(&mut every(&mut once), BATCH).await
    }

    async fn listening(&self, events: &[Event]) -> Stored<Vec<Webhook>> {
        let holders: BTreeSet<String> = events.iter().flat_map(holders).collect();
        let mut once = self.store.once();
        repo::listening(&mut every(&mut once), holders).await
    }

    async fn forget(&self, silent: &[EventId]) -> Stored<()> {
        if silent.is_empty() {
            return Ok(());
        }
        let mut once = self.store.once();
        events::told_all(&mut every(&mut once), silent).await
    }

    async fn fan_out(&self, heard: &[Heard<'_>]) -> Stored<()> {
        let now = self.clock.now();
        self.store
            .write(async |tx| {
                let mut every =
                    tx.across_tenants("an event is told in the unit that takes its mark");
                for (event, by) in heard {
                    self.tell(&mut every, (event, by), now).await?;
                }
                Ok(())
            })
            .await
    }

    async fn tell(
        &self,
        every: &mut Tx<'_, AcrossTenants>,
        (event, by): (&Event, &[&Webhook]),
        now: Timestamp,
    ) -> Stored<()> {
        if !events::told(every, event.id).await? {
            return Ok(());
        }
        for webhook in by {
            let delivery = Delivery::new(event, webhook, (now, &self.entropy));
            deliveries::repo::insert(every, &delivery).await?;
        }
        Ok(())
    }
}

fn every(once: &mut Once) -> Tx<'_, AcrossTenants> {
    once.across_tenants("the relay passes on the events of all tenants")
}

/// Whose webhooks may hear of an event: its environment's, and its organisation's.
fn holders(event: &Event) -> impl Iterator<Item = String> {
    let environment = event.env_id.to_string();
    let organization = event.org_id.map(|org| org.to_string());
    [environment].into_iter().chain(organization)
}

/// The webhooks that hear of an event, none twice. What was before a webhook was made is not told.
fn hearing<'a>(event: &Event, webhooks: &'a [Webhook]) -> Vec<&'a Webhook> {
    let tenant = event.tenant();
    let hears = |webhook: &&Webhook| {
        let is_at_home = webhook.tenant() == tenant;
        let is_its_own = webhook.org_id.is_none() || webhook.org_id == event.org_id;
        let is_wanted = webhook.events.iter().any(|it| it.matches(event.name));
        is_at_home && is_its_own && is_wanted && webhook.created_at <= event.created_at
    };
    let by_id: BTreeMap<_, _> = webhooks
        .iter()
        .filter(hears)
        .map(|webhook| (webhook.id, webhook))
        .collect();
    by_id.into_values().collect()
}
