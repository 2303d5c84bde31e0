use serde::{Deserialize, Serialize};

use crate::access::Role;
use crate::environments::Environment;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{ApiKeyId, AppId, EnvId, UserId};
use crate::kernel::secret::{SecretString, digest};
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfEnvironment};

/// Characters of the random part that are kept to tell keys apart.
const SHOWN: usize = 8;

/// A secret key of an environment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApiKey {
    #[serde(rename = "_id")]
    pub id: ApiKeyId,
    pub app_id: AppId,
    pub env_id: EnvId,
    /// Whose key it is; absent for one that belongs to the environment itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    pub name: Label,
    /// SHA-256 of the whole key.
    pub key_hash: String,
    pub key_prefix: String,
    pub roles: Vec<Role>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Entity for ApiKey {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_api_keys";
    const INDEXES: &'static [Index] = &[
        Index::on("api_keys_prefix", &["app_id", "key_prefix"]),
        Index::on("api_keys_user", &["app_id", "user_id"]),
        Index::unique("api_keys_hash", &["key_hash"]),
    ];
}

impl ApiKey {
    /// A new key of `environment` that carries `roles`, and its secret, which is kept nowhere.
    pub(super) fn new(
        environment: &Environment,
        name: Label,
        roles: Vec<Role>,
        (now, entropy): (Timestamp, &Entropy),
    ) -> (Self, SecretString) {
        let marker = format!("sk_{}_", environment.kind.marker());
        let secret = format!("{marker}{}", entropy.token());
        let key = Self {
            id: ApiKeyId::new(now, entropy),
            app_id: environment.app_id,
            env_id: environment.id,
            user_id: None,
            name,
            key_hash: digest(secret.as_bytes()),
            key_prefix: secret.chars().take(marker.len() + SHOWN).collect(),
            roles,
            created_at: now,
            updated_at: now,
        };
        (key, SecretString::from(secret))
    }
}
