use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::record::Environment;
use super::repo;
use crate::apps::{self, App};
use crate::events::{self, Event, Name, Origin};
use crate::http::{Caller, Problem, ProblemKind};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId, OrgId};
use crate::kernel::measure::{Lookups, Measured, Page};
use crate::kernel::tenant::Tenant;
use crate::kernel::text;
use crate::kernel::time::{Clock, Timestamp};
use crate::settings::{Chosen, Levels, Place, SettingError};
use crate::store::{Schema, Store, StoreError, Stored, Tx};
use crate::tokens::{RevocationIndex, SigningKeys};

/// How long another node's change of an environment may go unseen: with the look, less than a second.
const STALE: Duration = Duration::from_millis(750);
const CACHED: u64 = 10_000;

/// The environments of every app; look-ups by their public names are cached for less than a second.
#[derive(Debug, Clone)]
pub struct Environments {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) entropy: Entropy,
    pub(super) keys: SigningKeys,
    pub(super) revocations: RevocationIndex,
    pub(super) holdings: Holdings,
    /// What is chosen for environments.
    pub levels: Levels,
    pub(super) by_key: Cache<String, Option<Named>>,
    pub(super) by_id: Cache<(AppId, Option<EnvId>), Option<Arc<Environment>>>,
    pub(super) origins: Cache<text::Origin, bool>,
    pub(super) lookups: Arc<Lookups>,
}

/// What there may be in environments.
#[derive(Debug, Clone, Copy)]
pub struct Holdings {
    /// Every collection of the product.
    pub all: &'static [Schema],
    /// Those of them whose documents open an environment by being there: few in each.
    pub credentials: &'static [Schema],
}

/// What a publishable key names, and until when, where another one has superseded it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    pub tenant: Tenant,
    pub until: Option<Timestamp>,
}

#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    #[error("no such environment")]
    Unknown,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an environment is not made, changed or deleted.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    #[error("another environment of the app has the slug")]
    SlugTaken,
    #[error("the app has as many environments as it may have")]
    TooMany,
    #[error("the default environment cannot go")]
    IsDefault,
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Environments {
    pub fn new(
        (store, clock, entropy): (Store, Clock, Entropy),
        (keys, revocations): (SigningKeys, RevocationIndex),
        (holdings, levels): (Holdings, Levels),
    ) -> Self {
        Self {
            store,
            clock,
            entropy,
            keys,
            revocations,
            holdings,
            levels,
            by_key: cache(),
            by_id: cache(),
            origins: cache(),
            lookups: Arc::default(),
        }
    }

    /// The environment of a tenant, less than a second old.
    pub async fn of(&self, tenant: Tenant) -> Result<Arc<Environment>, EnvironmentError> {
        self.find(tenant.app_id, Some(tenant.env_id))
            .await?
            .ok_or(EnvironmentError::Unknown)
    }

    /// Whether there is such an environment; not, less than a second after it was deleted.
    pub async fn has(&self, tenant: Tenant) -> Result<bool, StoreError> {
        let found = self.find(tenant.app_id, Some(tenant.env_id)).await?;
        Ok(found.is_some())
    }

    /// The app of a tenant.
    pub async fn app(&self, tenant: Tenant) -> Result<App, EnvironmentError> {
        let app = apps::get(&mut self.store.once().shared(), tenant.app_id).await?;
        app.ok_or(EnvironmentError::Unknown)
    }

    pub async fn list(&self, tenant: Tenant) -> Result<Vec<Environment>, EnvironmentError> {
        let found = repo::list(&mut self.store.once().within(tenant)).await?;
        let mut settled = Vec::new();
        for environment in found {
            settled.push(self.settled(environment).await?);
        }
        Ok(settled)
    }

    /// The environment acted on. Another one of the same app is unknown in it: what is
    /// issued in one environment says nothing about another.
    pub(super) async fn get(
        &self,
        tenant: Tenant,
        id: EnvId,
    ) -> Result<Environment, EnvironmentError> {
        let mut once = self.store.once();
        let seen = seen(&mut once.within(tenant), id).await?;
        Ok(self.settled(seen).await?)
    }

    /// The environment, with what counts in it now.
    pub async fn settled(&self, environment: Environment) -> Stored<Environment> {
        let (tenant, is_production) = (environment.tenant(), environment.kind.is_production());
        let chosen = self.levels.of(tenant, is_production).await?;
        Ok(environment.settled(chosen))
    }

    /// All that is chosen for the environment, in this unit of work.
    pub async fn chosen<S: Copy>(
        &self,
        tx: &mut Tx<'_, S>,
        tenant: Tenant,
    ) -> Result<Chosen, EnvironmentError> {
        let seen = seen(&mut tx.within(tenant), tenant.env_id).await?;
        let is_production = seen.kind.is_production();
        Ok(self.levels.chosen(tx, tenant, is_production).await?)
    }

    /// The same for an organisation in the environment.
    pub async fn chosen_within(
        &self,
        tenant: Tenant,
        org: OrgId,
    ) -> Result<Chosen, EnvironmentError> {
        let environment = self.of(tenant).await?;
        let (place, chosen) = (Place::Organization(tenant, org), environment.chosen.clone());
        let mut once = self.store.once();
        Ok(self
            .levels
            .within(&mut once.shared(), place, chosen)
            .await?)
    }

    /// Forgets what is in memory: after a change here.
    pub fn forget(&self) {
        self.by_key.invalidate_all();
        self.by_id.invalidate_all();
        self.origins.invalidate_all();
    }

    /// What somebody has done to an environment, as it is told in the one that he acts on.
    pub(super) fn event(
        &self,
        name: Name,
        (caller, id): (&Caller, EnvId),
        (now, origin): (Timestamp, &Origin),
    ) -> Event {
        let made = (now, &self.entropy);
        Event::new(name, caller.tenant, caller.party(), origin, made)
            .on(events::Party::new("environment", id))
    }
}

/// The environment acted on, as it is in this unit of work.
pub async fn seen(tx: &mut Tx<'_, Tenant>, id: EnvId) -> Result<Environment, EnvironmentError> {
    let tenant = tx.scope();
    let found = repo::get(tx, id).await?;
    let own = found.filter(|found| found.tenant() == tenant);
    own.ok_or(EnvironmentError::Unknown)
}

fn cache<K, V>() -> Cache<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder()
        .max_capacity(CACHED)
        .time_to_live(STALE)
        .build()
}

impl Measured for Environments {
    fn tell(&self, page: &mut Page) {
        self.lookups.tell(page, "environments");
    }
}

impl From<EnvironmentError> for Problem {
    fn from(error: EnvironmentError) -> Self {
        match error {
            EnvironmentError::Unknown => ProblemKind::NotFound.into(),
            EnvironmentError::Store(error) => error.into(),
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Environment(error) => error.into(),
            ChangeError::SlugTaken => ProblemKind::SlugTaken.into(),
            ChangeError::TooMany => ProblemKind::EnvironmentLimit.into(),
            ChangeError::IsDefault => ProblemKind::DefaultEnvironment.into(),
            ChangeError::Setting(error) => error.into(),
            ChangeError::Store(error) => error.into(),
        }
    }
}
