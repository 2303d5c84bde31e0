//! What callers were refused, for the record.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;

use crate::events::{Event, Name};
use crate::http::{Denial, Witness};
use crate::kernel::entropy::Entropy;
use crate::kernel::time::Clock;
use crate::limits::Limits;
use crate::store::{StoreError, Stored};

/// How often one caller's refusals of one permission are told.
const TOLD_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// Writes an event of a refusal; of the same one, with the same caller, once a minute.
#[derive(Debug, Clone)]
pub struct Denials {
    pub limits: Limits,
    pub clock: Clock,
    pub entropy: Entropy,
}

impl Denials {
    async fn record(&self, denial: Denial) -> Stored<()> {
        let Denial {
            caller,
            permission,
            org,
            origin,
        } = denial;
        let (actor, made) = (caller.party(), (self.clock.now(), &self.entropy));
        let place = org.map(|org| org.to_string()).unwrap_or_default();
        let whose = actor.id.clone().unwrap_or_default();
        let subject = format!("{whose} {} {place}", permission.name);
        let told = Event::new(Name::AccessDenied, caller.tenant, actor, &origin, made)
            .denied()
            .within(org)
            .with("permission", permission.name);
        let limits = &self.limits;
        limits.record_once(&told, &subject, TOLD_AGAIN_AFTER).await
    }
}

impl Witness for Denials {
    fn denied(&self, denial: Denial) -> LocalBoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.record(denial))
    }
}
