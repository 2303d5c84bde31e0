//! What clients send and get of webhooks and deliveries.

use serde::Serialize;
use utoipa::ToSchema;

use super::changing::{NewWebhook, Told};
use super::deliveries::{Delivery, DeliveryStatus, Failure};
use super::headers::{self, Headers};
use super::pattern::Pattern;
use super::record::{DisabledReason, Webhook};
use super::repo::WebhookChanges;
use crate::events::Name;
use crate::http::{Change, Fields, FromFields};
use crate::kernel::id::{DeliveryId, EventId, OrgId, WebhookId};
use crate::kernel::secret::ExposeSecret;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;

/// The longest URL, in bytes; what is longer is not looked at.
const LONGEST_URL: usize = 2_048;
/// How many patterns a webhook has at most.
const MOST_EVENTS: usize = 50;

/// A webhook to make.
#[derive(Debug, ToSchema)]
pub(super) struct NewWebhookBody {
    /// `https`, to a public host, at port 443 or one from 1024 up.
    #[schema(value_type = String, max_length = 2048, format = "uri")]
    url: String,
    /// Names of events, beginnings of them like `user.*`, or `*`.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 50)]
    events: Vec<Pattern>,
    #[schema(nullable = false)]
    description: Option<Label>,
    /// At most 10 headers to send along. They are no place for secrets: whoever may read the
    /// webhook sees them, and a clone of the environment has them. None that frames, routes or
    /// authenticates a request, like `host`, `authorization`, `x-api-key` or `x-forwarded-for`.
    #[schema(nullable = false)]
    headers: Option<Headers>,
    /// Absent: it is.
    #[schema(nullable = false)]
    active: Option<bool>,
    /// The organisation whose events it hears of. Absent: those of the whole environment.
    #[schema(nullable = false)]
    org_id: Option<OrgId>,
}

impl FromFields for NewWebhookBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let url = fields.required("url", url);
        let events = fields.list("events", Pattern::parse);
        let events = events.and_then(|events| bounded(fields, events));
        let description = fields.optional("description", Label::parse);
        let headers = fields.map("headers", headers::parse);
        let active = fields.flag("active");
        let org_id = fields.optional("org_id", str::parse::<OrgId>);
        Some(Self {
            url: url?,
            events: events?,
            description: description?,
            headers: headers?,
            active: active?,
            org_id: org_id?,
        })
    }
}

impl From<NewWebhookBody> for NewWebhook {
    fn from(body: NewWebhookBody) -> Self {
        Self {
            org_id: body.org_id,
            url: body.url,
            events: body.events,
            description: body.description,
            headers: body.headers.unwrap_or_default(),
            active: body.active.unwrap_or(true),
        }
    }
}

/// What is to become of a webhook. `null` takes away the description; `{}` takes away headers.
#[derive(Debug, ToSchema)]
pub(super) struct WebhookPatch {
    #[schema(value_type = Option<String>, nullable = false, max_length = 2048, format = "uri")]
    url: Option<String>,
    #[schema(value_type = Option<Vec<String>>, nullable = false, min_items = 1, max_items = 50)]
    events: Option<Vec<Pattern>>,
    #[schema(value_type = Option<String>)]
    description: Change<Label>,
    /// All there are from then on.
    #[schema(nullable = false)]
    headers: Option<Headers>,
    /// Whoever is switched on begins anew: what it had failed at is forgotten.
    #[schema(nullable = false)]
    active: Option<bool>,
}

impl FromFields for WebhookPatch {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let url = fields.optional("url", url);
        let events = match fields.optional_list("events", Pattern::parse) {
            Some(Some(events)) => bounded(fields, events).map(Some),
            other => other,
        };
        let description = fields.change("description", Label::parse);
        let headers = fields.map("headers", headers::parse);
        let active = fields.flag("active");
        Some(Self {
            url: url?,
            events: events?,
            description: description?,
            headers: headers?,
            active: active?,
        })
    }
}

impl From<WebhookPatch> for WebhookChanges {
    fn from(body: WebhookPatch) -> Self {
        Self {
            url: body.url,
            events: body.events,
            description: body.description,
            headers: body.headers,
            active: body.active,
        }
    }
}

fn url(text: &str) -> Result<String, &'static str> {
    if text.len() > LONGEST_URL {
        return Err("must have at most 2,048 characters");
    }
    Ok(text.to_owned())
}

/// Each once, in the order they were given.
fn bounded(fields: &mut Fields, events: Vec<Pattern>) -> Option<Vec<Pattern>> {
    if events.is_empty() || events.len() > MOST_EVENTS {
        return fields.fault("events", "invalid_events", "must be 1 to 50");
    }
    let mut each: Vec<Pattern> = Vec::new();
    for event in events {
        if !each.contains(&event) {
            each.push(event);
        }
    }
    Some(each)
}

/// A URL that is told of events.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(super) struct WebhookView {
    id: WebhookId,
    /// The organisation whose events it hears of; absent for those of the whole environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    org_id: Option<OrgId>,
    #[schema(format = "uri", example = "https://hooks.example.com/authsome")]
    url: String,
    #[schema(value_type = Vec<String>, example = json!(["user.*", "member.added"]))]
    events: Vec<Pattern>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<Label>,
    headers: Headers,
    active: bool,
    /// Why the server has switched it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    disabled_reason: Option<DisabledReason>,
    /// Since when nothing has arrived, where the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failing_since: Option<Timestamp>,
    /// Until when the secret before signs as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    previous_secret_until: Option<Timestamp>,
    /// How many deliveries are on their way; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pending: Option<u64>,
    /// What messages are signed with: told when it is made, and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Webhook> for WebhookView {
    fn from(webhook: Webhook) -> Self {
        Self {
            id: webhook.id,
            org_id: webhook.org_id,
            url: webhook.url,
            events: webhook.events,
            description: webhook.description,
            headers: webhook.headers,
            active: webhook.active,
            disabled_reason: webhook.disabled_reason,
            failing_since: webhook.failing_since,
            previous_secret_until: webhook.previous_secret_until,
            pending: None,
            secret: None,
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }
}

impl From<(Webhook, u64)> for WebhookView {
    fn from((webhook, pending): (Webhook, u64)) -> Self {
        Self {
            pending: Some(pending),
            ..webhook.into()
        }
    }
}

impl From<Told> for WebhookView {
    fn from(told: Told) -> Self {
        Self {
            secret: Some(told.secret.expose_secret().to_owned()),
            ..told.webhook.into()
        }
    }
}

/// An event on its way to a webhook, or there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub(super) struct DeliveryView {
    id: DeliveryId,
    webhook_id: WebhookId,
    /// What its `webhook-id` is, however often it is sent.
    event_id: EventId,
    #[serde(rename = "type")]
    event: Name,
    status: DeliveryStatus,
    /// Since it was made, or since it was asked for again.
    #[schema(minimum = 0)]
    attempts: i64,
    /// While it is pending. Of one that is under way: when it is tried again if its node dies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_attempt_at: Option<Timestamp>,
    /// Of the last attempt, as all that follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    response_status: Option<i64>,
    /// The beginning of the answer, at most 1 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "ok")]
    response_excerpt: Option<String>,
    /// From the name to the last byte that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0)]
    latency_ms: Option<i64>,
    /// Why it came to nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failure: Option<Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    delivered_at: Option<Timestamp>,
    created_at: Timestamp,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let is_pending = delivery.status == DeliveryStatus::Pending;
        Self {
            id: delivery.id,
            webhook_id: delivery.webhook_id,
            event_id: delivery.event_id,
            event: delivery.event,
            status: delivery.status,
            attempts: delivery.attempts,
            next_attempt_at: is_pending.then_some(delivery.next_attempt_at),
            response_status: delivery.response_status,
            response_excerpt: delivery.response_excerpt,
            latency_ms: delivery.latency_ms,
            failure: delivery.failure,
            delivered_at: delivery.delivered_at,
            created_at: delivery.created_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<NewWebhookBody>();
        assert_documented::<WebhookPatch>();
    }
}
