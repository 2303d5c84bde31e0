//! The end of sessions, as part of a unit of work that takes more away than them.

use serde_json::Value;

use super::record::{Ending, Session};
use super::repo;
use super::service::Sessions;
use crate::events::{self, Event, Name, Origin, Party};
use crate::idempotency;
use crate::kernel::id::{AppId, SessionId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Stored, Tx};
use crate::tokens::{Revocation, revoke_session, revoke_user};
use crate::users;

/// Whose sessions end, why, and by whom.
#[derive(Debug, Clone)]
pub struct Ended {
    pub user: UserId,
    pub how: Ending,
    pub by: Party,
}

impl Sessions {
    /// Ends every session of a user, in every environment of his app, and whatever was begun from
    /// one; `None` where there is no such user. [`Sessions::apply`] what it gives after the commit.
    pub async fn end_all_in(
        &self,
        tx: &mut Tx<'_>,
        tenant: Tenant,
        ended: &Ended,
        (now, origin): (Timestamp, &Origin),
    ) -> Stored<Option<Vec<Revocation>>> {
        let user = ended.user;
        let Some(version) = users::bump_rights(&mut tx.within(tenant), user, now).await? else {
            return Ok(None);
        };
        let mut revoked = self
            .end_sessions_in(tx, tenant, ended, (now, origin))
            .await?;
        let mut tx = tx.within(tenant);
        revoked.push(revoke_user(&mut tx, user, version, now, &self.entropy).await?);
        Ok(Some(revoked))
    }

    /// Ends the sessions alone, of a user whose rights version is raised in this unit. That access
    /// tokens below it are refused is the caller's to see to ([`revoke_user`]). What it gives is of
    /// sessions of others, which were begun from one of these.
    pub async fn end_sessions_in(
        &self,
        tx: &mut Tx<'_>,
        tenant: Tenant,
        ended: &Ended,
        (now, origin): (Timestamp, &Origin),
    ) -> Stored<Vec<Revocation>> {
        let mut app = tx.within(tenant.app_id);
        let whose = (ended.user, ended.how);
        let revoked = self.release_all(&mut app, whose, (now, origin)).await?;
        let count = repo::end_all(&mut app, ended.user, ended.how, now).await?;
        idempotency::forget_sessions(tx, ended.user).await?;
        let told = self.told_of(ended, count, tenant, (now, origin));
        events::record(&mut tx.within(tenant), &told).await?;
        Ok(revoked)
    }

    /// Ends every session of a user but for `kept`, whose access token stays good, in every
    /// environment of his app. [`Sessions::apply`] what it gives after the commit.
    pub async fn end_others_in(
        &self,
        tx: &mut Tx<'_>,
        app: AppId,
        (ended, kept): (&Ended, SessionId),
        (now, origin): (Timestamp, &Origin),
    ) -> Stored<Vec<Revocation>> {
        idempotency::forget_sessions(tx, ended.user).await?;
        let others = repo::others(&mut tx.within(app), ended.user, kept, now).await?;
        let why = (ended.how, ended.by.clone());
        self.end_each(tx, &others, why, (now, origin)).await
    }

    /// Ends those of these sessions that are live, and tells of each. [`Sessions::apply`] what it
    /// gives after the commit.
    pub(super) async fn end_each<S: Copy>(
        &self,
        tx: &mut Tx<'_, S>,
        sessions: &[Session],
        (how, actor): (Ending, Party),
        (now, origin): (Timestamp, &Origin),
    ) -> Stored<Vec<Revocation>> {
        let mut revoked = Vec::new();
        for session in sessions {
            let mut tx = tx.within(session.tenant());
            let Some(ended) = repo::end(&mut tx, session.id, how, now).await? else {
                continue;
            };
            let why = (how, actor.clone());
            revoked.extend(self.has_ended(&mut tx, &ended, why, (now, origin)).await?);
        }
        Ok(revoked)
    }

    /// What the end of a session entails, in the unit that has ended it: that it is told, that its
    /// tokens are refused, and the end of what was begun from it. [`Sessions::apply`] what it gives
    /// after the commit.
    pub(super) async fn has_ended(
        &self,
        tx: &mut Tx<'_, Tenant>,
        session: &Session,
        (how, actor): (Ending, Party),
        (now, origin): (Timestamp, &Origin),
    ) -> Stored<Vec<Revocation>> {
        let mut revoked = self.release(tx, session, how, (now, origin)).await?;
        let why = (how, actor);
        revoked.push(self.refuse(tx, session, why, (now, origin)).await?);
        Ok(revoked)
    }

    /// Tells of a session that has ended in this unit, and refuses its access tokens.
    pub(super) async fn refuse(
        &self,
        tx: &mut Tx<'_, Tenant>,
        session: &Session,
        (how, actor): (Ending, Party),
        (now, origin): (Timestamp, &Origin),
    ) -> Stored<Revocation> {
        let told = self
            .event(Name::SessionRevoked, tx.scope(), actor, (now, origin))
            .on(Party::new("session", session.id))
            .with("reason", how.as_str());
        events::record(tx, &told).await?;
        revoke_session(tx, session.id, now, &self.entropy).await
    }

    /// Makes committed revocations count on this node.
    pub fn apply(&self, revoked: &[Revocation]) {
        self.revocations.apply_all(revoked);
    }

    fn told_of(
        &self,
        ended: &Ended,
        count: impl Into<Value>,
        tenant: Tenant,
        when: (Timestamp, &Origin),
    ) -> Event {
        self.event(Name::SessionsRevoked, tenant, ended.by.clone(), when)
            .on(Party::new("user", ended.user))
            .with("reason", ended.how.as_str())
            .with("sessions", count)
    }
}
