use serde::{Deserialize, Serialize};

use crate::access::{Role, guarding};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, UserId};
use crate::kernel::metadata::Metadata;
use crate::kernel::text::{Email, Label, Phone, Username};
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfApp};

pub const EMAIL_TAKEN: &str = "users_email";
pub const PHONE_TAKEN: &str = "users_phone";
pub const USERNAME_TAKEN: &str = "users_username";

/// A user of an app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    #[serde(rename = "_id")]
    pub id: UserId,
    pub app_id: AppId,
    pub email: Email,
    pub email_verified: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    pub phone_verified: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<Username>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_username: Option<Label>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<Label>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<Label>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Highest first; every user is a `USER`.
    pub roles: Vec<Role>,
    pub status: Status,
    /// Bumped whenever a right is lost or changed; access tokens carry it as `ver`, and older
    /// ones are refused. See [`crate::tokens`].
    pub rights_version: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_changed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sign_in_at: Option<Timestamp>,
    /// How often he has signed in. It makes every sign-in a change, also of two in one millisecond.
    #[serde(default)]
    pub sign_ins: i64,
    #[serde(default)]
    pub metadata: Metadata,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Whether an account can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Active,
    Disabled,
}

/// What an account is made of.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub email: Email,
    pub email_verified: bool,
    pub phone: Option<Phone>,
    pub username: Option<Username>,
    pub first_name: Option<Label>,
    pub last_name: Option<Label>,
    pub roles: Vec<Role>,
    pub metadata: Metadata,
}

impl Entity for User {
    type Owner = OfApp;
    const COLLECTION: &'static str = "authsome_users";
    const INDEXES: &'static [Index] = &[
        Index::unique(EMAIL_TAKEN, &["app_id", "email"]).when_present("email"),
        Index::unique(PHONE_TAKEN, &["app_id", "phone"]).when_present("phone"),
        Index::unique(USERNAME_TAKEN, &["app_id", "username"]).when_present("username"),
        Index::on("users_created", &["app_id", "created_at"]),
        // The order of lists is total: a page may end between two users of one millisecond.
        Index::on("users_created_id", &["app_id", "created_at", "_id"]),
    ];
}

impl User {
    /// Whether this user holds the role that his app must never lose.
    pub fn is_guardian(&self, is_platform: bool) -> bool {
        self.roles.contains(&guarding(is_platform))
    }
}

impl NewUser {
    pub(super) fn made(self, app_id: AppId, now: Timestamp, entropy: &Entropy) -> User {
        User {
            id: UserId::new(now, entropy),
            app_id,
            email: self.email,
            email_verified: self.email_verified,
            phone: self.phone,
            phone_verified: false,
            username: self.username,
            display_username: None,
            first_name: self.first_name,
            last_name: self.last_name,
            image: None,
            roles: with_user(self.roles),
            status: Status::Active,
            rights_version: 1,
            password_changed_at: None,
            last_sign_in_at: None,
            sign_ins: 0,
            metadata: self.metadata,
            created_at: now,
            updated_at: now,
        }
    }
}

/// `roles`, each once, highest first, and `USER`, which everybody is.
pub(super) fn with_user(mut roles: Vec<Role>) -> Vec<Role> {
    roles.push(Role::User);
    roles.sort_unstable();
    roles.dedup();
    roles
}
