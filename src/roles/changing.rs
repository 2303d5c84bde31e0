//! Defining roles, and defining them anew.

use std::collections::HashSet;

use super::ground::{Ground, Visit};
use super::inheriting::may_sink;
use super::service::{MOST_LINES, MOST_PERMISSIONS, MOST_ROLES, RoleError, Roles, taken};
use crate::access::{OrgRole, Pattern};
use crate::events::{self, Name};
use crate::kernel::id::RoleId;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Label, Word};
use crate::kernel::time::Timestamp;
use crate::memberships;
use crate::rbac::{self, CustomRole, RoleChanges};
use crate::store::{StoreError, Tx};
use crate::tokens::Revocation;

/// What a role begins with.
#[derive(Debug, Clone)]
pub(super) struct NewRole {
    pub name: Word,
    pub description: Option<Label>,
    pub parent: Option<OrgRole>,
    pub permissions: Vec<Pattern>,
}

impl Roles {
    pub(super) async fn create(
        &self,
        visit: &Visit<'_>,
        new: &NewRole,
    ) -> Result<CustomRole, RoleError> {
        self.write(async |tx| {
            let mut tx = tx.within(visit.caller.tenant);
            self.create_in(&mut tx, visit, new).await
        })
        .await
    }

    async fn create_in(
        &self,
        tx: &mut Tx<'_, Tenant>,
        visit: &Visit<'_>,
        new: &NewRole,
    ) -> Result<CustomRole, RoleError> {
        let ground = self.ground(tx, visit).await?;
        if ground.defined() >= MOST_ROLES {
            return Err(RoleError::TooMany);
        }
        let role = self.made(&ground, visit.caller.tenant, new);
        self.judge(tx, &ground, (None, &role)).await?;
        let role = tidy(role);
        let begun = self.begin(tx, &ground).await?;
        hold_parent(tx, &role).await?;
        rbac::insert(tx, &role).await.map_err(taken)?;
        let told = self.event(Name::RoleCreated, visit, (&role, begun.now));
        events::record(tx, &defining(told, &role)).await?;
        Ok(role)
    }

    fn made(&self, ground: &Ground, tenant: Tenant, new: &NewRole) -> CustomRole {
        let now = self.clock.now();
        CustomRole {
            id: RoleId::new(now, &self.entropy),
            app_id: tenant.app_id,
            scope: ground.scope(),
            env_id: ground.org.map(|_| tenant.env_id),
            org_id: ground.org,
            name: new.name.clone(),
            description: new.description.clone(),
            parent_id: new.parent,
            permissions: new.permissions.clone(),
            created_at: now,
            updated_at: now,
        }
    }

    /// Refuses a definition that cannot be, or that amounts to more than the caller has.
    pub(super) async fn judge(
        &self,
        tx: &mut Tx<'_, Tenant>,
        ground: &Ground,
        (before, after): (Option<&CustomRole>, &CustomRole),
    ) -> Result<(), RoleError> {
        if before.is_none_or(|before| before.name != after.name) {
            ground.may_be_called(&after.name)?;
        }
        let lines = after.permissions.len();
        if lines > MOST_PERMISSIONS || ground.lines_beside(after.id) + lines > MOST_LINES {
            return Err(RoleError::TooMany);
        }
        if before.is_none_or(|before| before.parent_id != after.parent_id) {
            ground.may_inherit(after.id, after.parent_id)?;
            // A new role has none below it.
            if before.is_some() {
                let depth = ground.depth(after.parent_id) + 1;
                may_sink(tx, ground, (after, depth)).await?;
            }
        }
        let granted = before.map(|before| before.permissions.as_slice());
        ground.may_grant(granted.unwrap_or_default(), &after.permissions)?;
        if let Some(before) = before {
            ground.may_touch(before.role())?;
        }
        let draft = self.with(ground, after).await?;
        ground.may_define(after.role(), &draft)
    }

    /// Changes a role. Older tokens of those whom it reaches are refused where it amounts to
    /// something else, or is called otherwise, from then on.
    pub(super) async fn update(
        &self,
        visit: &Visit<'_>,
        which: &str,
        changes: &RoleChanges,
    ) -> Result<CustomRole, RoleError> {
        let (role, revoked) = self
            .write(async |tx| {
                let mut tx = tx.within(visit.caller.tenant);
                let ground = self.ground(&mut tx, visit).await?;
                let role = ground.own(which)?;
                let wanted = changes.applied_to(role);
                self.redefine(&mut tx, visit, (&ground, role, wanted)).await
            })
            .await?;
        self.revocations.apply_all(&revoked);
        Ok(role)
    }

    /// Makes a role what is wanted, in the caller's unit of work.
    pub(super) async fn redefine(
        &self,
        tx: &mut Tx<'_, Tenant>,
        visit: &Visit<'_>,
        (ground, role, wanted): (&Ground, &CustomRole, CustomRole),
    ) -> Result<(CustomRole, Vec<Revocation>), RoleError> {
        self.judge(tx, ground, (Some(role), &wanted)).await?;
        let wanted = tidy(wanted);
        if wanted.rule() == role.rule() && wanted.description == role.description {
            return Ok((role.clone(), Vec::new()));
        }
        let mut revoked = Vec::new();
        let now = if wanted.rule() == role.rule() {
            self.touch(tx, ground).await?
        } else {
            let begun = self.begin(tx, ground).await?;
            revoked = self.revoke(tx, (ground, role.id), &begun).await?;
            begun.now
        };
        hold_parent(tx, &wanted).await?;
        let updated = rbac::update(tx, &wanted, now).await.map_err(taken)?;
        let updated = updated.ok_or(StoreError::Conflict)?;
        let told = self.event(Name::RoleUpdated, visit, (&updated, now));
        events::record(tx, &defining(told, &updated)).await?;
        Ok((updated, revoked))
    }

    /// Begins to write what no policy depends on.
    async fn touch(
        &self,
        tx: &mut Tx<'_, Tenant>,
        ground: &Ground,
    ) -> Result<Timestamp, RoleError> {
        let now = self.clock.now();
        if let Some(org) = ground.org {
            memberships::changed(tx, org, now).await?;
        }
        Ok(now)
    }
}

/// The role with each of its permissions once, in their order.
pub(super) fn tidy(role: CustomRole) -> CustomRole {
    let mut known = HashSet::new();
    let lines = role.permissions.iter().cloned();
    let permissions = lines.filter(|line| known.insert(line.clone())).collect();
    CustomRole {
        permissions,
        ..role
    }
}

/// A template that is inherited from stays until this unit of work is done.
async fn hold_parent(tx: &mut Tx<'_, Tenant>, role: &CustomRole) -> Result<(), RoleError> {
    let parent = role.parent_id;
    Ok(rbac::hold_templates(tx, parent.as_slice()).await?)
}

/// What a role is from now on, as its events tell.
fn defining(told: events::Event, role: &CustomRole) -> events::Event {
    let permissions = role.permissions.iter().map(ToString::to_string);
    let permissions: Vec<String> = permissions.collect();
    let told = told.with("permissions", permissions);
    match role.parent_id {
        Some(parent) => told.with("parent_id", parent.to_string()),
        None => told,
    }
}
