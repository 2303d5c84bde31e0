use tokio::sync::watch;

use super::places::{Place, Places};
use super::repo;
use crate::kernel::page::Limit;
use crate::kernel::sweep::Sweep;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Clock;
use crate::store::{Store, Stored};
use crate::tokens::{Revocation, RevocationIndex};

/// The feed of revocations. Clones share their followers.
#[derive(Debug, Clone)]
pub struct Feed {
    store: Store,
    pub(super) clock: Clock,
    pub(super) revocations: RevocationIndex,
    places: Places,
    stopping: watch::Sender<bool>,
}

impl Feed {
    pub fn new(store: Store, clock: Clock, revocations: RevocationIndex) -> Self {
        Self {
            store,
            clock,
            revocations,
            places: Places::default(),
            stopping: watch::Sender::new(false),
        }
    }

    /// Hangs up on every follower, and on those who come.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    pub(super) async fn stopped(&self) {
        // An error would mean that this very feed is gone.
        drop(
            self.stopping
                .subscribe()
                .wait_for(|is_stopping| *is_stopping)
                .await,
        );
    }

    /// A place among the followers of this node, while there is one.
    pub(super) fn place(&self, tenant: Tenant) -> Option<Place> {
        self.places.take(tenant.env_id)
    }

    /// The revocations behind a place, oldest first; and whether there are more.
    pub(super) async fn read(
        &self,
        tenant: Tenant,
        sweep: &Sweep,
        limit: Limit,
    ) -> Stored<(Vec<Revocation>, bool)> {
        let now = self.clock.now();
        let mut once = self.store.once();
        // Users are revoked in every environment of the app.
        let mut tx = once.within(tenant.app_id);
        repo::next(&mut tx, tenant, sweep, (now, limit)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::Timestamp;
    use crate::store::{Location, StoreSettings};

    async fn feed() -> Feed {
        let settings = StoreSettings::at(Location::Memory);
        let store = Store::open(&settings).await.unwrap();
        let index = RevocationIndex::new(store.clone());
        Feed::new(store, Clock::frozen(Timestamp::from_millis(0)), index)
    }

    #[tokio::test]
    async fn whoever_comes_to_a_feed_that_has_stopped_is_hung_up_on_as_well() {
        let feed = feed().await;

        feed.clone().stop();

        feed.stopped().await;
    }
}
