//! Looking at invitations: those of an organisation, those to oneself, and the one in a letter.

use super::answering::{AnswerError, open};
use super::record::State;
use super::repo;
use super::service::{Invitations, InviteError, KnownInvitation, inviter_name, named};
use crate::http::Entrance;
use crate::kernel::id::{InvitationId, OrgId, UserId};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Label;
use crate::memberships::{self, EnterError, Invitation, Organization};
use crate::store::{Stored, Tx};
use crate::users;

/// An invitation as whoever is invited sees it.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub invitation: Invitation,
    pub organization: Organization,
    pub inviter: Option<String>,
    pub roles: Vec<String>,
}

impl Offer {
    /// What the organisation is called, and shows.
    pub(super) fn own(&self) -> (Option<&Label>, Option<&str>) {
        let organization = &self.organization;
        (Some(&organization.name), organization.logo.as_deref())
    }
}

impl Invitations {
    pub(super) async fn list(
        &self,
        entrance: &Entrance<'_>,
        (org, state): (OrgId, Option<State>),
        page: (Option<&Position>, Limit),
    ) -> Result<Slice<KnownInvitation>, InviteError> {
        let now = self.accounts.clock.now();
        self.accounts
            .store
            .read(async |tx| {
                let mut tx = tx.within(entrance.caller.tenant);
                let memberships = &self.accounts.memberships;
                let standing = memberships.enter(&mut tx, entrance, org).await?;
                let found = repo::page(&mut tx, org, (state, now), page).await?;
                let items = found.items.into_iter().map(|it| named(&standing, it));
                Ok(Slice {
                    items: items.collect(),
                    next: found.next,
                })
            })
            .await
    }

    pub(super) async fn get(
        &self,
        entrance: &Entrance<'_>,
        (org, id): (OrgId, InvitationId),
    ) -> Result<KnownInvitation, InviteError> {
        self.accounts
            .store
            .read(async |tx| {
                let mut tx = tx.within(entrance.caller.tenant);
                let memberships = &self.accounts.memberships;
                let standing = memberships.enter(&mut tx, entrance, org).await?;
                let found = repo::of_organization(&mut tx, org, id).await?;
                Ok(named(&standing, found.ok_or(EnterError::Unknown)?))
            })
            .await
    }

    /// What the link of a letter offers.
    pub(super) async fn lookup(
        &self,
        token: &str,
        named: Option<Tenant>,
    ) -> Result<Offer, AnswerError> {
        let found = self.by_token(token, named).await?;
        let found = found.ok_or(AnswerError::Unknown)?;
        open(&found, self.accounts.clock.now())?;
        self.accounts
            .store
            .read(async |tx| {
                let mut tx = tx.within(found.tenant());
                let offer = self.offer(&mut tx, found.clone()).await?;
                offer.ok_or(AnswerError::Unknown)
            })
            .await
    }

    /// A page of the live invitations to a user's address; none while he has not proven it.
    pub(super) async fn of_user(
        &self,
        tenant: Tenant,
        user: UserId,
        page: (Option<&Position>, Limit),
    ) -> Result<Slice<Offer>, AnswerError> {
        let now = self.accounts.clock.now();
        self.accounts
            .store
            .read(async |tx| {
                let mut tx = tx.within(tenant);
                let user = users::get(&mut tx, user).await?;
                let Some(user) = user.filter(|user| user.email_verified) else {
                    return Ok(Slice {
                        items: Vec::new(),
                        next: None,
                    });
                };
                let found = repo::to_address(&mut tx, (&user.email, now), page).await?;
                let mut items = Vec::new();
                for invitation in found.items {
                    items.extend(self.offer(&mut tx, invitation).await?);
                }
                Ok(Slice {
                    items,
                    next: found.next,
                })
            })
            .await
    }

    async fn offer(
        &self,
        tx: &mut Tx<'_, Tenant>,
        invitation: Invitation,
    ) -> Stored<Option<Offer>> {
        let Some(organization) = memberships::get(tx, invitation.org_id).await? else {
            return Ok(None);
        };
        let place = (organization.id, organization.policy_id);
        let policy = self
            .accounts
            .memberships
            .policies
            .of(tx, place)
            .await?
            .policy;
        Ok(Some(Offer {
            inviter: inviter_name(tx, &invitation).await?,
            roles: policy.names(&invitation.roles),
            organization,
            invitation,
        }))
    }
}
