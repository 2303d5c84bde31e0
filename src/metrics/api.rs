use actix_web::get;
use actix_web::web::Data;

use super::service::Metrics;
use crate::access::{Permission, ReadMetrics};
use crate::http::{Allowed, Answer, ProblemKind, Routing, Text};

pub fn routes(config: &mut Routing) {
    config.service(metrics);
}

/// Read the metrics
///
/// How this node fares, in Prometheus's text format, for operators. Where metrics have an address of
/// their own (`METRICS__BIND`), they are there only, and unknown here.
#[utoipa::path(
    tag = "health", operation_id = "metrics.read",
    responses((
        status = 200, description = "The metrics", body = String, content_type = "text/plain",
        example = "authsome_http_requests_total{operation=\"me.read\",status=\"2xx\"} 7\n",
    )),
    security(("session" = [])),
    extensions(("x-permission" = json!(ReadMetrics::NAME))),
)]
#[get("/metrics")]
async fn metrics(_: Allowed<ReadMetrics>, metrics: Data<Metrics>) -> Answer<Text> {
    if metrics.is_elsewhere {
        return Err(ProblemKind::NotFound.into());
    }
    Ok(Text::new(metrics.page().await))
}
