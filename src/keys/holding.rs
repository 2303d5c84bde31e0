//! Whose affair a key is, and what may be given to one.

use super::service::{KeyError, Keys};
use crate::access::{
    ManageOrganizationKeys, OrgPolicy, Pattern, ReadOrganizationKeys, Role, Scopes, is_scope,
    subjects,
};
use crate::api_keys::{self, ApiKey};
use crate::environments;
use crate::events::Origin;
use crate::http::{Caller, KeyOwner};
use crate::kernel::id::{ApiKeyId, OrgId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::memberships::{self, Standing};
use crate::rbac;
use crate::store::{StoreError, Stored, Tx};
use crate::users::{self, User};

/// Who asks, from where, and what the policy of the app allows him beside.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    pub caller: &'a Caller,
    pub origin: &'a Origin,
    /// Keys of the environment, and the end of others'.
    pub manages_keys: bool,
    pub manages_accounts: bool,
    pub reads_accounts: bool,
}

/// What somebody comes to a key for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Read,
    Revoke,
    /// Give it another secret, scopes, name or end.
    Change,
}

impl Keys {
    /// Lets the caller at the keys of an owner. What is somebody else's is not there for him.
    pub(super) async fn let_at(
        &self,
        tx: &mut Tx<'_, Tenant>,
        (by, deed): (&By<'_>, Deed),
        owner: KeyOwner,
    ) -> Result<(), KeyError> {
        match owner {
            KeyOwner::User(id) if by.caller.user() == Some(id) => Ok(()),
            KeyOwner::User(_) if !by.manages_keys => Err(KeyError::Unknown),
            KeyOwner::User(_) if deed == Deed::Change => Err(KeyError::Forbidden),
            KeyOwner::User(_) => Ok(()),
            KeyOwner::Organization(org) => {
                let standing = self.standing(tx, by, org).await?;
                let may = match deed {
                    Deed::Read => standing.allows::<ReadOrganizationKeys>(),
                    Deed::Revoke | Deed::Change => standing.allows::<ManageOrganizationKeys>(),
                };
                may.then_some(()).ok_or(KeyError::Forbidden)
            }
            KeyOwner::Environment => by.manages_keys.then_some(()).ok_or(KeyError::Forbidden),
            KeyOwner::ServiceAccount(_) if by.manages_accounts => Ok(()),
            KeyOwner::ServiceAccount(_) if !by.reads_accounts => Err(KeyError::Unknown),
            KeyOwner::ServiceAccount(_) if deed == Deed::Read => Ok(()),
            KeyOwner::ServiceAccount(_) => Err(KeyError::Forbidden),
        }
    }

    async fn standing(
        &self,
        tx: &mut Tx<'_, Tenant>,
        by: &By<'_>,
        org: OrgId,
    ) -> Result<Standing, KeyError> {
        let standing = self.memberships.of_caller(tx, by.caller, org).await?;
        standing.ok_or(KeyError::Unknown)
    }

    /// A key that the caller may do this with.
    pub(super) async fn one(
        &self,
        tx: &mut Tx<'_, Tenant>,
        (by, deed): (&By<'_>, Deed),
        id: ApiKeyId,
    ) -> Result<ApiKey, KeyError> {
        let key = api_keys::get(tx, id).await?.ok_or(KeyError::Unknown)?;
        let let_in = self.let_at(tx, (by, deed), key.owner()).await;
        let_in.map_err(|error| match (error, key.owner()) {
            // Whoever does not manage those of the environment has not seen that it is there.
            (KeyError::Forbidden, KeyOwner::Environment) => KeyError::Unknown,
            (error, _) => error,
        })?;
        Ok(key)
    }

    /// Holds whoever a key is for, so that nobody who goes keeps one and of his keys one is made after
    /// the other, and refuses what the caller cannot give to such a key.
    pub(super) async fn may_give(
        &self,
        tx: &mut Tx<'_, Tenant>,
        by: &By<'_>,
        (owner, roles, lines): (KeyOwner, &[Role], &[Pattern]),
        now: Timestamp,
    ) -> Result<(), KeyError> {
        match owner {
            KeyOwner::User(id) => self.may_give_user(tx, by, (id, lines), now).await,
            KeyOwner::Organization(org) => {
                let standing = self.standing(tx, by, org).await?;
                memberships::changed(tx, org, now).await?;
                may_give_organization(&standing, lines)
            }
            KeyOwner::Environment => {
                let environment = environments::hold(tx).await?;
                // The credential that named it was good a moment ago.
                environment.ok_or(StoreError::Gone)?;
                self.may_give_roles(tx, by, (roles, lines)).await
            }
            KeyOwner::ServiceAccount(id) => {
                let account = api_keys::hold_account(tx, id).await?;
                let account = account.ok_or(KeyError::Unknown)?;
                self.may_give_roles(tx, by, (&account.roles, lines)).await
            }
        }
    }

    /// Whether the caller has all of these roles in the app, himself. Anybody may make a `USER`.
    pub fn holds(&self, by: &By<'_>, roles: &[Role]) -> bool {
        let is_platform = by.caller.tenant.app_id == self.memberships.platform;
        let mut beyond = roles.iter().filter(|role| **role != Role::User);
        beyond.all(|role| by.caller.holds(*role, is_platform))
    }

    async fn may_give_roles(
        &self,
        tx: &mut Tx<'_, Tenant>,
        by: &By<'_>,
        (roles, lines): (&[Role], &[Pattern]),
    ) -> Result<(), KeyError> {
        if !self.holds(by, roles) {
            return Err(KeyError::RoleNotHeld);
        }
        let is_platform = tx.scope().app_id == self.memberships.platform;
        let own = limited_as(by.caller, subjects(is_platform, roles));
        let policy = self.of_organizations(tx).await?;
        for (at, line) in lines.iter().enumerate() {
            self.must_be_known(&policy, (at, line))?;
            if !self.policy.allows_some(&own, line) && !policy.allows_some(&own, line) {
                return Err(KeyError::ScopeNotHeld(line.clone()));
            }
        }
        Ok(())
    }

    /// A user gives himself what he may in the app, or in one of his organisations.
    async fn may_give_user(
        &self,
        tx: &mut Tx<'_, Tenant>,
        by: &By<'_>,
        (id, lines): (UserId, &[Pattern]),
        now: Timestamp,
    ) -> Result<(), KeyError> {
        let user = users::hold(tx, id).await?;
        let user = user.filter(|user| user.may_sign_in(now));
        let user = user.ok_or(KeyError::Unknown)?;
        let is_platform = user.app_id == self.memberships.platform;
        let own = limited_as(by.caller, subjects(is_platform, &user.roles));
        let policy = self.of_organizations(tx).await?;
        let mut places = None;
        for (at, line) in lines.iter().enumerate() {
            self.must_be_known(&policy, (at, line))?;
            if self.policy.allows_some(&own, line) || policy.allows_some(&own, line) {
                continue;
            }
            if places.is_none() {
                places = Some(self.places(tx, &user).await?);
            }
            let mut all = places.iter().flatten();
            let allows = |place: &Standing| {
                let there = limited_as(by.caller, place.subjects().to_vec());
                place.policy.allows_some(&there, line)
            };
            if !all.any(allows) {
                return Err(KeyError::ScopeNotHeld(line.clone()));
            }
        }
        Ok(())
    }

    /// What a user is in each of his organisations here.
    async fn places(&self, tx: &mut Tx<'_, Tenant>, user: &User) -> Stored<Vec<Standing>> {
        let tenant = tx.scope();
        let all = memberships::memberships_of(&mut tx.within(tenant.app_id), user.id).await?;
        let mut places = Vec::new();
        for place in all.iter().filter(|place| place.tenant() == tenant) {
            let standing = self.memberships.of_user(tx, user, place.org_id).await?;
            places.extend(standing);
        }
        Ok(places)
    }

    /// What the roles of the app are in its organisations, whichever of them.
    async fn of_organizations(&self, tx: &mut Tx<'_, Tenant>) -> Stored<OrgPolicy> {
        let catalogue = rbac::catalogue(tx).await?;
        let resources = catalogue.map(|it| it.resources).unwrap_or_default();
        self.memberships.policies.draft(&resources, &[]).await
    }

    fn must_be_known(
        &self,
        policy: &OrgPolicy,
        (at, line): (usize, &Pattern),
    ) -> Result<(), KeyError> {
        let is_known = self.policy.knows(line) || policy.knows(line);
        is_known.then_some(()).ok_or(KeyError::UnknownScope(at))
    }
}

/// An organisation's key is tied to nobody: it is given what the caller has there in full.
fn may_give_organization(standing: &Standing, lines: &[Pattern]) -> Result<(), KeyError> {
    let (policy, own) = (&standing.policy, standing.subjects());
    for (at, line) in lines.iter().enumerate() {
        if !policy.knows(line) {
            return Err(KeyError::UnknownScope(at));
        }
        if !policy.holds_scope(own, line) {
            return Err(KeyError::ScopeNotHeld(line.clone()));
        }
    }
    Ok(())
}

/// These subjects, limited as the caller is.
fn limited_as(caller: &Caller, mut subjects: Vec<String>) -> Vec<String> {
    subjects.retain(|subject| !is_scope(subject));
    let scopes = caller.subjects.iter().filter(|subject| is_scope(subject));
    subjects.extend(scopes.cloned());
    subjects
}

/// Refuses a caller who is limited to less than the scopes of a key that he would come to have. One
/// without scopes is beyond everybody who has some, whatever they cover.
pub(super) fn refuse_beyond(by: &By<'_>, scopes: Option<&Scopes>) -> Result<(), KeyError> {
    let own = &by.caller.subjects;
    let is_within = match scopes {
        Some(scopes) => scopes.are_within(own),
        None => !own.iter().any(|subject| is_scope(subject)),
    };
    is_within.then_some(()).ok_or(KeyError::Forbidden)
}
