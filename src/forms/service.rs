use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::answers::{Answered, Form, FormRefused};
use super::field::FormField;
use super::record::{FormConfig, FormType, FormVersion};
use super::repo;
use crate::events::{self, Event, Name, Origin, Party};
use crate::http::Caller;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, FormConfigId, FormVersionId};
use crate::kernel::metadata::Metadata;
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{Clock, Timestamp};
use crate::store::{Store, StoreError, Stored, Tx};

/// How long another node's change of a form may go unseen.
const STALE: Duration = Duration::from_secs(1);
const CACHED: u64 = 10_000;
/// How often it is begun again where another form came first.
const TRIES: usize = 3;

/// The forms of every app; look-ups are cached for a second.
#[derive(Debug, Clone)]
pub struct Forms {
    store: Store,
    clock: Clock,
    entropy: Entropy,
    by_app: Cache<AppId, Arc<Active>>,
}

/// The forms of an app that somebody is asked.
#[derive(Debug, Default)]
struct Active {
    signup: Option<Arc<Form>>,
    profile: Option<Arc<Form>>,
}

/// What a form is to be.
#[derive(Debug, Clone)]
pub(super) struct NewForm {
    pub fields: Vec<FormField>,
    pub active: bool,
    /// The version that is changed, 0 for none; whatever there is where none is named.
    pub seen: Option<i64>,
}

#[derive(Debug, thiserror::Error)]
pub enum FormError {
    #[error("no such form")]
    Unknown,
    #[error("the form is of another version")]
    Stale,
    #[error(transparent)]
    Refused(#[from] FormRefused),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Forms {
    pub fn new(store: Store, clock: Clock, entropy: Entropy) -> Self {
        let by_app = Cache::builder()
            .max_capacity(CACHED)
            .time_to_live(STALE)
            .build();
        Self {
            store,
            clock,
            entropy,
            by_app,
        }
    }

    /// What is asked of who makes an account, at most a second old; `None` where nothing is.
    pub async fn of_signup(&self, app: AppId) -> Stored<Option<Arc<Form>>> {
        Ok(self.active(app).await?.signup.clone())
    }

    /// What is asked of who changes his own account, at most a second old.
    pub async fn of_profile(&self, app: AppId) -> Stored<Option<Arc<Form>>> {
        let active = self.active(app).await?;
        Ok(active.profile.as_ref().or(active.signup.as_ref()).cloned())
    }

    /// What is kept of what somebody new says: the one judgement for every way to an account. Where
    /// no form is active, all of it.
    pub async fn signed_up(&self, app: AppId, answers: Metadata) -> Result<Answered, FormError> {
        let Some(form) = self.of_signup(app).await? else {
            return Ok(Answered {
                metadata: answers,
                version: None,
            });
        };
        Ok(Answered {
            metadata: form.answered(answers)?,
            version: Some(form.version),
        })
    }

    async fn active(&self, app: AppId) -> Stored<Arc<Active>> {
        if let Some(known) = self.by_app.get(&app) {
            return Ok(known);
        }
        let all = repo::all(&mut self.store.once().within(app)).await?;
        let active = Arc::new(Active::of(&all));
        self.by_app.insert(app, active.clone());
        Ok(active)
    }

    pub(super) async fn get(&self, app: AppId, which: FormType) -> Result<FormConfig, FormError> {
        let found = repo::of_type(&mut self.store.once().within(app), which).await?;
        found.ok_or(FormError::Unknown)
    }

    pub(super) async fn versions(
        &self,
        app: AppId,
        which: FormType,
        (after, limit): (Option<&Position>, Limit),
    ) -> Stored<Slice<FormVersion>> {
        let mut once = self.store.once();
        repo::page(&mut once.within(app), which, after, limit).await
    }

    /// Makes the form of the app acted on what is wanted, as its next version. Of changes at once
    /// each becomes a version of its own. Counts on this node at once.
    pub(super) async fn replace(
        &self,
        caller: &Caller,
        (which, new): (FormType, &NewForm),
        origin: &Origin,
    ) -> Result<FormConfig, FormError> {
        let mut replaced = self.try_replace(caller, (which, new), origin).await;
        // Somebody else was the first, and is found now.
        for _ in 0..TRIES {
            match &replaced {
                Err(FormError::Store(error)) if error.duplicate().is_some() => {}
                Ok(_) | Err(_) => break,
            }
            replaced = self.try_replace(caller, (which, new), origin).await;
        }
        self.by_app.invalidate(&caller.tenant.app_id);
        replaced
    }

    async fn try_replace(
        &self,
        caller: &Caller,
        (which, new): (FormType, &NewForm),
        origin: &Origin,
    ) -> Result<FormConfig, FormError> {
        let (tenant, now) = (caller.tenant, self.clock.now());
        self.store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let form = self.next(&mut tx, (which, new), now).await?;
                repo::keep(&mut tx, &self.past(&form, now)).await?;
                let told = self
                    .event(Name::FormConfigUpdated, caller, (now, origin))
                    .on(Party::new("form_config", form.id))
                    .with("form_type", which.as_str())
                    .with("version", form.version)
                    .with("active", form.active);
                events::record(&mut tx, &told).await?;
                Ok(form)
            })
            .await
    }

    /// The form after the change.
    async fn next(
        &self,
        tx: &mut Tx<'_, Tenant>,
        (which, new): (FormType, &NewForm),
        now: Timestamp,
    ) -> Result<FormConfig, FormError> {
        let seen = repo::of_type(tx, which).await?;
        let version = seen.as_ref().map_or(0, |seen| seen.version);
        if new.seen.is_some_and(|wanted| wanted != version) {
            return Err(FormError::Stale);
        }
        let past = repo::newest(tx, which).await?;
        let newest = past.as_ref().map_or(0, |past| past.version);
        let after = past.map_or(now, |past| past.created_at.plus(Duration::from_millis(1)));
        let form = FormConfig {
            id: FormConfigId::new(now, &self.entropy),
            app_id: tx.scope().app_id,
            form_type: which,
            fields: new.fields.clone(),
            active: new.active,
            version: newest + 1,
            created_at: now,
            updated_at: now.max(after),
        };
        let Some(seen) = seen else {
            repo::insert(tx, &form).await?;
            return Ok(form);
        };
        let form = FormConfig {
            id: seen.id,
            created_at: seen.created_at,
            ..form
        };
        let replaced = repo::replace(tx, &form, seen.version).await?;
        Ok(replaced.ok_or(StoreError::Conflict)?)
    }

    fn past(&self, form: &FormConfig, now: Timestamp) -> FormVersion {
        FormVersion {
            id: FormVersionId::new(now, &self.entropy),
            app_id: form.app_id,
            form_type: form.form_type,
            fields: form.fields.clone(),
            active: form.active,
            version: form.version,
            created_at: form.updated_at,
        }
    }

    /// Asks nobody any more; its versions stay.
    pub(super) async fn remove(
        &self,
        caller: &Caller,
        which: FormType,
        origin: &Origin,
    ) -> Stored<()> {
        let (tenant, now) = (caller.tenant, self.clock.now());
        let removed = self
            .store
            .write(async |tx: &mut Tx<'_>| {
                let mut tx = tx.within(tenant);
                let Some(form) = repo::take(&mut tx, which).await? else {
                    return Ok(());
                };
                let told = self
                    .event(Name::FormConfigRemoved, caller, (now, origin))
                    .on(Party::new("form_config", form.id))
                    .with("form_type", which.as_str())
                    .with("version", form.version);
                events::record(&mut tx, &told).await
            })
            .await;
        self.by_app.invalidate(&tenant.app_id);
        removed
    }

    fn event(&self, name: Name, caller: &Caller, (now, origin): (Timestamp, &Origin)) -> Event {
        let made = (now, &self.entropy);
        Event::new(name, caller.tenant, caller.party(), origin, made)
    }
}

impl Active {
    fn of(all: &[FormConfig]) -> Self {
        let active = |which: FormType| {
            let mut all = all.iter();
            let found = all.find(|form| form.active && form.form_type == which);
            found.map(|form| Arc::new(Form::from(form)))
        };
        Self {
            signup: active(FormType::Signup),
            profile: active(FormType::Profile),
        }
    }
}
