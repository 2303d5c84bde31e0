use super::founding::{Founded, found};
use crate::apps::{self, App, AppChanges, NewApp, SLUG_TAKEN};
use crate::environments::{self, Environments};
use crate::events::{self, Event, Name, Origin, Party};
use crate::http::{Caller, ProblemKind};
use crate::kernel::id::AppId;
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Label, Slug};
use crate::kernel::time::Timestamp;
use crate::sessions::Sessions;
use crate::store::{Schema, Store, StoreError, Tx};
use crate::tokens::SigningKeys;
use crate::users::UserError;

/// Founds, describes and closes apps.
#[derive(Debug, Clone)]
pub struct Tenancy {
    pub accounts: Sessions,
    pub keys: SigningKeys,
    /// Every collection: what an app owns goes with it.
    pub schemas: &'static [Schema],
}

#[derive(Debug, thiserror::Error)]
pub enum TenancyError {
    #[error("no such app")]
    Unknown,
    #[error("the slug is another app's")]
    SlugTaken,
    #[error("the app that holds the operators")]
    Platform,
    #[error("the slug was not repeated")]
    NotConfirmed,
    #[error(transparent)]
    User(#[from] UserError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An app to be founded.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub name: Label,
    /// Made of the name, where it is not given.
    pub slug: Option<Slug>,
    pub changes: AppChanges,
}

impl Tenancy {
    pub(super) fn store(&self) -> &Store {
        &self.accounts.store
    }

    pub(super) fn environments(&self) -> &Environments {
        &self.accounts.environments
    }

    /// Founds an app. Its secret keys are in the answer and nowhere else.
    pub(super) async fn found(
        &self,
        caller: &Caller,
        wanted: &Wanted,
        origin: &Origin,
    ) -> Result<Founded, TenancyError> {
        let slugs = if let Some(slug) = &wanted.slug {
            vec![slug.clone()]
        } else {
            let first = Slug::from_name(wanted.name.as_str());
            Slug::tries(first, "app", &self.accounts.entropy).collect()
        };
        for slug in slugs {
            match self.try_found(caller, (wanted, slug), origin).await {
                Err(StoreError::Duplicate(SLUG_TAKEN)) => {}
                founded => return Ok(self.with_keys(founded?).await),
            }
        }
        Err(TenancyError::SlugTaken)
    }

    async fn try_found(
        &self,
        caller: &Caller,
        (wanted, slug): (&Wanted, Slug),
        origin: &Origin,
    ) -> Result<Founded, StoreError> {
        let (now, by) = (self.accounts.clock.now(), caller.party());
        let new = NewApp {
            name: wanted.name.clone(),
            slug,
            is_platform: false,
        };
        self.store()
            .write(async |tx: &mut Tx<'_>| {
                let made = (now, &self.accounts.entropy);
                let founded = found(tx, new.clone(), (&by, origin), made).await?;
                let described = apps::update(tx, &founded.app, &wanted.changes, now).await?;
                let app = described.unwrap_or(founded.app);
                let told = self.event(Name::AppCreated, caller, app.id, (now, origin));
                events::record(&mut tx.within(told.tenant()), &told).await?;
                Ok(Founded { app, ..founded })
            })
            .await
    }

    /// Whoever signs first makes the key; what has been founded must be told in any case.
    async fn with_keys(&self, founded: Founded) -> Founded {
        for (environment, _) in &founded.environments {
            let now = self.accounts.clock.now();
            if let Err(error) = self.keys.ensure(environment.tenant(), now).await {
                tracing::warn!(%error, env_id = %environment.id, "a signing key was not made yet");
            }
        }
        founded
    }

    pub(super) async fn page(
        &self,
        after: Option<&Position>,
        limit: Limit,
    ) -> Result<Slice<App>, StoreError> {
        apps::page(&mut self.store().once().shared(), after, limit).await
    }

    pub(super) async fn get(&self, id: AppId) -> Result<App, TenancyError> {
        let app = apps::get(&mut self.store().once().shared(), id).await?;
        app.ok_or(TenancyError::Unknown)
    }

    /// Describes an app otherwise. Its own record tells of it, in its default environment.
    pub(super) async fn change(
        &self,
        caller: &Caller,
        (id, changes): (AppId, &AppChanges),
        origin: &Origin,
    ) -> Result<App, TenancyError> {
        let now = self.accounts.clock.now();
        let app = self
            .store()
            .write(async |tx| {
                let seen = apps::get(tx, id).await?.ok_or(TenancyError::Unknown)?;
                let moves = changes.slug.as_ref().is_some_and(|slug| *slug != seen.slug);
                if seen.is_platform && moves {
                    return Err(TenancyError::Platform);
                }
                let updated = apps::update(tx, &seen, changes, now).await.map_err(taken)?;
                let app = updated.ok_or(StoreError::Conflict)?;
                let home = home(tx, id).await?.unwrap_or(caller.tenant);
                let made = (now, &self.accounts.entropy);
                let told = Event::new(Name::AppUpdated, home, caller.party(), origin, made)
                    .on(Party::new("app", id));
                events::record(&mut tx.within(home), &told).await?;
                Ok(app)
            })
            .await?;
        self.environments().forget();
        Ok(app)
    }

    /// What an operator has done, in the record of the platform.
    pub(super) fn event(
        &self,
        name: Name,
        caller: &Caller,
        app: AppId,
        (now, origin): (Timestamp, &Origin),
    ) -> Event {
        let made = (now, &self.accounts.entropy);
        Event::new(name, caller.home, caller.party(), origin, made).on(Party::new("app", app))
    }
}

/// The default environment of an app, or its oldest one.
async fn home(tx: &mut Tx<'_>, app: AppId) -> Result<Option<Tenant>, StoreError> {
    let all = environments::list(&mut tx.within(app)).await?;
    let default = all.iter().find(|it| it.is_default).or(all.first());
    Ok(default.map(environments::Environment::tenant))
}

fn taken(error: StoreError) -> TenancyError {
    match error.duplicate() {
        Some(SLUG_TAKEN) => TenancyError::SlugTaken,
        Some(_) | None => error.into(),
    }
}

impl From<TenancyError> for crate::http::Problem {
    fn from(error: TenancyError) -> Self {
        match error {
            TenancyError::Unknown => ProblemKind::NotFound.into(),
            TenancyError::SlugTaken => ProblemKind::AppSlugTaken.into(),
            TenancyError::Platform => ProblemKind::PlatformApp.into(),
            TenancyError::NotConfirmed => ProblemKind::NotConfirmed.into(),
            TenancyError::User(error) => error.into(),
            TenancyError::Store(error) => error.into(),
        }
    }
}
