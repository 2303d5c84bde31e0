//! Removals: environments that are gone, of which documents may be left.

use serde::{Deserialize, Serialize};

use crate::kernel::id::{AppId, EnvId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfApp};

/// That an environment is gone, until everything of it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Removal {
    /// The environment's.
    #[serde(rename = "_id")]
    pub id: EnvId,
    pub app_id: AppId,
    pub created_at: Timestamp,
}

impl Entity for Removal {
    type Owner = OfApp;
    const COLLECTION: &'static str = "authsome_environment_removals";
    const INDEXES: &'static [Index] = &[
        Index::on("environment_removals_app", &["app_id"]),
        Index::on("environment_removals_created", &["created_at"]),
    ];
}

impl Removal {
    pub(super) fn of(tenant: Tenant, now: Timestamp) -> Self {
        Self {
            id: tenant.env_id,
            app_id: tenant.app_id,
            created_at: now,
        }
    }

    pub(super) fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.id,
        }
    }
}
