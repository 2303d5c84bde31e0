//! Counters that all nodes share: one document a rule, rate and subject.

use std::sync::Arc;
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::{Deserialize, Serialize};

use super::gcra::{Gcra, micros};
use super::node::OfThisNode;
use super::rule::{NodeRule, RateSettings, Rule};
use super::{AGREEMENT, LimitError, beside};
use crate::events::{self, Event, Name, Origin, Party};
use crate::kernel::entropy::Entropy;
use crate::kernel::network::Network;
use crate::kernel::rate::Rate;
use crate::kernel::secret::MacKey;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{Clock, Timestamp};
use crate::store::{Entity, Field, Index, Nobody, Store, StoreError, Stored, Tx, by_id};

/// What one subject has used of one rate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RateCounter {
    /// A MAC of rule, rate, app and subject: neither address nor recipient can be read off.
    #[serde(rename = "_id")]
    id: String,
    /// See [`super::gcra`]; microseconds since the epoch.
    tat: i64,
    /// Until then a refusal has been told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told_until: Option<Timestamp>,
    expires_at: Timestamp,
}

const TAT: Field<RateCounter, i64> = Field::at("tat");
const TOLD_UNTIL: Field<RateCounter, Timestamp> = Field::at("told_until");
const EXPIRES_AT: Field<RateCounter, Timestamp> = Field::at("expires_at");

impl Entity for RateCounter {
    type Owner = Nobody;
    const COLLECTION: &'static str = "authsome_rate_counters";
    const INDEXES: &'static [Index] =
        &[Index::on("rate_counters_expiry", &["expires_at"]).expires_after(Duration::ZERO)];
}

/// How often a counter is looked at again that changed between the look and the write. It changes
/// at most twice in a way that a try can lose to: it comes to be, and it fills up. The others are for
/// clocks that were ahead.
const LOOKS: usize = 8;

/// Admits what its rule admits. Clones share one memory.
#[derive(Debug, Clone)]
pub struct Limits {
    store: Store,
    clock: Clock,
    entropy: Entropy,
    key: MacKey,
    settings: Arc<RateSettings>,
    of_this_node: OfThisNode,
}

/// A try that is not admitted.
struct Refusal {
    counter: String,
    period: Duration,
    wait: Duration,
    is_told: bool,
}

impl Limits {
    pub fn new(
        store: Store,
        clock: Clock,
        entropy: Entropy,
        key: MacKey,
        settings: RateSettings,
    ) -> Self {
        Self {
            store,
            clock,
            entropy,
            key,
            of_this_node: OfThisNode::new(settings.longest_of_node()),
            settings: Arc::new(settings),
        }
    }

    /// Counts a try by `subject` in an app, or refuses it. The first refusal of a period is an event.
    /// A request that names no tenant counts in the installation as a whole, and nobody is told.
    pub async fn admit(
        &self,
        rule: Rule,
        tenant: impl Into<Option<Tenant>>,
        subject: &str,
        origin: &Origin,
    ) -> Result<(), LimitError> {
        let (tenant, now) = (tenant.into(), self.clock.now());
        // The shortest period first: what it refuses must not use up the longer one.
        for rate in self.settings.of(rule).iter() {
            let counter = self.counter(rule, rate, (tenant, subject));
            let Some(refusal) = self.refusal(counter, rate, now).await? else {
                continue;
            };
            if let Some(tenant) = tenant.filter(|_| !refusal.is_told) {
                self.tell(rule, tenant, &refusal, (now, origin)).await?;
            }
            return Err(LimitError::TooMany {
                retry_after: refusal.wait,
            });
        }
        Ok(())
    }

    /// Counts a try by the client's address, where it is known. One IPv6 client has a /64 of them.
    pub async fn admit_ip(
        &self,
        rule: Rule,
        tenant: impl Into<Option<Tenant>>,
        origin: &Origin,
    ) -> Result<(), LimitError> {
        match origin.ip {
            Some(ip) => {
                let network = Network::of(ip).to_string();
                self.admit(rule, tenant, &network, origin).await
            }
            None => Ok(()),
        }
    }

    /// Counts what somebody does in this node's memory, or refuses it: what cannot be guessed must not
    /// cost a look at the store. The first refusal of a period is an event, where a tenant is known.
    pub async fn admit_here(
        &self,
        rule: NodeRule,
        tenant: Tenant,
        who: Party,
        origin: &Origin,
    ) -> Result<(), LimitError> {
        let subject = format!("{}:{}", who.kind, who.id.as_deref().unwrap_or_default());
        self.here(rule, Some(tenant), (&subject, who), origin).await
    }

    /// The same by the client's address, where it is known.
    pub async fn admit_ip_here(
        &self,
        rule: NodeRule,
        tenant: Option<Tenant>,
        origin: &Origin,
    ) -> Result<(), LimitError> {
        let Some(ip) = origin.ip else { return Ok(()) };
        let network = Network::of(ip).to_string();
        let nobody = Party::anonymous();
        self.here(rule, tenant, (&network, nobody), origin).await
    }

    async fn here(
        &self,
        rule: NodeRule,
        tenant: Option<Tenant>,
        (subject, who): (&str, Party),
        origin: &Origin,
    ) -> Result<(), LimitError> {
        let now = self.clock.now();
        let rates = self.settings.of_node(rule);
        let Err(refused) = self.of_this_node.take((rule, rates), subject, now) else {
            return Ok(());
        };
        if let Some(tenant) = tenant.filter(|_| refused.is_first) {
            let exceeded = (Name::RateLimitExceeded, rule.as_str());
            let told = self.event(exceeded, (tenant, who), (now, origin));
            events::record(&mut self.store.once().within(tenant), &told).await?;
        }
        Err(LimitError::TooMany {
            retry_after: refused.wait,
        })
    }

    fn counter(&self, rule: Rule, rate: Rate, (tenant, subject): (Option<Tenant>, &str)) -> String {
        let app = tenant
            .map(|tenant| tenant.app_id.to_string())
            .unwrap_or_default();
        let period = rate.period().as_secs();
        let parts = [app.as_bytes(), &period.to_be_bytes(), subject.as_bytes()];
        BASE64_URL_SAFE_NO_PAD.encode(self.key.tag(rule.as_str(), &parts))
    }

    async fn refusal(
        &self,
        mut counter: String,
        rate: Rate,
        now: Timestamp,
    ) -> Stored<Option<Refusal>> {
        let (gcra, period) = (Gcra::of(rate), rate.period());
        let refusal = |counter, wait, is_told| Refusal {
            counter,
            period,
            wait,
            is_told,
        };
        for _ in 0..LOOKS {
            let mut once = self.store.once();
            let mut tx = once.shared();
            let seen: Option<RateCounter> = tx.get(&counter).await?;
            let is_counted = match seen {
                None => begin(&mut tx, &counter, (gcra, rate), now).await?,
                Some(seen) if gcra.is_ahead(seen.tat, micros(now)) => {
                    counter = beside(&counter);
                    continue;
                }
                Some(seen) => {
                    if let Some(wait) = gcra.wait(seen.tat, micros(now)) {
                        let is_told = seen.told_until.is_some_and(|until| until > now);
                        return Ok(Some(refusal(counter, wait, is_told)));
                    }
                    if seen.tat > micros(now) {
                        add(&mut tx, &counter, (gcra, rate), now).await?
                    } else {
                        restart(&mut tx, &counter, (gcra, rate), now).await?
                    }
                }
            };
            if is_counted {
                return Ok(None);
            }
        }
        // So many race for it that nobody can say who was within the rate.
        Ok(Some(refusal(counter, Duration::from_secs(1), true)))
    }

    /// Records what may happen again at once, and often: once a `period` for each `subject` of the
    /// tenant, on all nodes together.
    pub async fn record_once(&self, event: &Event, subject: &str, period: Duration) -> Stored<()> {
        let (tenant, now) = (event.tenant(), event.created_at);
        let app = tenant.app_id.to_string();
        let parts = [app.as_bytes(), subject.as_bytes()];
        let id = BASE64_URL_SAFE_NO_PAD.encode(self.key.tag(event.name.as_str(), &parts));
        // What a clock ahead has told of tells nothing here.
        let furthest = now.plus(period).plus(AGREEMENT);
        let is_untold = TOLD_UNTIL.lte(now) | TOLD_UNTIL.gt(furthest);
        let until = now.plus(period);
        let mark = RateCounter {
            id,
            tat: 0,
            told_until: Some(until),
            expires_at: until,
        };
        let mut once = self.store.once();
        let seen: Option<RateCounter> = once.shared().get(&mark.id).await?;
        if seen.is_some_and(|seen| !is_untold.matches(&seen)) {
            return Ok(());
        }
        let told = self
            .store
            .write(async |tx| {
                let told = TOLD_UNTIL.set(until).and(EXPIRES_AT.set(until));
                let which = by_id(&mark.id) & is_untold.clone();
                let is_there = tx.get::<RateCounter>(&mark.id).await?.is_some();
                if !is_there {
                    tx.insert(&mark).await?;
                } else if tx.update_one(which, told).await?.is_none() {
                    return Ok(());
                }
                events::record(&mut tx.within(tenant), event).await
            })
            .await;
        // Whoever came first tells of it.
        told.or_else(|error: StoreError| error.duplicate().map(drop).ok_or(error))
    }

    async fn tell(
        &self,
        rule: Rule,
        tenant: Tenant,
        refusal: &Refusal,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<(), StoreError> {
        let nobody = (tenant, Party::anonymous());
        let told = self.event((rule.event(), rule.as_str()), nobody, (now, origin));
        let until = now.plus(refusal.period);
        self.store
            .write(async |tx| {
                let untold = TOLD_UNTIL.absent() | TOLD_UNTIL.lte(now);
                let is_told = TOLD_UNTIL.set(until).and(EXPIRES_AT.set(until));
                let which = by_id(&refusal.counter) & untold;
                if tx.update_one(which, is_told).await?.is_some() {
                    events::record(&mut tx.within(tenant), &told).await?;
                }
                Ok(())
            })
            .await
    }

    fn event(
        &self,
        (name, rule): (Name, &str),
        (tenant, who): (Tenant, Party),
        (now, origin): (Timestamp, &Origin),
    ) -> Event {
        let made = (now, &self.entropy);
        Event::new(name, tenant, who, origin, made)
            .denied()
            .with("rule", rule)
    }
}

/// The first try of a subject; whether it is counted. Whoever loses the race goes on after the
/// winner at once: the counter may not be readable yet, but it can be written.
async fn begin(
    tx: &mut Tx<'_>,
    counter: &str,
    (gcra, rate): (Gcra, Rate),
    now: Timestamp,
) -> Stored<bool> {
    let first = RateCounter {
        id: counter.to_owned(),
        tat: gcra.next(0, micros(now)),
        told_until: None,
        expires_at: now.plus(rate.period()),
    };
    match tx.insert(&first).await {
        Ok(()) => Ok(true),
        Err(error) if error.duplicate().is_some() => add(tx, counter, (gcra, rate), now).await,
        Err(error) => Err(error),
    }
}

/// One more try after others; whether it is counted. Racers do not lose to each other while there
/// is room: each adds its step to whatever is there, if that is within the rate.
async fn add(
    tx: &mut Tx<'_>,
    counter: &str,
    (gcra, rate): (Gcra, Rate),
    now: Timestamp,
) -> Stored<bool> {
    let at = micros(now);
    let has_room = by_id(counter) & TAT.gt(at) & TAT.lte(gcra.latest(at));
    let kept = EXPIRES_AT.set(now.plus(rate.period()));
    let added = tx.update_one(has_room, TAT.inc(gcra.step()).and(kept));
    Ok(added.await?.is_some())
}

/// The first try after a pause; whether it is counted.
async fn restart(
    tx: &mut Tx<'_>,
    counter: &str,
    (gcra, rate): (Gcra, Rate),
    now: Timestamp,
) -> Stored<bool> {
    let at = micros(now);
    let is_idle = by_id(counter) & TAT.lte(at);
    let kept = EXPIRES_AT.set(now.plus(rate.period()));
    let begun = tx.update_one(is_idle, TAT.set(gcra.next(at, at)).and(kept));
    Ok(begun.await?.is_some())
}
