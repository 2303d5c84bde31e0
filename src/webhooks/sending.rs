//! What was sent to a webhook, and sending by hand.

use super::deliveries::{Delivery, DeliveryStatus, repo};
use super::record::Webhook;
use super::service::{Asking, WebhookError, Webhooks};
use crate::events::{self, Name, Party};
use crate::kernel::id::{DeliveryId, WebhookId};
use crate::kernel::page::{Limit, Position, Slice};
use crate::memberships::EnterError;

impl Webhooks {
    /// Sends a webhook an event of its own, which says nothing and which no other hears of.
    pub(super) async fn test(
        &self,
        asking: &Asking<'_>,
        id: WebhookId,
    ) -> Result<Delivery, WebhookError> {
        let (now, tenant) = (self.clock.now(), asking.entrance.caller.tenant);
        let queued = self
            .store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let webhook = active(self.found(&mut tx, asking, id).await?)?;
                let told = self.event(Name::WebhookTested, &asking.entrance, &webhook, now);
                let told = told.confidential();
                let delivery = Delivery::new(&told, &webhook, (now, &self.entropy));
                events::record(&mut tx, &told).await?;
                repo::insert(&mut tx, &delivery).await?;
                Ok::<_, WebhookError>(delivery)
            })
            .await?;
        self.bell.ring();
        Ok(queued)
    }

    pub(super) async fn deliveries(
        &self,
        asking: &Asking<'_>,
        (id, status): (WebhookId, Option<DeliveryStatus>),
        page: (Option<&Position>, Limit),
    ) -> Result<Slice<Delivery>, WebhookError> {
        let tenant = asking.entrance.caller.tenant;
        self.store
            .read(async |tx| {
                let mut tx = tx.within(tenant);
                self.found(&mut tx, asking, id).await?;
                Ok(repo::page(&mut tx, (id, status), page).await?)
            })
            .await
    }

    /// Has a delivery begin anew, at once. One that is under way at this moment goes on as it is.
    pub(super) async fn retry(
        &self,
        asking: &Asking<'_>,
        which: (WebhookId, DeliveryId),
    ) -> Result<Delivery, WebhookError> {
        let (now, tenant) = (self.clock.now(), asking.entrance.caller.tenant);
        let (id, delivery) = which;
        let queued = self
            .store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let webhook = self.found(&mut tx, asking, id).await?;
                let found = repo::get(&mut tx, which).await?;
                let (found, webhook) = (found.ok_or(EnterError::Unknown)?, active(webhook)?);
                let Some(anew) = repo::retry(&mut tx, delivery, now).await? else {
                    return Ok::<_, WebhookError>(found);
                };
                let told = self.event(Name::WebhookRetried, &asking.entrance, &webhook, now);
                let told = told
                    .on(Party::new("webhook_delivery", delivery))
                    .with("webhook_id", id.to_string());
                events::record(&mut tx, &told).await?;
                Ok(anew)
            })
            .await?;
        self.bell.ring();
        Ok(queued)
    }
}

fn active(webhook: Webhook) -> Result<Webhook, WebhookError> {
    let active = Some(webhook).filter(|webhook| webhook.active);
    active.ok_or(WebhookError::Inactive)
}
