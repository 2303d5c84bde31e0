use actix_web::get;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::outbox::Outbox;
use super::record::{Channel, Notification, Status};
use super::repo;
use crate::access::{Permission, ReadNotifications};
use crate::http::{Allowed, Answer, Fields, FromFields, Ok200, Paging, Query};
use crate::kernel::id::{NotificationId, UserId};
use crate::kernel::language::Language;
use crate::kernel::page::Slice;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Email;
use crate::kernel::time::Timestamp;
use crate::mail::Templates;
use crate::store::{Store, Stored};

pub fn routes(config: &mut ServiceConfig) {
    config.service(list);
}

/// What administrators see of letters.
#[derive(Debug, Clone)]
pub struct Notifications {
    pub store: Store,
    pub outbox: Outbox,
}

/// A letter: what it was and what became of it, but nothing of what it says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Notification)]
struct NotificationView {
    id: NotificationId,
    /// Whom it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_id: Option<UserId>,
    channel: Channel,
    /// The name of what it says.
    #[schema(example = "verify_email")]
    template: String,
    /// The address, all but its first letter and its domain masked.
    #[schema(example = "m…@example.org")]
    to: String,
    #[schema(inline)]
    language: Language,
    status: Status,
    /// How often it was sent, or tried.
    #[schema(minimum = 0)]
    attempts: i64,
    /// While it is pending: when it is tried next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_attempt_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sent_at: Option<Timestamp>,
    /// What the last refusal was: `smtp 550 5.1.1`, `connection refused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_error: Option<String>,
    created_at: Timestamp,
}

/// A page of letters, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct NotificationPage {
    notifications: Vec<NotificationView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
}

/// Which letters, and which page of them.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    #[param(ignore)]
    paging: Paging,
    #[param(inline)]
    status: Option<Status>,
    /// The name of what they say, like `verify_email`.
    template: Option<String>,
    /// Whom they concern.
    user_id: Option<UserId>,
}

/// Which letters a list shows.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) status: Option<Status>,
    pub(super) template: Option<String>,
    pub(super) user_id: Option<UserId>,
}

impl FromFields for ListQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let paging = Paging::from_fields(fields);
        let status = fields.optional("status", status);
        let template = fields.optional("template", template);
        let user_id = fields.optional("user_id", str::parse::<UserId>);
        Some(Self {
            paging: paging?,
            status: status?,
            template: template?,
            user_id: user_id?,
        })
    }
}

fn status(text: &str) -> Result<Status, &'static str> {
    serde_json::from_value(text.into()).map_err(|_| "must be `pending`, `sent` or `failed`")
}

fn template(text: &str) -> Result<String, &'static str> {
    if Templates::names().contains(&text) {
        Ok(text.to_owned())
    } else {
        Err("is not the name of a letter")
    }
}

/// List letters
///
/// What was sent, is to be sent, and was given up, newest first; letters of the last 30 days.
/// Links and codes are nowhere.
#[utoipa::path(
    tag = "administration", operation_id = "admin.notifications.list",
    params(Paging, ListQuery),
    responses((status = 200, description = "A page of letters", body = NotificationPage)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadNotifications::NAME))),
)]
#[get("/v1/admin/notifications")]
async fn list(
    access: Allowed<ReadNotifications>,
    query: Query<ListQuery>,
    notifications: Data<Notifications>,
) -> Answer<Ok200<NotificationPage>> {
    let query = query.into_inner();
    let slice = notifications.page(access.tenant(), &query).await?;
    Ok(Ok200::new(NotificationPage {
        next_cursor: query.paging.cursor(slice.next.as_ref()),
        has_more: slice.next.is_some(),
        notifications: slice.items,
    }))
}

impl Notifications {
    async fn page(&self, tenant: Tenant, query: &ListQuery) -> Stored<Slice<NotificationView>> {
        let wanted = Wanted {
            status: query.status,
            template: query.template.clone(),
            user_id: query.user_id,
        };
        let mut once = self.store.once();
        let paging = (query.paging.after.as_ref(), query.paging.limit);
        let slice = repo::page(&mut once.within(tenant), &wanted, paging).await?;
        let letters = slice.items.into_iter();
        Ok(Slice {
            items: letters.map(|letter| self.view(letter)).collect(),
            next: slice.next,
        })
    }

    fn view(&self, letter: Notification) -> NotificationView {
        let to = self.outbox.address(&letter);
        let is_pending = letter.status == Status::Pending;
        NotificationView {
            id: letter.id,
            user_id: letter.user_id,
            channel: letter.channel,
            template: letter.template,
            to: to.as_ref().map_or_else(|| "…".to_owned(), masked),
            language: letter.language,
            status: letter.status,
            attempts: letter.attempts,
            next_attempt_at: is_pending.then_some(letter.next_attempt_at),
            sent_at: letter.sent_at,
            last_error: letter.last_error,
            created_at: letter.created_at,
        }
    }
}

fn masked(address: &Email) -> String {
    let (local, domain) = address.as_str().split_once('@').unwrap_or_default();
    let first: String = local.chars().take(1).collect();
    format!("{first}…@{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_masked_but_for_its_first_letter_and_its_domain() {
        for (address, expected) in [
            ("mia@example.org", "m…@example.org"),
            ("m@example.org", "m…@example.org"),
            ("ümit@example.org", "ü…@example.org"),
        ] {
            let address = Email::parse(address).expect("an address");
            assert_eq!(masked(&address), expected);
        }
    }
}
