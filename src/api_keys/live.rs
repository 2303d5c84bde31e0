//! Keys that are good at this moment, and what they amount to.

use super::accounts;
use super::record::{ApiKey, Secret};
use super::{repo, secret};
use crate::access::{Role, Scopes, of_organization, subjects, unlimited};
use crate::http::{Caller, KeyOwner, Principal};
use crate::kernel::id::{ApiKeyId, AppId, SessionId};
use crate::kernel::secret::digest;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::memberships;
use crate::store::{Store, Stored};
use crate::tokens::AccessClaims;
use crate::users;

/// Longer texts are no keys and are not looked up.
const LONGEST_KEY: usize = 128;

/// Knows the keys of every tenant.
#[derive(Debug, Clone)]
pub struct LiveKeys {
    pub store: Store,
    /// The app that holds the operators.
    pub platform: AppId,
}

/// A key that is good, by the secret that somebody has.
#[derive(Debug, Clone)]
pub struct Live {
    pub key: ApiKey,
    pub secret: Secret,
    /// What its owner is in the app.
    pub roles: Vec<Role>,
    /// Of a user, below which his tokens are refused; otherwise 0.
    pub rights_version: i64,
    pub caller: Caller,
}

/// Whoever a key acts for, as far as he can act at all.
struct Owner {
    roles: Vec<Role>,
    rights_version: i64,
    subjects: Vec<String>,
}

impl Live {
    /// The same for these scopes alone, which must be [within](Self::has) its own.
    #[must_use]
    pub fn limited_to(mut self, scopes: &Scopes) -> Self {
        let is_all = scopes.lines().len() == 1 && scopes.is_for_everything();
        if self.key.scopes.is_none() && is_all {
            return self;
        }
        let mut subjects = unlimited(&self.caller.subjects);
        subjects.extend(limits(self.key.owner(), scopes));
        self.caller.subjects = subjects;
        self.key.scopes = Some(scopes.clone());
        self
    }

    /// Whether it is for all that these scopes are for.
    pub fn has(&self, scopes: &Scopes) -> bool {
        scopes.are_within(&self.caller.subjects)
    }
}

/// Scopes as they stand among the subjects of whoever a key is of.
fn limits(owner: KeyOwner, scopes: &Scopes) -> Vec<String> {
    match owner {
        KeyOwner::Organization(_) => scopes.subjects_of_organization(),
        KeyOwner::Environment | KeyOwner::User(_) | KeyOwner::ServiceAccount(_) => {
            scopes.subjects()
        }
    }
}

impl LiveKeys {
    /// The key that a text is, if it and its owner are good at `now`. Without the store, where the
    /// text can be none.
    pub async fn by_secret(&self, text: &str, now: Timestamp) -> Stored<Option<Live>> {
        if text.len() > LONGEST_KEY || !secret::is_one(text) {
            return Ok(None);
        }
        let hash = digest(text.as_bytes());
        let mut once = self.store.once();
        let mut all = once.across_tenants("a secret key names its tenant");
        let Some(key) = repo::by_hash(&mut all, &hash).await? else {
            return Ok(None);
        };
        let secret = key.by_hash(&hash, now);
        self.live(key, secret, (now, false)).await
    }

    /// The key that an access token was given for, if it is good still: for no more than the token says
    /// that it is for. Whoever changes the scopes of a key ends its tokens.
    pub async fn by_token(&self, claims: &AccessClaims, now: Timestamp) -> Stored<Option<Live>> {
        let Some(id) = claims.client_id else {
            return Ok(None);
        };
        let by = (id, claims.sid, true);
        let live = self.by_session(claims.tenant(), by, now).await?;
        // What cannot be read is for nothing.
        let scope = claims.scope.as_deref().and_then(|it| it.parse().ok());
        let scope = scope.unwrap_or_else(|| Scopes::new(Vec::new()));
        Ok(live.map(|live| live.limited_to(&scope)))
    }

    /// The key of a caller who has just presented it; `None` for any other caller.
    pub async fn of_caller(&self, caller: &Caller, now: Timestamp) -> Stored<Option<Live>> {
        match caller.principal {
            Principal::Key {
                key_id,
                session_id,
                is_exchanged: false,
                ..
            } => {
                let by = (key_id, session_id, false);
                self.by_session(caller.home, by, now).await
            }
            Principal::Key { .. } | Principal::User { .. } => Ok(None),
        }
    }

    async fn by_session(
        &self,
        tenant: Tenant,
        (id, session, is_exchanged): (ApiKeyId, SessionId, bool),
        now: Timestamp,
    ) -> Stored<Option<Live>> {
        let mut once = self.store.once();
        let Some(key) = repo::get(&mut once.within(tenant), id).await? else {
            return Ok(None);
        };
        let secret = key.by_session(session, now);
        self.live(key, secret, (now, is_exchanged)).await
    }

    /// Uses a key up by one where its uses are counted; whether that could be done.
    pub async fn spend(&self, live: &Live) -> Stored<bool> {
        if live.key.remaining_uses.is_none() {
            return Ok(true);
        }
        let mut once = self.store.once();
        let spent = repo::spend(&mut once.within(live.key.tenant()), live.key.id).await?;
        Ok(spent.is_some())
    }

    async fn live(
        &self,
        key: ApiKey,
        secret: Option<Secret>,
        (now, is_exchanged): (Timestamp, bool),
    ) -> Stored<Option<Live>> {
        let Some(secret) = secret else {
            return Ok(None);
        };
        let Some(owner) = self.owner(&key, now).await? else {
            return Ok(None);
        };
        let scopes = key.scopes.as_ref();
        let mut subjects = owner.subjects;
        subjects.extend(scopes.into_iter().flat_map(|it| limits(key.owner(), it)));
        let caller = Caller {
            principal: Principal::Key {
                key_id: key.id,
                owner: key.owner(),
                session_id: secret.session_id,
                is_exchanged,
            },
            home: key.tenant(),
            tenant: key.tenant(),
            subjects,
        };
        Ok(Some(Live {
            key,
            secret,
            roles: owner.roles,
            rights_version: owner.rights_version,
            caller,
        }))
    }

    /// The owner as he is now; `None` where he is gone, banned or disabled.
    async fn owner(&self, key: &ApiKey, now: Timestamp) -> Stored<Option<Owner>> {
        let mut once = self.store.once();
        let mut tx = once.within(key.tenant());
        let (roles, rights_version) = match key.owner() {
            KeyOwner::Environment => (key.roles.clone(), 0),
            KeyOwner::Organization(id) => {
                let found = memberships::get(&mut tx, id).await?;
                return Ok(found.map(|_| Owner {
                    roles: Vec::new(),
                    rights_version: 0,
                    subjects: of_organization(),
                }));
            }
            KeyOwner::User(id) => {
                let user = users::get(&mut tx, id).await?;
                let Some(user) = user.filter(|user| user.may_sign_in(now)) else {
                    return Ok(None);
                };
                (user.roles, user.rights_version)
            }
            KeyOwner::ServiceAccount(id) => {
                let account = accounts::account(&mut tx, id).await?;
                let Some(account) = account.filter(|account| !account.disabled) else {
                    return Ok(None);
                };
                (account.roles, 0)
            }
        };
        Ok(Some(Owner {
            subjects: subjects(key.app_id == self.platform, &roles),
            roles,
            rights_version,
        }))
    }
}
