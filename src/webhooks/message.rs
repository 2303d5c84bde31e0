//! Messages: events as others are told of them, whether they are sent or asked for.
//!
//! Identifiers and words of ours, no addresses: where a request came from, and what somebody wrote
//! down as his reason, stays on the record of the environment.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::events::{Event, Name, Outcome, Party};
use crate::kernel::id::{AppId, EnvId, EventId, OrgId};
use crate::kernel::time::Timestamp;

/// The detail in which people say why they did something.
const REASON: &str = "reason";

/// An event, as webhooks get it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventMessage)]
pub(super) struct Message {
    /// The same however often and on whatever way it arrives.
    id: EventId,
    #[serde(rename = "type")]
    name: Name,
    timestamp: Timestamp,
    data: EventData,
}

/// What happened, to whom and by whom.
#[derive(Debug, Serialize, ToSchema)]
struct EventData {
    app_id: AppId,
    env_id: EnvId,
    /// The organisation that it happened in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    org_id: Option<OrgId>,
    outcome: Outcome,
    actor: Party,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    target: Option<Party>,
    /// What else is to be known, by the type of the event.
    details: Map<String, Value>,
    request_id: String,
}

impl From<Event> for Message {
    fn from(event: Event) -> Self {
        let mut details = event.details;
        details.retain(|name, value| name != REASON || is_ours(event.name, value));
        Self {
            id: event.id,
            name: event.name,
            timestamp: event.created_at,
            data: EventData {
                app_id: event.app_id,
                env_id: event.env_id,
                org_id: event.org_id,
                outcome: event.outcome,
                actor: event.actor,
                target: event.target,
                details,
                request_id: event.request_id,
            },
        }
    }
}

/// Whether the reason of an event is a word of ours, and nothing that somebody wrote.
fn is_ours(name: Name, reason: &Value) -> bool {
    let is_of_a_word = |c: char| c.is_ascii_lowercase() || c == '_';
    let is_a_word = |text: &str| !text.is_empty() && text.chars().all(is_of_a_word);
    let is_by_somebody = matches!(
        name,
        Name::ImpersonationStarted | Name::ImpersonationStopped
    );
    !is_by_somebody && reason.as_str().is_some_and(is_a_word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Origin;
    use crate::kernel::entropy::Entropy;
    use crate::kernel::tenant::Tenant;

    fn told(name: Name, reason: &str) -> Value {
        let (now, entropy) = (Timestamp::from_millis(0), Entropy::seeded(1));
        let tenant = Tenant {
            app_id: AppId::new(now, &entropy),
            env_id: EnvId::new(now, &entropy),
        };
        let ip = "192.0.2.7".parse().ok();
        let origin = Origin::new("r".to_owned(), ip, Some("curl"));
        let made = (now, &entropy);
        let event = Event::new(name, tenant, Party::system(), &origin, made);
        let event = event.with("reason", reason).with("sessions", 3);
        serde_json::to_value(Message::from(event)).unwrap()
    }

    #[test]
    fn a_message_says_what_happened_and_not_from_where() {
        let message = told(Name::UserBanned, "account_deleted");

        assert_eq!(message["type"], "user.banned");
        assert_eq!(message["timestamp"], "1970-01-01T00:00:00.000Z");
        let details = serde_json::json!({"reason": "account_deleted", "sessions": 3});
        assert_eq!(message["data"]["details"], details);
        let text = message.to_string();
        assert!(
            !text.contains("192.0.2.7") && !text.contains("curl"),
            "{text}"
        );
    }

    #[test]
    fn what_somebody_wrote_is_not_passed_on() {
        for written in [
            "Ticket 4711: Mia cannot sign in",
            "mia@example.org",
            "spam!",
            "",
        ] {
            let message = told(Name::UserBanned, written);
            assert!(
                message["data"]["details"].get("reason").is_none(),
                "{written}"
            );
        }
        // A person may use a single word, too.
        for name in [Name::ImpersonationStarted, Name::ImpersonationStopped] {
            let message = told(name, "curiosity");
            assert!(message["data"]["details"].get("reason").is_none());
        }
    }
}
