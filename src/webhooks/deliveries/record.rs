use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::record::Webhook;
use crate::events::{Event, Name};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, DeliveryId, EnvId, EventId, WebhookId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::outbound::Unreached;
use crate::store::{Entity, Index, OfEnvironment};

/// How long it is known what became of an event.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// An event on its way to a webhook, or there. It outlives the webhook until it is over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Delivery {
    #[serde(rename = "_id")]
    pub id: DeliveryId,
    pub app_id: AppId,
    pub env_id: EnvId,
    pub webhook_id: WebhookId,
    pub event_id: EventId,
    /// The name of the event, for lists.
    pub event: Name,
    pub status: DeliveryStatus,
    /// Attempts since it was made, or since somebody asked for it again.
    pub attempts: i64,
    /// While it is pending; whoever takes it in hand puts it off by the time that he is given.
    pub next_attempt_at: Timestamp,
    /// Until when the node that has it in hand is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// Of the last attempt, as all that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_status: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_excerpt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryStatus {
    Pending,
    Delivered,
    Failed,
}

/// Why an attempt came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = DeliveryFailure)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The name leads to an address that is not public.
    PrivateAddress,
    /// The name has no address.
    UnknownHost,
    /// Nobody listens there.
    ConnectionRefused,
    /// The certificate, or what was said before it, is not good.
    Tls,
    /// There was no answer in time.
    Timeout,
    /// The connection broke off.
    ConnectionLost,
    /// The answer was none of 2xx.
    Status,
    /// The webhook is switched off, or deleted.
    Inactive,
    /// The event is not kept any more.
    EventGone,
    /// The server has not the key that opens the secret of the webhook.
    Sealed,
    /// The URL is none that this server asks any more.
    InvalidUrl,
}

impl From<Unreached> for Failure {
    fn from(why: Unreached) -> Self {
        match why {
            Unreached::PrivateAddress => Self::PrivateAddress,
            Unreached::UnknownHost => Self::UnknownHost,
            Unreached::ConnectionRefused => Self::ConnectionRefused,
            Unreached::Tls => Self::Tls,
            Unreached::Timeout => Self::Timeout,
            Unreached::ConnectionLost => Self::ConnectionLost,
        }
    }
}

impl Delivery {
    /// One that is due at once.
    pub(in crate::webhooks) fn new(
        event: &Event,
        webhook: &Webhook,
        (now, entropy): (Timestamp, &Entropy),
    ) -> Self {
        Self {
            id: DeliveryId::new(now, entropy),
            app_id: webhook.app_id,
            env_id: webhook.env_id,
            webhook_id: webhook.id,
            event_id: event.id,
            event: event.name,
            status: DeliveryStatus::Pending,
            attempts: 0,
            next_attempt_at: now,
            lease_until: None,
            response_status: None,
            response_excerpt: None,
            latency_ms: None,
            failure: None,
            delivered_at: None,
            created_at: now,
        }
    }

    pub(in crate::webhooks) fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.env_id,
        }
    }
}

impl Entity for Delivery {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_webhook_deliveries";
    const INDEXES: &'static [Index] = &[
        // Whoever tells a webhook of an event a second time does nothing.
        Index::unique("webhook_deliveries_once", &["event_id", "webhook_id"]),
        Index::on(
            "webhook_deliveries_due",
            &["status", "next_attempt_at", "_id", "webhook_id"],
        ),
        Index::on("webhook_deliveries_backlog", &["webhook_id", "status"]),
        Index::on(
            "webhook_deliveries_webhook_created",
            &["app_id", "env_id", "webhook_id", "created_at", "_id"],
        ),
        Index::on("webhook_deliveries_created", &["created_at"]).expires_after(KEPT),
    ];
}
