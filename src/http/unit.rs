//! Units of work outlive their caller.
//!
//! actix drops the future of a handler when the client hangs up; half a unit of work would be left
//! behind, and a counter of attempts dodged. So each request is handled in a task of its own on the
//! worker: its handle may be dropped, the task runs to its end. A panic ends that task alone.

use std::fmt::Display;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpRequest, rt};
use tokio::time::timeout;
use tracing::{Instrument, Span};

use super::edge::Edge;
use super::problem::Problem;
use super::problems::ProblemKind;
use crate::kernel::measure::{Measured, Page};

/// How many units of work are under way, whether or not somebody still waits for them.
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<AtomicUsize>);

/// A unit under way; it counts until dropped.
struct Underway(InFlight);

impl InFlight {
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    fn enter(&self) -> Underway {
        self.0.fetch_add(1, Ordering::AcqRel);
        Underway(self.clone())
    }
}

impl Measured for InFlight {
    fn tell(&self, page: &mut Page) {
        page.gauge(
            "authsome_http_requests_in_flight",
            "Units of work under way, whether or not somebody still waits for them.",
        )
        .sample(&[], self.count());
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// For work that a caller must not be able to time: nobody waits for it, and a stopping server does
/// as for any other. What goes wrong is told to the log, as what `failed`.
#[derive(Clone, Debug)]
pub struct Afterwards(InFlight);

impl Afterwards {
    /// Whose work counts as under way there.
    pub fn counted_by(in_flight: InFlight) -> Self {
        Self(in_flight)
    }

    pub(super) fn of(edge: &Edge) -> Self {
        Self(edge.in_flight.clone())
    }

    pub fn run<E: Display>(
        &self,
        failed: &'static str,
        work: impl Future<Output = Result<(), E>> + 'static,
    ) {
        let underway = self.0.enter();
        let work = async move {
            let _underway = underway;
            if let Err(error) = work.await {
                tracing::warn!(%error, "{failed}");
            }
        };
        drop(rt::spawn(work.instrument(Span::current())));
    }
}

impl FromRequest for Afterwards {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let edge = req.app_data::<Data<Edge>>();
        let in_flight = edge.map(|edge| edge.in_flight.clone()).unwrap_or_default();
        ready(Ok(Self(in_flight)))
    }
}

/// Handles the request in a detached task and waits for its answer, but not for ever.
pub(super) async fn detached(
    edge: Data<Edge>,
    req: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let patience = patience(&edge, &req);
    let underway = edge.in_flight.enter();
    let handling = next.call(req).instrument(Span::current());
    let task = rt::spawn(async move {
        let _underway = underway;
        handling.await
    });
    match timeout(patience, task).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(fault)) => Err(Problem::internal(fault).into()),
        Err(_) => Err(Problem::new(ProblemKind::Timeout)
            .because("the handler runs on")
            .into()),
    }
}

/// Reading a body has its own limit, which must have run out before this one.
fn patience(edge: &Edge, req: &ServiceRequest) -> Duration {
    let headers = req.headers();
    let has_body = headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
    if has_body {
        edge.body_timeout + edge.handler_timeout
    } else {
        edge.handler_timeout
    }
}
