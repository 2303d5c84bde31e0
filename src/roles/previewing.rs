//! A change of a role before it is made: whose rights would be others.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::changing::tidy;
use super::ground::{Ground, Visit};
use super::inheriting::levels_below;
use super::service::{RoleError, Roles};
use crate::access::{OrgPolicy, OrgRole};
use crate::kernel::id::{AppId, MemberId, OrgId, RoleId, UserId};
use crate::kernel::tenant::Tenant;
use crate::memberships::{self, Member};
use crate::rbac::{self, CustomRole, RoleChanges};
use crate::store::{Stored, Tx};
use crate::users;

/// Of how many members it is looked what they would have.
const MOST_MEMBERS: u32 = 500;
/// How many of those are told whose rights would be others.
const MOST_TOLD: usize = 100;

/// A role as it would be, and what this would mean.
#[derive(Debug)]
pub(super) struct Preview {
    pub role: CustomRole,
    /// Members whose rights would be others.
    pub members: Vec<Difference>,
    /// How many members were looked at: those whom the role reaches.
    pub examined: usize,
    /// Whether there are, or may be, more whom the role reaches than are looked at or told.
    pub has_more: bool,
}

/// What a member would have more, and what less.
#[derive(Debug)]
pub(super) struct Difference {
    pub org: OrgId,
    pub member: MemberId,
    pub user: UserId,
    pub gained: Vec<String>,
    pub lost: Vec<String>,
}

/// Policies as they would be, by organisation.
type Drafts = HashMap<OrgId, Arc<OrgPolicy>>;

impl Roles {
    /// Judges a change as [`Roles::update`] does, and changes nothing.
    pub(super) async fn preview(
        &self,
        visit: &Visit<'_>,
        which: &str,
        changes: &RoleChanges,
    ) -> Result<Preview, RoleError> {
        self.store
            .read(async |tx| {
                let mut tx = tx.within(visit.caller.tenant);
                let ground = self.ground(&mut tx, visit).await?;
                let role = ground.own(which)?;
                let wanted = changes.applied_to(role);
                self.judge(&mut tx, &ground, (Some(role), &wanted)).await?;
                Ok(self.compare(&mut tx, &ground, tidy(wanted)).await?)
            })
            .await
    }

    async fn compare(
        &self,
        tx: &mut Tx<'_, Tenant>,
        ground: &Ground,
        role: CustomRole,
    ) -> Stored<Preview> {
        let mut app = tx.within(role.app_id);
        let roles = match ground.org {
            Some(_) => with_those(role.id, ground.below(role.id)),
            None => below_anywhere(&mut app, role.id).await?,
        };
        let reached = memberships::reached_by(&mut app, ground.org, &roles, MOST_MEMBERS).await?;
        let (mut drafts, mut members) = (Drafts::new(), Vec::new());
        for member in &reached.members {
            let difference = self
                .difference(tx, (ground, &role), (member, &mut drafts))
                .await?;
            members.extend(difference);
        }
        let has_more = reached.has_more || members.len() > MOST_TOLD;
        members.truncate(MOST_TOLD);
        Ok(Preview {
            role,
            members,
            examined: reached.members.len(),
            has_more,
        })
    }

    /// What a member would have more or less; `None` where it would be the same.
    async fn difference(
        &self,
        tx: &mut Tx<'_, Tenant>,
        (ground, role): (&Ground, &CustomRole),
        (member, drafts): (&Member, &mut Drafts),
    ) -> Stored<Option<Difference>> {
        let (app_id, env_id) = (member.app_id, member.env_id);
        let mut tx = tx.within(Tenant { app_id, env_id });
        let Some(user) = users::get(&mut tx, member.user_id).await? else {
            return Ok(None);
        };
        let org = member.org_id;
        let Some(standing) = self.memberships.of_user(&mut tx, &user, org).await? else {
            return Ok(None);
        };
        let draft = match drafts.entry(org) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                place.insert(self.draft_of(&mut tx, org, (ground, role)).await?)
            }
        };
        let before = standing.policy.permissions(standing.subjects());
        let after = draft.permissions(standing.subjects());
        let without = |all: &[String], others: &[String]| -> Vec<String> {
            all.iter()
                .filter(|it| !others.contains(it))
                .cloned()
                .collect()
        };
        let (gained, lost) = (without(&after, &before), without(&before, &after));
        let is_same = gained.is_empty() && lost.is_empty();
        Ok((!is_same).then_some(Difference {
            org,
            member: member.id,
            user: user.id,
            gained,
            lost,
        }))
    }

    /// The policy of an organisation as it would be.
    async fn draft_of(
        &self,
        tx: &mut Tx<'_, Tenant>,
        org: OrgId,
        (ground, role): (&Ground, &CustomRole),
    ) -> Stored<Arc<OrgPolicy>> {
        let all = rbac::of_organization(tx, org).await?;
        let others = all.into_iter().filter(|other| other.id != role.id);
        let roles: Vec<CustomRole> = others.chain([role.clone()]).collect();
        let policies = &self.memberships.policies;
        Ok(Arc::new(policies.draft(&ground.resources, &roles).await?))
    }
}

fn with_those(role: RoleId, below: Vec<RoleId>) -> Vec<OrgRole> {
    let all = [role].into_iter().chain(below);
    all.map(OrgRole::Custom).collect()
}

/// A template and those that inherit from it, in the app and in its organisations.
async fn below_anywhere(tx: &mut Tx<'_, AppId>, template: RoleId) -> Stored<Vec<OrgRole>> {
    let below = levels_below(tx, template).await?.concat();
    Ok(with_those(template, below))
}
