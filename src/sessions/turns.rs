//! Turns: the sign-ins of one user, and whoever joins one organisation, come one after the other on
//! this node.
//!
//! They change the same document, so the database would let one through at a time anyway, and make
//! the others begin again and again. This spares them that; it decides nothing: between nodes, and
//! where a turn is forgotten, the database does.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::{Mutex, OwnedMutexGuard};

const REMEMBERED: u64 = 10_000;
const FORGOTTEN_AFTER: Duration = Duration::from_mins(1);

/// Whose turn it is. Clones share the queues.
#[derive(Clone)]
pub struct Turns(Cache<String, Arc<Mutex<()>>>);

impl Turns {
    /// Waits for those of this identifier who came before; it is the caller's turn until he drops it.
    pub async fn of(&self, id: impl Display) -> OwnedMutexGuard<()> {
        let queue = self.0.get_with(id.to_string(), Arc::default);
        queue.lock_owned().await
    }
}

impl Default for Turns {
    fn default() -> Self {
        let queues = Cache::builder()
            .max_capacity(REMEMBERED)
            .time_to_idle(FORGOTTEN_AFTER)
            .build();
        Self(queues)
    }
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turns")
    }
}
