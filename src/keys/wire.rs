//! What clients get of keys.

use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{Role, Scopes};
use crate::api_keys::{ApiKey, OwnerKind};
use crate::kernel::id::{ApiKeyId, EnvId, OrgId, ServiceAccountId, UserId};
use crate::kernel::secret::{ExposeSecret, SecretString};
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;

/// An API key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct KeyView {
    id: ApiKeyId,
    env_id: EnvId,
    owner: OwnerKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    org_id: Option<OrgId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    service_account_id: Option<ServiceAccountId>,
    name: Label,
    /// The key itself, for the only time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    key: Option<String>,
    /// What it begins with.
    key_prefix: String,
    /// What it ends with; absent for keys of older versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_four: Option<String>,
    /// What it is in the app, of a key of the environment.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    roles: Vec<Role>,
    /// What it is good for at most; absent for the keys that come with an environment, which are for
    /// all that their roles allow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    scopes: Option<Scopes>,
    /// Who has made it, of a key that is not his own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    created_by: Option<UserId>,
    /// Whether whoever made it has left since. The key is good still: see to it.
    creator_left: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expires_at: Option<Timestamp>,
    /// Until when the secret before the last rotation is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    previous_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    remaining_uses: Option<i64>,
    /// To the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_used_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_used_ip: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl KeyView {
    /// With the secret, as it is shown once.
    pub(super) fn revealed((key, secret): (ApiKey, SecretString)) -> Self {
        Self {
            key: Some(secret.expose_secret().to_owned()),
            ..key.into()
        }
    }
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        let previous_until = key.previous_until();
        Self {
            id: key.id,
            env_id: key.env_id,
            owner: key.owner,
            user_id: key.user_id,
            org_id: key.org_id,
            service_account_id: key.service_account_id,
            name: key.name,
            key: None,
            key_prefix: key.key_prefix,
            last_four: key.last_four,
            roles: key.roles,
            scopes: key.scopes,
            created_by: key.created_by,
            creator_left: key.creator_left,
            expires_at: key.expires_at,
            previous_until,
            remaining_uses: key.remaining_uses,
            last_used_at: key.last_used_at,
            last_used_ip: key.last_used_ip,
            created_at: key.created_at,
            updated_at: key.updated_at,
        }
    }
}
