//! Making and changing environments: their names, their keys, and which one is the default.

use std::time::Duration;

use super::record::{Environment, Kept, Kind, SLUG_TAKEN};
use super::repo::{self, EnvironmentChanges};
use super::service::{ChangeError, EnvironmentError, Environments, seen};
use crate::apps;
use crate::events::{self, Name, Origin};
use crate::http::Caller;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Color, Label, Slug};
use crate::kernel::time::Timestamp;
use crate::settings::{Key, Place, Value};
use crate::store::{StoreError, Stored, Tx};

/// How many environments an app has at most.
const MOST: u64 = 20;

/// What an environment begins with.
#[derive(Debug, Clone)]
pub struct NewEnvironment {
    pub name: Label,
    /// Absent: made of the name.
    pub slug: Option<Slug>,
    pub kind: Kind,
    pub color: Option<Color>,
}

impl NewEnvironment {
    /// The slugs to try, one after the other, as long as they are taken: what somebody has asked
    /// for is tried alone.
    pub fn slugs(&self, entropy: &Entropy) -> Vec<Slug> {
        if let Some(slug) = &self.slug {
            return vec![slug.clone()];
        }
        let first = Slug::from_name(self.name.as_str());
        Slug::tries(first, "environment", entropy).collect()
    }
}

/// A change to the settings of an environment.
pub(super) struct SettingsChange<'a> {
    pub kept: &'a dyn Fn(&Kept) -> Kept,
    /// What is chosen at its level.
    pub choices: Vec<(Key, Value)>,
}

/// Adds an environment to an app, like another one where one is given: with what that keeps.
pub async fn add(
    tx: &mut Tx<'_>,
    app: AppId,
    (new, slug, like): (&NewEnvironment, &Slug, Option<&Environment>),
    (now, entropy): (Timestamp, &Entropy),
) -> Result<Environment, ChangeError> {
    let counted = apps::adds_environment(tx, app, now).await?;
    counted.ok_or(EnvironmentError::Unknown)?;
    let mut tx = tx.within(app);
    if repo::count(&mut tx).await? >= MOST {
        return Err(ChangeError::TooMany);
    }
    let named = (new.name.clone(), slug.clone(), new.kind);
    let mut environment = Environment::new(app, named, false, (now, entropy));
    environment.color.clone_from(&new.color);
    if let Some(like) = like {
        environment.kept = like.kept.clone();
        environment.cloned_from = Some(like.id);
    }
    tx.insert(&environment).await.map_err(taken)?;
    Ok(environment)
}

impl Environments {
    pub(super) async fn create(
        &self,
        caller: &Caller,
        new: &NewEnvironment,
        origin: &Origin,
    ) -> Result<Environment, ChangeError> {
        let mut made = Err(ChangeError::SlugTaken);
        for slug in new.slugs(&self.entropy) {
            made = self.try_create(caller, (new, &slug), origin).await;
            if !matches!(made, Err(ChangeError::SlugTaken)) {
                break;
            }
        }
        Ok(self.has_made(made?).await?)
    }

    async fn try_create(
        &self,
        caller: &Caller,
        (new, slug): (&NewEnvironment, &Slug),
        origin: &Origin,
    ) -> Result<Environment, ChangeError> {
        let (now, tenant) = (self.clock.now(), caller.tenant);
        self.store
            .write(async |tx| {
                let made = (now, &self.entropy);
                let made = add(tx, tenant.app_id, (new, slug, None), made).await?;
                let told = self.event(Name::EnvironmentCreated, (caller, made.id), (now, origin));
                events::record(&mut tx.within(tenant), &told).await?;
                Ok(made)
            })
            .await
    }

    /// After the commit: the environment can sign, is known here, and has what counts in it.
    pub async fn has_made(&self, made: Environment) -> Stored<Environment> {
        self.forget();
        let ready = self.keys.ensure(made.tenant(), self.clock.now()).await;
        if let Err(error) = ready {
            // Whoever signs first makes the key.
            tracing::warn!(%error, env_id = %made.id, "a signing key was not made yet");
        }
        self.settled(made).await
    }

    pub(super) async fn update(
        &self,
        caller: &Caller,
        (id, changes): (EnvId, &EnvironmentChanges),
        origin: &Origin,
    ) -> Result<Environment, ChangeError> {
        let now = self.clock.now();
        let updated = self
            .store
            .write(async |tx| {
                let mut tx = tx.within(caller.tenant);
                let seen = seen(&mut tx, id).await?;
                let updated = repo::update(&mut tx, &seen, changes, now).await;
                let updated = updated.map_err(taken)?.ok_or(StoreError::Conflict)?;
                let told = self.event(Name::EnvironmentUpdated, (caller, id), (now, origin));
                events::record(&mut tx, &told).await?;
                Ok::<_, ChangeError>(updated)
            })
            .await?;
        self.forget();
        Ok(self.settled(updated).await?)
    }

    /// Changes what it keeps, and what is chosen at its level; a change made meanwhile by another
    /// administrator stays.
    pub(super) async fn change_settings(
        &self,
        caller: &Caller,
        (id, changed): (EnvId, &SettingsChange<'_>),
        origin: &Origin,
    ) -> Result<Environment, ChangeError> {
        let now = self.clock.now();
        let work = async |tx: &mut Tx<'_>| {
            let (tenant, what) = (caller.tenant, (id, changed));
            let replaced = self.change_in(tx, tenant, what, now).await?;
            let told = self.event(Name::EnvironmentUpdated, (caller, id), (now, origin));
            events::record(&mut tx.within(tenant), &told).await?;
            Ok::<_, ChangeError>(replaced)
        };
        let updated = match self.store.write(work).await {
            // Somebody else was the first, and is found now.
            Err(ChangeError::Setting(error)) if error.was_second() => self.store.write(work).await,
            other => other,
        };
        self.forget();
        Ok(self.settled(updated?).await?)
    }

    async fn change_in(
        &self,
        tx: &mut Tx<'_>,
        tenant: Tenant,
        (id, changed): (EnvId, &SettingsChange<'_>),
        now: Timestamp,
    ) -> Result<Environment, ChangeError> {
        let seen = seen(&mut tx.within(tenant), id).await?;
        let chosen = self
            .levels
            .chosen(tx, tenant, seen.kind.is_production())
            .await?;
        for (key, value) in &changed.choices {
            let place = (Place::Environment(tenant), &chosen);
            let what = (*key, value, None);
            self.levels.choose(tx, place, what, now).await?;
        }
        let kept = (changed.kept)(&seen.kept);
        let replaced = repo::keep(&mut tx.within(tenant), &seen, &kept, now).await?;
        Ok(replaced.ok_or(StoreError::Conflict)?)
    }

    /// Makes it the one that is meant where an app is named alone. There is no moment with none, or
    /// with two.
    pub(super) async fn set_default(
        &self,
        caller: &Caller,
        id: EnvId,
        origin: &Origin,
    ) -> Result<Environment, ChangeError> {
        let now = self.clock.now();
        let updated = self
            .store
            .write(async |tx| {
                let mut tx = tx.within(caller.tenant);
                let seen = seen(&mut tx, id).await?;
                if seen.is_default {
                    return Ok(seen);
                }
                let updated = repo::make_default(&mut tx, &seen, now).await?;
                let name = Name::EnvironmentDefaultChanged;
                let told = self.event(name, (caller, id), (now, origin));
                events::record(&mut tx, &told).await?;
                Ok::<_, ChangeError>(updated.ok_or(StoreError::Conflict)?)
            })
            .await?;
        self.forget();
        Ok(self.settled(updated).await?)
    }

    /// Gives it another publishable key. The one before is good for `grace` yet: until the time in
    /// the answer, exclusively. Without a grace those before that one are over as well.
    pub(super) async fn rotate_key(
        &self,
        caller: &Caller,
        (id, grace): (EnvId, Duration),
        origin: &Origin,
    ) -> Result<(Environment, Timestamp), ChangeError> {
        let now = self.clock.now();
        let (until, made) = (now.plus(grace), (now, &self.entropy));
        let updated = self
            .store
            .write(async |tx| {
                let mut tx = tx.within(caller.tenant);
                let seen = seen(&mut tx, id).await?;
                let key = seen.kind.publishable_key(&self.entropy);
                let updated = repo::rotate(&mut tx, &seen, &key, now).await?;
                if until > now {
                    repo::supersede(&mut tx, &seen, until, made).await?;
                } else {
                    repo::drop_superseded(&mut tx).await?;
                }
                let told = self
                    .event(Name::PublishableKeyRotated, (caller, id), (now, origin))
                    .with("superseded_until", until.to_string());
                events::record(&mut tx, &told).await?;
                Ok::<_, ChangeError>(updated.ok_or(StoreError::Conflict)?)
            })
            .await?;
        self.forget();
        Ok((self.settled(updated).await?, until))
    }
}

fn taken(error: StoreError) -> ChangeError {
    match error.duplicate() {
        Some(SLUG_TAKEN) => ChangeError::SlugTaken,
        Some(_) | None => ChangeError::Store(error),
    }
}
