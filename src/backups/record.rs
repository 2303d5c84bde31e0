use serde::{Deserialize, Serialize};

use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, Nobody};

pub(super) const COLLECTION: &str = "authsome_restores";

/// The only one there is at a time.
pub(super) const ID: &str = "restore";

/// A restore that has begun and is not done: a store in which there is one is not whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Restore {
    #[serde(rename = "_id")]
    pub id: String,
    /// The checksum of the archive.
    pub archive: String,
    /// How many of its documents are there, in its order.
    pub documents: i64,
    pub started_at: Timestamp,
}

impl Entity for Restore {
    type Owner = Nobody;
    const COLLECTION: &'static str = COLLECTION;
    const INDEXES: &'static [Index] = &[];
}
