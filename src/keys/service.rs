use std::sync::Arc;
use std::time::Duration;

use super::holding::By;
use crate::access::{Pattern, Policy};
use crate::api_keys::ApiKey;
use crate::environments::{Environment, EnvironmentError, Environments};
use crate::events::{Event, Name, Party};
use crate::http::{Problem, ProblemKind};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::SessionId;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{Clock, Timestamp};
use crate::memberships::{EnterError, Memberships};
use crate::store::{Store, StoreError, Stored, Tx};
use crate::tokens::{Revocation, RevocationIndex, revoke_session};

/// How many keys an owner has at most.
pub(super) const MOST_KEYS: u64 = 100;

const DAY: Duration = Duration::from_hours(24);

/// How long a key is good where nothing is said, and the longest that can be.
pub(super) const TERM: Duration = DAY.saturating_mul(90);
pub(super) const LONGEST_TERM: Duration = DAY.saturating_mul(3_660);

/// The longest that two secrets of one key are good.
pub(super) const LONGEST_GRACE: Duration = DAY.saturating_mul(7);

/// The verbs on API keys.
#[derive(Debug, Clone)]
pub struct Keys {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub environments: Environments,
    pub memberships: Memberships,
    pub revocations: RevocationIndex,
    pub policy: Policy,
}

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Or none that the caller may know of.
    #[error("no such key, or nobody whose key it could be")]
    Unknown,
    #[error("the caller may not do this with such keys")]
    Forbidden,
    #[error("a key that is nobody's asks for one of its own")]
    NoPerson,
    #[error("a scope that grants nothing that there is")]
    UnknownScope(usize),
    #[error("a scope that is not held")]
    ScopeNotHeld(Pattern),
    #[error("no role of the app")]
    UnknownRole,
    #[error("a role that the caller does not hold")]
    RoleNotHeld,
    #[error("roles are what keys of the environment have, and they have some")]
    Roles,
    #[error("two owners are named, or none where one is needed")]
    Owner,
    #[error("an end in the past, or too far away")]
    Term,
    #[error("an end that is not earlier")]
    NotEarlier,
    #[error("a key that is over and would be so by another secret")]
    Over,
    #[error("as many keys as there may be")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Keys {
    pub(super) async fn environment(&self, tenant: Tenant) -> Stored<Arc<Environment>> {
        match self.environments.of(tenant).await {
            Ok(environment) => Ok(environment),
            Err(EnvironmentError::Store(error)) => Err(error),
            // The credential that named it was good a moment ago.
            Err(EnvironmentError::Unknown) => Err(StoreError::Gone),
        }
    }

    pub(super) fn event(&self, name: Name, by: &By<'_>, key: &ApiKey, now: Timestamp) -> Event {
        let made = (now, &self.entropy);
        Event::new(name, key.tenant(), by.caller.party(), by.origin, made)
            .on(Party::new("key", key.id))
            .within(key.org_id)
    }

    /// Refuses the tokens that a key was exchanged for, in the caller's unit of work. Apply the answer
    /// after the commit.
    pub async fn revoke_tokens(
        &self,
        tx: &mut Tx<'_, Tenant>,
        key: &ApiKey,
        now: Timestamp,
    ) -> Stored<Vec<Revocation>> {
        self.revoke_sessions(tx, key.session_ids(), now).await
    }

    pub(super) async fn revoke_sessions(
        &self,
        tx: &mut Tx<'_, Tenant>,
        ids: Vec<SessionId>,
        now: Timestamp,
    ) -> Stored<Vec<Revocation>> {
        let mut revoked = Vec::new();
        for id in ids {
            revoked.push(revoke_session(tx, id, now, &self.entropy).await?);
        }
        Ok(revoked)
    }
}

impl From<EnterError> for KeyError {
    fn from(error: EnterError) -> Self {
        match error {
            EnterError::Unknown => Self::Unknown,
            EnterError::Forbidden => Self::Forbidden,
            EnterError::Store(error) => Self::Store(error),
        }
    }
}

fn bad(pointer: &str, kind: &str, detail: &str) -> Problem {
    Problem::new(ProblemKind::InvalidBody).field(pointer, kind, detail)
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Unknown => ProblemKind::NotFound.into(),
            KeyError::Forbidden => ProblemKind::Forbidden.into(),
            KeyError::NoPerson => ProblemKind::UserRequired.into(),
            KeyError::UnknownScope(at) => bad(
                &format!("/scopes/{at}"),
                "unknown_scope",
                "grants nothing that there is for such a key",
            ),
            KeyError::ScopeNotHeld(scope) => {
                let kind = ProblemKind::ScopeNotHeld;
                Self::new(kind).field("/scopes", kind.slug(), format!("`{scope}` is not held"))
            }
            KeyError::UnknownRole => ProblemKind::UnknownRole.into(),
            KeyError::RoleNotHeld => ProblemKind::RoleNotHeld.into(),
            KeyError::Roles => bad(
                "/roles",
                "invalid_roles",
                "a key of the environment has roles, and no other key",
            ),
            KeyError::Owner => bad(
                "/owner",
                "invalid_owner",
                "must be `user` or `environment`, and nothing beside `org_id`",
            ),
            KeyError::Term => bad(
                "/expires_at",
                "invalid_expires_at",
                "must lie in the future, and at most ten years away",
            ),
            KeyError::NotEarlier => bad(
                "/expires_at",
                "invalid_expires_at",
                "must be earlier than it was",
            ),
            KeyError::Over => ProblemKind::KeyOver.into(),
            KeyError::TooMany => ProblemKind::KeyLimit.into(),
            KeyError::Store(error) => error.into(),
        }
    }
}
