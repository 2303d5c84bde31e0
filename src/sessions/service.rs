//! The verbs on sessions that exist: list, end one, end all. Beginnings are in `opening`.

use std::sync::Arc;

use super::ending::Ended;
use super::issue::Issuer;
use super::record::{Ending, Session};
use super::refreshed::Refreshed;
use super::repo;
use super::turns::Turns;
use crate::client_config::ClientConfigs;
use crate::credentials::Hasher;
use crate::environments::{Environment, EnvironmentError, Environments};
use crate::events::{Event, Name, Origin, Party};
use crate::forms::Forms;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{SessionId, UserId};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{Clock, Timestamp};
use crate::limits::{Limits, Lockouts};
use crate::links::Links;
use crate::memberships::Memberships;
use crate::notifications::Outbox;
use crate::session_rules::SessionRules;
use crate::store::{Store, StoreError};
use crate::tokens::{KeyError, RevocationIndex};
use crate::users::Recent;

/// Signing up, in, on and out.
#[derive(Debug, Clone)]
pub struct Sessions {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub hasher: Hasher,
    pub environments: Environments,
    pub outbox: Outbox,
    pub links: Links,
    pub rules: SessionRules,
    pub forms: Forms,
    pub client_configs: ClientConfigs,
    pub memberships: Memberships,
    pub issuer: Issuer,
    pub turns: Turns,
    pub recent: Recent,
    pub refreshed: Refreshed,
    pub revocations: RevocationIndex,
    pub limits: Limits,
    pub lockouts: Lockouts,
}

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("no such session, or no such user")]
    Unknown,
    #[error("a user with a role that the caller does not hold")]
    RoleNotHeld,
    #[error(transparent)]
    Keys(KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sessions {
    /// The environment that a caller has been let into.
    pub async fn environment(&self, tenant: Tenant) -> Result<Arc<Environment>, StoreError> {
        match self.environments.of(tenant).await {
            Ok(environment) => Ok(environment),
            Err(EnvironmentError::Store(error)) => Err(error),
            // What named it was good a moment ago.
            Err(EnvironmentError::Unknown) => Err(StoreError::Gone),
        }
    }

    pub fn event(
        &self,
        name: Name,
        tenant: Tenant,
        actor: Party,
        (now, origin): (Timestamp, &Origin),
    ) -> Event {
        Event::new(name, tenant, actor, origin, (now, &self.entropy))
    }

    /// The live sessions of a user in this environment, without those that have been idle for too
    /// long, newest first.
    pub async fn page(
        &self,
        tenant: Tenant,
        user: UserId,
        after: Option<&Position>,
        limit: Limit,
    ) -> Result<Slice<Session>, SessionError> {
        let rules = self.rules.of(tenant.app_id).await?;
        let running = repo::in_use(self.clock.now(), rules.idle);
        let mut once = self.store.once();
        Ok(repo::page(&mut once.within(tenant), user, running, (after, limit)).await?)
    }

    /// Ends a live session of the user; its tokens are refused from the next request on.
    pub async fn end(
        &self,
        tenant: Tenant,
        user: UserId,
        (id, how): (SessionId, Ending),
        origin: &Origin,
    ) -> Result<(), SessionError> {
        let now = self.clock.now();
        let why = (how, Party::new("user", user));
        let revoked = self
            .store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let ended = repo::end_own(&mut tx, (id, user), how, now).await?;
                let ended = ended.ok_or(SessionError::Unknown)?;
                let revoked = self.has_ended(&mut tx, &ended, why.clone(), (now, origin));
                Ok::<_, SessionError>(revoked.await?)
            })
            .await?;
        self.apply(&revoked);
        Ok(())
    }

    /// Ends every session of the user, in every environment of his app, by his own hand.
    pub async fn end_all(
        &self,
        tenant: Tenant,
        user: UserId,
        origin: &Origin,
    ) -> Result<(), SessionError> {
        let now = self.clock.now();
        let ended = Ended {
            user,
            how: Ending::SignedOutEverywhere,
            by: Party::new("user", user),
        };
        let revoked = self
            .store
            .write(async |tx| {
                let revoked = self.end_all_in(tx, tenant, &ended, (now, origin)).await?;
                revoked.ok_or(SessionError::Unknown)
            })
            .await?;
        self.apply(&revoked);
        Ok(())
    }
}
