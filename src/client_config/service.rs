use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::record::Offered;
use super::repo;
use crate::branding::Brands;
use crate::events::{self, Event, Name, Origin, Party};
use crate::forms::Forms;
use crate::http::Caller;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::AppId;
use crate::kernel::time::{Clock, Timestamp};
use crate::store::{Store, Stored, Tx};

/// How long another node's change may go unseen.
const STALE: Duration = Duration::from_secs(1);
const CACHED: u64 = 10_000;

/// What every app offers; look-ups are cached for a second.
#[derive(Debug, Clone)]
pub struct ClientConfigs {
    store: Store,
    clock: Clock,
    entropy: Entropy,
    /// What a page is shown beside what is offered.
    pub forms: Forms,
    pub brands: Brands,
    by_app: Cache<AppId, Arc<Offered>>,
}

impl ClientConfigs {
    pub fn new(
        (store, clock, entropy): (Store, Clock, Entropy),
        (forms, brands): (Forms, Brands),
    ) -> Self {
        let by_app = Cache::builder()
            .max_capacity(CACHED)
            .time_to_live(STALE)
            .build();
        Self {
            store,
            clock,
            entropy,
            forms,
            brands,
            by_app,
        }
    }

    /// What an app offers, at most a second old.
    pub async fn of(&self, app: AppId) -> Stored<Arc<Offered>> {
        if let Some(known) = self.by_app.get(&app) {
            return Ok(known);
        }
        let offered = Arc::new(self.set_for(app).await?);
        self.by_app.insert(app, offered.clone());
        Ok(offered)
    }

    /// What is set for an app.
    pub(super) async fn set_for(&self, app: AppId) -> Stored<Offered> {
        let set = repo::of_app(&mut self.store.once().within(app)).await?;
        Ok(set.map(|set| set.offered).unwrap_or_default())
    }

    /// Sets exactly this for the app acted on. Counts on this node at once.
    pub(super) async fn replace(
        &self,
        caller: &Caller,
        offered: &Offered,
        origin: &Origin,
    ) -> Stored<()> {
        let replaced = match self.try_replace(caller, offered, origin).await {
            // Somebody else was the first, and is found now.
            Err(error) if error.duplicate().is_some() => {
                self.try_replace(caller, offered, origin).await
            }
            other => other,
        };
        self.by_app.invalidate(&caller.tenant.app_id);
        replaced
    }

    async fn try_replace(&self, caller: &Caller, offered: &Offered, origin: &Origin) -> Stored<()> {
        let (now, app) = (self.clock.now(), caller.tenant.app_id);
        let told = self.updated(caller, (now, origin));
        self.store
            .write(async |tx: &mut Tx<'_>| {
                let made = (now, &self.entropy);
                repo::replace(&mut tx.within(app), app, offered, made).await?;
                events::record(&mut tx.within(caller.tenant), &told).await
            })
            .await
    }

    /// Every way is open again, and no page is named.
    pub(super) async fn reset(&self, caller: &Caller, origin: &Origin) -> Stored<()> {
        let (now, app) = (self.clock.now(), caller.tenant.app_id);
        let told = self.updated(caller, (now, origin));
        let reset = self
            .store
            .write(async |tx: &mut Tx<'_>| {
                if !repo::remove(&mut tx.within(app)).await? {
                    return Ok(());
                }
                events::record(&mut tx.within(caller.tenant), &told).await
            })
            .await;
        self.by_app.invalidate(&app);
        reset
    }

    fn updated(&self, caller: &Caller, (now, origin): (Timestamp, &Origin)) -> Event {
        let app = Party::new("app", caller.tenant.app_id);
        let (name, made) = (Name::ClientConfigUpdated, (now, &self.entropy));
        Event::new(name, caller.tenant, caller.party(), origin, made).on(app)
    }
}
