use actix_web::get;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::record::{Channel, Notification, Status};
use super::repo::NotificationQuery;
use super::service::Notifications;
use crate::access::{Permission, ReadNotifications};
use crate::http::{Allowed, Answer, Fields, FromFields, Ok200, Paging, Query, Routing};
use crate::kernel::id::{NotificationId, UserId};
use crate::kernel::language::Language;
use crate::kernel::time::Timestamp;
use crate::mail::Templates;

pub fn routes(config: &mut Routing) {
    config.service(list);
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

impl ListQuery {
    fn which(&self) -> NotificationQuery {
        NotificationQuery {
            status: self.status,
            template: self.template.clone(),
            user_id: self.user_id,
        }
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
    let paging = &query.paging;
    let slice = notifications
        .page(
            access.tenant(),
            &query.which(),
            (paging.after.as_ref(), paging.limit),
        )
        .await?;
    let shown = |letter| {
        let to = notifications.masked_address(&letter);
        NotificationView::of(letter, to)
    };
    Ok(Ok200::new(NotificationPage {
        next_cursor: paging.cursor(slice.next.as_ref()),
        has_more: slice.next.is_some(),
        notifications: slice.items.into_iter().map(shown).collect(),
    }))
}

impl NotificationView {
    fn of(letter: Notification, to: String) -> Self {
        let is_pending = letter.status == Status::Pending;
        Self {
            id: letter.id,
            user_id: letter.user_id,
            channel: letter.channel,
            template: letter.template,
            to,
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
