use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::record::{ChosenRules, Rules, SessionConfig};
use super::repo;
use crate::events::{self, Event, Name, Origin, Party};
use crate::http::Caller;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::AppId;
use crate::kernel::measure::{Lookups, Measured, Page};
use crate::kernel::time::{Clock, Timestamp};
use crate::store::{Store, Stored, Tx};

/// How long another node's change of the rules may go unseen.
const STALE: Duration = Duration::from_secs(1);
const CACHED: u64 = 10_000;

/// The session rules of every app; look-ups are cached for a second.
#[derive(Debug, Clone)]
pub struct SessionRules {
    store: Store,
    clock: Clock,
    entropy: Entropy,
    own: Rules,
    by_app: Cache<AppId, Rules>,
    lookups: Arc<Lookups>,
}

impl Measured for SessionRules {
    fn tell(&self, page: &mut Page) {
        self.lookups.tell(page, "session_rules");
    }
}

impl SessionRules {
    /// `own` are the server's, for what an app has not set.
    pub fn new(store: Store, clock: Clock, entropy: Entropy, own: Rules) -> Self {
        let by_app = Cache::builder()
            .max_capacity(CACHED)
            .time_to_live(STALE)
            .build();
        Self {
            store,
            clock,
            entropy,
            own,
            by_app,
            lookups: Arc::default(),
        }
    }

    /// The rules of an app, at most a second old.
    pub async fn of(&self, app: AppId) -> Stored<Rules> {
        if let Some(known) = self.lookups.noted(self.by_app.get(&app)) {
            return Ok(known);
        }
        let rules = self.effective(&self.chosen(app).await?);
        self.by_app.insert(app, rules);
        Ok(rules)
    }

    /// What is set for an app.
    pub(super) async fn chosen(&self, app: AppId) -> Stored<ChosenRules> {
        let set = repo::of_app(&mut self.store.once().within(app)).await?;
        Ok(set.as_ref().map(SessionConfig::chosen).unwrap_or_default())
    }

    /// The rules where this is set.
    pub(super) fn effective(&self, chosen: &ChosenRules) -> Rules {
        self.own.with(chosen)
    }

    /// Sets exactly what is chosen for the app acted on. Counts on this node at once.
    pub(super) async fn replace(
        &self,
        caller: &Caller,
        chosen: &ChosenRules,
        origin: &Origin,
    ) -> Stored<()> {
        let replaced = self.try_replace(caller, chosen, origin).await;
        let replaced = match replaced {
            // Somebody else was the first, and is found now.
            Err(error) if error.duplicate().is_some() => {
                self.try_replace(caller, chosen, origin).await
            }
            other => other,
        };
        self.by_app.invalidate(&caller.tenant.app_id);
        replaced
    }

    async fn try_replace(
        &self,
        caller: &Caller,
        chosen: &ChosenRules,
        origin: &Origin,
    ) -> Stored<()> {
        let (now, app) = (self.clock.now(), caller.tenant.app_id);
        let told = self.updated(caller, (now, origin));
        self.store
            .write(async |tx: &mut Tx<'_>| {
                repo::replace(&mut tx.within(app), app, chosen, (now, &self.entropy)).await?;
                events::record(&mut tx.within(caller.tenant), &told).await
            })
            .await
    }

    /// Back to the server's own rules.
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
        let made = (now, &self.entropy);
        let name = Name::SessionConfigUpdated;
        Event::new(name, caller.tenant, caller.party(), origin, made).on(app)
    }
}
