//! Joining an organisation, whoever has decided it.

use super::invitations::close_offers;
use super::record::{ALREADY_MEMBER, Member, Organization};
use super::{owners, repo};
use crate::access::OrgRole;
use crate::http::{Problem, ProblemKind};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{MemberId, OrgId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::rbac;
use crate::store::{StoreError, Tx};

/// Who joins, and as what.
#[derive(Debug, Clone)]
pub struct NewMember {
    pub user: UserId,
    pub roles: Vec<OrgRole>,
    pub invited_by: Option<UserId>,
}

#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    #[error("no such user")]
    UnknownUser,
    #[error("a user who may not sign in")]
    Inactive,
    #[error("a member already")]
    AlreadyMember,
    #[error("every seat is taken")]
    NoSeat,
    #[error("the organisation is gone")]
    Gone,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a user a member, in the caller's unit of work, and counts him: of any number who take the
/// last seat at once, one gets it. The roles are to be known and granted before.
pub async fn join(
    tx: &mut Tx<'_, Tenant>,
    org: OrgId,
    new: NewMember,
    (now, entropy): (Timestamp, &Entropy),
) -> Result<Member, JoinError> {
    let user = owners::hold(tx, new.user, now).await?;
    let user = user.ok_or(JoinError::UnknownUser)?;
    if repo::member_of(tx, org, user.id).await?.is_some() {
        return Err(JoinError::AlreadyMember);
    }
    if !user.may_sign_in(now) {
        return Err(JoinError::Inactive);
    }
    let organization = repo::get(tx, org).await?.ok_or(JoinError::Gone)?;
    if !organization.has_room() {
        return Err(JoinError::NoSeat);
    }
    let member = place(tx.scope(), org, new, (now, entropy));
    let owner = i64::from(member.is_owner());
    let counted = repo::count(tx, org, (1, owner), now).await?;
    counted.ok_or(JoinError::Gone)?;
    rbac::hold_templates(tx, &member.roles).await?;
    repo::insert_member(tx, &member).await.map_err(taken)?;
    close_offers(tx, org, &user.email, now).await?;
    Ok(member)
}

/// Makes an organisation of one member, who owns it, in the caller's unit of work.
/// [`super::SLUG_TAKEN`] where another one of the environment has the slug.
pub async fn found(
    tx: &mut Tx<'_, Tenant>,
    organization: &Organization,
    owner: UserId,
    (now, entropy): (Timestamp, &Entropy),
) -> Result<(), JoinError> {
    debug_assert_eq!(
        (organization.owner_count, organization.member_count),
        (1, 1)
    );
    repo::insert(tx, organization).await?;
    let user = owners::hold(tx, owner, now).await?;
    let user = user.ok_or(JoinError::UnknownUser)?;
    if !user.may_sign_in(now) {
        return Err(JoinError::Inactive);
    }
    let first = NewMember {
        user: owner,
        roles: vec![OrgRole::OWNER],
        invited_by: None,
    };
    // Nobody else is there, and nobody can have been invited: there is nothing to look for.
    let first = place(tx.scope(), organization.id, first, (now, entropy));
    Ok(repo::insert_member(tx, &first).await?)
}

fn place(
    tenant: Tenant,
    org: OrgId,
    new: NewMember,
    (now, entropy): (Timestamp, &Entropy),
) -> Member {
    Member {
        id: MemberId::new(now, entropy),
        app_id: tenant.app_id,
        env_id: tenant.env_id,
        org_id: org,
        user_id: new.user,
        roles: new.roles,
        invited_by: new.invited_by,
        created_at: now,
        updated_at: now,
    }
}

fn taken(error: StoreError) -> JoinError {
    match error.duplicate() {
        Some(ALREADY_MEMBER) => JoinError::AlreadyMember,
        Some(_) | None => JoinError::Store(error),
    }
}

impl From<JoinError> for Problem {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::UnknownUser | JoinError::Gone => ProblemKind::NotFound.into(),
            JoinError::Inactive => ProblemKind::MemberInactive.into(),
            JoinError::AlreadyMember => ProblemKind::AlreadyMember.into(),
            JoinError::NoSeat => ProblemKind::SeatLimit.into(),
            JoinError::Store(error) => error.into(),
        }
    }
}
