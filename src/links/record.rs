use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::id::{AppId, EnvId, Id, Kind, UserId, kind};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Email;
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfEnvironment};
use crate::tokens::Purpose;

/// How often a code may be tried.
pub(super) const CODE_ATTEMPTS: i64 = 5;

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkPurpose {
    VerifyEmail,
    ResetPassword,
    MagicLink,
    ChangeEmail,
}

/// One link in one letter.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Link<K: Kind> {
    #[serde(rename = "_id")]
    pub id: Id<K>,
    pub app_id: AppId,
    pub env_id: EnvId,
    pub user_id: UserId,
    /// SHA-256 of the token.
    pub token: String,
    pub purpose: LinkPurpose,
    /// Where the letter goes, and so what following the link proves.
    pub address: Email,
    /// The version of the password that was proven when it was asked for: beside another the link is
    /// of no use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_version: Option<i64>,
    /// How often its code was tried.
    pub attempts: i64,
    pub expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voided_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Proves an address, or that its reader holds one.
pub type Verification = Link<kind::Verification>;

/// Sets a new password.
pub type PasswordReset = Link<kind::PasswordReset>;

impl Entity for Verification {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_verifications";
    const INDEXES: &'static [Index] = &[
        Index::on("verifications_environment", &["env_id"]),
        Index::unique("verifications_token", &["token"]),
        Index::on(
            "verifications_user",
            &["app_id", "user_id", "created_at", "_id"],
        ),
        Index::on("verifications_expiry", &["expires_at"]).expires_after(Duration::ZERO),
    ];
}

impl Entity for PasswordReset {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_password_resets";
    const INDEXES: &'static [Index] = &[
        Index::on("password_resets_environment", &["env_id"]),
        Index::unique("password_resets_token", &["token"]),
        Index::on(
            "password_resets_user",
            &["app_id", "user_id", "created_at", "_id"],
        ),
        Index::on("password_resets_expiry", &["expires_at"]).expires_after(Duration::ZERO),
    ];
}

impl<K: Kind> Link<K> {
    pub fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.env_id,
        }
    }

    /// Followed, or void.
    pub(super) fn is_spent(&self) -> bool {
        self.used_at.is_some() || self.voided_at.is_some()
    }
}

impl LinkPurpose {
    /// How long a link is good (ASVS 6.5.5).
    pub(super) const fn life(self) -> Duration {
        match self {
            Self::VerifyEmail => Duration::from_hours(24),
            Self::ResetPassword => Duration::from_mins(30),
            Self::MagicLink => Duration::from_mins(10),
            Self::ChangeEmail => Duration::from_hours(1),
        }
    }
}

impl From<LinkPurpose> for Purpose {
    fn from(purpose: LinkPurpose) -> Self {
        match purpose {
            LinkPurpose::VerifyEmail => Self::VerifyEmail,
            LinkPurpose::ResetPassword => Self::ResetPassword,
            LinkPurpose::MagicLink => Self::MagicLink,
            LinkPurpose::ChangeEmail => Self::ChangeEmail,
        }
    }
}
