//! Founding an organisation.

use super::service::{OrgError, Orgs};
use super::slugs;
use crate::events::{self, Name, Origin, Party};
use crate::http::{Caller, Principal};
use crate::kernel::id::{OrgId, UserId};
use crate::kernel::metadata::Metadata;
use crate::kernel::text::{Label, Slug};
use crate::kernel::time::Timestamp;
use crate::memberships::{self, JoinError, Organization, SLUG_TAKEN};
use crate::settings::Key;
use crate::store::{StoreError, Tx};

/// What an organisation begins with.
#[derive(Debug, Clone)]
pub(super) struct NewOrganization {
    pub name: Label,
    /// Absent: made of the name.
    pub slug: Option<Slug>,
    pub logo: Option<String>,
    pub metadata: Metadata,
    /// Only administrators of the app limit seats.
    pub max_members: Option<i64>,
    /// Only administrators of the app found for others.
    pub owner: Option<UserId>,
}

impl Orgs {
    /// Founds an organisation; its owner is the caller, or whom an administrator names.
    pub(super) async fn found(
        &self,
        (caller, is_administrator): (&Caller, bool),
        new: &NewOrganization,
        origin: &Origin,
    ) -> Result<Organization, OrgError> {
        if !is_administrator && (new.owner.is_some() || new.max_members.is_some()) {
            return Err(OrgError::NotAdministrator);
        }
        if !is_administrator {
            let environment = self.environments.of(caller.tenant).await?;
            if !environment.chosen.flag(Key::OrganizationCreationOpen) {
                return Err(OrgError::CreationClosed);
            }
        }
        let owner = new.owner.map_or_else(|| oneself(caller), Ok)?;
        if let Some(slug) = &new.slug {
            if slugs::is_reserved(slug) {
                return Err(OrgError::SlugReserved);
            }
            return self.try_found(caller, (new, slug, owner), origin).await;
        }
        // A slug that nobody asked for may be another one.
        let mut founded = Err(OrgError::SlugTaken);
        for slug in Slug::tries(slugs::of_name(&new.name), "org", &self.entropy) {
            founded = self.try_found(caller, (new, &slug, owner), origin).await;
            if !matches!(founded, Err(OrgError::SlugTaken)) {
                break;
            }
        }
        founded
    }

    async fn try_found(
        &self,
        caller: &Caller,
        (new, slug, owner): (&NewOrganization, &Slug, UserId),
        origin: &Origin,
    ) -> Result<Organization, OrgError> {
        let now = self.clock.now();
        self.store
            .write(async |tx| {
                self.found_in(tx, caller, (new, slug, owner), (now, origin))
                    .await
            })
            .await
    }

    async fn found_in(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        (new, slug, owner): (&NewOrganization, &Slug, UserId),
        (now, origin): (Timestamp, &Origin),
    ) -> Result<Organization, OrgError> {
        let (tenant, new) = (caller.tenant, new.clone());
        let mut tx = tx.within(tenant);
        let organization = Organization {
            id: OrgId::new(now, &self.entropy),
            app_id: tenant.app_id,
            env_id: tenant.env_id,
            name: new.name,
            slug: slug.clone(),
            logo: new.logo,
            metadata: new.metadata,
            created_by: Some(owner),
            owner_count: 1,
            member_count: 1,
            max_members: new.max_members,
            version: 1,
            policy_id: None,
            created_at: now,
            updated_at: now,
        };
        let id = organization.id;
        let made = (now, &self.entropy);
        let founded = memberships::found(&mut tx, &organization, owner, made);
        founded.await.map_err(refused)?;
        let told = self
            .event(Name::OrganizationCreated, (caller, id), (now, origin))
            .on(Party::new("organization", id))
            .with("slug", slug.as_str())
            .with("owner", owner.to_string());
        events::record(&mut tx, &told).await?;
        Ok(organization)
    }
}

/// The person who asks, in the app he acts on.
pub(super) fn oneself(caller: &Caller) -> Result<UserId, OrgError> {
    match caller.principal {
        Principal::User { user_id, .. } if caller.home == caller.tenant => Ok(user_id),
        Principal::User { .. } | Principal::Key { .. } => Err(OrgError::NoPerson),
    }
}

fn refused(error: JoinError) -> OrgError {
    match error {
        JoinError::Store(error) => taken(error),
        JoinError::UnknownUser
        | JoinError::Inactive
        | JoinError::AlreadyMember
        | JoinError::NoSeat
        | JoinError::Gone => error.into(),
    }
}

pub(super) fn taken(error: StoreError) -> OrgError {
    match error.duplicate() {
        Some(SLUG_TAKEN) => OrgError::SlugTaken,
        Some(_) | None => OrgError::Store(error),
    }
}
