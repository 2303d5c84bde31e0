//! The one organisation that a token is for: chosen when it is issued, and by nothing else.

use super::issue::Issued;
use super::refreshing::{Asked, RefreshError};
use super::repo;
use super::service::Sessions;
use crate::devices::DeviceSecret;
use crate::events::Origin;
use crate::http::{Problem, ProblemKind};
use crate::kernel::id::{OrgId, SessionId, UserId};
use crate::kernel::tenant::Tenant;
use crate::limits::{LimitError, NodeRule};
use crate::memberships;
use crate::store::{StoreError, Tx};
use crate::tokens::{ActiveOrganization, KeyError};
use crate::users::{self, User};

#[derive(Debug, thiserror::Error)]
pub enum SwitchError {
    /// Or there is no such organisation.
    #[error("no member of the organisation")]
    NotAMember,
    /// Ended, idle for too long, bound elsewhere, or exchanged its refresh token at this moment.
    #[error("the session has moved on")]
    Gone,
    #[error(transparent)]
    Limit(#[from] LimitError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a new session does not begin in the organisation that is asked for.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Or there is no such organisation.
    #[error("no member of the organisation")]
    NotAMember,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sessions {
    /// What a token says of an organisation, as the user stands in it at this moment; `None` for who
    /// is no member.
    pub(super) async fn place_in(
        &self,
        tx: &mut Tx<'_, Tenant>,
        user: &User,
        org: OrgId,
    ) -> Result<Option<ActiveOrganization>, StoreError> {
        let standing = self.memberships.of_user(tx, user, org).await?;
        Ok(standing.map(|standing| standing.claims()))
    }

    /// The organisation that a new session begins in: the one that is asked for, or else the only
    /// one that the user is in.
    pub(super) async fn first_organization(
        &self,
        tx: &mut Tx<'_, Tenant>,
        user: &User,
        wanted: Option<OrgId>,
    ) -> Result<Option<ActiveOrganization>, PlaceError> {
        if let Some(org) = wanted {
            let place = self.place_in(tx, user, org).await?;
            return place.map(Some).ok_or(PlaceError::NotAMember);
        }
        match memberships::only_one(tx, user.id).await? {
            Some(org) => Ok(self.place_in(tx, user, org).await?),
            None => Ok(None),
        }
    }

    /// The next tokens of a session, for another organisation or for none, under every rule of a
    /// refresh. What it had before stays good as it would have: the access token until it is over, the
    /// refresh token not at all.
    pub(super) async fn switch(
        &self,
        tenant: Tenant,
        (user, session): (UserId, SessionId),
        wanted: Option<OrgId>,
        (origin, device): (&Origin, Option<&DeviceSecret>),
    ) -> Result<Issued, SwitchError> {
        let (rule, here) = (NodeRule::Refresh, Some(tenant));
        self.limits.admit_ip_here(rule, here, origin).await?;
        let mut once = self.store.once();
        let found = repo::get(&mut once.within(tenant), session).await?;
        let now = self.clock.now();
        let live = found.filter(|session| session.user_id == user && session.is_live(now));
        let session = live.ok_or(SwitchError::Gone)?;
        let asked = Asked {
            wanted: Some(wanted),
            refresh_token: None,
            device,
        };
        let next = self.go_on(&session, asked, (now, origin));
        match next.await {
            Ok(issued) => Ok(issued),
            Err(RefreshError::NotAMember) => Err(SwitchError::NotAMember),
            Err(RefreshError::Limit(error)) => Err(error.into()),
            Err(RefreshError::Keys(error)) => Err(error.into()),
            Err(RefreshError::Store(error)) => Err(error.into()),
            Err(RefreshError::Invalid | RefreshError::Reused | RefreshError::OtherTenant) => {
                tracing::debug!(
                    request_id = origin.request_id,
                    "a session does not go on in another organization"
                );
                Err(SwitchError::Gone)
            }
        }
    }

    /// The user of a session as he is at this moment, if he may have tokens, and what they say of
    /// the organisation.
    pub(super) async fn user_and_place(
        &self,
        tenant: Tenant,
        user: UserId,
        org: Option<OrgId>,
    ) -> Result<Option<(User, Option<ActiveOrganization>)>, StoreError> {
        let now = self.clock.now();
        let usable = |user: &User| user.may_sign_in(now);
        let Some(org) = org else {
            let user = users::get(&mut self.store.once().within(tenant), user).await?;
            return Ok(user.filter(usable).map(|user| (user, None)));
        };
        // One look, so that rights and version belong together.
        self.store
            .read(async |tx| {
                let mut tx = tx.within(tenant);
                let Some(user) = users::get(&mut tx, user).await?.filter(usable) else {
                    return Ok(None);
                };
                let place = self.place_in(&mut tx, &user, org).await?;
                Ok(Some((user, place)))
            })
            .await
    }
}

impl From<SwitchError> for Problem {
    fn from(error: SwitchError) -> Self {
        match error {
            SwitchError::NotAMember => ProblemKind::NotAMember.into(),
            SwitchError::Gone => ProblemKind::InvalidToken.into(),
            SwitchError::Limit(error) => error.into(),
            SwitchError::Keys(error) => error.into(),
            SwitchError::Store(error) => error.into(),
        }
    }
}
