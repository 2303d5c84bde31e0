//! Removals: environments that are gone, of which documents may be left.

use serde::{Deserialize, Serialize};

use crate::kernel::id::{AppId, EnvId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{AcrossTenants, Entity, Field, Index, OfApp, Query, Stored, Tx, by_id};

/// That an environment is gone, until everything of it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Removal {
    /// The environment's.
    #[serde(rename = "_id")]
    pub id: EnvId,
    pub app_id: AppId,
    pub created_at: Timestamp,
}

const CREATED_AT: Field<Removal, Timestamp> = Field::at("created_at");

/// How many are looked at in one go.
const MOST: u32 = 100;

impl Entity for Removal {
    type Owner = OfApp;
    const COLLECTION: &'static str = "authsome_environment_removals";
    const INDEXES: &'static [Index] =
        &[Index::on("environment_removals_created", &["created_at"])];
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

/// Whether an environment was deleted of which documents may be left: what they open is over.
pub async fn is_removed(tx: &mut Tx<'_, AcrossTenants>, tenant: Tenant) -> Stored<bool> {
    let found = tx.get::<Removal>(tenant.env_id).await?;
    Ok(found.is_some())
}

/// Those of `before` and earlier, oldest first.
pub(super) async fn due(
    tx: &mut Tx<'_, AcrossTenants>,
    before: Timestamp,
) -> Stored<Vec<Removal>> {
    let due = Query::of(CREATED_AT.lte(before)).oldest_by(CREATED_AT);
    tx.find(due.window(0, MOST)).await
}

/// Notes that nothing is left.
pub(super) async fn done(tx: &mut Tx<'_, AppId>, removal: &Removal) -> Stored<()> {
    tx.take_one(by_id::<Removal>(removal.id)).await.map(drop)
}
