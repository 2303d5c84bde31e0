//! The roles of members: which a text means, who may give them, and the change itself.

use super::leaving::{LeaveError, last_or_gone};
use super::record::{Member, Team};
use super::standing::{Place, Standing};
use super::{owners, repo};
use crate::access::{OrgRole, TeamRole};
use crate::events::{self, Event, Name, Party};
use crate::http::{Entrance, Problem, ProblemKind};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::TeamId;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::rbac;
use crate::store::{StoreError, Tx};
use crate::tokens::{Revocation, revoke_member};

#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    #[error("a role that the organisation does not have")]
    UnknownRole,
    #[error("a role that amounts to more than the caller has")]
    NotHeld,
}

impl Standing {
    /// The roles that these names or identifiers mean, each once.
    pub fn meant(&self, names: &[String]) -> Result<Vec<OrgRole>, GrantError> {
        let roles: Option<Vec<OrgRole>> = names.iter().map(|it| self.policy.role(it)).collect();
        let mut roles = roles.ok_or(GrantError::UnknownRole)?;
        roles.sort();
        roles.dedup();
        Ok(roles)
    }

    /// Refuses to touch a role that amounts to more than he has.
    pub fn may_touch(&self, roles: &[OrgRole]) -> Result<(), GrantError> {
        if roles.iter().all(|role| self.holds(*role)) {
            return Ok(());
        }
        Err(GrantError::NotHeld)
    }

    /// Refuses to give or take places in a team that amount to more there than he has.
    pub fn may_touch_places(&self, team: TeamId, places: &[TeamRole]) -> Result<(), GrantError> {
        let subjects = self.subjects_in(team);
        let holds = |role: &TeamRole| self.policy.holds_place(&subjects, *role);
        if places.iter().all(holds) {
            return Ok(());
        }
        Err(GrantError::NotHeld)
    }

    /// Refuses to decide that somebody is in a team, or not, as these, who does not hold all that this
    /// gives: the roles of the team, and what the places are worth in it.
    pub fn may_place(&self, team: &Team, places: &[TeamRole]) -> Result<(), GrantError> {
        self.may_touch(&team.roles)?;
        self.may_touch_places(team.id, places)
    }

    /// Refuses to end the membership of somebody who is more, by himself or through his teams.
    pub fn may_remove(&self, member: &Member, places: &[Place]) -> Result<(), GrantError> {
        self.may_touch(&member.roles)?;
        let mut places = places.iter();
        places.try_for_each(|place| self.may_place(&place.team, &[place.role]))
    }

    /// Refuses a change of roles in which one is given or taken that amounts to more than he has.
    pub fn may_change(&self, before: &[OrgRole], after: &[OrgRole]) -> Result<(), GrantError> {
        let taken = before.iter().filter(|role| !after.contains(role));
        let given = after.iter().filter(|role| !before.contains(role));
        let touched: Vec<OrgRole> = taken.chain(given).copied().collect();
        self.may_touch(&touched)
    }
}

/// Gives a member exactly these roles where the caller may, and tells of it; where he has them,
/// nothing happens.
pub async fn change_roles<E>(
    tx: &mut Tx<'_, Tenant>,
    (standing, entrance): (&Standing, &Entrance<'_>),
    (member, roles): (Member, &[OrgRole]),
    made: (Timestamp, &Entropy),
) -> Result<(Member, Option<Revocation>), E>
where
    E: From<GrantError> + From<LeaveError> + From<StoreError>,
{
    if roles == member.roles {
        return Ok((member, None));
    }
    standing.may_change(&member.roles, roles)?;
    let (changed, revoked) = set_roles(tx, &member, roles, made).await?;
    let (name, caller) = (Name::MemberRolesChanged, entrance.caller);
    let told = Event::new(name, caller.tenant, caller.party(), entrance.origin, made)
        .within(changed.org_id)
        .on(Party::new("user", changed.user_id))
        .with("roles", standing.policy.names(&changed.roles));
    events::record(tx, &told).await?;
    Ok((changed, Some(revoked)))
}

/// Gives a member exactly these roles, in the caller's unit of work; his older tokens for the
/// organisation are refused. The last owner stays one: of two who are demoted at once, one stays.
pub async fn set_roles(
    tx: &mut Tx<'_, Tenant>,
    member: &Member,
    roles: &[OrgRole],
    (now, entropy): (Timestamp, &Entropy),
) -> Result<(Member, Revocation), LeaveError> {
    let (org, id) = (member.org_id, member.user_id);
    let user = owners::hold(tx, id, now).await?;
    let user = user.ok_or(StoreError::Conflict)?;
    let counts = |is_owner: bool| i64::from(is_owner && !user.banned);
    let owners = counts(roles.contains(&OrgRole::OWNER)) - counts(member.is_owner());
    let counted = repo::count(tx, org, (0, owners), now).await?;
    let Some(organization) = counted else {
        return Err(last_or_gone(tx, member).await?);
    };
    rbac::hold_templates(tx, roles).await?;
    let changed = repo::replace_roles(tx, member.id, roles, now).await?;
    let changed = changed.ok_or(StoreError::Conflict)?;
    let version = organization.version;
    let revoked = revoke_member(tx, (org, id), version, now, entropy).await?;
    Ok((changed, revoked))
}

impl From<GrantError> for Problem {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::UnknownRole => ProblemKind::UnknownRole.into(),
            GrantError::NotHeld => ProblemKind::RoleNotHeld.into(),
        }
    }
}
