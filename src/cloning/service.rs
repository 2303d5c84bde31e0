use crate::environments::{self, ChangeError, Environment, Environments, Kind, NewEnvironment};
use crate::events::{self, Event, Name, Origin, Party};
use crate::http::Caller;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::EnvId;
use crate::kernel::text::{Color, Label, Slug};
use crate::kernel::time::{Clock, Timestamp};
use crate::store::{Store, Tx};
use crate::webhooks::Webhooks;

/// Makes environments like others.
#[derive(Debug, Clone)]
pub struct Cloning {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub environments: Environments,
    pub webhooks: Webhooks,
}

/// What the new environment is called, and what is to be different.
#[derive(Debug, Clone)]
pub(super) struct Likeness {
    pub name: Label,
    pub slug: Option<Slug>,
    pub kind: Option<Kind>,
    pub color: Option<Color>,
}

impl Cloning {
    /// Makes an environment like the one acted on.
    pub(super) async fn clone_environment(
        &self,
        caller: &Caller,
        (id, wanted): (EnvId, &Likeness),
        origin: &Origin,
    ) -> Result<Environment, ChangeError> {
        let mut once = self.store.once();
        let like = environments::seen(&mut once.within(caller.tenant), id).await?;
        let new = wanted.like(&like);
        let mut made = Err(ChangeError::SlugTaken);
        for slug in new.slugs(&self.entropy) {
            let now = self.clock.now();
            let what = (id, &new, &slug);
            made = self
                .store
                .write(async |tx| self.clone_in(tx, caller, what, (now, origin)).await)
                .await;
            if !matches!(made, Err(ChangeError::SlugTaken)) {
                break;
            }
        }
        Ok(self.environments.has_made(made?).await?)
    }

    async fn clone_in(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        (id, new, slug): (EnvId, &NewEnvironment, &Slug),
        (now, origin): (Timestamp, &Origin),
    ) -> Result<Environment, ChangeError> {
        let (tenant, made) = (caller.tenant, (now, &self.entropy));
        let like = environments::seen(&mut tx.within(tenant), id).await?;
        let new = (new, slug, Some(&like));
        let clone = environments::add(tx, tenant.app_id, new, made).await?;
        // What a feature keeps in an environment as its configuration is copied here.
        let levels = &self.environments.levels;
        let between = (tenant, clone.tenant());
        levels.copy(tx, between, now).await?;
        self.webhooks
            .copy(tx, between, (caller, origin), now)
            .await?;
        let told = Event::new(
            Name::EnvironmentCreated,
            tenant,
            caller.party(),
            origin,
            made,
        )
        .on(Party::new("environment", clone.id))
        .with("cloned_from", id.to_string());
        events::record(&mut tx.within(tenant), &told).await?;
        Ok(clone)
    }
}

impl Likeness {
    fn like(&self, like: &Environment) -> NewEnvironment {
        NewEnvironment {
            name: self.name.clone(),
            slug: self.slug.clone(),
            kind: self.kind.unwrap_or(like.kind),
            color: self.color.clone().or_else(|| like.color.clone()),
        }
    }
}
