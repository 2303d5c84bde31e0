//! Health: whether the process lives, and whether it should be sent requests.
//!
//! `/livez` never asks the store: a database outage must not make a supervisor restart every node.
//! `/readyz` does, and says no from the moment the process is told to stop; before there is a store
//! at all, [`crate::http::wait_on`] answers both. A clock that is far from
//! the database's is no reason to serve nobody: it is told in the log, once a minute, and in the
//! metrics.

mod api;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

pub use self::api::routes;
use crate::http::Leaving;
use crate::kernel::time::{Clock, Timestamp};
use crate::store::{Store, StoreError};

/// Clocks that differ by more make limits and tokens wrong.
const SKEW: Duration = Duration::from_secs(30);
const TOLD_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// Whether this node should be sent requests.
#[derive(Debug, Clone)]
pub struct Health {
    store: Store,
    clock: Clock,
    leaving: Leaving,
    /// When the skew was told last, in milliseconds.
    told: Arc<AtomicI64>,
}

impl Health {
    pub fn new(store: Store, clock: Clock, leaving: Leaving) -> Self {
        Self {
            store,
            clock,
            leaving,
            told: Arc::new(AtomicI64::new(i64::MIN)),
        }
    }

    /// From now on the node is not ready, and ends each connection with its answer.
    pub fn stop(&self) {
        self.leaving.begin();
    }

    pub(self) async fn ready(&self) -> Result<(), StoreError> {
        if self.leaving.has_begun() {
            return Err(StoreError::Unavailable(
                "the process is stopping".to_owned(),
            ));
        }
        self.store.ping().await?;
        if let Some(theirs) = self.store.time().await? {
            self.compare(theirs, self.clock.now());
        }
        Ok(())
    }

    fn compare(&self, theirs: Timestamp, ours: Timestamp) {
        let skew = ours.since(theirs).max(theirs.since(ours));
        let told = Timestamp::from_millis(self.told.load(Ordering::Relaxed));
        let is_told = told <= ours && ours.minus(TOLD_AGAIN_AFTER) < told;
        if skew <= SKEW || is_told {
            return;
        }
        self.told.store(ours.as_millis(), Ordering::Relaxed);
        let seconds = skew.as_secs();
        tracing::warn!(
            seconds,
            "the clock of this machine is not the database's: let both keep NTP"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Location, StoreSettings};

    #[tokio::test]
    async fn a_clock_that_is_far_off_is_told_once_a_minute() {
        let store = Store::open(&StoreSettings::at(Location::Memory))
            .await
            .unwrap();
        let clock = Clock::frozen(Timestamp::from_millis(0));
        let health = Health::new(store, clock, Leaving::default());
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let told = |theirs, ours| {
            let before = health.told.load(Ordering::Relaxed);
            health.compare(at(theirs), at(ours));
            health.told.load(Ordering::Relaxed) != before
        };

        assert!(!told(1_000, 1_030) && !told(1_030, 1_000));
        assert!(told(1_031, 1_000));
        assert!(!told(1_090, 1_059));
        assert!(told(1_060, 1_091));
    }
}
