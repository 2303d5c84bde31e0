//! Reading, changing, deleting and handing over an organisation.

use super::founding::{oneself, taken};
use super::service::{OrgError, Orgs, may_tell};
use super::slugs;
use crate::access::OrgRole;
use crate::api_keys;
use crate::branding;
use crate::events::{self, Name, Party};
use crate::http::{Change, Entrance};
use crate::kernel::id::{MemberId, OrgId};
use crate::memberships::{self, EnterError, Organization, OrganizationChanges, Standing};
use crate::notifications;
use crate::rbac;
use crate::settings;
use crate::store::{Entity, StoreError, Tx};
use crate::tokens::{Revocation, revoke_organization};
use crate::users;

impl Orgs {
    /// The organisation, as the caller stands in it.
    pub(super) async fn get(
        &self,
        entrance: &Entrance<'_>,
        org: OrgId,
    ) -> Result<Standing, OrgError> {
        self.store
            .read(async |tx| {
                let mut tx = tx.within(entrance.caller.tenant);
                Ok(self.memberships.enter(&mut tx, entrance, org).await?)
            })
            .await
    }

    pub(super) async fn update(
        &self,
        entrance: &Entrance<'_>,
        is_administrator: bool,
        (org, changes): (OrgId, &OrganizationChanges),
    ) -> Result<Standing, OrgError> {
        if changes.max_members != Change::Keep && !is_administrator {
            return Err(OrgError::NotAdministrator);
        }
        if changes.slug.as_ref().is_some_and(slugs::is_reserved) {
            return Err(OrgError::SlugReserved);
        }
        let (now, caller) = (self.clock.now(), entrance.caller);
        self.store
            .write(async |tx| {
                let mut tx = tx.within(caller.tenant);
                let standing = self.memberships.enter(&mut tx, entrance, org).await?;
                let updated = memberships::update(&mut tx, org, changes, now).await;
                let updated = updated.map_err(taken)?.ok_or(StoreError::Conflict)?;
                let told = self
                    .event(
                        Name::OrganizationUpdated,
                        (caller, org),
                        (now, entrance.origin),
                    )
                    .on(Party::new("organization", org));
                events::record(&mut tx, &told).await?;
                Ok::<_, OrgError>(standing.of_changed(updated))
            })
            .await
    }

    /// Deletes an organisation and all that is part of it; tokens for it are refused.
    pub(super) async fn delete(&self, entrance: &Entrance<'_>, org: OrgId) -> Result<(), OrgError> {
        let revoked = self
            .store
            .write(async |tx| self.delete_in(tx, entrance, org).await)
            .await?;
        self.revocations.apply(&revoked);
        Ok(())
    }

    async fn delete_in(
        &self,
        tx: &mut Tx<'_>,
        entrance: &Entrance<'_>,
        org: OrgId,
    ) -> Result<Revocation, OrgError> {
        let (now, caller) = (self.clock.now(), entrance.caller);
        let mut tx = tx.within(caller.tenant);
        self.memberships.enter(&mut tx, entrance, org).await?;
        let gone = memberships::remove(&mut tx, org).await?;
        let gone = gone.ok_or(StoreError::Conflict)?;
        tx.remove_parts(self.schemas, Organization::COLLECTION, &org)
            .await?;
        notifications::retract_all(&mut tx, org).await?;
        rbac::remove_own(&mut tx, org).await?;
        settings::forget_organization(&mut tx, org).await?;
        branding::forget_organization(&mut tx, org).await?;
        let told = self
            .event(
                Name::OrganizationDeleted,
                (caller, org),
                (now, entrance.origin),
            )
            .on(Party::new("organization", org))
            .with("slug", gone.slug.as_str());
        events::record(&mut tx, &told).await?;
        // Whatever version a token has, it is older than the end.
        Ok(revoke_organization(&mut tx, org, i64::MAX, now, &self.entropy).await?)
    }

    /// Hands the caller's ownership to another member, who can act; the caller stays as an
    /// administrator of the organisation. One step: there is no moment with no owner, or with both.
    pub(super) async fn transfer(
        &self,
        entrance: &Entrance<'_>,
        (org, to): (OrgId, MemberId),
    ) -> Result<Organization, OrgError> {
        let (organization, revoked) = self
            .store
            .write(async |tx| self.transfer_in(tx, entrance, (org, to)).await)
            .await?;
        self.revocations.apply_all(&revoked);
        Ok(organization)
    }

    async fn transfer_in(
        &self,
        tx: &mut Tx<'_>,
        entrance: &Entrance<'_>,
        (org, to): (OrgId, MemberId),
    ) -> Result<(Organization, [Revocation; 2]), OrgError> {
        let (now, caller) = (self.clock.now(), entrance.caller);
        let mut tx = tx.within(caller.tenant);
        let standing = self.memberships.enter(&mut tx, entrance, org).await?;
        oneself(caller)?;
        let from = standing.member.as_ref();
        let from = from
            .filter(|member| member.is_owner())
            .ok_or(OrgError::NotOwner)?;
        let heir = memberships::member(&mut tx, org, to).await?;
        let heir = heir.ok_or(OrgError::Enter(EnterError::Unknown))?;
        if heir.id == from.id {
            return Err(OrgError::Oneself);
        }
        let user = users::get(&mut tx, heir.user_id).await?;
        if !user.is_some_and(|user| user.may_sign_in(now)) {
            return Err(OrgError::Join(memberships::JoinError::Inactive));
        }
        let made = (now, &self.entropy);
        let given = with(&heir.roles, OrgRole::OWNER, None);
        let left = with(&from.roles, OrgRole::ADMIN, Some(OrgRole::OWNER));
        // The heir first: so there is an owner at every step.
        let (_, to_heir) = memberships::set_roles(&mut tx, &heir, &given, made).await?;
        let (_, from_caller) = memberships::set_roles(&mut tx, from, &left, made).await?;
        let told = self
            .event(
                Name::OrganizationTransferred,
                (caller, org),
                (now, entrance.origin),
            )
            .on(Party::new("user", heir.user_id));
        events::record(&mut tx, &told).await?;
        let organization = memberships::get(&mut tx, org).await?;
        let organization = organization.ok_or(StoreError::Conflict)?;
        Ok((organization, [to_heir, from_caller]))
    }

    /// Ends the caller's own membership.
    pub(super) async fn leave(&self, entrance: &Entrance<'_>, org: OrgId) -> Result<(), OrgError> {
        let (now, caller) = (self.clock.now(), entrance.caller);
        let revoked = self
            .store
            .write(async |tx| {
                let mut tx = tx.within(caller.tenant);
                let user = oneself(caller)?;
                let own = memberships::member_of(&mut tx, org, user).await?;
                let own = own.ok_or(OrgError::Enter(EnterError::Unknown))?;
                let made = (now, &self.entropy);
                let revoked = memberships::leave(&mut tx, &own, made).await?;
                let tell = may_tell(entrance, made);
                api_keys::creator_left(&mut tx, (org, user), &tell).await?;
                let told = self
                    .event(Name::MemberLeft, (caller, org), (now, entrance.origin))
                    .on(Party::new("user", user));
                events::record(&mut tx, &told).await?;
                Ok::<_, OrgError>(revoked)
            })
            .await?;
        self.revocations.apply(&revoked);
        Ok(())
    }
}

/// These roles and one more, without another, in their order.
fn with(roles: &[OrgRole], more: OrgRole, less: Option<OrgRole>) -> Vec<OrgRole> {
    let kept = roles.iter().copied().filter(|role| Some(*role) != less);
    let mut all: Vec<OrgRole> = kept.chain([more]).collect();
    all.sort();
    all.dedup();
    all
}
