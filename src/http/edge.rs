//! The edge around every handler, assembled: what a request passes on its way in and out.
//!
//! ```text
//! in   serve         request id, span, base path, limits, preflight
//!      detached      a task of its own, with a deadline
//!      authenticate  identity
//!      replay        an answer that was given before, where the request is known
//!      handler       guard, then body, query and path
//! out  serve         problems rendered, CORS, security headers, the line in the log
//! ```

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::ConnectionType;
use actix_web::http::uri::PathAndQuery;
use actix_web::http::{StatusCode, Uri};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data};
use actix_web::{App, Error, HttpMessage, HttpRequest, HttpResponse};
use ipnet::IpNet;
use tracing::{Instrument, Span};

use super::authenticate::{Identity, authenticate};
use super::caller::{Authenticator, Directory};
use super::errors;
use super::leaving::Leaving;
use super::operations::Operations;
use super::problem::Problem;
use super::problems::ProblemKind;
use super::replay::{Replays, replay};
use super::routing::Api;
use super::trace::{self, Outcome, RequestId};
use super::traffic::Traffic;
use super::unit::{InFlight, detached};
use super::unread::Unread;
use super::witness::Witness;
use super::{cors, headers, limits};
use crate::access::Policy;
use crate::kernel::entropy::Entropy;
use crate::kernel::measure::Stopwatch;
use crate::kernel::secret::MacKey;
use crate::kernel::tenant::Tenant;
use crate::kernel::text;
use crate::kernel::time::{Clock, Timestamp};
use crate::telemetry::{Answered, Telemetry, Traced};

/// What the edge needs of the rest of the house.
///
/// `base_path` is empty, or begins with a slash and does not end with one; the routes are served
/// below it as well as at the root.
#[derive(Clone)]
pub struct Edge {
    pub policy: Policy,
    pub authenticators: Vec<Arc<dyn Authenticator>>,
    pub directory: Arc<dyn Directory>,
    pub witness: Arc<dyn Witness>,
    pub replays: Arc<dyn Replays>,
    pub clock: Clock,
    pub entropy: Entropy,
    pub trusted_proxies: Vec<IpNet>,
    pub cursor_key: MacKey,
    pub replay_key: MacKey,
    pub base_path: String,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long a handler may take before its caller is told to try again later.
    pub handler_timeout: Duration,
    pub in_flight: InFlight,
    pub leaving: Leaving,
    pub traffic: Traffic,
    /// Makes spans, where somebody collects them.
    pub telemetry: Option<Telemetry>,
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edge")
            .field("base_path", &self.base_path)
            .finish_non_exhaustive()
    }
}

/// The application: what it serves, the pages of the edge, and every middleware in order.
pub fn app(
    edge: Data<Edge>,
    api: &Api,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    edge.traffic.expect(&api.operations);
    App::new()
        .app_data(edge)
        .configure(|config| api.serve(config))
        .default_service(web::to(errors::unrouted))
        .wrap(from_fn(replay))
        .wrap(from_fn(authenticate))
        .wrap(from_fn(detached))
        .wrap(from_fn(serve))
}

/// One request, from its head to its line in the log.
struct Visit {
    edge: Data<Edge>,
    id: RequestId,
    span: Span,
    traced: Option<Traced>,
    began: Timestamp,
    watch: Stopwatch,
    operations: Data<Operations>,
    /// The place of the operation among all.
    operation: Option<usize>,
    /// The pattern of a path that is of none.
    unlisted: Option<String>,
    origin: Option<text::Origin>,
    unread: Option<Unread>,
}

/// The outermost middleware.
async fn serve(
    edge: Data<Edge>,
    operations: Data<Operations>,
    mut req: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let id = RequestId::new(&edge.entropy);
    let is_preflight = cors::is_preflight(req.method(), req.headers());
    rebase(&mut req, &edge.base_path);
    let operation = operations.place(req.method(), req.match_info().as_str());
    let (span, began) = (trace::span(&id, req.method()), edge.clock.now());
    let found = operation.and_then(|place| operations.at(place));
    let path = found.and_then(|operation| operation.path);
    let traced = edge.telemetry.as_ref();
    let traced = traced.map(|telemetry| trace::begun(telemetry, (&id, began, found), &req, &span));
    let visit = Visit {
        span,
        traced,
        began,
        watch: Stopwatch::start(),
        unlisted: operation.is_none().then(|| req.match_pattern()).flatten(),
        operation,
        operations,
        origin: cors::origin(req.headers()).filter(|_| !is_preflight),
        unread: Unread::of(&mut req),
        id,
        edge,
    };
    req.extensions_mut().insert(visit.id.clone());
    if let Some(path) = path {
        req.extensions_mut().insert(path);
    }
    let span = visit.span.clone();
    async move {
        let answer = if let Some(kind) = limits::broken(req.method(), req.uri(), req.headers()) {
            Ok(req.error_response(Problem::new(kind)))
        } else if is_preflight {
            let directory = &*visit.edge.directory;
            let answer = cors::preflight(directory, req.headers(), req.query_string()).await;
            Ok(req.into_response(answer))
        } else {
            next.call(req).await
        };
        visit.finish(answer).await
    }
    .instrument(span)
    .await
}

impl Visit {
    /// The pattern of the path.
    fn pattern(&self) -> Option<&str> {
        let operation = self.operation.and_then(|place| self.operations.at(place));
        let listed = operation.map(|operation| operation.pattern.as_str());
        listed.or(self.unlisted.as_deref())
    }

    /// Counts the answer, and ends its span.
    fn count(
        &mut self,
        request: Option<&HttpRequest>,
        status: StatusCode,
        kind: Option<ProblemKind>,
    ) {
        let took = self.watch.elapsed();
        self.edge
            .traffic
            .count(self.operation, (status, kind), took);
        if let Some(traced) = self.traced.take() {
            traced.end(&Answered {
                status: status.as_u16(),
                problem: kind.map(ProblemKind::slug),
                tenant: request.and_then(tenant),
                took,
            });
        }
    }

    /// Dresses the answer. An error without a request comes from a task that panicked or runs on:
    /// the request is still in there, so the answer travels as an error too.
    async fn finish(
        mut self,
        answer: Result<ServiceResponse, Error>,
    ) -> Result<ServiceResponse, Error> {
        let (request, response) = match answer {
            Ok(answer) => {
                let (request, response) = answer.into_parts();
                (Some(request), response)
            }
            Err(error) => (None, HttpResponse::from_error(error)),
        };
        let (mut response, problem) = errors::rendered(response, &self.id);
        if let Some(origin) = &self.origin {
            let tenant = request.as_ref().and_then(tenant);
            cors::permit(
                &*self.edge.directory,
                tenant,
                origin,
                response.headers_mut(),
            )
            .await;
        }
        headers::secure(response.headers_mut());
        if self.edge.leaving.has_begun() {
            let head = response.head_mut();
            head.set_connection_type(ConnectionType::Close);
        }
        if let Some(id) = self.id.header() {
            response.headers_mut().insert(trace::REQUEST_ID, id);
        }
        let kind = problem.as_ref().map(Problem::kind);
        self.count(request.as_ref(), response.status(), kind);
        let outcome = Outcome {
            route: self.pattern(),
            status: response.status(),
            problem: problem.as_ref(),
            began: self.began,
            ended: self.edge.clock.now(),
        };
        trace::finish(&self.span, &outcome);
        if let Some(unread) = self.unread {
            response = unread.held_by(response);
        }
        match request {
            Some(request) => Ok(ServiceResponse::new(request, response)),
            None => Err(InternalError::from_response("no request", response).into()),
        }
    }
}

fn tenant(req: &HttpRequest) -> Option<Tenant> {
    req.extensions()
        .get::<Rc<Identity>>()
        .and_then(|identity| identity.tenant())
}

/// RFC 8414 §3.1: behind this stands the path of an issuer that has one, not before it.
const METADATA: &str = "/.well-known/oauth-authorization-server";

/// Takes the base path off, so that every route has one pattern wherever it is mounted.
fn rebase(req: &mut ServiceRequest, base_path: &str) {
    let Some(uri) = rebased(req.uri(), base_path) else {
        return;
    };
    req.match_info_mut().get_mut().update(&uri);
    req.head_mut().uri = uri;
}

fn rebased(uri: &Uri, base_path: &str) -> Option<Uri> {
    let target = uri.path_and_query()?.as_str();
    let is_behind = target.strip_prefix(METADATA) == Some(base_path);
    let rest = if is_behind {
        METADATA
    } else {
        let rest = target.strip_prefix(base_path);
        rest.filter(|rest| rest.starts_with('/'))?
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(rest).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_path_is_taken_off_once_and_whole() {
        let path = |uri: &str| rebased(&uri.parse().unwrap(), "/auth").map(|uri| uri.to_string());

        assert_eq!(
            path("/auth/v1/signin?a=b").as_deref(),
            Some("/v1/signin?a=b")
        );
        assert_eq!(path("/auth/auth/v1").as_deref(), Some("/auth/v1"));
        assert_eq!(path("/authors/v1"), None);
        assert_eq!(path("/v1/signin"), None);
        assert_eq!(path("/auth"), None);
        let metadata = "/.well-known/oauth-authorization-server";
        assert_eq!(path(&format!("{metadata}/auth")).as_deref(), Some(metadata));
        assert_eq!(path(&format!("/auth{metadata}")).as_deref(), Some(metadata));
        assert_eq!(path(&format!("{metadata}/authors")), None);
    }
}
