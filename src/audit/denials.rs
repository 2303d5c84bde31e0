//! What callers were refused, for the record.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use moka::sync::Cache;

use crate::events::{Event, Name};
use crate::http::{Denial, Witness};
use crate::kernel::entropy::Entropy;
use crate::kernel::time::{Clock, Timestamp};
use crate::limits::Limits;
use crate::store::{StoreError, Stored};

/// How often one caller's refusals of one permission are told.
const TOLD_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// How many refusals a node remembers, so that the next one like it costs the store nothing.
const REMEMBERED: u64 = 10_000;

/// Writes an event of a refusal; of the same one, with the same caller, once a minute.
#[derive(Debug, Clone)]
pub struct Denials {
    limits: Limits,
    clock: Clock,
    entropy: Entropy,
    /// Until when each is told of.
    told: Cache<String, Timestamp>,
}

impl Denials {
    pub fn new(limits: Limits, clock: Clock, entropy: Entropy) -> Self {
        Self {
            limits,
            clock,
            entropy,
            told: Cache::new(REMEMBERED),
        }
    }

    async fn record(&self, denial: Denial) -> Stored<()> {
        let Denial {
            caller,
            permission,
            org,
            origin,
        } = denial;
        let (actor, now) = (caller.party(), self.clock.now());
        let place = org.map_or_else(|| caller.tenant.env_id.to_string(), |org| org.to_string());
        let whose = actor.id.clone().unwrap_or_default();
        let subject = format!("{whose} {} {place}", permission.name);
        if self.told.get(&subject).is_some_and(|until| until > now) {
            return Ok(());
        }
        let made = (now, &self.entropy);
        let told = Event::new(Name::AccessDenied, caller.tenant, actor, &origin, made)
            .denied()
            .within(org)
            .with("permission", permission.name);
        let limits = &self.limits;
        limits
            .record_once(&told, &subject, TOLD_AGAIN_AFTER)
            .await?;
        self.told.insert(subject, now.plus(TOLD_AGAIN_AFTER));
        Ok(())
    }
}

impl Witness for Denials {
    fn denied(&self, denial: Denial) -> LocalBoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.record(denial))
    }
}
