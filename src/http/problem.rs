//! One refused request: a row of [`ProblemKind`] and what is true of this occurrence.
//!
//! A problem travels as a value to the edge, which renders it once (RFC 9457), with the identifier
//! of the request. What it says under `because` goes to the log and never to the wire.

use std::fmt;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::{ConnectionType, StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::problems::ProblemKind;
use crate::limits::LimitError;
use crate::store::StoreError;
use crate::tokens::{KeyError, Refused};

pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request is refused.
#[derive(Clone, Debug)]
pub struct Problem(Box<Occurrence>);

#[derive(Clone, Debug)]
struct Occurrence {
    kind: ProblemKind,
    detail: Option<String>,
    errors: Vec<FieldError>,
    allow: Option<String>,
    retry_after: Option<Duration>,
    cause: Option<String>,
}

/// One bad field of a body (`pointer`, RFC 6901) or of a query (`parameter`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "/email")]
    pub(super) pointer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "limit")]
    pub(super) parameter: Option<String>,
    #[serde(rename = "type")]
    #[schema(example = "invalid_email")]
    pub(super) kind: String,
    pub(super) detail: String,
}

/// The document of a refusal: RFC 9457, and `error`, which repeats the title for existing clients.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemBody {
    /// The stable machine-readable name; `GET /problems/{type}` explains it.
    #[serde(rename = "type")]
    #[schema(example = "invalid_body")]
    kind: &'static str,
    title: &'static str,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
    error: &'static str,
    request_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
}

/// A refusal of a part of a request, of which the rest may succeed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Fault {
    /// The stable machine-readable name; `GET /problems/{type}` explains it.
    #[serde(rename = "type")]
    #[schema(example = "email_taken")]
    kind: &'static str,
    title: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
}

impl Fault {
    /// `email_taken`: what is wrong with `/email`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        if let Some(detail) = &self.detail {
            write!(f, ", {detail}")?;
        }
        for error in &self.errors {
            let pointer = error.pointer.as_deref().unwrap_or_default();
            write!(f, ", {pointer} {}", error.detail)?;
        }
        Ok(())
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        let Occurrence {
            kind,
            detail,
            errors,
            ..
        } = *problem.0;
        Self {
            kind: kind.slug(),
            title: kind.title(),
            detail,
            errors,
        }
    }
}

impl Problem {
    pub fn new(kind: ProblemKind) -> Self {
        Self(Box::new(Occurrence {
            kind,
            detail: None,
            errors: Vec::new(),
            allow: None,
            retry_after: None,
            cause: None,
        }))
    }

    /// A fault of ours; `cause` is for the log.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::new(ProblemKind::Internal).because(cause)
    }

    pub fn kind(&self) -> ProblemKind {
        self.0.kind
    }

    /// What is particular to this occurrence, in a sentence for people.
    #[must_use]
    pub fn detail(mut self, sentence: impl Into<String>) -> Self {
        self.0.detail = Some(sentence.into());
        self
    }

    /// Adds a bad field of the body.
    #[must_use]
    pub fn field(mut self, pointer: &str, kind: &str, detail: impl Into<String>) -> Self {
        self.0.errors.push(FieldError {
            pointer: Some(pointer.to_owned()),
            parameter: None,
            kind: kind.to_owned(),
            detail: detail.into(),
        });
        self
    }

    pub(super) fn fields(mut self, errors: Vec<FieldError>) -> Self {
        self.0.errors = errors;
        self
    }

    /// The methods the path does answer (RFC 9110 §15.5.6).
    pub(super) fn allow(mut self, methods: String) -> Self {
        self.0.allow = Some(methods);
        self
    }

    /// How long until it makes sense to try again, rounded up to whole seconds on the wire.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// What the log says about it; the wire never does.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    pub(super) fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    #[cfg(test)]
    pub(super) fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    fn document(&self, request_id: &str) -> Value {
        let Occurrence {
            kind,
            detail,
            errors,
            ..
        } = &*self.0;
        let body = ProblemBody {
            kind: kind.slug(),
            title: kind.title(),
            status: kind.status().as_u16(),
            detail: detail.clone(),
            error: kind.title(),
            request_id: request_id.to_owned(),
            errors: errors.clone(),
        };
        serde_json::to_value(body).unwrap_or_default()
    }

    /// The answer, for the request of this identifier.
    pub(super) fn render(&self, request_id: &str) -> HttpResponse {
        let kind = self.0.kind;
        let status = kind.status();
        let mut response = HttpResponse::build(status);
        response.content_type(MEDIA_TYPE);
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, challenge(kind)));
        }
        if let Some(seconds) = wait(status, self.0.retry_after) {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if let Some(methods) = &self.0.allow {
            response.insert_header((header::ALLOW, methods.as_str()));
        }
        let mut response = response.body(self.document(request_id).to_string());
        if ends_the_connection(kind) {
            response
                .head_mut()
                .set_connection_type(ConnectionType::Close);
        }
        response
    }
}

/// RFC 6750 §3.1: an error code only where a credential was presented.
fn challenge(kind: ProblemKind) -> &'static str {
    if matches!(
        kind,
        ProblemKind::InvalidToken | ProblemKind::TenantMismatch
    ) {
        return r#"Bearer error="invalid_token""#;
    }
    "Bearer"
}

/// Seconds until it makes sense to try again (RFC 9110 §10.2.3): never too few, and at least one.
fn wait(status: StatusCode, known: Option<Duration>) -> Option<u64> {
    let passes = matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    let seconds = known.map_or(1, |wait| wait.as_millis().div_ceil(1_000));
    passes.then(|| u64::try_from(seconds).unwrap_or(u64::MAX).max(1))
}

/// After these the rest of the stream cannot be trusted to begin with a new request.
fn ends_the_connection(kind: ProblemKind) -> bool {
    matches!(
        kind,
        ProblemKind::AmbiguousFraming
            | ProblemKind::BodyTimeout
            | ProblemKind::BodyTooLarge
            | ProblemKind::HeadersTooLarge
            | ProblemKind::UriTooLong
    )
}

impl From<ProblemKind> for Problem {
    fn from(kind: ProblemKind) -> Self {
        Self::new(kind)
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => error.into(),
            KeyError::NoEncryptionKey(..)
            | KeyError::Sealed(_)
            | KeyError::Damaged(_)
            | KeyError::NotMade
            | KeyError::NoneSigns
            | KeyError::NotSigned => Self::internal(error),
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Keys(error) => error.into(),
            Refused::Store(error) => error.into(),
            Refused::NotOne
            | Refused::Unsigned
            | Refused::Foreign
            | Refused::Over
            | Refused::Revoked => ProblemKind::InvalidToken.into(),
        }
    }
}

impl From<LimitError> for Problem {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::TooMany { retry_after } => {
                Self::new(ProblemKind::TooManyAttempts).retry_after(retry_after)
            }
            LimitError::Store(error) => error.into(),
        }
    }
}

/// A duplicate or conflict that a feature did not turn into a fact of its own is a fault of ours.
impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let kind = match error {
            // Still conflicting after so many attempts is contention, and passes.
            StoreError::Unavailable(_) | StoreError::Timeout | StoreError::Conflict => {
                ProblemKind::StoreUnavailable
            }
            // What named it names nothing now.
            StoreError::Gone => ProblemKind::InvalidPublishableKey,
            StoreError::Duplicate(_)
            | StoreError::Corrupt(_)
            | StoreError::OutsideScope(_)
            | StoreError::Unsuitable(_) => ProblemKind::Internal,
        };
        Self::new(kind).because(error)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.kind.slug())
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.kind.status()
    }

    /// Without a request identifier, which the edge puts in when it renders the problem again.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        self.render("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_repeats_its_title_for_existing_clients() {
        let problem = Problem::new(ProblemKind::EmailTaken).field("/email", "email_taken", "taken");

        let document = problem.document("r1");

        assert_eq!(document["type"], "email_taken");
        assert_eq!(document["status"], 409);
        assert_eq!(document["error"], document["title"]);
        assert_eq!(document["request_id"], "r1");
        assert_eq!(document["errors"][0]["pointer"], "/email");
        assert_eq!(document.get("detail"), None);
    }

    #[test]
    fn a_refusal_carries_the_headers_its_status_calls_for() {
        let header_of = |kind: ProblemKind, name| {
            let response = Problem::new(kind).render("r");
            response
                .headers()
                .get(name)
                .and_then(|v| v.to_str().ok().map(str::to_owned))
        };
        assert_eq!(
            header_of(ProblemKind::Unauthenticated, "www-authenticate").as_deref(),
            Some("Bearer")
        );
        assert!(
            header_of(ProblemKind::InvalidToken, "www-authenticate")
                .is_some_and(|v| v.contains("invalid_token"))
        );
        assert_eq!(
            header_of(ProblemKind::Busy, "retry-after").as_deref(),
            Some("1")
        );
        assert_eq!(header_of(ProblemKind::NotFound, "retry-after"), None);
    }

    #[test]
    fn whoever_has_to_wait_is_told_no_second_too_few() {
        let told = |millis| {
            let problem = Problem::new(ProblemKind::TooManyAttempts);
            let problem = problem.retry_after(Duration::from_millis(millis));
            let header = problem.render("r").headers().get("retry-after").cloned();
            header.and_then(|it| it.to_str().ok()?.parse::<u64>().ok())
        };

        let waits = [0, 1, 1_000, 1_001, 60_000].map(told);

        assert_eq!(waits, [1, 1, 1, 2, 60].map(Some));
    }

    #[test]
    fn what_the_store_says_stays_in_the_log() {
        let problem = Problem::from(StoreError::Unavailable("mongodb://10.0.0.1".into()));

        assert_eq!(problem.kind(), ProblemKind::StoreUnavailable);
        assert!(!problem.document("r").to_string().contains("10.0.0.1"));
        assert!(
            problem
                .cause()
                .is_some_and(|cause| cause.contains("10.0.0.1"))
        );
    }
}
