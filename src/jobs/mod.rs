//! Jobs: what a node does without being asked.
//!
//! Every node follows the revocations that other nodes and commands write, once a second, so that a
//! right taken away elsewhere is refused here within that time. What one node does for all is a
//! [`Schedule`] of its [`Jobs`], under a lease: see [`sweep`]. Not here: what features do so.

mod lease;
mod schedule;
mod sweeper;

use std::time::Duration;

use tokio::task::JoinHandle;

pub use self::lease::{Claim, Lease};
pub use self::schedule::{Jobs, Schedule, TERM};
pub use self::sweeper::{BATCH, SWEEPING, by_batches, sweep};
use crate::kernel::time::Clock;
use crate::store::Store;
use crate::tokens::RevocationIndex;

const EVERY: Duration = Duration::from_secs(1);

/// Follows revocations until the handle is aborted. A store that cannot be asked is asked again.
pub fn follow_revocations(
    revocations: RevocationIndex,
    store: Store,
    clock: Clock,
) -> JoinHandle<()> {
    actix_web::rt::spawn(async move {
        let mut due = tokio::time::interval(EVERY);
        due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            if let Err(error) = revocations.catch_up(&store, clock.now()).await {
                tracing::warn!(%error, "revocations of other nodes could not be read");
            }
        }
    })
}
