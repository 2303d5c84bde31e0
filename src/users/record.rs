use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{Role, guarding};
use crate::http::Change;
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
    /// On record until it is lifted, also when it has run out: ask [`User::standing`]. One that has
    /// run out is lifted once he is given a place in an organisation, or other roles there.
    #[serde(default)]
    pub banned: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ban_reason: Option<Label>,
    /// When the ban ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ban_expires: Option<Timestamp>,
    /// Bumped whenever a right is lost or changed; access tokens carry it as `ver`, and older
    /// ones are refused. See [`crate::tokens`].
    pub rights_version: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_changed_at: Option<Timestamp>,
    /// Bumped with every change of the password: a sign-in under way with an older one fails.
    #[serde(default)]
    pub password_version: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sign_in_at: Option<Timestamp>,
    /// How often he has signed in. It makes every sign-in a change, also of two in one millisecond.
    #[serde(default)]
    pub sign_in_count: i64,
    /// How often a unit of work has held him. It makes each of them a change.
    #[serde(default)]
    pub hold_count: i64,
    /// When somebody signed up again with the address before it was proven: it is not known since
    /// whose the password is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contested_at: Option<Timestamp>,
    #[serde(default)]
    pub metadata: Metadata,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

/// Whether the document is a person's. What is left of a deleted one keeps the identifier from
/// being given again and says nothing of anybody; no query of this module finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Active,
    Deleted,
}

/// What an account is good for at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = UserStatus)]
pub enum Standing {
    Active,
    Banned,
}

/// A ban to be spoken.
#[derive(Debug, Clone)]
pub struct Ban {
    pub reason: Option<Label>,
    /// `None` for one that only an administrator ends.
    pub expires: Option<Timestamp>,
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

/// A change that an administrator makes to an account; what is absent stays.
#[derive(Debug, Clone, Default, ToSchema)]
#[schema(as = UserChanges)]
pub struct AccountChanges {
    /// Another address. It is not verified, unless `email_verified` says so as well.
    pub email: Option<Email>,
    pub email_verified: Option<bool>,
    /// Of the number that the user has then; without one, none is verified.
    pub phone_verified: Option<bool>,
    #[schema(value_type = Option<Label>)]
    pub first_name: Change<Label>,
    #[schema(value_type = Option<Label>)]
    pub last_name: Change<Label>,
    #[schema(value_type = Option<Username>)]
    pub username: Change<Username>,
    #[schema(value_type = Option<Label>)]
    pub display_username: Change<Label>,
    /// Another number is not verified, unless `phone_verified` says so as well.
    #[schema(value_type = Option<Phone>)]
    pub phone: Change<Phone>,
    /// An `https` URL of at most 2,048 characters.
    #[schema(value_type = Option<String>)]
    pub image: Change<String>,
    /// Replaces the whole map.
    pub metadata: Option<Metadata>,
}

impl AccountChanges {
    /// What of them a user could change himself.
    pub(super) fn profile(&self) -> ProfileChanges {
        ProfileChanges {
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            username: self.username.clone(),
            display_username: self.display_username.clone(),
            phone: self.phone.clone(),
            image: self.image.clone(),
            metadata: self.metadata.clone(),
        }
    }
}

/// A change to one's own profile; `null` clears a field, absence keeps it.
#[derive(Debug, Clone, Default, ToSchema)]
pub struct ProfileChanges {
    #[schema(value_type = Option<Label>)]
    pub first_name: Change<Label>,
    #[schema(value_type = Option<Label>)]
    pub last_name: Change<Label>,
    #[schema(value_type = Option<Username>)]
    pub username: Change<Username>,
    #[schema(value_type = Option<Label>)]
    pub display_username: Change<Label>,
    #[schema(value_type = Option<Phone>)]
    pub phone: Change<Phone>,
    /// An `https` URL of at most 2,048 characters.
    #[schema(value_type = Option<String>)]
    pub image: Change<String>,
    /// Replaces the whole map, or where the app has a form, the answers to it.
    pub metadata: Option<Metadata>,
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
        // What is counted: all, those with a proven address, those with a ban on record.
        Index::on("users_verified", &["app_id", "status", "email_verified"]),
        Index::on("users_banned", &["app_id", "banned", "ban_expires"]),
    ];
}

impl User {
    /// Whether this user is one of those whom his app counts, for the last of whom it keeps the
    /// guarding role. Whoever has a ban on record is not counted, and when it has run out not
    /// before it is lifted: a count must not depend on what time it is.
    pub fn is_counted_guardian(&self, is_platform: bool) -> bool {
        self.roles.contains(&guarding(is_platform)) && !self.banned
    }

    /// As events and tokens spell them.
    pub fn role_names(&self) -> Vec<&'static str> {
        self.roles.iter().map(|role| role.as_str()).collect()
    }

    /// A ban is over at the very moment of `ban_expires`, without anybody's doing. The filters of the
    /// repository say the same of what is stored.
    pub fn standing(&self, now: Timestamp) -> Standing {
        let is_over = self.ban_expires.is_some_and(|end| end <= now);
        if self.banned && !is_over {
            Standing::Banned
        } else {
            Standing::Active
        }
    }

    /// The one rule for every way in: sign-in, refresh, and what is sent by letter.
    pub fn may_sign_in(&self, now: Timestamp) -> bool {
        match self.status {
            Status::Active => self.standing(now) == Standing::Active,
            Status::Deleted => false,
        }
    }
}

impl NewUser {
    /// The user it makes.
    pub fn made(self, app_id: AppId, now: Timestamp, entropy: &Entropy) -> User {
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
            banned: false,
            ban_reason: None,
            ban_expires: None,
            rights_version: 1,
            password_changed_at: None,
            password_version: 0,
            last_sign_in_at: None,
            sign_in_count: 0,
            hold_count: 0,
            contested_at: None,
            metadata: self.metadata,
            created_at: now,
            updated_at: now,
            deleted_at: None,
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::repo;
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(2_208_988_800_000);

    fn user() -> User {
        let new = NewUser {
            email: Email::parse("mia@example.org").unwrap(),
            email_verified: true,
            phone: None,
            username: None,
            first_name: None,
            last_name: None,
            roles: vec![Role::Admin],
            metadata: Metadata::default(),
        };
        let entropy = Entropy::seeded(1);
        new.made(AppId::new(NOW, &entropy), NOW, &entropy)
    }

    fn banned(until: Option<Timestamp>) -> User {
        User {
            banned: true,
            ban_expires: until,
            ..user()
        }
    }

    #[test]
    fn a_ban_ends_at_its_very_millisecond() {
        let before = NOW.plus(Duration::from_millis(1));
        let table = [
            (user(), true),
            (banned(None), false),
            (banned(Some(before)), false),
            (banned(Some(NOW)), true),
            (banned(Some(NOW.minus(Duration::from_millis(1)))), true),
        ];
        for (user, may) in table {
            assert_eq!(user.may_sign_in(NOW), may, "{:?}", user.ban_expires);
            assert_eq!(
                !repo::banned(NOW).matches(&user),
                may,
                "{:?}",
                user.ban_expires
            );
            assert_eq!(
                repo::not_banned(NOW).matches(&user),
                may,
                "{:?}",
                user.ban_expires
            );
        }
    }

    #[test]
    fn a_deleted_user_never_signs_in() {
        let gone = User {
            status: Status::Deleted,
            ..user()
        };

        assert!(!gone.may_sign_in(NOW));
    }

    #[test]
    fn a_guardian_with_a_ban_on_record_is_not_counted_even_when_it_has_run_out() {
        assert!(user().is_counted_guardian(false));
        assert!(!user().is_counted_guardian(true));
        assert!(!banned(None).is_counted_guardian(false));
        assert!(!banned(Some(NOW)).is_counted_guardian(false));
    }
}
