//! Deleting roles: whoever has one is given another in the same unit of work.

use super::ground::{Ground, Visit};
use super::inheriting::may_sink;
use super::service::{Begun, RoleError, Roles};
use crate::access::OrgRole;
use crate::events::{self, Name};
use crate::kernel::tenant::Tenant;
use crate::memberships::{self, Holders};
use crate::rbac::{self, CustomRole};
use crate::store::{StoreError, Stored, Tx};
use crate::tokens::Revocation;

/// How many members and teams, and how many roles, are given another one at once.
const MOST_HOLDERS: u32 = 5_000;

/// What depends on a role.
#[derive(Debug)]
struct Dependants {
    holders: Holders,
    /// How many roles inherit from it directly.
    children: usize,
}

impl Dependants {
    fn are_too_many(&self) -> bool {
        let most = MOST_HOLDERS as usize;
        self.holders.count() > most || self.children > most
    }

    fn is_none(&self) -> bool {
        self.holders.is_empty() && self.children == 0
    }
}

impl Roles {
    /// Deletes a role. Members and teams that have it have its replacement from then on, and roles
    /// that inherit from it inherit from that; their older tokens are refused.
    pub(super) async fn delete(
        &self,
        visit: &Visit<'_>,
        which: &str,
        replacement: Option<&str>,
    ) -> Result<(), RoleError> {
        let revoked = self
            .write(async |tx| {
                let mut tx = tx.within(visit.caller.tenant);
                self.delete_in(&mut tx, visit, (which, replacement)).await
            })
            .await?;
        self.revocations.apply_all(&revoked);
        Ok(())
    }

    async fn delete_in(
        &self,
        tx: &mut Tx<'_, Tenant>,
        visit: &Visit<'_>,
        (which, replacement): (&str, Option<&str>),
    ) -> Result<Vec<Revocation>, RoleError> {
        let ground = self.ground(tx, visit).await?;
        let role = ground.own(which)?;
        ground.may_touch(role.role())?;
        let other = replacement.map(|other| ground.replacement(role, other));
        let other = other.transpose()?;
        may_sink(tx, &ground, (role, ground.depth(other))).await?;
        let dependants = depending(tx, &ground, role).await?;
        if dependants.are_too_many() {
            return Err(RoleError::TooManyHolders);
        }
        if other.is_none() && !dependants.is_none() {
            return Err(RoleError::InUse);
        }
        let begun = self.begin(tx, &ground).await?;
        let revoked = match (other, dependants.is_none()) {
            (Some(other), false) => {
                let revoked = self.revoke(tx, (&ground, role.id), &begun).await?;
                hand_over(tx, role, (&dependants, other), &begun).await?;
                revoked
            }
            _ => Vec::new(),
        };
        if !rbac::remove(tx, role).await? {
            return Err(StoreError::Conflict.into());
        }
        let mut told = self.event(Name::RoleDeleted, visit, (role, begun.now));
        if let Some(other) = other {
            told = told
                .with("replacement", other.to_string())
                .with("members", dependants.holders.members.len())
                .with("teams", dependants.holders.teams.len())
                .with("roles", dependants.children);
        }
        events::record(tx, &told).await?;
        Ok(revoked)
    }
}

impl Ground {
    /// The role that is to be had instead of another: one that is here, makes no owners, can be
    /// inherited from where the other is, and does not amount to more than the caller has.
    fn replacement(&self, role: &CustomRole, text: &str) -> Result<OrgRole, RoleError> {
        let other = self
            .policy
            .role(text)
            .ok_or(RoleError::UnknownReplacement)?;
        if other == role.role() {
            return Err(RoleError::UnknownReplacement);
        }
        if other == OrgRole::OWNER {
            return Err(RoleError::OwnerReplacement);
        }
        self.may_follow(role.id, other)?;
        self.may_touch(other)?;
        Ok(other)
    }
}

/// Who has a role, in the organisation or, of a template, anywhere in the app; one more than may be
/// where there are too many.
async fn depending(
    tx: &mut Tx<'_, Tenant>,
    ground: &Ground,
    role: &CustomRole,
) -> Stored<Dependants> {
    let mut app = tx.within(role.app_id);
    let most = MOST_HOLDERS + 1;
    let holders = memberships::holders(&mut app, ground.org, role.role(), most).await?;
    let children = rbac::children(&mut app, role.id, most).await?.len();
    Ok(Dependants { holders, children })
}

/// Gives those who depend on a role another one.
async fn hand_over(
    tx: &mut Tx<'_, Tenant>,
    role: &CustomRole,
    (dependants, other): (&Dependants, OrgRole),
    begun: &Begun,
) -> Stored<()> {
    rbac::hold_templates(tx, &[other]).await?;
    let mut app = tx.within(role.app_id);
    let roles = (role.role(), other);
    memberships::exchange_role(&mut app, &dependants.holders, roles, begun.now).await?;
    rbac::reparent(&mut app, role.id, other, begun.now).await?;
    Ok(())
}
