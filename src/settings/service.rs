use super::chosen::Chosen;
use super::key::{Ground, Key};
use super::level::{Level, Place};
use super::precedence::Choice;
use super::record::{ONE_CHOICE, Setting};
use super::repo;
use super::value::Value;
use crate::http::{Problem, ProblemKind};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::AppId;
use crate::kernel::secret::KeyRing;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Sealed, Store, StoreError, Stored, Tx};

/// What is chosen at every level. Nothing is cached here: see [`crate::environments`].
#[derive(Debug, Clone)]
pub struct Levels {
    pub store: Store,
    pub entropy: Entropy,
    pub ring: KeyRing,
    /// The app with which the choices of the installation are kept.
    pub platform: AppId,
}

/// Why something is not chosen.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    #[error("{0} is not chosen at this level")]
    NotHere(Key),
    #[error("the level above enforces what it has chosen")]
    Enforced(Level),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Levels {
    /// What counts in an environment, less than one look old.
    pub async fn of(&self, tenant: Tenant, is_production: bool) -> Stored<Chosen> {
        let mut once = self.store.once();
        self.chosen(&mut once.shared(), tenant, is_production).await
    }

    /// The same in this unit of work.
    pub async fn chosen<S: Copy>(
        &self,
        tx: &mut Tx<'_, S>,
        tenant: Tenant,
        is_production: bool,
    ) -> Stored<Chosen> {
        let mut chosen = Chosen::new(self.ground(tenant, is_production));
        let platform = Place::Platform(self.platform);
        let of_platform = repo::chosen(&mut tx.within(self.platform), &[platform]).await?;
        let own = [Place::App(tenant.app_id), Place::Environment(tenant)];
        let own = repo::chosen(&mut tx.within(tenant.app_id), &own).await?;
        self.add(&mut chosen, of_platform.into_iter().chain(own));
        Ok(chosen)
    }

    fn ground(&self, tenant: Tenant, is_production: bool) -> Ground {
        if tenant.app_id == self.platform {
            return Ground::Platform;
        }
        if is_production {
            return Ground::Production;
        }
        Ground::Elsewhere
    }

    /// What counts in an organisation of the environment of which `chosen` is.
    pub async fn within<S: Copy>(
        &self,
        tx: &mut Tx<'_, S>,
        place: Place,
        mut chosen: Chosen,
    ) -> Stored<Chosen> {
        let own = repo::chosen(&mut tx.within(place.app()), &[place]).await?;
        self.add(&mut chosen, own.into_iter());
        Ok(chosen)
    }

    fn add(&self, chosen: &mut Chosen, settings: impl Iterator<Item = Setting>) {
        for setting in settings {
            if let Some(value) = self.value(&setting) {
                let enforced = setting.enforced;
                chosen.add(setting.key, setting.level, Choice { value, enforced });
            }
        }
    }

    /// What was chosen. What does not open or fit any more counts as not chosen, and is logged.
    fn value(&self, setting: &Setting) -> Option<Value> {
        let json = match &setting.sealed {
            Some(sealed) => {
                let opened = self.ring.open(sealed, &setting.bound_to()).ok();
                opened.and_then(|it| Some(String::from_utf8(it).ok()?.into()))
            }
            None => setting.value.clone(),
        };
        let value = json.and_then(|json| setting.key.definition().kind.parse(&json).ok());
        if value.is_none() {
            tracing::error!(setting = %setting.id, key = %setting.key, "a setting cannot be read");
        }
        value
    }

    /// Chooses in the caller's unit of work. `enforced`: absent, it stays as it is.
    pub async fn choose(
        &self,
        tx: &mut Tx<'_>,
        (place, chosen): (Place, &Chosen),
        (key, value, enforced): (Key, &Value, Option<bool>),
        now: Timestamp,
    ) -> Result<(), SettingError> {
        allowed(place, chosen, key)?;
        let mut tx = tx.within(place.app());
        let seen = repo::of(&mut tx, place, key).await?;
        let blank = || Setting::blank(place, key, (now, &self.entropy));
        let (is_new, setting) = seen.map_or_else(|| (true, blank()), |seen| (false, seen));
        let seal = |secret: &str| self.ring.seal(secret.as_bytes(), &setting.bound_to());
        let (shown, sealed) = (value.shown(), value.secret().map(seal));
        let enforced = enforced.unwrap_or(setting.enforced);
        if is_new {
            let made = Setting {
                value: shown,
                sealed,
                enforced,
                ..setting
            };
            return Ok(repo::insert(&mut tx, &made).await?);
        }
        let replaced = repo::replace(&mut tx, &setting, (shown, sealed), (enforced, now)).await?;
        replaced.ok_or(StoreError::Conflict)?;
        Ok(())
    }

    /// Takes a choice back; whether there was one.
    pub async fn take_back(&self, tx: &mut Tx<'_>, place: Place, key: Key) -> Stored<bool> {
        let taken = repo::remove(&mut tx.within(place.app()), place, key).await?;
        Ok(taken.is_some())
    }

    /// Chooses in one environment what is chosen in another of the same app.
    pub async fn copy(
        &self,
        tx: &mut Tx<'_>,
        (from, to): (Tenant, Tenant),
        now: Timestamp,
    ) -> Stored<()> {
        let mut tx = tx.within(from.app_id);
        for setting in repo::chosen(&mut tx, &[Place::Environment(from)]).await? {
            let made = (now, &self.entropy);
            let copy = Setting::blank(Place::Environment(to), setting.key, made);
            let Some(value) = self.value(&setting) else {
                continue;
            };
            // Sealed text opens nowhere else.
            let seal = |secret: &str| self.ring.seal(secret.as_bytes(), &copy.bound_to());
            let copy = Setting {
                value: value.shown(),
                sealed: value.secret().map(seal),
                enforced: setting.enforced,
                ..copy
            };
            repo::insert(&mut tx, &copy).await?;
        }
        Ok(())
    }
}

/// Whether the unit of work that chose was not the first one, and finds now what the first has chosen.
impl SettingError {
    pub fn was_second(&self) -> bool {
        match self {
            Self::Store(error) => error.duplicate() == Some(ONE_CHOICE),
            Self::NotHere(_) | Self::Enforced(_) => false,
        }
    }
}

fn allowed(place: Place, chosen: &Chosen, key: Key) -> Result<(), SettingError> {
    let level = place.level();
    if !key.definition().levels.contains(&level) {
        return Err(SettingError::NotHere(key));
    }
    match chosen.enforced_above(key, level) {
        Some(above) => Err(SettingError::Enforced(above)),
        None => Ok(()),
    }
}

impl From<SettingError> for Problem {
    fn from(error: SettingError) -> Self {
        match error {
            SettingError::NotHere(key) => {
                let levels = key.definition().levels.iter().map(|it| it.as_str());
                let levels = levels.collect::<Vec<_>>().join(", ");
                Problem::new(ProblemKind::SettingLevel)
                    .detail(format!("{key} can be chosen at: {levels}"))
            }
            SettingError::Enforced(level) => Problem::new(ProblemKind::SettingEnforced)
                .detail(format!("it is enforced at the level of the {level}")),
            SettingError::Store(error) => error.into(),
        }
    }
}
