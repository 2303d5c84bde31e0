//! Publishable keys that another one has superseded: each names its environment for a while yet.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::record::Environment;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId, SupersededKeyId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{AcrossTenants, Entity, Field, Index, OfEnvironment, Stored, Tx};

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

const PUBLISHABLE_KEY: Field<SupersededKey, String> = Field::at("publishable_key");

impl Entity for SupersededKey {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_superseded_keys";
    const INDEXES: &'static [Index] = &[
        Index::unique("superseded_keys_key", &["publishable_key"]),
        Index::on("superseded_keys_environment", &["env_id"]),
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

/// Lets the key that `seen` has be good until then.
pub(super) async fn keep(
    tx: &mut Tx<'_, Tenant>,
    seen: &Environment,
    expires_at: Timestamp,
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<()> {
    tx.insert(&SupersededKey {
        id: SupersededKeyId::new(now, entropy),
        app_id: seen.app_id,
        env_id: seen.id,
        publishable_key: seen.publishable_key.clone(),
        expires_at,
        created_at: now,
    })
    .await
}

/// The superseded key of this text, whether or not it is good still.
pub(super) async fn by_key(
    tx: &mut Tx<'_, AcrossTenants>,
    key: &str,
) -> Stored<Option<SupersededKey>> {
    tx.find_one(PUBLISHABLE_KEY.eq(key.to_owned())).await
}
