//! Reading the record, and removing what is older than it is kept.

use std::time::Duration;

use crate::events::{self, Event, Which};
use crate::jobs::{BATCH, Schedule, TERM, by_batches};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Store, Stored};

/// When old events are looked for.
pub const RETENTION: Schedule = Schedule {
    name: "event_retention",
    period: Duration::from_hours(1),
    term: TERM,
};

/// The record of all environments.
#[derive(Debug, Clone)]
pub struct Audit {
    store: Store,
    retention: Duration,
}

impl Audit {
    /// Events are kept for `retention`.
    pub fn new(store: Store, retention: Duration) -> Self {
        Self { store, retention }
    }

    /// One page of what happened in an environment, newest first.
    pub async fn page(
        &self,
        tenant: Tenant,
        which: &Which,
        after: Option<&Position>,
        limit: Limit,
    ) -> Stored<Slice<Event>> {
        let mut once = self.store.once();
        events::page(&mut once.within(tenant), which, after, limit).await
    }

    /// Removes what is older at `now` than it is to be kept, batch by batch; the number removed.
    pub async fn expire(&self, now: Timestamp) -> Stored<u64> {
        let until = now.minus(self.retention);
        let batch = async || {
            let mut once = self.store.once();
            let mut every =
                once.across_tenants("how long events are kept is the installation's affair");
            events::expire(&mut every, until, BATCH).await
        };
        by_batches(batch).await
    }
}
