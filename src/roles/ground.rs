//! Where roles are defined, as it is for the caller at one moment, and the rules of defining them.

use std::sync::Arc;

use super::service::{MOST_DEEP, RoleError, Roles};
use crate::access::{OrgPolicy, OrgRole, Pattern, is_reserved};
use crate::events::Origin;
use crate::http::{Caller, Entrance};
use crate::kernel::id::{OrgId, RoleId};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Word;
use crate::memberships::GrantError;
use crate::rbac::{self, CustomRole, RegisteredResource, Scope};
use crate::store::{Stored, Tx};

/// Who comes for the roles of an app, or of one of its organisations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Visit<'a> {
    pub caller: &'a Caller,
    pub origin: &'a Origin,
    /// Absent: the app.
    pub organization: Option<(Entrance<'a>, OrgId)>,
}

impl<'a> Visit<'a> {
    pub(super) fn to_app(caller: &'a Caller, origin: &'a Origin) -> Self {
        Self {
            caller,
            origin,
            organization: None,
        }
    }

    pub(super) fn to_organization(entrance: Entrance<'a>, org: OrgId) -> Self {
        Self {
            caller: entrance.caller,
            origin: entrance.origin,
            organization: Some((entrance, org)),
        }
    }

    pub(super) fn org(&self) -> Option<OrgId> {
        self.organization.map(|(_, org)| org)
    }
}

/// What can be inherited from and given here, and what the caller has.
#[derive(Debug)]
pub(super) struct Ground {
    pub org: Option<OrgId>,
    /// As it counts now, whatever the caller wants to make of it.
    pub policy: Arc<OrgPolicy>,
    pub subjects: Vec<String>,
    /// Templates, and the roles of the organisation where it is one.
    pub roles: Vec<CustomRole>,
    pub resources: Vec<RegisteredResource>,
}

impl Roles {
    /// Lets the caller in where he may do what he came for.
    pub(super) async fn ground(
        &self,
        tx: &mut Tx<'_, Tenant>,
        visit: &Visit<'_>,
    ) -> Result<Ground, RoleError> {
        let Some((entrance, org)) = &visit.organization else {
            return Ok(self.ground_of_app(tx, visit).await?);
        };
        let standing = self.memberships.enter(tx, entrance, *org).await?;
        let catalogue = rbac::catalogue(tx).await?;
        Ok(Ground {
            org: Some(*org),
            subjects: standing.subjects().to_vec(),
            policy: standing.policy.clone(),
            roles: rbac::of_organization(tx, *org).await?,
            resources: catalogue.map(|it| it.resources).unwrap_or_default(),
        })
    }

    async fn ground_of_app(&self, tx: &mut Tx<'_, Tenant>, visit: &Visit<'_>) -> Stored<Ground> {
        let catalogue = rbac::catalogue(tx).await?;
        let resources = catalogue.map(|it| it.resources).unwrap_or_default();
        let roles = rbac::templates(tx).await?;
        let policy = self.memberships.policies.draft(&resources, &roles).await?;
        Ok(Ground {
            org: None,
            policy: Arc::new(policy),
            subjects: visit.caller.subjects.clone(),
            roles,
            resources,
        })
    }

    /// The policy as it would be with this role.
    pub(super) async fn with(&self, ground: &Ground, role: &CustomRole) -> Stored<OrgPolicy> {
        let others = ground.roles.iter().filter(|other| other.id != role.id);
        let roles: Vec<CustomRole> = others.chain([role]).cloned().collect();
        let policies = &self.memberships.policies;
        policies.draft(&ground.resources, &roles).await
    }
}

impl Ground {
    /// What the roles that are defined here have in common.
    pub(super) fn scope(&self) -> Scope {
        match self.org {
            Some(_) => Scope::Organization,
            None => Scope::App,
        }
    }

    /// How many roles are defined here.
    pub(super) fn defined(&self) -> usize {
        let scope = self.scope();
        self.roles.iter().filter(|role| role.scope == scope).count()
    }

    /// How many permissions the other roles that are defined here have in all.
    pub(super) fn lines_beside(&self, id: RoleId) -> usize {
        let others = self.roles.iter();
        let others = others.filter(|role| role.scope == self.scope() && role.id != id);
        others.map(|role| role.permissions.len()).sum()
    }

    pub(super) fn custom(&self, id: RoleId) -> Option<&CustomRole> {
        self.roles.iter().find(|role| role.id == id)
    }

    /// The role that is meant, if it is defined here and can be changed.
    pub(super) fn own(&self, which: &str) -> Result<&CustomRole, RoleError> {
        let role = self.policy.role(which).ok_or(RoleError::Unknown)?;
        let custom = role.custom().ok_or(RoleError::Fixed)?;
        let role = self.custom(custom).ok_or(RoleError::Unknown)?;
        if role.scope != self.scope() {
            return Err(RoleError::Fixed);
        }
        Ok(role)
    }

    /// Refuses a name that is kept, that could be taken for the identifier of another role, or that a
    /// role of the app has in all organisations.
    pub(super) fn may_be_called(&self, name: &Word) -> Result<(), RoleError> {
        if is_reserved(name) || name.as_str().starts_with("arol_") {
            return Err(RoleError::Reserved);
        }
        let is_of_app = |role: &CustomRole| role.scope == Scope::App && role.name == *name;
        if self.org.is_some() && self.roles.iter().any(is_of_app) {
            return Err(RoleError::NameTaken);
        }
        Ok(())
    }

    /// Refuses to touch a role that amounts to more than the caller has.
    pub(super) fn may_touch(&self, role: OrgRole) -> Result<(), RoleError> {
        if self.policy.holds(&self.subjects, role) {
            return Ok(());
        }
        Err(GrantError::NotHeld.into())
    }

    /// Refuses what a role would amount to, by this policy, where the caller has not got all of it now.
    pub(super) fn may_define(&self, role: OrgRole, after: &OrgPolicy) -> Result<(), RoleError> {
        let sources = after.lines(role);
        let lines = sources.iter().map(|source| &source.line);
        if self.policy.holds_lines(&self.subjects, lines) {
            return Ok(());
        }
        Err(GrantError::NotHeld.into())
    }

    /// Refuses a parent that is none here, or through which too much would be inherited.
    pub(super) fn may_inherit(&self, id: RoleId, parent: Option<OrgRole>) -> Result<(), RoleError> {
        let Some(first) = parent.and_then(OrgRole::custom) else {
            return Ok(());
        };
        let above = self.chain_from(first);
        if first == id || above.contains(&id) {
            return Err(RoleError::Cycle);
        }
        if above.is_empty() {
            return Err(RoleError::UnknownParent);
        }
        if above.len() + 1 + self.height_below(id) > MOST_DEEP {
            return Err(RoleError::TooDeep);
        }
        Ok(())
    }

    /// Refuses a role in the place of another one, from which those that inherit from that one would
    /// inherit themselves, or too much.
    pub(super) fn may_follow(&self, id: RoleId, other: OrgRole) -> Result<(), RoleError> {
        let Some(other) = other.custom() else {
            return Ok(());
        };
        let chain = self.chain_from(other);
        if chain.contains(&id) {
            return Err(RoleError::Cycle);
        }
        if chain.len() + self.height_below(id) > MOST_DEEP {
            return Err(RoleError::TooDeep);
        }
        Ok(())
    }

    /// A role and those that it inherits from, built-in ones aside; none where it is not here.
    pub(super) fn chain_from(&self, first: RoleId) -> Vec<RoleId> {
        let mut chain = Vec::new();
        let mut next = self.custom(first);
        while let Some(role) = next.filter(|role| !chain.contains(&role.id)) {
            chain.push(role.id);
            let parent = role.parent_id.and_then(OrgRole::custom);
            next = parent.and_then(|id| self.custom(id));
        }
        chain
    }

    /// How many roles the longest chain has that inherits from this one.
    fn height_below(&self, id: RoleId) -> usize {
        let below = self.below(id);
        let lengths = below.iter().map(|other| {
            let chain = self.chain_from(*other);
            chain.iter().position(|at| *at == id).unwrap_or_default()
        });
        lengths.max().unwrap_or_default()
    }

    /// Every role here that inherits from this one, however far.
    pub(super) fn below(&self, id: RoleId) -> Vec<RoleId> {
        let others = self.roles.iter().map(|role| role.id);
        let inherits = |other: &RoleId| *other != id && self.chain_from(*other).contains(&id);
        others.filter(inherits).collect()
    }

    /// Refuses the first of these lines that was not there before and grants nothing that there is.
    pub(super) fn may_grant(&self, before: &[Pattern], lines: &[Pattern]) -> Result<(), RoleError> {
        let is_idle = |line: &&Pattern| !before.contains(line) && !self.policy.knows(line);
        match lines.iter().position(|line| is_idle(&line)) {
            Some(at) => Err(RoleError::UnknownPermission(at)),
            None => Ok(()),
        }
    }
}
