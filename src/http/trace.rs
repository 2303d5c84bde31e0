//! Tracing: every request gets an identifier, a span and, when it is over, one line in the log.
//!
//! The identifier is always ours: one that a client chose could imitate another request's. The line
//! names method, matched route, status, latency and what the problem was; never a query, an address or
//! a token. A fault of ours is logged here, once, with its cause.

use std::fmt;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use opentelemetry::propagation::Extractor;
use tracing::field::Empty;
use tracing::{Span, error, info, warn};

use super::operations::Operation;
use super::problem::Problem;
use crate::kernel::entropy::Entropy;
use crate::kernel::time::Timestamp;
use crate::telemetry::{Asked, Telemetry, Traced};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// 128 random bits in hexadecimal.
#[derive(Clone, Debug)]
pub(super) struct RequestId(String);

impl RequestId {
    pub(super) fn new(entropy: &Entropy) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(entropy.bytes())))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The span in which a request is handled.
pub(super) fn span(id: &RequestId, method: &Method) -> Span {
    tracing::info_span!(
        "request",
        request_id = %id,
        %method,
        trace_id = Empty
    )
}

/// Begins the span for the collector, and notes in the log which trace it is of.
pub(super) fn begun(
    telemetry: &Telemetry,
    (id, began, operation): (&RequestId, Timestamp, Option<&Operation>),
    req: &ServiceRequest,
    span: &Span,
) -> Traced {
    let asked = Asked {
        operation: operation.map(|operation| operation.id.as_str()),
        method: req.method().as_str(),
        route: operation.map(|operation| operation.pattern.as_str()),
        request_id: id.as_str(),
        began,
    };
    let traced = telemetry.begin(&asked, &Carried(req.headers()));
    span.record("trace_id", traced.trace_id());
    traced
}

/// The headers of a request, as a propagator reads them.
struct Carried<'a>(&'a HeaderMap);

impl Extractor for Carried<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

/// What the line at the end says; `route` is the pattern that matched.
#[derive(Debug)]
pub(super) struct Outcome<'a> {
    pub(super) route: Option<&'a str>,
    pub(super) status: StatusCode,
    pub(super) problem: Option<&'a Problem>,
    pub(super) began: Timestamp,
    pub(super) ended: Timestamp,
}

/// Closes the account of a request: writes its line.
pub(super) fn finish(span: &Span, outcome: &Outcome<'_>) {
    let problem = outcome.problem.map(|problem| problem.kind().slug());
    let cause = outcome.problem.and_then(Problem::cause);
    let route = outcome.route.unwrap_or("unmatched");
    let status = outcome.status.as_u16();
    let latency_ms = u64::try_from(outcome.ended.since(outcome.began).as_millis()).ok();
    span.in_scope(|| {
        if outcome.status == StatusCode::INTERNAL_SERVER_ERROR {
            error!(route, status, latency_ms, problem, cause, "request failed");
        } else if outcome.status.is_server_error() {
            warn!(
                route,
                status, latency_ms, problem, cause, "request refused for now"
            );
        } else {
            info!(route, status, latency_ms, problem, "request");
        }
    });
}
