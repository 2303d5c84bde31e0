//! The sweeper: removes what is over.
//!
//! `SQLite` keeps documents for ever and MongoDB's TTL monitor reads the wall clock, so on both the
//! declarations are followed by this job: a document goes once the time in its field is as long ago
//! as [`crate::store::Index::expires_after`] says. A broom, never a rule: whether something still
//! counts is asked of its times wherever it is used.

use std::time::Duration;

use super::schedule::{Schedule, TERM};
use crate::kernel::time::Timestamp;
use crate::store::{Schema, Store, Stored};

/// When the sweeper sweeps.
pub const SWEEPING: Schedule = Schedule {
    name: "sweeper",
    period: Duration::from_mins(1),
    term: TERM,
};

/// Documents a unit removes at most, so that others have their turn at the writer in between.
pub const BATCH: u32 = 500;

/// Removes what is over at `now` from every collection, batch by batch; the number removed.
pub async fn sweep(store: &Store, schemas: &[Schema], now: Timestamp) -> Stored<u64> {
    let mut removed = 0;
    for schema in schemas {
        removed += by_batches(async || store.sweep(schema, now, BATCH).await).await?;
    }
    Ok(removed)
}

/// Goes on until a batch removes nothing; the number removed.
pub async fn by_batches(batch: impl AsyncFn() -> Stored<u64>) -> Stored<u64> {
    let mut removed = 0;
    loop {
        match batch().await? {
            0 => return Ok(removed),
            some => removed += some,
        }
    }
}
