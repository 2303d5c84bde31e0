//! Publishable keys that another one has superseded: each names its environment for a while yet.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::kernel::id::{AppId, EnvId, SupersededKeyId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfEnvironment};

/// A key that was an environment's until it had another.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SupersededKey {
    #[serde(rename = "_id")]
    pub id: SupersededKeyId,
    pub app_id: AppId,
    pub env_id: EnvId,
    pub publishable_key: String,
    /// From then on it names nothing.
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
}

impl Entity for SupersededKey {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_superseded_keys";
    const INDEXES: &'static [Index] = &[
        Index::unique("superseded_keys_key", &["publishable_key"]),
        Index::on("superseded_keys_environment", &["app_id", "env_id"]),
        Index::on("superseded_keys_expiry", &["expires_at"]).expires_after(Duration::ZERO),
    ];
}

impl SupersededKey {
    pub fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.env_id,
        }
    }
}
