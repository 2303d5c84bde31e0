//! What banning and deleting have in common: who may, and whom the app can spare.

use crate::apps::{self, App};
use crate::events::{Event, Name, Origin, Party};
use crate::http::Caller;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::UserId;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{Clock, Timestamp};
use crate::notifications::Outbox;
use crate::sessions::{ReauthError, Sessions};
use crate::store::{Store, StoreError, Tx};
use crate::tokens::{Revocation, revoke_user};
use crate::users::{self, User, UserView};

/// Banning, deleting, and what a user takes along.
#[derive(Debug, Clone)]
pub struct Departures {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub outbox: Outbox,
    pub sessions: Sessions,
}

#[derive(Debug, thiserror::Error)]
pub enum DepartureError {
    #[error("no such user")]
    Unknown,
    #[error("the caller himself")]
    Oneself,
    #[error("a user with a role that the caller does not hold")]
    RoleNotHeld,
    #[error("the last holder of the app's guarding role")]
    LastAdmin,
    #[error("the last owner of an organisation who can act")]
    LastOwner,
    #[error("a ban that would be over before it begins")]
    OverAlready,
    #[error(transparent)]
    Reauth(#[from] ReauthError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Departures {
    /// The user as he is in this unit of work, and his app.
    pub(super) async fn whom(
        tx: &mut Tx<'_>,
        tenant: Tenant,
        id: UserId,
    ) -> Result<(App, User), DepartureError> {
        let app = apps::get(tx, tenant.app_id).await?;
        let user = users::get(&mut tx.within(tenant), id).await?;
        app.zip(user).ok_or(DepartureError::Unknown)
    }

    /// A user as clients see him at this moment.
    pub(super) fn shown(&self, user: User) -> UserView {
        UserView::of(user, self.clock.now())
    }

    pub(super) fn event(
        &self,
        name: Name,
        caller: &Caller,
        user: &User,
        (now, origin): (Timestamp, &Origin),
    ) -> Event {
        let made = (now, &self.entropy);
        Event::new(name, caller.tenant, caller.party(), origin, made)
            .on(Party::new("user", user.id))
    }

    /// Refuses the access tokens of a user whose rights version has been raised in this unit.
    pub(super) async fn disown(
        &self,
        tx: &mut Tx<'_>,
        tenant: Tenant,
        user: &User,
        now: Timestamp,
    ) -> Result<Revocation, StoreError> {
        let (id, version) = (user.id, user.rights_version);
        revoke_user(&mut tx.within(tenant), id, version, now, &self.entropy).await
    }
}

/// Whether an administrator may ban, delete or let back this user.
pub(super) fn refuse_unless_above(
    caller: &Caller,
    (app, user): (&App, &User),
) -> Result<(), DepartureError> {
    if caller.user() == Some(user.id) {
        return Err(DepartureError::Oneself);
    }
    if users::outranks(user, caller, app.is_platform) {
        return Err(DepartureError::RoleNotHeld);
    }
    Ok(())
}

/// Counts a user out who goes, unless he is the last whom his app can count on.
pub(super) async fn spare(
    tx: &mut Tx<'_>,
    (app, user): (&App, &User),
    now: Timestamp,
) -> Result<(), DepartureError> {
    if !user.is_counted_guardian(app.is_platform) || apps::discount_holder(tx, app.id, now).await? {
        Ok(())
    } else {
        Err(DepartureError::LastAdmin)
    }
}
