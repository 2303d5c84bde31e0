use crate::environments::{EnvironmentError, Environments};
use crate::events::{self, Event, Name, Origin, Party};
use crate::http::{Caller, Entrance, Problem};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::OrgId;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{Clock, Timestamp};
use crate::memberships::{EnterError, Memberships};
use crate::settings::{Chosen, Key, Place, SettingError, Value};
use crate::store::{Store, StoreError, Tx};

/// The verbs on settings.
#[derive(Debug, Clone)]
pub struct Tuning {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub environments: Environments,
    pub memberships: Memberships,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum TuningError {
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    #[error(transparent)]
    Enter(#[from] EnterError),
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is to be chosen.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub key: Key,
    pub value: Value,
    /// Absent: as before.
    pub enforced: Option<bool>,
}

/// Who changes something, and in which organisation, if it is one of an organisation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hand<'a> {
    pub caller: &'a Caller,
    pub origin: &'a Origin,
    pub entrance: Option<(&'a Entrance<'a>, OrgId)>,
}

impl Tuning {
    /// Everything that is chosen for the environment, as it is now.
    pub(super) async fn of_environment(&self, tenant: Tenant) -> Result<Chosen, TuningError> {
        let mut once = self.store.once();
        Ok(self.chosen(&mut once.shared(), tenant).await?)
    }

    /// The same for an organisation that the caller may look at.
    pub(super) async fn of_organization(
        &self,
        entrance: &Entrance<'_>,
        org: OrgId,
    ) -> Result<Chosen, TuningError> {
        let tenant = entrance.caller.tenant;
        self.store
            .read(async |tx| {
                self.memberships
                    .enter(&mut tx.within(tenant), entrance, org)
                    .await?;
                let chosen = self.chosen(tx, tenant).await?;
                let place = Place::Organization(tenant, org);
                let levels = &self.environments.levels;
                Ok(levels.within(tx, place, chosen).await?)
            })
            .await
    }

    async fn chosen<S: Copy>(
        &self,
        tx: &mut Tx<'_, S>,
        tenant: Tenant,
    ) -> Result<Chosen, EnvironmentError> {
        self.environments.chosen(tx, tenant).await
    }

    /// Chooses in a place. Counts on this node at once, and on every other within a second.
    pub(super) async fn choose(
        &self,
        hand: Hand<'_>,
        place: Place,
        wish: &Wish,
    ) -> Result<(), TuningError> {
        let chosen = match self.try_choose(hand, place, wish).await {
            // Somebody else was the first, and is found now.
            Err(TuningError::Setting(error)) if error.was_second() => {
                self.try_choose(hand, place, wish).await
            }
            other => other,
        };
        self.environments.forget();
        chosen
    }

    async fn try_choose(
        &self,
        hand: Hand<'_>,
        place: Place,
        wish: &Wish,
    ) -> Result<(), TuningError> {
        let (now, tenant) = (self.clock.now(), hand.caller.tenant);
        self.store
            .write(async |tx| {
                self.enter(tx, hand).await?;
                let chosen = self.chosen(tx, tenant).await?;
                let what = (wish.key, &wish.value, wish.enforced);
                let levels = &self.environments.levels;
                levels.choose(tx, (place, &chosen), what, now).await?;
                let told = self.told(Name::SettingChosen, (hand, place, wish.key), now);
                events::record(&mut tx.within(of_record(hand, place)), &told).await?;
                Ok(())
            })
            .await
    }

    /// Takes a choice back, if there is one: what is chosen above counts again, or the default.
    pub(super) async fn take_back(
        &self,
        hand: Hand<'_>,
        place: Place,
        key: Key,
    ) -> Result<(), TuningError> {
        let now = self.clock.now();
        let taken = self
            .store
            .write(async |tx| {
                self.enter(tx, hand).await?;
                let levels = &self.environments.levels;
                if levels.take_back(tx, place, key).await? {
                    let told = self.told(Name::SettingTakenBack, (hand, place, key), now);
                    events::record(&mut tx.within(of_record(hand, place)), &told).await?;
                }
                Ok(())
            })
            .await;
        self.environments.forget();
        taken
    }

    async fn enter(&self, tx: &mut Tx<'_>, hand: Hand<'_>) -> Result<(), EnterError> {
        let Some((entrance, org)) = hand.entrance else {
            return Ok(());
        };
        let mut tx = tx.within(hand.caller.tenant);
        self.memberships.enter(&mut tx, entrance, org).await?;
        Ok(())
    }

    /// What was done, never to which value.
    fn told(
        &self,
        name: Name,
        (hand, place, key): (Hand<'_>, Place, Key),
        now: Timestamp,
    ) -> Event {
        let (caller, made) = (hand.caller, (now, &self.entropy));
        let tenant = of_record(hand, place);
        let told = Event::new(name, tenant, caller.party(), hand.origin, made);
        told.within(hand.entrance.map(|(_, org)| org))
            .on(Party::new("setting", key))
            .with("level", place.level().as_str())
    }

    /// The place of the installation's own choices.
    pub(super) fn platform(&self) -> Place {
        Place::Platform(self.environments.levels.platform)
    }
}

/// In whose record a choice stands: what operators choose for everybody is their own affair, whichever
/// app they act on.
fn of_record(hand: Hand<'_>, place: Place) -> Tenant {
    match place {
        Place::Platform(_) => hand.caller.home,
        Place::App(_) | Place::Environment(_) | Place::Organization(..) => hand.caller.tenant,
    }
}

impl From<TuningError> for Problem {
    fn from(error: TuningError) -> Self {
        match error {
            TuningError::Environment(error) => error.into(),
            TuningError::Enter(error) => error.into(),
            TuningError::Setting(error) => error.into(),
            TuningError::Store(error) => error.into(),
        }
    }
}
