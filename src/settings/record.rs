use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::key::Key;
use super::level::{Level, Place};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId, OrgId, SettingId};
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfApp, Sealed};

/// Two choices of one setting in one place: the second one is refused by this index.
pub(super) const ONE_CHOICE: &str = "settings_place_key";

/// What is chosen for one setting in one place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Setting {
    #[serde(rename = "_id")]
    pub id: SettingId,
    pub app_id: AppId,
    /// Of an environment's choice, and of an organisation's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<EnvId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<OrgId>,
    pub level: Level,
    /// `platform`, `app`, or the identifier of the environment or the organisation.
    pub place: String,
    pub key: Key,
    /// Absent for a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Json>,
    /// A secret, sealed for this setting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
    pub enforced: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Entity for Setting {
    type Owner = OfApp;
    const COLLECTION: &'static str = "authsome_settings";
    const INDEXES: &'static [Index] = &[
        Index::unique(ONE_CHOICE, &["app_id", "place", "key"]),
        Index::on("settings_environment", &["env_id"]).when_present("env_id"),
    ];
}

impl Sealed for Setting {
    type Home = AppId;
    const FIELD: &'static str = "sealed";

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn home(&self) -> AppId {
        self.app_id
    }

    fn sealed(&self) -> Option<&str> {
        self.sealed.as_deref()
    }
}

impl Setting {
    /// A choice of nothing yet.
    pub(super) fn blank(place: Place, key: Key, (now, entropy): (Timestamp, &Entropy)) -> Self {
        let (env_id, org_id) = match place {
            Place::Platform(_) | Place::App(_) => (None, None),
            Place::Environment(tenant) => (Some(tenant.env_id), None),
            Place::Organization(tenant, org) => (Some(tenant.env_id), Some(org)),
        };
        Self {
            id: SettingId::new(now, entropy),
            app_id: place.app(),
            env_id,
            org_id,
            level: place.level(),
            place: place.name(),
            key,
            value: None,
            sealed: None,
            enforced: false,
            created_at: now,
            updated_at: now,
        }
    }
}
