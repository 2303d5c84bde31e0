//! The directory: which environment a request is about, by what it says in public.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use super::record::Environment;
use super::repo;
use super::service::{Environments, Named};
use crate::http::{Directory, Problem};
use crate::kernel::id::{AppId, EnvId};
use crate::kernel::tenant::Tenant;
use crate::kernel::text;
use crate::store::{StoreError, Stored};

/// Longer texts are no publishable keys and are not looked up.
const LONGEST_KEY: usize = 64;

impl Environments {
    pub(super) async fn find(
        &self,
        app: AppId,
        env: Option<EnvId>,
    ) -> Result<Option<Arc<Environment>>, StoreError> {
        if let Some(known) = self.lookups.noted(self.by_id.get(&(app, env))) {
            return Ok(known);
        }
        let mut once = self.store.once();
        let found = match env {
            Some(env) => repo::get(&mut once.within(app), env).await?,
            None => repo::default_of(&mut once.within(app)).await?,
        };
        let found = match found {
            Some(found) => Some(Arc::new(self.settled(found).await?)),
            None => None,
        };
        self.by_id.insert((app, env), found.clone());
        Ok(found)
    }

    /// The environment that a publishable key names: its own, or one that was its own and is good
    /// for a while yet.
    pub async fn named_by(&self, key: &str) -> Result<Option<Arc<Environment>>, StoreError> {
        if key.len() > LONGEST_KEY || !key.starts_with("pk_") {
            return Ok(None);
        }
        let named = if let Some(known) = self.lookups.noted(self.by_key.get(key)) {
            known
        } else {
            let found = self.look_up(key).await?;
            self.by_key.insert(key.to_owned(), found);
            found
        };
        let now = self.clock.now();
        let is_good = |named: &Named| named.until.is_none_or(|until| now < until);
        match named.filter(is_good) {
            Some(Named { tenant, .. }) => self.find(tenant.app_id, Some(tenant.env_id)).await,
            None => Ok(None),
        }
    }

    async fn look_up(&self, key: &str) -> Stored<Option<Named>> {
        let mut once = self.store.once();
        let mut all = once.across_tenants("a publishable key names its tenant");
        if let Some(environment) = repo::by_publishable_key(&mut all, key).await? {
            let (tenant, until) = (environment.tenant(), None);
            return Ok(Some(Named { tenant, until }));
        }
        let superseded = repo::superseded(&mut all, key).await?;
        Ok(superseded.map(|it| Named {
            tenant: it.tenant(),
            until: Some(it.expires_at),
        }))
    }

    async fn some_allows(&self, origin: &text::Origin) -> Result<bool, StoreError> {
        if let Some(known) = self.lookups.noted(self.origins.get(origin)) {
            return Ok(known);
        }
        let mut once = self.store.once();
        let mut all = once.across_tenants("a preflight request names an origin but no tenant");
        let allowed = repo::some_allows(&mut all, origin).await?;
        self.origins.insert(origin.clone(), allowed);
        Ok(allowed)
    }
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
            Ok(found.is_some_and(|found| found.kept.allowed_origins.contains(origin)))
        }
        .boxed_local()
    }
}
