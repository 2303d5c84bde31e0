use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::brand::{Brand, Level};
use super::record::{Look, Place};
use super::repo;
use crate::apps::App;
use crate::kernel::id::{AppId, OrgId};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Label;
use crate::store::{Store, Stored, Tx};

/// How long another node's change may go unseen.
const STALE: Duration = Duration::from_secs(1);
const CACHED: u64 = 10_000;

/// How every app and organisation looks; look-ups are cached for a second.
#[derive(Debug, Clone)]
pub struct Brands {
    store: Store,
    known: Cache<(AppId, Option<OrgId>), Arc<Worn>>,
}

/// What is set where something is to be shown: of the app, and nearer, of the organisation.
#[derive(Debug, Default)]
pub struct Worn {
    pub app: Look,
    pub organization: Look,
}

impl Worn {
    /// How the app looks.
    pub fn by_app(&self, app: &App) -> Brand {
        Brand::of(&[self.level_of(app)])
    }

    /// How an organisation of the app looks, which has a name and a logo of its own, if they are known.
    pub fn by_organization(
        &self,
        app: &App,
        (name, logo): (Option<&Label>, Option<&str>),
    ) -> Brand {
        let set = &self.organization;
        Brand::of(&[Level { set, name, logo }, self.level_of(app)])
    }

    fn level_of<'a>(&'a self, app: &'a App) -> Level<'a> {
        Level {
            set: &self.app,
            name: Some(&app.name),
            logo: app.logo.as_deref(),
        }
    }
}

impl Brands {
    pub fn new(store: Store) -> Self {
        let known = Cache::builder()
            .max_capacity(CACHED)
            .time_to_live(STALE)
            .build();
        Self { store, known }
    }

    /// What is set for an app, and for an organisation of it if one is named, at most a second old.
    pub async fn of(&self, tenant: Tenant, org: Option<OrgId>) -> Stored<Arc<Worn>> {
        let key = (tenant.app_id, org);
        if let Some(known) = self.known.get(&key) {
            return Ok(known);
        }
        let mut once = self.store.once();
        let found = self.look_up(&mut once.shared(), tenant, org).await?;
        let found = Arc::new(found);
        self.known.insert(key, found.clone());
        Ok(found)
    }

    /// The same in this unit of work, as it is now.
    pub async fn look_up<S: Copy>(
        &self,
        tx: &mut Tx<'_, S>,
        tenant: Tenant,
        org: Option<OrgId>,
    ) -> Stored<Worn> {
        let (mut tx, app) = (tx.within(tenant.app_id), Place::App(tenant.app_id));
        let Some(org) = org else {
            let [app] = repo::of(&mut tx, [app]).await?;
            let organization = Look::default();
            return Ok(Worn { app, organization });
        };
        let places = [app, Place::Organization(tenant, org)];
        let [app, organization] = repo::of(&mut tx, places).await?;
        Ok(Worn { app, organization })
    }

    /// Forgets what this node knows: something was set, and counts here at once.
    pub fn forget(&self) {
        self.known.invalidate_all();
    }
}
