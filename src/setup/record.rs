use serde::{Deserialize, Serialize};

use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, Nobody};

/// By what a secret is known again. It says nothing of the secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecretMark {
    /// Which secret it is of.
    #[serde(rename = "_id")]
    pub id: String,
    pub mark: String,
    pub created_at: Timestamp,
}

impl Entity for SecretMark {
    type Owner = Nobody;
    const COLLECTION: &'static str = "authsome_secret_marks";
    const INDEXES: &'static [Index] = &[];
}
