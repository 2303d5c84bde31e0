//! The end of sessions, as part of a unit of work that takes more away than them.

use super::record::{Ending, Session};
use super::repo;
use super::service::Sessions;
use crate::events::{self, Name, Origin, Party};
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
    /// Ends every session of a user, in every environment of his app; `None` where there is no such
    /// user. Apply the answer after the commit.
    pub async fn end_all_in(
        &self,
        tx: &mut Tx<'_>,
        tenant: Tenant,
        ended: &Ended,
        (now, origin): (Timestamp, &Origin),
    ) -> Stored<Option<Revocation>> {
        let (user, how) = (ended.user, ended.how);
        let count = repo::end_all(&mut tx.within(tenant.app_id), user, how, now).await?;
        let mut tx = tx.within(tenant);
        let Some(version) = users::bump_rights(&mut tx, user, now).await? else {
            return Ok(None);
        };
        let told = self
            .event(
                Name::SessionsRevoked,
                tenant,
                ended.by.clone(),
                (now, origin),
            )
            .on(Party::new("user", user))
            .with("reason", how.as_str())
            .with("sessions", count);
        events::record(&mut tx, &told).await?;
        let revoked = revoke_user(&mut tx, user, version, now, &self.entropy).await?;
        Ok(Some(revoked))
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
            if repo::end(&mut tx, session.id, how, now).await?.is_none() {
                continue;
            }
            let (name, tenant) = (Name::SessionRevoked, session.tenant());
            let told = self
                .event(name, tenant, actor.clone(), (now, origin))
                .on(Party::new("session", session.id))
                .with("reason", how.as_str());
            events::record(&mut tx, &told).await?;
            revoked.push(revoke_session(&mut tx, session.id, now, &self.entropy).await?);
        }
        Ok(revoked)
    }

    /// Makes committed revocations count on this node.
    pub fn apply(&self, revoked: &[Revocation]) {
        for revocation in revoked {
            self.revocations.apply(revocation);
        }
    }
}
