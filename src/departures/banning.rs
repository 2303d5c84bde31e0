//! Banning, and letting back.

use super::service::{DepartureError, Departures, refuse_unless_above, spare};
use crate::events::{self, Name, Origin};
use crate::http::Caller;
use crate::kernel::id::UserId;
use crate::kernel::time::Timestamp;
use crate::links;
use crate::memberships;
use crate::sessions::{Ended, Ending};
use crate::store::{StoreError, Tx};
use crate::tokens::Revocation;
use crate::users::{self, Ban, User};

impl Departures {
    /// Bans a user, or gives the ban that he is under another reason and term: every session ends,
    /// and every access token is refused. Why he is banned is told to administrators, and not to
    /// the log of events, where it would outlive him.
    pub async fn ban(
        &self,
        caller: &Caller,
        id: UserId,
        ban: &Ban,
        origin: &Origin,
    ) -> Result<User, DepartureError> {
        let now = self.clock.now();
        if ban.expires.is_some_and(|expires| expires <= now) {
            return Err(DepartureError::OverAlready);
        }
        let (user, revoked) = self
            .store
            .write(async |tx| self.ban_in(tx, caller, (id, ban), (now, origin)).await)
            .await?;
        self.sessions.apply(&revoked);
        Ok(user)
    }

    async fn ban_in(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        (id, ban): (UserId, &Ban),
        (now, origin): (Timestamp, &Origin),
    ) -> Result<(User, Vec<Revocation>), DepartureError> {
        let tenant = caller.tenant;
        let (app, seen) = Self::whom(tx, tenant, id).await?;
        refuse_unless_above(caller, (&app, &seen))?;
        spare(tx, (&app, &seen), now).await?;
        if !memberships::ban_owner(&mut tx.within(tenant.app_id), &seen, now).await? {
            return Err(DepartureError::LastOwner);
        }
        let banned = users::ban(&mut tx.within(tenant), id, ban, now).await?;
        let banned = banned.ok_or(StoreError::Conflict)?;
        let ended = Ended {
            user: id,
            how: Ending::Banned,
            by: caller.party(),
        };
        let mut revoked = self
            .sessions
            .end_sessions_in(tx, tenant, &ended, (now, origin))
            .await?;
        links::void(&mut tx.within(tenant.app_id), id, now).await?;
        let mut told = self.event(Name::UserBanned, caller, &banned, (now, origin));
        if let Some(expires) = ban.expires {
            told = told.with("expires_at", expires.to_string());
        }
        events::record(&mut tx.within(tenant), &told).await?;
        revoked.push(self.disown(tx, tenant, &banned, now).await?);
        Ok((banned, revoked))
    }

    /// Lifts a ban, also one that has run out; where there is none, nothing happens.
    pub async fn unban(
        &self,
        caller: &Caller,
        id: UserId,
        origin: &Origin,
    ) -> Result<User, DepartureError> {
        let now = self.clock.now();
        self.store
            .write(async |tx| self.unban_in(tx, caller, id, (now, origin)).await)
            .await
    }

    async fn unban_in(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        id: UserId,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<User, DepartureError> {
        let tenant = caller.tenant;
        let (app, seen) = Self::whom(tx, tenant, id).await?;
        refuse_unless_above(caller, (&app, &seen))?;
        let mut tx = tx.within(tenant);
        let Some(back) = memberships::lift_ban(&mut tx, id, now).await? else {
            return Ok(seen);
        };
        let told = self.event(Name::UserUnbanned, caller, &back, (now, origin));
        events::record(&mut tx, &told).await?;
        Ok(back)
    }
}
