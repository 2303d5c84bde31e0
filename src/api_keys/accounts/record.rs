use serde::{Deserialize, Serialize};

use crate::access::Role;
use crate::kernel::id::{AppId, EnvId, ServiceAccountId};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfEnvironment};

/// A machine that acts in an environment by keys of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceAccount {
    #[serde(rename = "_id")]
    pub id: ServiceAccountId,
    pub app_id: AppId,
    pub env_id: EnvId,
    pub name: Label,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Label>,
    /// What it is in the app, highest first. It is no `USER` unless it is said to be.
    pub roles: Vec<Role>,
    /// Whether none of its keys is good.
    pub disabled: bool,
    /// How often a unit of work has held it. It makes each of them a change.
    #[serde(default)]
    pub hold_count: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Entity for ServiceAccount {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_service_accounts";
    const INDEXES: &'static [Index] = &[Index::on(
        "service_accounts_created",
        &["app_id", "env_id", "created_at", "_id"],
    )];
}

impl ServiceAccount {
    pub fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.env_id,
        }
    }
}
