//! Refusals that no handler wrote: unknown paths and methods, actix's own errors, empty answers.
//!
//! Whatever leaves the edge with an error status is a [`Problem`]; foreign error text stays here.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpRequest, HttpResponse, web};

use super::answer::{Answer, NoContent};
use super::operations::Operations;
use super::problem::Problem;
use super::problems::ProblemKind;
use super::trace::RequestId;

/// The answer as it leaves, and the problem it tells, if it tells one.
pub(super) fn rendered(response: HttpResponse, id: &RequestId) -> (HttpResponse, Option<Problem>) {
    match problem(&response) {
        Some(problem) => (problem.render(id.as_str()), Some(problem)),
        None => (response, None),
    }
}

/// The problem that an answer tells, if it tells one.
pub(super) fn problem(response: &HttpResponse) -> Option<Problem> {
    if let Some(problem) = response
        .error()
        .and_then(|error| error.as_error::<Problem>())
    {
        return Some(problem.clone());
    }
    let status = response.status();
    // Some protocols have error documents of their own (RFC 6749 §5.2); those stand.
    let has_document = response.headers().contains_key(CONTENT_TYPE) && response.error().is_none();
    if has_document || !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    let problem = Problem::new(kind_of(status));
    Some(match response.error() {
        Some(error) => problem.because(error),
        None => problem,
    })
}

/// The row for an error status that came without a problem.
fn kind_of(status: StatusCode) -> ProblemKind {
    let plain = [
        ProblemKind::Unauthenticated,
        ProblemKind::Forbidden,
        ProblemKind::NotFound,
        ProblemKind::MethodNotAllowed,
        ProblemKind::BodyTimeout,
        ProblemKind::BodyTooLarge,
        ProblemKind::UriTooLong,
        ProblemKind::UnsupportedMediaType,
        ProblemKind::HeadersTooLarge,
    ];
    let fitting = plain.into_iter().find(|kind| kind.status() == status);
    let general = if status.is_client_error() {
        ProblemKind::BadRequest
    } else {
        ProblemKind::Internal
    };
    fitting.unwrap_or(general)
}

/// The handler of last resort: 405 where the path answers other methods, else 404.
pub(super) async fn unrouted(
    req: HttpRequest,
    operations: web::Data<Operations>,
) -> Answer<NoContent> {
    Err(match operations.allowed(req.path()) {
        Some(methods) => Problem::new(ProblemKind::MethodNotAllowed).allow(methods),
        None => ProblemKind::NotFound.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_status_without_a_problem_becomes_one() {
        let id = |status| problem(&HttpResponse::new(status)).map(|problem| problem.kind());

        assert_eq!(id(StatusCode::NOT_FOUND), Some(ProblemKind::NotFound));
        assert_eq!(id(StatusCode::IM_A_TEAPOT), Some(ProblemKind::BadRequest));
        assert_eq!(id(StatusCode::BAD_GATEWAY), Some(ProblemKind::Internal));
        assert_eq!(id(StatusCode::NO_CONTENT), None);
    }

    #[test]
    fn foreign_error_text_goes_to_the_log_only() {
        let foreign = actix_web::error::ErrorInternalServerError("secret of the driver");
        let problem = problem(&HttpResponse::from_error(foreign)).unwrap();

        assert_eq!(problem.kind(), ProblemKind::Internal);
        assert_eq!(problem.cause(), Some("secret of the driver"));
    }
}
