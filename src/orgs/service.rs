use crate::api_keys::MayTell;
use crate::environments::{EnvironmentError, Environments};
use crate::events::{Event, Name, Origin};
use crate::http::{Caller, Entrance, Problem, ProblemKind};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{OrgId, UserId};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Slug;
use crate::kernel::time::{Clock, Timestamp};
use crate::memberships::{
    self, EnterError, GrantError, JoinError, LeaveError, Member, Memberships, Organization,
};
use crate::sessions::Turns;
use crate::store::{Schema, Store, StoreError};
use crate::tokens::RevocationIndex;

/// The verbs on organisations and members.
#[derive(Debug, Clone)]
pub struct Orgs {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub revocations: RevocationIndex,
    pub memberships: Memberships,
    pub turns: Turns,
    pub environments: Environments,
    /// Every collection of the product, some of which have parts of organisations.
    pub schemas: &'static [Schema],
}

#[derive(Debug, thiserror::Error)]
pub enum OrgError {
    #[error(transparent)]
    Enter(#[from] EnterError),
    #[error(transparent)]
    Join(#[from] JoinError),
    #[error(transparent)]
    Leave(#[from] LeaveError),
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error("another organisation has the slug")]
    SlugTaken,
    #[error("a slug that no organisation may have")]
    SlugReserved,
    /// Of seats, or of founding for others.
    #[error("only for administrators of the app")]
    NotAdministrator,
    #[error("only administrators of the app found organisations here")]
    CreationClosed,
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    #[error("the caller is no owner of the organisation")]
    NotOwner,
    #[error("the caller himself")]
    Oneself,
    #[error("a person is wanted, and a key asks")]
    NoPerson,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether an organisation could have a slug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SlugAnswer {
    pub slug: String,
    pub available: bool,
    pub reason: Option<&'static str>,
}

impl Orgs {
    pub(super) fn event(
        &self,
        name: Name,
        (caller, org): (&Caller, OrgId),
        (now, origin): (Timestamp, &Origin),
    ) -> Event {
        let made = (now, &self.entropy);
        Event::new(name, caller.tenant, caller.party(), origin, made).within(org)
    }

    /// Whether an organisation of this environment could have the slug now.
    pub(super) async fn check_slug(
        &self,
        tenant: Tenant,
        text: &str,
    ) -> Result<SlugAnswer, OrgError> {
        let answer = |reason: Option<&'static str>| SlugAnswer {
            slug: text.to_ascii_lowercase(),
            available: reason.is_none(),
            reason,
        };
        let Ok(slug) = Slug::parse(text) else {
            return Ok(answer(Some(INVALID_SLUG)));
        };
        if super::slugs::is_reserved(&slug) {
            return Ok(answer(Some(ProblemKind::SlugReserved.slug())));
        }
        let mut once = self.store.once();
        let other = memberships::by_slug(&mut once.within(tenant), &slug).await?;
        Ok(answer(other.map(|_| ProblemKind::SlugTaken.slug())))
    }

    /// A page of the organisations that a user is a member of, with what he is there.
    pub(super) async fn of_user(
        &self,
        tenant: Tenant,
        user: UserId,
        page: (Option<&Position>, Limit),
    ) -> Result<Slice<(Organization, Vec<String>)>, OrgError> {
        self.store
            .read(async |tx| {
                let mut tx = tx.within(tenant);
                let found = memberships::of_user(&mut tx, user, page).await?;
                let mut items = Vec::new();
                for (member, organization) in found.items {
                    let roles = self.role_names(&mut tx, &member, &organization).await?;
                    items.push((organization, roles));
                }
                Ok(Slice {
                    items,
                    next: found.next,
                })
            })
            .await
    }

    /// A page of the organisations of an environment.
    pub(super) async fn page(
        &self,
        tenant: Tenant,
        slug: Option<&str>,
        page: (Option<&Position>, Limit),
    ) -> Result<Slice<Organization>, OrgError> {
        let mut once = self.store.once();
        Ok(memberships::organizations(&mut once.within(tenant), slug, page).await?)
    }

    /// What a member's own roles are called.
    async fn role_names(
        &self,
        tx: &mut crate::store::Tx<'_, Tenant>,
        member: &Member,
        organization: &Organization,
    ) -> Result<Vec<String>, StoreError> {
        if member.roles.iter().all(|role| role.custom().is_none()) {
            return Ok(member.roles.iter().map(ToString::to_string).collect());
        }
        let place = (organization.id, organization.policy_id);
        let policy = self.memberships.policies.of(tx, place).await?.policy;
        Ok(policy.names(&member.roles))
    }
}

/// What a text is told that is no slug at all.
const INVALID_SLUG: &str = "invalid_slug";

/// What it takes to tell of keys whose maker leaves.
pub(super) fn may_tell<'a>(entrance: &Entrance<'a>, made: (Timestamp, &'a Entropy)) -> MayTell<'a> {
    MayTell {
        actor: entrance.caller.party(),
        origin: entrance.origin,
        made,
    }
}

impl From<OrgError> for Problem {
    fn from(error: OrgError) -> Self {
        match error {
            OrgError::Enter(error) => error.into(),
            OrgError::Join(error) => error.into(),
            OrgError::Leave(error) => error.into(),
            OrgError::Grant(error) => error.into(),
            OrgError::SlugTaken => ProblemKind::SlugTaken.into(),
            OrgError::SlugReserved => ProblemKind::SlugReserved.into(),
            OrgError::NotAdministrator | OrgError::NotOwner | OrgError::Oneself => {
                ProblemKind::Forbidden.into()
            }
            OrgError::CreationClosed => ProblemKind::OrganizationCreationClosed.into(),
            OrgError::Environment(error) => error.into(),
            OrgError::NoPerson => ProblemKind::UserRequired.into(),
            OrgError::Store(error) => error.into(),
        }
    }
}
