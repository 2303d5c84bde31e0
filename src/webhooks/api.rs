use std::time::Duration;

use actix_web::web::Data;
use actix_web::{delete, get, patch, post};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::changing::NewWebhook;
use super::repo::WebhookChanges;
use super::service::{Asking, Webhooks};
use super::wire::{NewWebhookBody, WebhookPatch, WebhookView};
use super::{deliveries_api, feed};
use crate::access::{
    ManageOrganizationWebhooks, ManageWebhooks, Permission, ReadOrganizationWebhooks, ReadWebhooks,
};
use crate::http::{
    Answer, Body, Created, Entering, Fields, FromFields, NoContent, Ok200, Paging, PathId,
    ProblemKind, Query, Routing,
};
use crate::kernel::id::{OrgId, WebhookId};

/// How long the secret before signs as well, unless somebody wants otherwise, and at most.
const OVERLAP: Duration = Duration::from_hours(24);
const LONGEST_OVERLAP: u32 = 7 * 24 * 3_600;

pub fn routes(config: &mut Routing) {
    config
        .service(create)
        .service(list)
        .service(read)
        .service(update)
        .service(remove)
        .service(rotate)
        .configure(deliveries_api::routes)
        .configure(feed::routes);
}

impl Entering<ReadOrganizationWebhooks> {
    pub(super) fn asking(&self) -> Asking<'_> {
        Asking {
            entrance: self.entrance(),
            in_environment: self.also::<ReadWebhooks>(),
        }
    }
}

impl Entering<ManageOrganizationWebhooks> {
    pub(super) fn asking(&self) -> Asking<'_> {
        Asking {
            entrance: self.entrance(),
            in_environment: self.also::<ManageWebhooks>(),
        }
    }
}

/// Make a webhook
///
/// It hears of what happens from then on: of everything in the environment, or, with `org_id`, of what
/// happens in that organisation, for which `organization_webhooks:manage` suffices. The answer tells
/// the secret, for the only time. An environment has at most 20 webhooks of its own, an organisation 5.
#[utoipa::path(
    tag = "webhooks", operation_id = "webhooks.create",
    request_body(
        content = NewWebhookBody,
        example = json!({
            "url": "https://hooks.example.com/authsome", "events": ["user.*", "member.added"],
            "description": "The CRM", "headers": {"x-source": "authsome"},
        }),
    ),
    responses((status = 201, description = "The webhook, with its secret", body = WebhookView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ManageWebhooks::NAME)),
        ("x-problems" = json!([ProblemKind::WebhookLimit, ProblemKind::NotFound])),
    ),
)]
#[post("/v1/webhooks")]
async fn create(
    access: Entering<ManageOrganizationWebhooks>,
    new: Body<NewWebhookBody>,
    webhooks: Data<Webhooks>,
) -> Answer<Created<WebhookView>> {
    let new = NewWebhook::from(new.into_inner());
    if new.org_id.is_none() {
        access.instead::<ManageWebhooks>();
    }
    let told = webhooks.create(&access.asking(), &new).await?;
    Ok(Created::new(told.into()))
}

/// A page of webhooks, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct WebhookPage {
    webhooks: Vec<WebhookView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
}

/// Whose webhooks, and which page of them.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    #[param(ignore)]
    paging: Paging,
    /// Those of this organisation. Absent: those of the environment itself.
    #[param(inline)]
    org_id: Option<OrgId>,
}

impl FromFields for ListQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let paging = Paging::from_fields(fields);
        let org_id = fields.optional("org_id", str::parse::<OrgId>);
        Some(Self {
            paging: paging?,
            org_id: org_id?,
        })
    }
}

/// List webhooks
///
/// Those of the environment itself, or, with `org_id`, those of an organisation, for which
/// `organization_webhooks:read` suffices; newest first.
#[utoipa::path(
    tag = "webhooks", operation_id = "webhooks.list",
    params(Paging, ListQuery),
    responses((status = 200, description = "A page of webhooks", body = WebhookPage)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ReadWebhooks::NAME)),
        ("x-problems" = json!([ProblemKind::NotFound])),
    ),
)]
#[get("/v1/webhooks")]
async fn list(
    access: Entering<ReadOrganizationWebhooks>,
    query: Query<ListQuery>,
    webhooks: Data<Webhooks>,
) -> Answer<Ok200<WebhookPage>> {
    let ListQuery { paging, org_id } = query.into_inner();
    if org_id.is_none() {
        access.instead::<ReadWebhooks>();
    }
    let page = (paging.after.as_ref(), paging.limit);
    let found = webhooks.list(&access.asking(), org_id, page).await?;
    let next_cursor = paging.cursor(found.next.as_ref());
    Ok(Ok200::new(WebhookPage {
        webhooks: found.items.into_iter().map(WebhookView::from).collect(),
        has_more: next_cursor.is_some(),
        next_cursor,
    }))
}

/// Read a webhook
///
/// With how much is on its way to it.
#[utoipa::path(
    tag = "webhooks", operation_id = "webhooks.read",
    params(("webhook" = WebhookId, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook", body = WebhookView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadOrganizationWebhooks::NAME))),
)]
#[get("/v1/webhooks/{webhook}")]
async fn read(
    access: Entering<ReadOrganizationWebhooks>,
    id: PathId<WebhookId>,
    webhooks: Data<Webhooks>,
) -> Answer<Ok200<WebhookView>> {
    let found = webhooks.get(&access.asking(), id.into_inner()).await?;
    Ok(Ok200::new(found.into()))
}

/// Change a webhook
///
/// What is on its way goes to where it is then. One that is not active is told nothing, and of what
/// happens meanwhile it does not hear later: ask for that at `GET /v1/events`.
#[utoipa::path(
    tag = "webhooks", operation_id = "webhooks.update",
    params(("webhook" = WebhookId, Path, description = "The webhook")),
    request_body(content = WebhookPatch, example = json!({"events": ["*"], "active": true})),
    responses((status = 200, description = "The webhook", body = WebhookView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ManageOrganizationWebhooks::NAME))),
)]
#[patch("/v1/webhooks/{webhook}")]
async fn update(
    access: Entering<ManageOrganizationWebhooks>,
    id: PathId<WebhookId>,
    changes: Body<WebhookPatch>,
    webhooks: Data<Webhooks>,
) -> Answer<Ok200<WebhookView>> {
    let changes = WebhookChanges::from(changes.into_inner());
    let updated = webhooks
        .update(&access.asking(), id.into_inner(), &changes)
        .await?;
    Ok(Ok200::new(updated.into()))
}

/// Delete a webhook
///
/// What is on its way to it is given up.
#[utoipa::path(
    tag = "webhooks", operation_id = "webhooks.delete",
    params(("webhook" = WebhookId, Path, description = "The webhook")),
    responses((status = 204, description = "It is gone")),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ManageOrganizationWebhooks::NAME))),
)]
#[delete("/v1/webhooks/{webhook}")]
async fn remove(
    access: Entering<ManageOrganizationWebhooks>,
    id: PathId<WebhookId>,
    webhooks: Data<Webhooks>,
) -> Answer<NoContent> {
    webhooks.delete(&access.asking(), id.into_inner()).await?;
    Ok(NoContent)
}

/// For how long two secrets sign.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct RotateQuery {
    /// How long the secret before signs as well; absent: a day.
    #[param(
        rename = "overlap_seconds", value_type = Option<u32>, nullable = false,
        minimum = 0, maximum = 604_800,
    )]
    overlap: Option<Duration>,
}

impl FromFields for RotateQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let overlap = fields.optional("overlap_seconds", overlap);
        Some(Self { overlap: overlap? })
    }
}

fn overlap(text: &str) -> Result<Duration, &'static str> {
    let are_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: Option<u32> = text.parse().ok().filter(|_| are_digits);
    let seconds = seconds.filter(|seconds| *seconds <= LONGEST_OVERLAP);
    let overlap = seconds.map(|seconds| Duration::from_secs(seconds.into()));
    overlap.ok_or("must be a whole number from 0 to 604800")
}

/// Give a webhook a new secret
///
/// The answer tells it, for the only time. Until the overlap is over the secret before signs as well, so
/// that receivers can change over; one from before that counts no more.
#[utoipa::path(
    tag = "webhooks", operation_id = "webhooks.rotate_secret",
    params(("webhook" = WebhookId, Path, description = "The webhook"), RotateQuery),
    responses((status = 200, description = "The webhook, with its secret", body = WebhookView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ManageOrganizationWebhooks::NAME))),
)]
#[post("/v1/webhooks/{webhook}/rotate-secret")]
async fn rotate(
    access: Entering<ManageOrganizationWebhooks>,
    id: PathId<WebhookId>,
    query: Query<RotateQuery>,
    webhooks: Data<Webhooks>,
) -> Answer<Ok200<WebhookView>> {
    let overlap = query.into_inner().overlap.unwrap_or(OVERLAP);
    let told = webhooks
        .rotate(&access.asking(), id.into_inner(), overlap)
        .await?;
    Ok(Ok200::new(told.into()))
}
