//! Traffic: how many requests came for which operation, how they were answered, and how long it took.
//!
//! What came for no operation of the document counts as `none`. Counting takes no lock and no memory;
//! the tables are made once, of the operations that there are.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::http::StatusCode;

use super::operations::Operations;
use super::problems::ProblemKind;
use crate::kernel::measure::{Counter, Histogram, Measured, Page};

/// What requests of no operation are counted as.
const NONE: &str = "none";

/// The classes of answers (RFC 9110 §15).
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What passed the edge of this node. Clones are of the same node.
#[derive(Clone, Debug, Default)]
pub struct Traffic(Arc<OnceLock<Vec<Lane>>>);

/// The requests for one operation.
#[derive(Debug)]
struct Lane {
    operation: String,
    answers: [Counter; CLASSES.len()],
    took: Histogram,
    /// In the order of the table of problems.
    refusals: Vec<Counter>,
}

impl Lane {
    fn of(operation: &str) -> Self {
        Self {
            operation: operation.to_owned(),
            answers: Default::default(),
            took: Histogram::default(),
            refusals: ProblemKind::ALL.iter().map(|_| Counter::new()).collect(),
        }
    }
}

impl Traffic {
    /// Makes a lane for every operation, and one for what is none. Every worker has the same ones.
    pub(super) fn expect(&self, operations: &Operations) {
        let names = operations.names().chain([NONE]);
        self.0.get_or_init(|| names.map(Lane::of).collect());
    }

    /// Counts an answer. `operation` is the place of its operation among all.
    pub(super) fn count(
        &self,
        operation: Option<usize>,
        (status, problem): (StatusCode, Option<ProblemKind>),
        took: Duration,
    ) {
        let Some(lanes) = self.0.get() else {
            return;
        };
        let lane = operation
            .and_then(|place| lanes.get(place))
            .or(lanes.last());
        let Some(lane) = lane else {
            return;
        };
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = lane.answers.get(class) {
            counter.add(1);
        }
        lane.took.record(took);
        let refusal = problem.and_then(|kind| lane.refusals.get(kind as usize));
        if let Some(counter) = refusal {
            counter.add(1);
        }
    }
}

/// Only what happened is told: there are more operations and problems than ever meet.
impl Measured for Traffic {
    fn tell(&self, page: &mut Page) {
        for lane in self.0.get().into_iter().flatten() {
            let operation = ("operation", lane.operation.as_str());
            let requests = page.counter(
                "authsome_http_requests_total",
                "Requests answered, by operation and class of the answer.",
            );
            for (class, counter) in CLASSES.iter().zip(&lane.answers) {
                if counter.count() > 0 {
                    requests.sample(&[operation, ("status", class)], counter.count());
                }
            }
            let refused = page.counter(
                "authsome_http_refusals_total",
                "Requests refused, by operation and type of the problem.",
            );
            for (kind, counter) in ProblemKind::ALL.iter().zip(&lane.refusals) {
                if counter.count() > 0 {
                    refused.sample(&[operation, ("type", kind.slug())], counter.count());
                }
            }
            page.histogram(
                "authsome_http_request_duration_seconds",
                "From the head of a request to its answer, by operation.",
            )
            .samples(&[operation], &lane.took);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn requests_are_counted_by_operation_answer_and_problem() {
        let operations = Operations::of(&json!({"paths": {
            "/v1/signin": {"post": {"operationId": "auth.sign_in"}},
        }}));
        let (traffic, took) = (Traffic::default(), Duration::from_millis(3));
        traffic.expect(&operations);
        traffic.clone().expect(&operations);
        let refused = Some(ProblemKind::InvalidCredentials);

        traffic.count(Some(0), (StatusCode::OK, None), took);
        traffic.count(Some(0), (StatusCode::UNAUTHORIZED, refused), took);
        traffic.count(
            None,
            (StatusCode::NOT_FOUND, Some(ProblemKind::NotFound)),
            took,
        );

        let mut page = Page::default();
        traffic.tell(&mut page);
        let text = page.text();
        for line in [
            r#"authsome_http_requests_total{operation="auth.sign_in",status="2xx"} 1"#,
            r#"authsome_http_requests_total{operation="auth.sign_in",status="4xx"} 1"#,
            r#"authsome_http_refusals_total{operation="auth.sign_in",type="invalid_credentials"} 1"#,
            r#"authsome_http_requests_total{operation="none",status="4xx"} 1"#,
            r#"authsome_http_request_duration_seconds_count{operation="auth.sign_in"} 2"#,
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
    }
}
