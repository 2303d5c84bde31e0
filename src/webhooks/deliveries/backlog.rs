use std::time::Duration;

use super::repo;
use crate::events;
use crate::kernel::time::Timestamp;
use crate::store::{Store, Stored};

/// What is still to be told to webhooks, of all tenants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Undelivered {
    /// Events of which nobody has seen yet who hears of them.
    pub events: u64,
    pub deliveries: u64,
    /// How long the first of the deliveries has been due. One that was refused is not, before its time
    /// comes again.
    pub overdue: Duration,
}

/// What is still to be told at `now`.
pub async fn undelivered(store: &Store, now: Timestamp) -> Stored<Undelivered> {
    let mut once = store.once();
    let mut all = once.across_tenants("how much is to be told is the installation's affair");
    let events = events::untold_count(&mut all).await?;
    let (deliveries, first_due) = repo::pending(&mut all).await?;
    Ok(Undelivered {
        events,
        deliveries,
        overdue: first_due.map(|due| now.since(due)).unwrap_or_default(),
    })
}
