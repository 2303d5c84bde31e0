//! What an export says of API keys.

use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{Role, Scopes};
use crate::api_keys::{ApiKey, OwnerKind};
use crate::kernel::id::{ApiKeyId, EnvId, OrgId, ServiceAccountId, UserId};
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;

/// A key of the user's own, or one that he has made for an organisation or the app.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedApiKey {
    pub id: ApiKeyId,
    pub env_id: EnvId,
    pub owner: OwnerKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub org_id: Option<OrgId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub service_account_id: Option<ServiceAccountId>,
    pub name: Label,
    /// What it begins with.
    pub key_prefix: String,
    /// What it ends with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_four: Option<String>,
    pub roles: Vec<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, nullable = false)]
    pub scopes: Option<Scopes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub created_by: Option<UserId>,
    pub creator_left: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub remaining_uses: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_used_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_used_ip: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<ApiKey> for ExportedApiKey {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            env_id: key.env_id,
            owner: key.owner,
            org_id: key.org_id,
            service_account_id: key.service_account_id,
            name: key.name,
            key_prefix: key.key_prefix,
            last_four: key.last_four,
            roles: key.roles,
            scopes: key.scopes,
            created_by: key.created_by,
            creator_left: key.creator_left,
            expires_at: key.expires_at,
            remaining_uses: key.remaining_uses,
            last_used_at: key.last_used_at,
            last_used_ip: key.last_used_ip,
            created_at: key.created_at,
            updated_at: key.updated_at,
        }
    }
}
