//! Entering an organisation: the way of every request that concerns one.

use super::record::{Organization, Team};
use super::standing::{Place, Standing};
use super::{repo, teams};
use crate::access::{Grantable, OrgRole, subjects};
use crate::http::{Caller, Entrance, KeyOwner, Principal, Problem, ProblemKind};
use crate::kernel::id::{AppId, OrgId, TeamId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::rbac::Policies;
use crate::store::{StoreError, Stored, Tx};
use crate::users::User;

/// Says what anybody may do in any organisation.
#[derive(Debug, Clone)]
pub struct Memberships {
    pub policies: Policies,
    /// The app that holds the operators.
    pub platform: AppId,
}

#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    /// Or none that the caller may know of.
    #[error("no such organisation, or no such thing in it")]
    Unknown,
    #[error("the caller's place in the organisation does not allow it")]
    Forbidden,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Memberships {
    /// The caller's standing in an organisation where he may do what he came for. To whoever is
    /// neither a member nor administers the app, it does not exist.
    pub async fn enter(
        &self,
        tx: &mut Tx<'_, Tenant>,
        entrance: &Entrance<'_>,
        org: OrgId,
    ) -> Result<Standing, EnterError> {
        let standing = self.of_caller(tx, entrance.caller, org).await?;
        let standing = standing.ok_or(EnterError::Unknown)?;
        let Grantable { object, action, .. } = entrance.permission;
        if standing.policy.allows(&standing.subjects, object, action) {
            return Ok(standing);
        }
        Err(EnterError::Forbidden)
    }

    /// The same for what concerns one team: there a place in it counts as well.
    pub async fn enter_team(
        &self,
        tx: &mut Tx<'_, Tenant>,
        entrance: &Entrance<'_>,
        (org, team): (OrgId, TeamId),
    ) -> Result<(Standing, Team), EnterError> {
        let standing = self.of_caller(tx, entrance.caller, org).await?;
        let standing = standing.ok_or(EnterError::Unknown)?;
        let found = teams::team(tx, org, team).await?;
        let found = found.ok_or(EnterError::Unknown)?;
        let Grantable { object, action, .. } = entrance.permission;
        if standing
            .policy
            .allows(&standing.subjects_in(team), object, action)
        {
            return Ok((standing, found));
        }
        Err(EnterError::Forbidden)
    }

    /// The caller's standing; `None` to whoever is neither a member nor administers the app, as
    /// where there is no such organisation.
    pub async fn of_caller(
        &self,
        tx: &mut Tx<'_, Tenant>,
        caller: &Caller,
        org: OrgId,
    ) -> Stored<Option<Standing>> {
        let Some(organization) = repo::get(tx, org).await? else {
            return Ok(None);
        };
        let mut own = caller.subjects.clone();
        if let Principal::Key { owner, .. } = caller.principal
            && let KeyOwner::Organization(home) = owner
        {
            if home != org {
                return Ok(None);
            }
            // What it may do here is all that can be done here, within its scopes.
            own.push(OrgRole::OWNER.subject());
        }
        let whose = (caller.user(), own);
        let standing = self.standing(tx, organization, whose).await?;
        Ok(Some(standing).filter(Standing::is_let_in))
    }

    /// A member's standing, for a token or a question; `None` for who is none.
    pub async fn of_user(
        &self,
        tx: &mut Tx<'_, Tenant>,
        user: &User,
        org: OrgId,
    ) -> Stored<Option<Standing>> {
        let standing = self.of_anybody(tx, user, org).await?;
        Ok(standing.filter(|standing| standing.member.is_some()))
    }

    /// The same of whoever the organisation lets in: of administrators of the app, too.
    pub async fn of_anybody(
        &self,
        tx: &mut Tx<'_, Tenant>,
        user: &User,
        org: OrgId,
    ) -> Stored<Option<Standing>> {
        let Some(organization) = repo::get(tx, org).await? else {
            return Ok(None);
        };
        let own = subjects(user.app_id == self.platform, &user.roles);
        let standing = self
            .standing(tx, organization, (Some(user.id), own))
            .await?;
        Ok(Some(standing).filter(Standing::is_let_in))
    }

    pub(super) async fn standing(
        &self,
        tx: &mut Tx<'_, Tenant>,
        organization: Organization,
        (user, mut subjects): (Option<UserId>, Vec<String>),
    ) -> Stored<Standing> {
        let org = organization.id;
        let in_force = self.policies.of(tx, (org, organization.policy_id)).await?;
        let mut standing = Standing {
            organization,
            member: None,
            teams: Vec::new(),
            policy: in_force.policy,
            app_version: in_force.app_version,
            subjects: Vec::new(),
        };
        if let Some(user) = user {
            standing.member = repo::member_of(tx, org, user).await?;
        }
        if let Some(member) = &standing.member {
            standing.teams = places(tx, org, member.user_id).await?;
            subjects.extend(standing.roles().into_iter().map(OrgRole::subject));
        }
        standing.subjects = subjects;
        Ok(standing)
    }
}

/// Notes that something in the organisation changes, and gives it as it is then. Every unit of work
/// that writes something in an organisation begins with it.
pub async fn changed(
    tx: &mut Tx<'_, Tenant>,
    org: OrgId,
    now: Timestamp,
) -> Result<Organization, EnterError> {
    let organization = repo::changed(tx, org, now).await?;
    organization.ok_or(EnterError::Unknown)
}

/// The teams that a member is in, and as what.
pub async fn places(tx: &mut Tx<'_, Tenant>, org: OrgId, user: UserId) -> Stored<Vec<Place>> {
    let places = teams::teams_of_member(tx, org, user).await?;
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<TeamId> = places.iter().map(|place| place.team_id).collect();
    let teams = teams::teams_by_id(tx, org, &ids).await?;
    let with_role = |team: Team| {
        let place = places.iter().find(|place| place.team_id == team.id)?;
        let role = place.role;
        Some(Place { team, role })
    };
    Ok(teams.into_iter().filter_map(with_role).collect())
}

impl From<EnterError> for Problem {
    fn from(error: EnterError) -> Self {
        match error {
            EnterError::Unknown => ProblemKind::NotFound.into(),
            EnterError::Forbidden => ProblemKind::Forbidden.into(),
            EnterError::Store(error) => error.into(),
        }
    }
}
