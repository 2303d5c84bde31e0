use serde::{Deserialize, Serialize};

use super::scheme::StoredHash;
use crate::kernel::id::{AppId, CredentialId, UserId};
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfApp};

/// The password of a user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Credential {
    #[serde(rename = "_id")]
    pub id: CredentialId,
    pub app_id: AppId,
    pub user_id: UserId,
    pub password_hash: StoredHash,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Entity for Credential {
    type Owner = OfApp;
    const COLLECTION: &'static str = "authsome_credentials";
    const INDEXES: &'static [Index] = &[Index::unique("credentials_user", &["app_id", "user_id"])];
}
