//! Accounts that are locked for a while after wrong passwords in a row.
//!
//! A try takes its place before anything is hashed, so that no number of tries at once gets past
//! the budget; whoever finds it full waits for those who are trying. Unknown accounts are treated
//! as known ones, by what they were called. A device that is known may have a lane of its own,
//! which strangers cannot lock. Behind a document that a clock ahead has written stands another.

use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

use super::attempt::{Attempt, Place};
use super::lockout::{self, Found, Lockout, LockoutSettings};
use super::{LimitError, beside};
use crate::events::{self, Event, Name, Origin, Party};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, UserId};
use crate::kernel::secret::MacKey;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{Clock, Timestamp};
use crate::store::{Store, StoreError, Stored, Tx};

/// How long somebody waits for others who are trying; shorter than a request may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// What who has waited in vain is told to wait again.
const SHORTLY: Duration = Duration::from_secs(1);

/// Who is tried: a user, or somebody who does not exist, by a normalised name.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    User(UserId),
    Nobody(&'a str),
}

/// What is known of an account's lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lock {
    /// Wrong passwords in a row.
    pub failed_attempts: i64,
    /// While the lock holds.
    pub locked_until: Option<Timestamp>,
}

/// Locks accounts against guessing, on all nodes alike.
#[derive(Debug, Clone)]
pub struct Lockouts {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) settings: LockoutSettings,
    entropy: Entropy,
    key: MacKey,
}

/// What whoever wants to try gets.
enum Turn {
    Place(Place),
    /// None now; there may be one in a moment.
    Later,
    /// None here: a clock ahead of this one has written what is found.
    Beside,
}

/// What is tried, and whom to tell of a lock.
struct Door<'a> {
    id: String,
    tenant: Tenant,
    user: Option<UserId>,
    origin: &'a Origin,
}

impl Turn {
    fn of(place: Option<Place>) -> Self {
        place.map_or(Self::Later, Self::Place)
    }
}

impl Lockouts {
    pub fn new(
        store: Store,
        clock: Clock,
        entropy: Entropy,
        key: MacKey,
        settings: LockoutSettings,
    ) -> Self {
        Self {
            store,
            clock,
            settings,
            entropy,
            key,
        }
    }

    /// Takes a place for one try, before its password is hashed. Waits while others are trying and
    /// it depends on them; refuses while a lock holds. A lock that refuses is an event once.
    ///
    /// `lane` is a device that is known to be the user's.
    pub async fn reserve(
        &self,
        tenant: Tenant,
        subject: Subject<'_>,
        lane: Option<&str>,
        origin: &Origin,
    ) -> Result<Attempt, LimitError> {
        let mut door = Door {
            id: self.key_of(tenant.app_id, subject, lane),
            tenant,
            user: match subject {
                Subject::User(user) => Some(user),
                Subject::Nobody(_) => None,
            },
            origin,
        };
        let mut waited = Duration::ZERO;
        while waited < PATIENCE {
            match self.turn(&door, self.clock.now()).await? {
                Turn::Place(place) => {
                    return Ok(Attempt {
                        lockouts: self.clone(),
                        id: door.id,
                        app_id: tenant.app_id,
                        place,
                    });
                }
                Turn::Later => waited += self.pause().await,
                Turn::Beside => door.id = beside(&door.id),
            }
        }
        Err(LimitError::TooMany {
            retry_after: SHORTLY,
        })
    }

    /// The lock of a user, as strangers meet it.
    pub async fn lock_of<S: Copy>(
        &self,
        tx: &mut Tx<'_, S>,
        app_id: AppId,
        user: UserId,
    ) -> Stored<Lock> {
        let now = self.clock.now();
        let mut id = self.key_of(app_id, Subject::User(user), None);
        let found = |it: &Lockout| it.found(&self.settings, now);
        let mut seen: Option<Lockout> = tx.within(app_id).get(&id).await?;
        while seen.as_ref().map(found) == Some(Found::Ahead) {
            id = beside(&id);
            seen = tx.within(app_id).get(&id).await?;
        }
        let counts = seen.filter(|it| found(it) != Found::Stale);
        Ok(Lock {
            failed_attempts: counts.as_ref().map_or(0, |it| it.failed),
            locked_until: counts
                .and_then(|it| it.locked_until)
                .filter(|until| *until > now),
        })
    }

    /// Forgets the wrong passwords of a user, in every lane; whether there were any.
    pub async fn lift<S: Copy>(
        &self,
        tx: &mut Tx<'_, S>,
        app_id: AppId,
        user: UserId,
    ) -> Stored<bool> {
        Ok(lockout::forget(&mut tx.within(app_id), user).await? > 0)
    }

    /// A place, if there is one now.
    async fn turn(&self, door: &Door<'_>, now: Timestamp) -> Result<Turn, LimitError> {
        let mut once = self.store.once();
        let mut tx = once.within(door.tenant.app_id);
        let Some(seen) = tx.get::<Lockout>(&door.id).await? else {
            return Ok(Turn::of(first(&mut tx, door, now).await?));
        };
        let settings = &self.settings;
        match seen.found(settings, now) {
            Found::Room => {
                let (has_room, reserve) = lockout::reserve(&seen, settings, now);
                let reserved = tx.update_one(has_room, reserve).await?;
                Ok(Turn::of(reserved.map(|_| Place::InTheBudget)))
            }
            Found::Trial => {
                let failed = seen.failed;
                let until = now.plus(settings.lock(failed + 1).unwrap_or(settings.longest));
                let (alone, begin) = lockout::begin_trial(&seen, until, now);
                let trial = tx.update_one(alone, begin).await?;
                Ok(Turn::of(trial.map(|_| Place::AfterALock { failed, until })))
            }
            Found::Others => Ok(Turn::Later),
            Found::Ahead => Ok(Turn::Beside),
            Found::Locked(until) => {
                if !seen.is_told() {
                    self.tell(door, until, now).await?;
                }
                Err(LimitError::TooMany {
                    retry_after: until.since(now),
                })
            }
            Found::Leaked => {
                let (unchanged, settle) = lockout::settle(&seen, settings, now);
                tx.update_one(unchanged, settle).await?;
                Ok(Turn::Later)
            }
            Found::Stale => {
                tx.take_one(lockout::is_stale(&door.id, now)).await?;
                Ok(Turn::Later)
            }
        }
    }

    async fn tell(&self, door: &Door<'_>, lock: Timestamp, now: Timestamp) -> Stored<()> {
        let made = (now, &self.entropy);
        let (anonymous, denied) = (Party::anonymous(), Name::SessionDenied);
        let told = Event::new(denied, door.tenant, anonymous, door.origin, made)
            .denied()
            .on(door.user.map(|user| Party::new("user", user)))
            .with("reason", "locked");
        self.store
            .write(async |tx| {
                let (untold, tell) = lockout::tell(&door.id, lock);
                let mut tx = tx.within(door.tenant);
                if tx.update_one(untold, tell).await?.is_some() {
                    events::record(&mut tx, &told).await?;
                }
                Ok::<_, StoreError>(())
            })
            .await
    }

    fn key_of(&self, app_id: AppId, subject: Subject<'_>, lane: Option<&str>) -> String {
        let app = app_id.to_string();
        let (kind, name) = match subject {
            Subject::User(user) => ("user", user.to_string()),
            Subject::Nobody(name) => ("nobody", name.to_owned()),
        };
        let lane = lane.unwrap_or_default();
        let parts = [app.as_str(), kind, &name, lane].map(str::as_bytes);
        BASE64_URL_SAFE_NO_PAD.encode(self.key.tag("lockout", &parts))
    }

    /// Waits 10 to 50 ms, so that those who wait do not come back all at once; how long.
    #[expect(
        clippy::disallowed_methods,
        reason = "whoever is trying may be on another node, which cannot call back"
    )]
    async fn pause(&self) -> Duration {
        let [chance] = self.entropy.bytes();
        let pause = Duration::from_millis(10 + u64::from(chance) % 41);
        tokio::time::sleep(pause).await;
        pause
    }
}

/// The first place of an account; `None` where somebody else has just taken it.
async fn first(tx: &mut Tx<'_, AppId>, door: &Door<'_>, now: Timestamp) -> Stored<Option<Place>> {
    let whose = (door.id.clone(), door.tenant.app_id);
    let lockout = Lockout::first(whose, door.user, now);
    match tx.insert(&lockout).await {
        Ok(()) => Ok(Some(Place::InTheBudget)),
        Err(error) if error.duplicate().is_some() => Ok(None),
        Err(error) => Err(error),
    }
}
