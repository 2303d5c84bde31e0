use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::secret;
use crate::access::{Role, Scopes};
use crate::environments::Environment;
use crate::http::KeyOwner;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{ApiKeyId, AppId, EnvId, OrgId, ServiceAccountId, SessionId, UserId};
use crate::kernel::secret::{ExposeSecret, SecretString, digest};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;
use crate::memberships::Organization;
use crate::store::{Entity, Index, OfEnvironment, PartOf};

/// Characters of the random part that are kept to tell keys apart, and at the end.
const SHOWN: usize = 8;
const LAST: usize = 4;

/// No token that a key is exchanged for is good for longer.
pub const LONGEST_TOKEN: Duration = Duration::from_mins(15);

/// How long a key that is over is still shown.
const SHOWN_AFTER: Duration = Duration::from_hours(30 * 24);

/// A secret key.
///
/// ```text
/// live ──rotate──▶ live, by a new secret; the old one is good until `previous.until`
///   ├──expires_at──▶ over, and live again by a rotation that gives it another end
///   ├──remaining_uses 0──▶ over                      Shown for 30 days after `expires_at`.
///   └──revoke, or its owner goes──▶ gone
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApiKey {
    #[serde(rename = "_id")]
    pub id: ApiKeyId,
    pub app_id: AppId,
    pub env_id: EnvId,
    #[serde(default)]
    pub owner: OwnerKind,
    /// Whose key it is; absent for one that belongs to the environment itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<OrgId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_id: Option<ServiceAccountId>,
    pub name: Label,
    /// SHA-256 of the whole key.
    pub key_hash: String,
    pub key_prefix: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_four: Option<String>,
    /// The `sid` of the access tokens that it is exchanged for. Absent: made of the identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// The secret before the last rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
    /// Of a key of the environment.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Absent for the keys that come with an environment: they are for all that their roles allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Scopes>,
    /// Who has made it, of a key that is not his own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<UserId>,
    /// Whether whoever made it has left the organisation or the app.
    #[serde(default)]
    pub creator_left: bool,
    /// From when it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// How often it can still be used; absent: as often as one likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_uses: Option<i64>,
    /// To the minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_ip: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A secret that has been replaced.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Previous {
    pub key_hash: String,
    pub session_id: SessionId,
    /// From when it is over.
    pub until: Timestamp,
}

/// What kind of owner a key has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ApiKeyOwner)]
pub enum OwnerKind {
    #[default]
    Environment,
    Organization,
    User,
    ServiceAccount,
}

/// A key to make.
#[derive(Debug, Clone)]
pub struct NewKey {
    pub owner: KeyOwner,
    pub name: Label,
    pub roles: Vec<Role>,
    pub scopes: Option<Scopes>,
    pub created_by: Option<UserId>,
    pub expires_at: Option<Timestamp>,
    pub remaining_uses: Option<i64>,
}

/// Which secret of a key somebody has, until when it is good, and what is revoked with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Secret {
    pub session_id: SessionId,
    /// Absent: for ever.
    pub until: Option<Timestamp>,
}

impl Entity for ApiKey {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_api_keys";
    const PART_OF: Option<PartOf> = Some(PartOf {
        collection: Organization::COLLECTION,
        field: "org_id",
    });
    const INDEXES: &'static [Index] = &[
        Index::on("api_keys_prefix", &["app_id", "key_prefix"]),
        Index::on("api_keys_user", &["app_id", "user_id"]),
        Index::on("api_keys_environment", &["env_id"]),
        Index::unique("api_keys_hash", &["key_hash"]),
        Index::unique("api_keys_previous_hash", &["previous.key_hash"])
            .when_present("previous.key_hash"),
        Index::on("api_keys_of_user", &["user_id", "created_at", "_id"]).when_present("user_id"),
        Index::on("api_keys_of_org", &["org_id", "created_at", "_id"]).when_present("org_id"),
        Index::on(
            "api_keys_of_account",
            &["service_account_id", "created_at", "_id"],
        )
        .when_present("service_account_id"),
        Index::on(
            "api_keys_of_environment",
            &["app_id", "env_id", "owner", "created_at", "_id"],
        ),
        Index::on("api_keys_creator", &["created_by"]).when_present("created_by"),
        Index::on("api_keys_expiry", &["expires_at"]).expires_after(SHOWN_AFTER),
    ];
}

impl ApiKey {
    /// A new key in `environment`, and its secret, which is kept nowhere.
    pub fn new(
        environment: &Environment,
        new: NewKey,
        (now, entropy): (Timestamp, &Entropy),
    ) -> (Self, SecretString) {
        let (owner, user_id, org_id, service_account_id) = match new.owner {
            KeyOwner::Environment => (OwnerKind::Environment, None, None, None),
            KeyOwner::Organization(id) => (OwnerKind::Organization, None, Some(id), None),
            KeyOwner::User(id) => (OwnerKind::User, Some(id), None, None),
            KeyOwner::ServiceAccount(id) => (OwnerKind::ServiceAccount, None, None, Some(id)),
        };
        let secret = secret::minted(environment.kind.marker(), entropy);
        let text = secret.expose_secret();
        let key = Self {
            id: ApiKeyId::new(now, entropy),
            app_id: environment.app_id,
            env_id: environment.id,
            owner,
            user_id,
            org_id,
            service_account_id,
            name: new.name,
            key_hash: digest(text.as_bytes()),
            key_prefix: beginning(text),
            last_four: Some(end(text)),
            session_id: Some(SessionId::new(now, entropy)),
            previous: None,
            roles: new.roles,
            scopes: new.scopes,
            created_by: new.created_by,
            creator_left: false,
            expires_at: new.expires_at,
            remaining_uses: new.remaining_uses,
            last_used_at: None,
            last_used_ip: None,
            created_at: now,
            updated_at: now,
        };
        (key, secret)
    }

    /// The same key by another secret, which is kept nowhere. The one before is good for `grace`, never
    /// for longer than it was, nor than the key is from now on. Where a token that it was exchanged for
    /// could outlive it, those that it is exchanged for from now on have another `sid`.
    pub fn rotated(
        &self,
        environment: &Environment,
        (grace, expires_at): (Duration, Option<Timestamp>),
        (now, entropy): (Timestamp, &Entropy),
    ) -> (Self, SecretString) {
        let secret = secret::minted(environment.kind.marker(), entropy);
        let text = secret.expose_secret();
        let ends = [self.expires_at, expires_at].into_iter().flatten();
        let until = ends.fold(now.plus(grace), Timestamp::min);
        let last_token = now.plus(LONGEST_TOKEN);
        let is_outlived = until
            < self
                .expires_at
                .map_or(last_token, |end| end.min(last_token));
        let session_id = if is_outlived {
            SessionId::new(now, entropy)
        } else {
            self.secret().session_id
        };
        let key = Self {
            key_hash: digest(text.as_bytes()),
            key_prefix: beginning(text),
            last_four: Some(end(text)),
            session_id: Some(SessionId::new(now, entropy)),
            previous: Some(Previous {
                key_hash: self.key_hash.clone(),
                session_id,
                until,
            }),
            expires_at: expires_at.or(self.expires_at),
            updated_at: now,
            ..self.clone()
        };
        (key, secret)
    }

    pub fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.env_id,
        }
    }

    /// Whose key it is.
    pub fn owner(&self) -> KeyOwner {
        let user = self.user_id.map(KeyOwner::User);
        let org = || self.org_id.map(KeyOwner::Organization);
        let account = || self.service_account_id.map(KeyOwner::ServiceAccount);
        user.or_else(org)
            .or_else(account)
            .unwrap_or(KeyOwner::Environment)
    }

    /// The secret that counts.
    pub fn secret(&self) -> Secret {
        Secret {
            session_id: self.session_id.unwrap_or_else(|| self.id.recast()),
            until: self.expires_at,
        }
    }

    /// Until when the secret before the last rotation is good: no longer than the key.
    pub fn previous_until(&self) -> Option<Timestamp> {
        let until = self.previous.as_ref()?.until;
        Some(self.expires_at.map_or(until, |end| end.min(until)))
    }

    fn before(&self) -> Option<(&Previous, Secret)> {
        let previous = self.previous.as_ref()?;
        let secret = Secret {
            session_id: previous.session_id,
            until: self.previous_until(),
        };
        Some((previous, secret))
    }

    /// Whether it is over at `now`, and stays so unless it is given another end.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Whether its uses were counted, and none is left.
    pub fn is_used_up(&self) -> bool {
        self.remaining_uses.is_some_and(|uses| uses <= 0)
    }

    /// What is revoked with the key: the `sid` of every token that it can have been exchanged for and
    /// that is not revoked already.
    pub fn session_ids(&self) -> Vec<SessionId> {
        let before = self.before().map(|(_, secret)| secret.session_id);
        before
            .into_iter()
            .chain([self.secret().session_id])
            .collect()
    }

    /// The secret with this digest, if it is good at `now`.
    pub(super) fn by_hash(&self, hash: &str, now: Timestamp) -> Option<Secret> {
        let before = self.before().filter(|(before, _)| before.key_hash == hash);
        let before = before.map(|(_, secret)| secret);
        let own = (self.key_hash == hash).then(|| self.secret());
        good(own.or(before), now)
    }

    /// The secret that access tokens with this `sid` were given for, likewise.
    pub(super) fn by_session(&self, id: SessionId, now: Timestamp) -> Option<Secret> {
        let before = self.before().map(|(_, secret)| secret);
        let all = [Some(self.secret()), before].into_iter().flatten();
        let mut own = all.filter(|secret| secret.session_id == id);
        good(own.next(), now)
    }
}

/// Every bound is exclusive: at its time a secret is over.
fn good(secret: Option<Secret>, now: Timestamp) -> Option<Secret> {
    let is_over = |end: Timestamp| end <= now;
    secret.filter(|secret| !secret.until.is_some_and(is_over))
}

fn beginning(text: &str) -> String {
    let marker = text.rfind('_').map_or(0, |at| at + 1);
    text.chars().take(marker + SHOWN).collect()
}

fn end(text: &str) -> String {
    text.chars().skip(text.len() - LAST).collect()
}
