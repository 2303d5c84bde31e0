//! Refusals that no handler wrote: unknown paths and methods, actix's own errors, empty answers.
//!
//! Whatever leaves the edge with an error status is a [`Problem`]; foreign error text stays here.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use super::answer::{Answer, NoContent};
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

/// Which methods each documented path answers; registering is documenting, so it is all of them.
#[derive(Clone, Debug)]
pub(super) struct Routes(Vec<Route>);

#[derive(Clone, Debug)]
struct Route {
    segments: Vec<String>,
    methods: Vec<String>,
}

impl Routes {
    /// Reads the table off an OpenAPI document.
    pub(super) fn of(document: &Value) -> Self {
        let paths = document["paths"].as_object().into_iter().flatten();
        Self(paths.map(|(path, item)| Route::of(path, item)).collect())
    }

    /// The methods of the best match for a path, as `Allow` spells them.
    fn allowed(&self, path: &str) -> Option<String> {
        let segments: Vec<&str> = path.split('/').collect();
        let matches = self.0.iter().filter(|route| route.matches(&segments));
        matches
            .max_by_key(|route| route.literals())
            .map(|route| route.methods.join(", "))
    }
}

impl Route {
    fn of(path: &str, item: &Value) -> Self {
        let names = item
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.to_uppercase());
        let methods = names.filter(|name| {
            Method::from_bytes(name.as_bytes()).is_ok_and(|method| is_standard(&method))
        });
        Self {
            segments: path.split('/').map(str::to_owned).collect(),
            methods: methods.collect(),
        }
    }

    fn matches(&self, segments: &[&str]) -> bool {
        let fits =
            |(own, given): (&String, &&str)| own == given || is_variable(own) && !given.is_empty();
        self.segments.len() == segments.len() && self.segments.iter().zip(segments).all(fits)
    }

    fn literals(&self) -> usize {
        self.segments
            .iter()
            .filter(|segment| !is_variable(segment))
            .count()
    }
}

fn is_variable(segment: &str) -> bool {
    segment.starts_with('{')
}

fn is_standard(method: &Method) -> bool {
    [
        Method::GET,
        Method::PUT,
        Method::POST,
        Method::DELETE,
        Method::PATCH,
    ]
    .contains(method)
}

/// The handler of last resort: 405 where the path answers other methods, else 404.
pub(super) async fn unrouted(req: HttpRequest, routes: web::Data<Routes>) -> Answer<NoContent> {
    Err(match routes.allowed(req.path()) {
        Some(methods) => Problem::new(ProblemKind::MethodNotAllowed).allow(methods),
        None => ProblemKind::NotFound.into(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_knows_its_methods() {
        let routes = Routes::of(&json!({"paths": {
            "/v1/orgs": {"get": {}, "post": {}, "summary": ""},
            "/v1/orgs/{org}": {"get": {}, "delete": {}},
            "/v1/orgs/check-slug": {"get": {}},
        }}));
        let table = [
            ("/v1/orgs", Some("GET, POST")),
            ("/v1/orgs/aorg_1", Some("GET, DELETE")),
            ("/v1/orgs/check-slug", Some("GET")),
            ("/v1/orgs/", None),
            ("/v1/orgs/a/b", None),
            ("/", None),
        ];
        for (path, allow) in table {
            let sorted = |text: &str| {
                let mut methods: Vec<_> = text.split(", ").map(str::to_owned).collect();
                methods.sort();
                methods
            };
            assert_eq!(
                routes.allowed(path).as_deref().map(sorted),
                allow.map(sorted),
                "{path}"
            );
        }
    }

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
