//! A server that is about to stop: it answers as ever, and ends each connection with its answer, so
//! that none is left to be closed under somebody's next request (RFC 9112 §9.6).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the process has been told to stop. Clones are of one process.
#[derive(Clone, Debug, Default)]
pub struct Leaving(Arc<AtomicBool>);

impl Leaving {
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
