//! What the server says about itself: the OpenAPI document, the pages of the problems, Swagger UI.

use std::str::FromStr;
use std::sync::Arc;

use actix_web::http::header::{
    CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ContentEncoding, LOCATION,
};
use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_swagger_ui::Config;

use super::answer::{Answer, Ok200};
use super::guard::Public;
use super::path::PathId;
use super::problem::Problem;
use super::problems::ProblemKind;
use super::routing::{Document, Routing};

/// Swagger UI is our own copy: it loads nothing from elsewhere and runs nothing inline. The hash is
/// that of the one style element it writes itself (5.32.6).
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; \
    img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
    form-action 'none'";

/// As seen from `/docs/`, so that it is right below a base path too.
const DOCUMENT_FROM_DOCS: &str = "../.well-known/authsome/openapi";

/// The documented routes of this module.
pub(super) fn routes(config: &mut Routing) {
    config.service(document).service(problem);
}

/// Pages for people, which are no part of the API.
pub(super) fn pages(config: &mut web::ServiceConfig) {
    config
        .route("/docs", web::get().to(to_docs))
        .route("/docs/{file:.*}", web::get().to(docs));
}

/// The OpenAPI document
///
/// Describes every operation of this server (OpenAPI 3.1).
#[utoipa::path(
    tag = "meta", operation_id = "meta.openapi",
    responses((status = 200, description = "The document", body = Object)),
    security(()),
)]
#[get("/.well-known/authsome/openapi")]
async fn document(_: Public, document: web::Data<Document>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(document.bytes())
}

/// Explain a problem
///
/// What the `type` of a refusal means.
#[utoipa::path(
    tag = "meta", operation_id = "meta.problem",
    params(("type" = String, Path, description = "The `type` of a problem", example = "email_taken")),
    responses((status = 200, description = "The row of the table of problems", body = ProblemPage)),
    security(()),
)]
#[get("/problems/{type}")]
async fn problem(_: Public, kind: PathId<ProblemKind>) -> Answer<Ok200<ProblemPage>> {
    Ok(Ok200::new(kind.into_inner().into()))
}

/// A kind of refusal, explained.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct ProblemPage {
    #[serde(rename = "type")]
    #[schema(example = "email_taken")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    documentation: &'static str,
}

impl From<ProblemKind> for ProblemPage {
    fn from(kind: ProblemKind) -> Self {
        Self {
            kind: kind.slug(),
            title: kind.title(),
            status: kind.status().as_u16(),
            documentation: kind.documentation(),
        }
    }
}

/// Fails for a `type` that no row has.
impl FromStr for ProblemKind {
    type Err = Problem;

    fn from_str(slug: &str) -> Result<Self, Problem> {
        Self::by_slug(slug).ok_or_else(|| Self::NotFound.into())
    }
}

async fn to_docs(_: Public) -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "docs/"))
        .finish()
}

async fn docs(_: Public, file: web::Path<String>) -> Result<HttpResponse, Problem> {
    let config = Config::new([DOCUMENT_FROM_DOCS]).validator_url("none");
    let found = utoipa_swagger_ui::serve(&file, Arc::new(config)).map_err(Problem::internal)?;
    let file = found.ok_or(ProblemKind::NotFound)?;
    let mut answer = HttpResponse::Ok();
    answer
        .content_type(file.content_type)
        .insert_header((CONTENT_SECURITY_POLICY, DOCS_POLICY));
    if file.gzpipped {
        answer.insert_header((CONTENT_ENCODING, ContentEncoding::Gzip));
    }
    Ok(answer.body(file.bytes.into_owned()))
}
