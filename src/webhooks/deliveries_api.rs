use actix_web::web::Data;
use actix_web::{get, post};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::deliveries::DeliveryStatus;
use super::service::Webhooks;
use super::wire::DeliveryView;
use crate::access::{ManageOrganizationWebhooks, Permission, ReadOrganizationWebhooks};
use crate::http::{
    Accepted, Answer, Entering, Fields, FromFields, Ok200, Paging, PathId, PathIds, ProblemKind,
    Query, Routing,
};
use crate::kernel::id::{DeliveryId, WebhookId};

pub(super) fn routes(config: &mut Routing) {
    config.service(test).service(list).service(retry);
}

/// A page of deliveries, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookDeliveryPage)]
struct DeliveryPage {
    deliveries: Vec<DeliveryView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
}

/// Which deliveries, and which page of them.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    #[param(ignore)]
    paging: Paging,
    #[param(inline)]
    status: Option<DeliveryStatus>,
}

impl FromFields for ListQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let paging = Paging::from_fields(fields);
        let status = fields.optional("status", status);
        Some(Self {
            paging: paging?,
            status: status?,
        })
    }
}

fn status(text: &str) -> Result<DeliveryStatus, &'static str> {
    serde_json::from_value(text.into()).map_err(|_| "must be `pending`, `delivered` or `failed`")
}

/// Test a webhook
///
/// Sends it an event `webhook.tested`, whatever it hears of otherwise; nobody else is told. What became
/// of it is among its deliveries.
#[utoipa::path(
    tag = "webhooks", operation_id = "webhooks.test",
    params(("webhook" = WebhookId, Path, description = "The webhook")),
    responses((status = 202, description = "It is on its way", body = DeliveryView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ManageOrganizationWebhooks::NAME)),
        ("x-problems" = json!([ProblemKind::WebhookInactive])),
    ),
)]
#[post("/v1/webhooks/{webhook}/test")]
async fn test(
    access: Entering<ManageOrganizationWebhooks>,
    id: PathId<WebhookId>,
    webhooks: Data<Webhooks>,
) -> Answer<Accepted<DeliveryView>> {
    let queued = webhooks.test(&access.asking(), id.into_inner()).await?;
    Ok(Accepted::new(queued.into()))
}

/// List the deliveries of a webhook
///
/// What it was told in the last 30 days and what is on its way, newest first, with what the receiver
/// said.
#[utoipa::path(
    tag = "webhooks", operation_id = "webhooks.deliveries.list",
    params(("webhook" = WebhookId, Path, description = "The webhook"), Paging, ListQuery),
    responses((status = 200, description = "A page of deliveries", body = DeliveryPage)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadOrganizationWebhooks::NAME))),
)]
#[get("/v1/webhooks/{webhook}/deliveries")]
async fn list(
    access: Entering<ReadOrganizationWebhooks>,
    id: PathId<WebhookId>,
    query: Query<ListQuery>,
    webhooks: Data<Webhooks>,
) -> Answer<Ok200<DeliveryPage>> {
    let ListQuery { paging, status } = query.into_inner();
    let page = (paging.after.as_ref(), paging.limit);
    let which = (id.into_inner(), status);
    let found = webhooks.deliveries(&access.asking(), which, page).await?;
    let next_cursor = paging.cursor(found.next.as_ref());
    Ok(Ok200::new(DeliveryPage {
        deliveries: found.items.into_iter().map(DeliveryView::from).collect(),
        has_more: next_cursor.is_some(),
        next_cursor,
    }))
}

/// Retry a delivery
///
/// It begins anew, at once and under the same `webhook-id`, also where it had arrived. One that is under
/// way at this moment goes on as it is.
#[utoipa::path(
    tag = "webhooks", operation_id = "webhooks.deliveries.retry",
    params(
        ("webhook" = WebhookId, Path, description = "The webhook"),
        ("delivery" = DeliveryId, Path, description = "The delivery"),
    ),
    responses((status = 202, description = "It is on its way", body = DeliveryView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ManageOrganizationWebhooks::NAME)),
        ("x-problems" = json!([ProblemKind::WebhookInactive])),
    ),
)]
#[post("/v1/webhooks/{webhook}/deliveries/{delivery}/retry")]
async fn retry(
    access: Entering<ManageOrganizationWebhooks>,
    ids: PathIds<(WebhookId, DeliveryId)>,
    webhooks: Data<Webhooks>,
) -> Answer<Accepted<DeliveryView>> {
    let queued = webhooks.retry(&access.asking(), ids.into_inner()).await?;
    Ok(Accepted::new(queued.into()))
}
