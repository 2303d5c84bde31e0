//! Health: whether the process lives, and whether it should be sent requests.
//!
//! `/livez` never asks the store: a database outage must not make a supervisor restart every node.
//! `/readyz` does, and says no from the moment the process is told to stop.

mod api;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use self::api::routes;
use crate::store::{Store, StoreError};

/// Whether this node should be sent requests.
#[derive(Debug, Clone)]
pub struct Health {
    store: Store,
    stopping: Arc<AtomicBool>,
}

impl Health {
    pub fn new(store: Store) -> Self {
        Self {
            store,
            stopping: Arc::default(),
        }
    }

    /// From now on the node is not ready.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(self) async fn ready(&self) -> Result<(), StoreError> {
        if self.stopping.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable(
                "the process is stopping".to_owned(),
            ));
        }
        self.store.ping().await
    }
}
