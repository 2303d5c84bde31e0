use crate::branding::{self, Brand, Brands, Look, ONE_LOOK, Place};
use crate::environments::{EnvironmentError, Environments};
use crate::events::{self, Event, Name, Origin, Party};
use crate::http::{Caller, Entrance, Problem};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::OrgId;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{Clock, Timestamp};
use crate::memberships::{self, EnterError, Memberships};
use crate::store::{Store, StoreError, Stored, Tx};

/// The verbs on branding.
#[derive(Debug, Clone)]
pub struct Styling {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub environments: Environments,
    pub memberships: Memberships,
    pub brands: Brands,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum StylingError {
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    #[error(transparent)]
    Enter(#[from] EnterError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who changes something, and in which organisation, if it is one of an organisation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hand<'a> {
    pub caller: &'a Caller,
    pub origin: &'a Origin,
    pub entrance: Option<(&'a Entrance<'a>, OrgId)>,
}

impl Hand<'_> {
    fn place(&self) -> Place {
        let tenant = self.caller.tenant;
        match self.entrance {
            Some((_, org)) => Place::Organization(tenant, org),
            None => Place::App(tenant.app_id),
        }
    }
}

impl Styling {
    /// What is set for the app, and how it looks.
    pub(super) async fn of_app(&self, tenant: Tenant) -> Result<(Look, Brand), StylingError> {
        let app = self.environments.app(tenant).await?;
        let mut once = self.store.once();
        let worn = self
            .brands
            .look_up(&mut once.shared(), tenant, None)
            .await?;
        let brand = worn.by_app(&app);
        Ok((worn.app, brand))
    }

    /// The same of an organisation that the caller may look at.
    pub(super) async fn of_organization(
        &self,
        entrance: &Entrance<'_>,
        org: OrgId,
    ) -> Result<(Look, Brand), StylingError> {
        let tenant = entrance.caller.tenant;
        let app = self.environments.app(tenant).await?;
        self.store
            .read(async |tx| {
                let mut tx = tx.within(tenant);
                let standing = self.memberships.enter(&mut tx, entrance, org).await?;
                let worn = self.brands.look_up(&mut tx, tenant, Some(org)).await?;
                let organization = &standing.organization;
                let own = (Some(&organization.name), organization.logo.as_deref());
                let brand = worn.by_organization(&app, own);
                Ok((worn.organization, brand))
            })
            .await
    }

    /// Sets exactly this. Counts on this node at once, and on every other within a second.
    pub(super) async fn replace(&self, hand: Hand<'_>, look: &Look) -> Result<(), StylingError> {
        let replaced = match self.try_replace(hand, look).await {
            // Somebody else was the first, and is found now.
            Err(StylingError::Store(error)) if error.duplicate() == Some(ONE_LOOK) => {
                self.try_replace(hand, look).await
            }
            other => other,
        };
        self.brands.forget();
        replaced
    }

    async fn try_replace(&self, hand: Hand<'_>, look: &Look) -> Result<(), StylingError> {
        let (now, place) = (self.clock.now(), hand.place());
        self.store
            .write(async |tx| {
                self.enter(tx, hand, now).await?;
                let made = (now, &self.entropy);
                branding::replace(&mut tx.within(place.app()), place, look, made).await?;
                Ok(self.tell(tx, hand, now).await?)
            })
            .await
    }

    /// Nothing is set any more.
    pub(super) async fn reset(&self, hand: Hand<'_>) -> Result<(), StylingError> {
        let (now, place) = (self.clock.now(), hand.place());
        let reset = self
            .store
            .write(async |tx| {
                self.enter(tx, hand, now).await?;
                if branding::remove(&mut tx.within(place.app()), place).await? {
                    self.tell(tx, hand, now).await?;
                }
                Ok(())
            })
            .await;
        self.brands.forget();
        reset
    }

    /// An organisation that is deleted meanwhile keeps nothing.
    async fn enter(
        &self,
        tx: &mut Tx<'_>,
        hand: Hand<'_>,
        now: Timestamp,
    ) -> Result<(), EnterError> {
        let Some((entrance, org)) = hand.entrance else {
            return Ok(());
        };
        let mut tx = tx.within(hand.caller.tenant);
        self.memberships.enter(&mut tx, entrance, org).await?;
        memberships::changed(&mut tx, org, now).await.map(drop)
    }

    async fn tell(&self, tx: &mut Tx<'_>, hand: Hand<'_>, now: Timestamp) -> Stored<()> {
        let (caller, made) = (hand.caller, (now, &self.entropy));
        let (name, party) = (Name::BrandingUpdated, caller.party());
        let told = Event::new(name, caller.tenant, party, hand.origin, made);
        let told = match hand.place() {
            Place::App(app) => told.on(Party::new("app", app)),
            Place::Organization(_, org) => told.within(org).on(Party::new("organization", org)),
        };
        events::record(&mut tx.within(caller.tenant), &told).await
    }
}

impl From<StylingError> for Problem {
    fn from(error: StylingError) -> Self {
        match error {
            StylingError::Environment(error) => error.into(),
            StylingError::Enter(error) => error.into(),
            StylingError::Store(error) => error.into(),
        }
    }
}
