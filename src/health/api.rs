use actix_web::get;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::Health;
use crate::http::{Answer, Ok200, ProblemKind, Public, Routing};

pub fn routes(config: &mut Routing) {
    config.service(health).service(live).service(ready);
}

#[derive(Debug, Serialize, ToSchema)]
struct HealthStatus {
    #[schema(example = "ok")]
    status: &'static str,
}

const OK: HealthStatus = HealthStatus { status: "ok" };

/// Ask for health
///
/// Whether the server can serve: the same as `/readyz`, for clients of the API.
#[utoipa::path(
    tag = "health", operation_id = "health.read",
    responses((status = 200, description = "The server can serve", body = HealthStatus)),
    security(()),
    extensions(("x-problems" = json!([ProblemKind::StoreUnavailable]))),
)]
#[get("/v1/health")]
async fn health(_: Public, node: Data<Health>) -> Answer<Ok200<HealthStatus>> {
    node.ready().await?;
    Ok(Ok200::new(OK))
}

/// Ask whether the process lives
///
/// Never asks the store.
#[utoipa::path(
    tag = "health", operation_id = "health.live",
    responses((status = 200, description = "The process lives", body = HealthStatus)),
    security(()),
)]
#[get("/livez")]
async fn live(_: Public) -> Answer<Ok200<HealthStatus>> {
    Ok(Ok200::new(OK))
}

/// Ask whether to send requests
///
/// Asks the store; says no from the moment the process is told to stop.
#[utoipa::path(
    tag = "health", operation_id = "health.ready",
    responses((status = 200, description = "Send requests", body = HealthStatus)),
    security(()),
    extensions(("x-problems" = json!([ProblemKind::StoreUnavailable]))),
)]
#[get("/readyz")]
async fn ready(_: Public, node: Data<Health>) -> Answer<Ok200<HealthStatus>> {
    node.ready().await?;
    Ok(Ok200::new(OK))
}
