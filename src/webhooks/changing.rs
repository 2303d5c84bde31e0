//! Webhooks themselves: making, reading, changing and deleting them.

use std::time::Duration;

use super::deliveries;
use super::headers::Headers;
use super::pattern::Pattern;
use super::record::{SEAT_TAKEN, Webhook};
use super::repo::{self, WebhookChanges};
use super::service::{Asking, MOST_OF_ENVIRONMENT, MOST_OF_ORGANIZATION, WebhookError, Webhooks};
use super::signature::{Secrets, new_secret};
use crate::events::{self, Name};
use crate::kernel::id::{OrgId, WebhookId};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::secret::SecretString;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Label;
use crate::memberships;
use crate::outbound::Target;
use crate::store::{StoreError, Tx};

/// What a webhook begins with.
#[derive(Debug, Clone)]
pub(super) struct NewWebhook {
    pub org_id: Option<OrgId>,
    pub url: String,
    pub events: Vec<Pattern>,
    pub description: Option<Label>,
    pub headers: Headers,
    pub active: bool,
}

/// A webhook, and its secret where it is told for the only time.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub webhook: Webhook,
    pub secret: SecretString,
}

impl Webhooks {
    pub(super) async fn list(
        &self,
        asking: &Asking<'_>,
        org: Option<OrgId>,
        page: (Option<&Position>, Limit),
    ) -> Result<Slice<Webhook>, WebhookError> {
        let tenant = asking.entrance.caller.tenant;
        self.store
            .read(async |tx| {
                let mut tx = tx.within(tenant);
                self.enter(&mut tx, asking, org).await?;
                Ok(repo::page(&mut tx, &holder(tenant, org), page).await?)
            })
            .await
    }

    /// A webhook, and how much is on its way to it.
    pub(super) async fn get(
        &self,
        asking: &Asking<'_>,
        id: WebhookId,
    ) -> Result<(Webhook, u64), WebhookError> {
        let tenant = asking.entrance.caller.tenant;
        self.store
            .read(async |tx| {
                let mut tx = tx.within(tenant);
                let webhook = self.found(&mut tx, asking, id).await?;
                let backlog = deliveries::repo::backlog(&mut tx, id).await?;
                Ok((webhook, backlog))
            })
            .await
    }

    /// Makes a webhook, which hears of what happens from then on. Of any number at once, no more get
    /// through than there are seats.
    pub(super) async fn create(
        &self,
        asking: &Asking<'_>,
        new: &NewWebhook,
    ) -> Result<Told, WebhookError> {
        let url = self.target(&new.url)?;
        let mut made = Err(WebhookError::SeatTaken);
        // Whoever loses a seat to another finds one less: after so many tries there is none.
        for _ in 0..=most(new.org_id) {
            made = self
                .store
                .write(async |tx| self.create_in(tx, asking, (new, &url)).await)
                .await;
            if !matches!(made, Err(WebhookError::SeatTaken)) {
                break;
            }
        }
        made
    }

    async fn create_in(
        &self,
        tx: &mut Tx<'_>,
        asking: &Asking<'_>,
        (new, url): (&NewWebhook, &Target),
    ) -> Result<Told, WebhookError> {
        let (now, tenant) = (self.clock.now(), asking.entrance.caller.tenant);
        let mut tx = tx.within(tenant);
        self.enter(&mut tx, asking, new.org_id).await?;
        if let Some(org) = new.org_id {
            memberships::changed(&mut tx, org, now).await?;
        }
        let holder = holder(tenant, new.org_id);
        let held = repo::held_by(&mut tx, &holder).await?;
        let seat = self.free_seat(&held, most(new.org_id))?;
        let (id, secret) = (
            WebhookId::new(now, &self.entropy),
            new_secret(&self.entropy),
        );
        let webhook = Webhook {
            id,
            app_id: tenant.app_id,
            env_id: tenant.env_id,
            org_id: new.org_id,
            holder,
            seat,
            url: url.as_str().to_owned(),
            events: new.events.clone(),
            description: new.description.clone(),
            headers: new.headers.clone(),
            secret: self.sealed(tenant, id, &Secrets::only(secret.clone())),
            previous_secret_until: None,
            active: new.active,
            disabled_reason: None,
            failing_since: None,
            created_at: now,
            updated_at: now,
        };
        repo::insert(&mut tx, &webhook).await.map_err(taken)?;
        let told = self.event(Name::WebhookCreated, &asking.entrance, &webhook, now);
        let told = told.with("events", names(&webhook.events));
        events::record(&mut tx, &told).await?;
        Ok(Told { webhook, secret })
    }

    /// Any that is free: those who come at once are not all to want the same.
    fn free_seat(&self, held: &[Webhook], most: i64) -> Result<i64, WebhookError> {
        let is_free = |seat: &i64| held.iter().all(|webhook| webhook.seat != *seat);
        let free: Vec<i64> = (0..most).filter(is_free).collect();
        let [chance] = self.entropy.bytes();
        let any = usize::from(chance).checked_rem(free.len());
        any.map(|any| free[any]).ok_or(WebhookError::TooMany)
    }

    pub(super) async fn update(
        &self,
        asking: &Asking<'_>,
        id: WebhookId,
        changes: &WebhookChanges,
    ) -> Result<Webhook, WebhookError> {
        let url = changes
            .url
            .as_deref()
            .map(|url| self.target(url))
            .transpose()?;
        let changes = &WebhookChanges {
            url: url.map(|url| url.as_str().to_owned()),
            ..changes.clone()
        };
        let (now, tenant) = (self.clock.now(), asking.entrance.caller.tenant);
        self.store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                self.found(&mut tx, asking, id).await?;
                let updated = repo::update(&mut tx, id, changes, now).await?;
                let updated = updated.ok_or(StoreError::Conflict)?;
                let told = self.event(Name::WebhookUpdated, &asking.entrance, &updated, now);
                let told = told
                    .with("active", updated.active)
                    .with("events", names(&updated.events));
                events::record(&mut tx, &told).await?;
                Ok(updated)
            })
            .await
    }

    /// Gives a webhook another secret. The one before signs beside it for the time of `overlap`; one
    /// from before that counts no more.
    pub(super) async fn rotate(
        &self,
        asking: &Asking<'_>,
        id: WebhookId,
        overlap: Duration,
    ) -> Result<Told, WebhookError> {
        let (now, tenant) = (self.clock.now(), asking.entrance.caller.tenant);
        self.store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let seen = self.found(&mut tx, asking, id).await?;
                let secret = new_secret(&self.entropy);
                let before = self.secrets(&seen, now).ok_or(WebhookError::Unopened)?;
                let both = before.followed_by(secret.clone());
                let until = (!overlap.is_zero()).then(|| now.plus(overlap));
                let secrets = if until.is_some() { both } else { both.newest() };
                let sealed = self.sealed(tenant, id, &secrets);
                let rotated = repo::rotate(&mut tx, &seen, (sealed, until), now).await?;
                let webhook = rotated.ok_or(StoreError::Conflict)?;
                let told = self.event(Name::WebhookSecretRotated, &asking.entrance, &webhook, now);
                events::record(&mut tx, &told).await?;
                Ok(Told { webhook, secret })
            })
            .await
    }

    /// Deletes a webhook. What is on its way to it is given up, and forgotten in its time.
    pub(super) async fn delete(
        &self,
        asking: &Asking<'_>,
        id: WebhookId,
    ) -> Result<(), WebhookError> {
        let (now, tenant) = (self.clock.now(), asking.entrance.caller.tenant);
        self.store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                self.found(&mut tx, asking, id).await?;
                let gone = repo::remove(&mut tx, id).await?;
                let gone = gone.ok_or(StoreError::Conflict)?;
                let told = self.event(Name::WebhookDeleted, &asking.entrance, &gone, now);
                Ok(events::record(&mut tx, &told).await?)
            })
            .await
    }
}

/// Whose webhooks they are.
pub(super) fn holder(tenant: Tenant, org: Option<OrgId>) -> String {
    org.map_or_else(|| tenant.env_id.to_string(), |org| org.to_string())
}

fn most(org: Option<OrgId>) -> i64 {
    if org.is_some() {
        MOST_OF_ORGANIZATION
    } else {
        MOST_OF_ENVIRONMENT
    }
}

pub(super) fn names(events: &[Pattern]) -> Vec<String> {
    events.iter().map(|it| it.as_str().to_owned()).collect()
}

fn taken(error: StoreError) -> WebhookError {
    match error.duplicate() {
        Some(SEAT_TAKEN) => WebhookError::SeatTaken,
        Some(_) | None => WebhookError::Store(error),
    }
}
