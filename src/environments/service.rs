use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use moka::sync::Cache;
use utoipa::ToSchema;

use super::record::{Environment, Settings};
use super::repo;
use crate::apps::{self, App};
use crate::events::{self, Event, Name, Origin};
use crate::http::{Caller, Change, Directory, Problem};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId};
use crate::kernel::language::Language;
use crate::kernel::tenant::Tenant;
use crate::kernel::text;
use crate::kernel::time::Clock;
use crate::store::{Store, StoreError};

/// How long another node's change of an environment may go unseen.
const STALE: Duration = Duration::from_secs(2);
const CACHED: u64 = 10_000;
/// Longer texts are no publishable keys and are not looked up.
const LONGEST_KEY: usize = 64;

/// The environments of every app, by their public names; look-ups are cached for seconds.
#[derive(Debug, Clone)]
pub struct Environments {
    store: Store,
    clock: Clock,
    entropy: Entropy,
    by_key: Cache<String, Option<Arc<Environment>>>,
    by_id: Cache<(AppId, Option<EnvId>), Option<Arc<Environment>>>,
    origins: Cache<text::Origin, bool>,
}

/// A change to settings; what is absent stays.
#[derive(Debug, Clone, Default, ToSchema)]
#[schema(as = EnvironmentSettingsChanges)]
pub(super) struct SettingsChanges {
    pub signup_open: Option<bool>,
    pub require_verification: Option<bool>,
    /// At most 50, each exactly as browsers send it: `https://app.example.com`.
    #[schema(max_items = 50)]
    pub allowed_origins: Option<Vec<text::Origin>>,
    pub default_language: Option<Language>,
    #[schema(value_type = Option<text::WebUrl>)]
    pub verify_email_url: Change<text::WebUrl>,
    #[schema(value_type = Option<text::WebUrl>)]
    pub reset_password_url: Change<text::WebUrl>,
    #[schema(value_type = Option<text::WebUrl>)]
    pub magic_link_url: Change<text::WebUrl>,
    #[schema(value_type = Option<text::WebUrl>)]
    pub change_email_url: Change<text::WebUrl>,
    #[schema(value_type = Option<text::WebUrl>)]
    pub invitation_url: Change<text::WebUrl>,
    #[schema(minimum = 3600, maximum = 2_592_000)]
    pub invitation_ttl_seconds: Option<u32>,
}

#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    #[error("no such environment")]
    Unknown,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Environments {
    pub fn new(store: Store, clock: Clock, entropy: Entropy) -> Self {
        Self {
            store,
            clock,
            entropy,
            by_key: cache(),
            by_id: cache(),
            origins: cache(),
        }
    }

    /// The environment of a tenant, at most seconds old.
    pub async fn of(&self, tenant: Tenant) -> Result<Arc<Environment>, EnvironmentError> {
        self.find(tenant.app_id, Some(tenant.env_id))
            .await?
            .ok_or(EnvironmentError::Unknown)
    }

    /// The app of a tenant.
    pub async fn app(&self, tenant: Tenant) -> Result<App, EnvironmentError> {
        let app = apps::get(&mut self.store.once().shared(), tenant.app_id).await?;
        app.ok_or(EnvironmentError::Unknown)
    }

    pub async fn list(&self, tenant: Tenant) -> Result<Vec<Environment>, EnvironmentError> {
        Ok(repo::list(&mut self.store.once().within(tenant)).await?)
    }

    /// The environment acted on. Another one of the same app is unknown in it: what is
    /// issued in one environment says nothing about the settings of another.
    pub(super) async fn get(
        &self,
        tenant: Tenant,
        id: EnvId,
    ) -> Result<Environment, EnvironmentError> {
        let mut once = self.store.once();
        own(repo::get(&mut once.within(tenant), id).await?, tenant)
    }

    /// Changes settings; a change made meanwhile by another administrator is kept.
    pub(super) async fn change_settings(
        &self,
        caller: &Caller,
        id: EnvId,
        changes: &SettingsChanges,
        origin: &Origin,
    ) -> Result<Environment, EnvironmentError> {
        let (now, tenant) = (self.clock.now(), caller.tenant);
        let updated = self
            .store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let seen = own(repo::get(&mut tx, id).await?, tenant)?;
                let settings = changes.applied_to(&seen.settings);
                let replaced = repo::replace_settings(&mut tx, &seen, &settings, now).await?;
                let told = Event::new(
                    Name::EnvironmentUpdated,
                    seen.tenant(),
                    caller.party(),
                    origin,
                    (now, &self.entropy),
                )
                .on(events::Party::new("environment", id));
                events::record(&mut tx, &told).await?;
                replaced.ok_or(EnvironmentError::Store(StoreError::Conflict))
            })
            .await?;
        self.by_key.invalidate_all();
        self.by_id.invalidate_all();
        self.origins.invalidate_all();
        Ok(updated)
    }

    async fn find(
        &self,
        app: AppId,
        env: Option<EnvId>,
    ) -> Result<Option<Arc<Environment>>, StoreError> {
        if let Some(known) = self.by_id.get(&(app, env)) {
            return Ok(known);
        }
        let mut once = self.store.once();
        let found = match env {
            Some(env) => repo::get(&mut once.within(app), env).await?,
            None => repo::default_of(&mut once.within(app)).await?,
        };
        let found = found.map(Arc::new);
        self.by_id.insert((app, env), found.clone());
        Ok(found)
    }

    /// The environment that a publishable key names.
    pub async fn named_by(&self, key: &str) -> Result<Option<Arc<Environment>>, StoreError> {
        if key.len() > LONGEST_KEY || !key.starts_with("pk_") {
            return Ok(None);
        }
        if let Some(known) = self.by_key.get(key) {
            return Ok(known);
        }
        let mut once = self.store.once();
        let mut all = once.across_tenants("a publishable key names its tenant");
        let found = repo::by_publishable_key(&mut all, key).await?.map(Arc::new);
        self.by_key.insert(key.to_owned(), found.clone());
        Ok(found)
    }

    async fn some_allows(&self, origin: &text::Origin) -> Result<bool, StoreError> {
        if let Some(known) = self.origins.get(origin) {
            return Ok(known);
        }
        let mut once = self.store.once();
        let mut all = once.across_tenants("a preflight request names an origin but no tenant");
        let allowed = repo::some_allows(&mut all, origin).await?;
        self.origins.insert(origin.clone(), allowed);
        Ok(allowed)
    }
}

fn own(found: Option<Environment>, tenant: Tenant) -> Result<Environment, EnvironmentError> {
    found
        .filter(|found| found.tenant() == tenant)
        .ok_or(EnvironmentError::Unknown)
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

impl Directory for Environments {
    fn by_publishable_key<'a>(
        &'a self,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Tenant>, Problem>> {
        async move { Ok(self.named_by(key).await?.map(|found| found.tenant())) }.boxed_local()
    }

    fn environment(
        &self,
        app: AppId,
        environment: Option<EnvId>,
    ) -> LocalBoxFuture<'_, Result<Option<Tenant>, Problem>> {
        async move {
            Ok(self
                .find(app, environment)
                .await?
                .map(|found| found.tenant()))
        }
        .boxed_local()
    }

    fn allows_origin<'a>(
        &'a self,
        tenant: Option<Tenant>,
        origin: &'a text::Origin,
    ) -> LocalBoxFuture<'a, Result<bool, Problem>> {
        async move {
            let Some(tenant) = tenant else {
                return Ok(self.some_allows(origin).await?);
            };
            let found = self.find(tenant.app_id, Some(tenant.env_id)).await?;
            Ok(found.is_some_and(|found| found.settings.allowed_origins.contains(origin)))
        }
        .boxed_local()
    }
}

impl SettingsChanges {
    fn applied_to(&self, settings: &Settings) -> Settings {
        Settings {
            signup_open: self.signup_open.unwrap_or(settings.signup_open),
            require_verification: self
                .require_verification
                .unwrap_or(settings.require_verification),
            allowed_origins: self
                .allowed_origins
                .clone()
                .unwrap_or_else(|| settings.allowed_origins.clone()),
            default_language: self.default_language.unwrap_or(settings.default_language),
            verify_email_url: self.verify_email_url.applied_to(&settings.verify_email_url),
            reset_password_url: self
                .reset_password_url
                .applied_to(&settings.reset_password_url),
            magic_link_url: self.magic_link_url.applied_to(&settings.magic_link_url),
            change_email_url: self.change_email_url.applied_to(&settings.change_email_url),
            invitation_url: self.invitation_url.applied_to(&settings.invitation_url),
            invitation_ttl_seconds: self
                .invitation_ttl_seconds
                .unwrap_or(settings.invitation_ttl_seconds),
        }
    }
}
