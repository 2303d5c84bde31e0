//! Leaving an organisation, for whatever reason.

use super::invitations::close_offers;
use super::record::Member;
use super::{repo, teams};
use crate::http::{Problem, ProblemKind};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::AppId;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{StoreError, Stored, Tx};
use crate::tokens::{Revocation, revoke_member};
use crate::users::{self, User};

#[derive(Debug, thiserror::Error)]
pub enum LeaveError {
    #[error("the last owner who can act")]
    LastOwner,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Ends a membership, in the caller's unit of work, with every place in a team and every offer that
/// is pending; tokens for the organisation are refused. The last owner stays: of two who leave at
/// once, one does.
pub async fn leave(
    tx: &mut Tx<'_, Tenant>,
    member: &Member,
    (now, entropy): (Timestamp, &Entropy),
) -> Result<Revocation, LeaveError> {
    let (org, user) = (member.org_id, member.user_id);
    let known = users::get(tx, user).await?;
    let is_counted = member.is_owner() && known.as_ref().is_some_and(|user| !user.banned);
    let counted = repo::count(tx, org, (-1, -i64::from(is_counted)), now).await?;
    let Some(organization) = counted else {
        return Err(last_or_gone(tx, member).await?);
    };
    repo::remove_member(tx, member.id)
        .await?
        .ok_or(StoreError::Conflict)?;
    teams::leave_teams(tx, org, user).await?;
    if let Some(known) = known {
        close_offers(tx, org, &known.email, now).await?;
    }
    let version = organization.version;
    Ok(revoke_member(tx, (org, user), version, now, entropy).await?)
}

/// Why an owner was not counted out.
pub(super) async fn last_or_gone(
    tx: &mut Tx<'_, Tenant>,
    member: &Member,
) -> Result<LeaveError, StoreError> {
    let is_there = repo::get(tx, member.org_id).await?.is_some();
    Ok(if is_there {
        LeaveError::LastOwner
    } else {
        LeaveError::Store(StoreError::Conflict)
    })
}

/// Ends every membership of a user who leaves the app, and gives what they were; `None` where he is
/// the last owner of an organisation. What he was is told by `user` as he was before.
pub async fn forget(
    tx: &mut Tx<'_, AppId>,
    user: &User,
    now: Timestamp,
) -> Stored<Option<Vec<Member>>> {
    let places = repo::memberships_of(tx, user.id).await?;
    for place in &places {
        let owners = -i64::from(place.is_owner() && !user.banned);
        if repo::count(tx, place.org_id, (-1, owners), now)
            .await?
            .is_none()
        {
            return Ok(None);
        }
        repo::remove_member(tx, place.id).await?;
        teams::leave_teams(tx, place.org_id, user.id).await?;
    }
    Ok(Some(places))
}

impl From<LeaveError> for Problem {
    fn from(error: LeaveError) -> Self {
        match error {
            LeaveError::LastOwner => ProblemKind::LastOwner.into(),
            LeaveError::Store(error) => error.into(),
        }
    }
}
