//! Giving a user one role, or taking one: in an organisation, or in the app.

use std::str::FromStr;

use super::service::{RoleError, Roles};
use crate::access::{OrgRole, Role};
use crate::http::Entrance;
use crate::kernel::id::{OrgId, UserId};
use crate::kernel::tenant::Tenant;
use crate::memberships::{self, EnterError, Member, Standing};
use crate::store::Tx;
use crate::tokens::Revocation;
use crate::users::{self, User, WantedRoles};

/// Whose roles, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whom {
    pub user: UserId,
    /// Absent: in the app.
    pub org: Option<OrgId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Give,
    Take,
}

/// The roles that a user has himself, by name.
#[derive(Debug)]
pub(super) struct RolesOf {
    pub whom: Whom,
    pub roles: Vec<String>,
}

impl Roles {
    /// Gives or takes one role. Nothing changes where the user has it, or has it not, already.
    pub(super) async fn step(
        &self,
        (entrance, may_in_app): (&Entrance<'_>, bool),
        (which, step): (&str, Step),
        whom: Whom,
    ) -> Result<RolesOf, RoleError> {
        if let Some(org) = whom.org {
            return self
                .step_in_organization(entrance, (which, step), (whom, org))
                .await;
        }
        if !may_in_app {
            return Err(EnterError::Forbidden.into());
        }
        let role = Role::from_str(which).map_err(|_| RoleError::Unknown)?;
        let wanted = match step {
            Step::Give => WantedRoles::With(role),
            Step::Take => WantedRoles::Without(role),
        };
        let wanted = (whom.user, wanted);
        let assigned = self
            .accounts
            .assign_roles(entrance.caller, &wanted, entrance.origin);
        Ok(of_app(&assigned.await?, whom))
    }

    async fn step_in_organization(
        &self,
        entrance: &Entrance<'_>,
        step: (&str, Step),
        whom: (Whom, OrgId),
    ) -> Result<RolesOf, RoleError> {
        let (roles, revoked) = self
            .write(async |tx| {
                let mut tx = tx.within(entrance.caller.tenant);
                self.step_in(&mut tx, entrance, (step, whom)).await
            })
            .await?;
        self.revocations.apply_all(&revoked);
        Ok(roles)
    }

    async fn step_in(
        &self,
        tx: &mut Tx<'_, Tenant>,
        entrance: &Entrance<'_>,
        ((which, step), (whom, org)): ((&str, Step), (Whom, OrgId)),
    ) -> Result<(RolesOf, Option<Revocation>), RoleError> {
        let standing = self.memberships.enter(tx, entrance, org).await?;
        let role = standing.policy.role(which).ok_or(RoleError::Unknown)?;
        let member = memberships::member_of(tx, org, whom.user).await?;
        let member = member.ok_or(RoleError::Unknown)?;
        let roles = stepped(&member.roles, (role, step));
        if roles.is_empty() {
            return Err(RoleError::LastRole);
        }
        let (by, made) = ((&standing, entrance), (self.clock.now(), &self.entropy));
        let changed = memberships::change_roles::<RoleError>(tx, by, (member, &roles), made);
        let (changed, revoked) = changed.await?;
        Ok((of_member(&standing, &changed, whom), revoked))
    }

    /// What a user has: in an organisation where the caller may see its members; in the app where it
    /// is he himself, or he may see users.
    pub(super) async fn of_user(
        &self,
        (entrance, may_in_app): (&Entrance<'_>, bool),
        whom: Whom,
    ) -> Result<RolesOf, RoleError> {
        let is_own = entrance.caller.user() == Some(whom.user);
        self.store
            .read(async |tx| {
                let mut tx = tx.within(entrance.caller.tenant);
                if let Some(org) = whom.org {
                    let standing = self.memberships.enter(&mut tx, entrance, org).await?;
                    let member = memberships::member_of(&mut tx, org, whom.user).await?;
                    let member = member.ok_or(RoleError::Unknown)?;
                    return Ok(of_member(&standing, &member, whom));
                }
                if !is_own && !may_in_app {
                    return Err(RoleError::Unknown);
                }
                let user = users::get(&mut tx, whom.user).await?;
                Ok(of_app(&user.ok_or(RoleError::Unknown)?, whom))
            })
            .await
    }
}

/// The roles with one more, or without it; each once, in their order.
fn stepped(had: &[OrgRole], (role, step): (OrgRole, Step)) -> Vec<OrgRole> {
    let mut roles = had.to_vec();
    match step {
        Step::Give if !had.contains(&role) => roles.push(role),
        Step::Give => {}
        Step::Take => roles.retain(|other| *other != role),
    }
    roles.sort();
    roles
}

fn of_member(standing: &Standing, member: &Member, whom: Whom) -> RolesOf {
    RolesOf {
        whom,
        roles: standing.policy.names(&member.roles),
    }
}

fn of_app(user: &User, whom: Whom) -> RolesOf {
    let roles = user.roles.iter().map(|role| role.as_str().to_owned());
    RolesOf {
        whom,
        roles: roles.collect(),
    }
}
