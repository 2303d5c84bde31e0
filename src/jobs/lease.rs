//! Leases: which node does a job that one node at a time may do.
//!
//! ```text
//! free ──hold──▶ held until … ──hold, in time──▶ held for longer
//!   ▲                │
//!   └──── release, or the term is over: whoever asks first has it
//! ```
//!
//! Every arrow is one conditional write, judged by the clock of who asks. Where clocks differ, two
//! nodes may be at a job for that difference: a job's own writes have to bear it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::kernel::time::Timestamp;
use crate::store::{Entity, Field, Filter, Index, Nobody, Store, StoreError, Stored, by_id};

/// A job that somebody holds, or held and did not hand back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Lease {
    /// The name of the job.
    #[serde(rename = "_id")]
    id: String,
    owner: String,
    /// Exclusive: from then on anybody may have it.
    until: Timestamp,
}

const OWNER: Field<Lease, String> = Field::at("owner");
const UNTIL: Field<Lease, Timestamp> = Field::at("until");

impl Entity for Lease {
    type Owner = Nobody;
    const COLLECTION: &'static str = "authsome_leases";
    const INDEXES: &'static [Index] = &[];
}

/// One node's claim to a job, by the job's name and its own.
#[derive(Debug, Clone)]
pub struct Claim {
    store: Store,
    job: &'static str,
    owner: String,
    term: Duration,
}

impl Claim {
    pub fn new(store: Store, job: &'static str, owner: String, term: Duration) -> Self {
        Self {
            store,
            job,
            owner,
            term,
        }
    }

    /// Takes the lease, or keeps it for another term: until when it is held, or `None` while
    /// another node holds it.
    pub async fn hold(&self, now: Timestamp) -> Stored<Option<Timestamp>> {
        let until = now.plus(self.term);
        let mut once = self.store.once();
        let mut leases = once.shared();
        let Some(found) = leases.get::<Lease>(self.job).await? else {
            let lease = Lease {
                id: self.job.to_owned(),
                owner: self.owner.clone(),
                until,
            };
            return match leases.insert(&lease).await {
                Ok(()) => Ok(Some(until)),
                Err(StoreError::Duplicate(_)) => Ok(None),
                Err(error) => Err(error),
            };
        };
        let mine_or_over = || OWNER.eq(self.owner.clone()) | UNTIL.lte(now);
        if !mine_or_over().matches(&found) {
            return Ok(None);
        }
        let term = OWNER.set(self.owner.clone()).and(UNTIL.set(until));
        let held = leases
            .update_one(self.lease() & mine_or_over(), term)
            .await?;
        Ok(held.map(|lease| lease.until))
    }

    /// Hands the lease back before its term is over; nothing, where another node has it.
    pub async fn release(&self) -> Stored<()> {
        let mine = self.lease() & OWNER.eq(self.owner.clone());
        self.store.once().shared().take_one(mine).await.map(drop)
    }

    fn lease(&self) -> Filter<Lease> {
        by_id(self.job)
    }
}
