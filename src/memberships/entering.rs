//! Entering an organisation: the way of every request that concerns one.

use std::sync::Arc;

use super::footings::{Footings, Where};
use super::record::{Organization, Team};
use super::standing::{Footing, Place, Standing};
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
    pub footings: Footings,
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
        if standing.policy.allows(standing.subjects(), object, action) {
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
        let Some(own) = subjects_for(caller, org) else {
            return Ok(None);
        };
        let footing = self.footing(tx, (org, caller.user())).await?;
        Ok(footing.and_then(|footing| let_in(footing, own)))
    }

    /// The same, for a question: as it was within the last second at least, with all that was changed
    /// on this node, and nothing that is known to have been taken away anywhere. Not for what is shown
    /// of an organisation, which is of one instant with the rest of it. Within a unit of work that may
    /// write it is of the store.
    pub async fn seen_of_caller(
        &self,
        tx: &mut Tx<'_, Tenant>,
        caller: &Caller,
        org: OrgId,
    ) -> Stored<Option<Standing>> {
        let Some(own) = subjects_for(caller, org) else {
            return Ok(None);
        };
        let footing = self.seen(tx, (org, caller.user())).await?;
        Ok(footing.and_then(|footing| let_in(footing, own)))
    }

    /// A member's standing, for a token; `None` for who is none.
    pub async fn of_user(
        &self,
        tx: &mut Tx<'_, Tenant>,
        user: &User,
        org: OrgId,
    ) -> Stored<Option<Standing>> {
        let footing = self.footing(tx, (org, Some(user.id))).await?;
        let standing = footing.and_then(|footing| let_in(footing, self.subjects_of(user)));
        Ok(standing.filter(|standing| standing.member.is_some()))
    }

    /// The standing of whomever the organisation lets in, members and administrators of the app, for a
    /// question; see [`Memberships::seen_of_caller`].
    pub async fn seen_of_user(
        &self,
        tx: &mut Tx<'_, Tenant>,
        user: &User,
        org: OrgId,
    ) -> Stored<Option<Standing>> {
        let footing = self.seen(tx, (org, Some(user.id))).await?;
        Ok(footing.and_then(|footing| let_in(footing, self.subjects_of(user))))
    }

    fn subjects_of(&self, user: &User) -> Vec<String> {
        subjects(user.app_id == self.platform, &user.roles)
    }

    pub(super) async fn seen(
        &self,
        tx: &mut Tx<'_, Tenant>,
        place: Where,
    ) -> Stored<Option<Arc<Footing>>> {
        if let Some(known) = self.footings.get(tx, place) {
            return Ok(Some(known));
        }
        let footing = self.footing(tx, place).await?;
        if let Some(footing) = &footing {
            self.footings.keep(tx, place, footing);
        }
        Ok(footing)
    }

    /// What the store says; `None` where there is no such organisation.
    pub(super) async fn footing(
        &self,
        tx: &mut Tx<'_, Tenant>,
        (org, user): Where,
    ) -> Stored<Option<Arc<Footing>>> {
        let Some(organization) = repo::get(tx, org).await? else {
            return Ok(None);
        };
        let in_force = self.policies.of(tx, (org, organization.policy_id)).await?;
        let member = match user {
            Some(user) => repo::member_of(tx, org, user).await?,
            None => None,
        };
        let teams = match &member {
            Some(member) => places(tx, org, member.user_id).await?,
            None => Vec::new(),
        };
        Ok(Some(Arc::new(Footing {
            organization,
            member,
            teams,
            policy: in_force.policy,
            app_version: in_force.app_version,
        })))
    }
}

/// What the caller is besides, where he may come to this organisation at all.
fn subjects_for(caller: &Caller, org: OrgId) -> Option<Vec<String>> {
    let mut own = caller.subjects.clone();
    if let Principal::Key { owner, .. } = caller.principal
        && let KeyOwner::Organization(home) = owner
    {
        if home != org {
            return None;
        }
        // What it may do here is all that can be done here, within its scopes.
        own.push(OrgRole::OWNER.subject());
    }
    Some(own)
}

fn let_in(footing: Arc<Footing>, own: Vec<String>) -> Option<Standing> {
    Some(Standing::new(footing, own)).filter(Standing::is_let_in)
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
