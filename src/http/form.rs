//! Bodies of the endpoints that other standards define: a form or a JSON object, or none at all.
//!
//! They take no cookies, so that a form from another site, which carries none of ours, does no harm.
//! Of a form, parameters that nobody knows are ignored (RFC 6749 §3.2); one given twice is refused.

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, TRANSFER_ENCODING};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value};
use tokio::time::timeout;
use url::form_urlencoded;

use super::body::{self, BODY_MAX};
use super::edge::Edge;
use super::fields::{self, FromFields, Source};
use super::json;
use super::problem::Problem;
use super::problems::ProblemKind;

/// The media type of forms.
const FORM: &str = "application/x-www-form-urlencoded";

/// A body, and how it came. A form that cannot be read is for its reader to refuse.
#[derive(Debug)]
pub struct FormOrJson<T>(Sent<T>);

/// How a body was sent.
#[derive(Debug)]
pub enum Sent<T> {
    Form(Result<T, Problem>),
    Json(T),
    Nothing,
}

impl<T> FormOrJson<T> {
    pub fn into_inner(self) -> Sent<T> {
        self.0
    }
}

impl<T: FromFields + 'static> FromRequest for FormOrJson<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_form = req.content_type().eq_ignore_ascii_case(FORM);
        let is_empty = is_empty(req);
        let declared = if is_form {
            body::check_size(req.headers(), BODY_MAX)
        } else {
            body::check_declaration(req.headers(), BODY_MAX)
        };
        let payload = payload.take();
        let patience = req.app_data::<Data<Edge>>().map(|edge| edge.body_timeout);
        Box::pin(async move {
            if is_empty {
                return Ok(Self(Sent::Nothing));
            }
            declared?;
            let late = |_| Problem::new(ProblemKind::BodyTimeout);
            let bytes = timeout(
                patience.unwrap_or_default(),
                body::collect(payload, BODY_MAX),
            )
            .await
            .map_err(late)??;
            if !is_form {
                let members = json::object(&bytes)?;
                return fields::read(members, Source::Body, None).map(|it| Self(Sent::Json(it)));
            }
            let read = members(&bytes).and_then(|it| fields::read(it, Source::Form, None));
            Ok(Self(Sent::Form(read)))
        })
    }
}

fn is_empty(req: &HttpRequest) -> bool {
    let headers = req.headers();
    let length = headers.get(CONTENT_LENGTH).map(HeaderValue::as_bytes);
    let has_none = length.is_none_or(|it| it == b"0");
    has_none && !headers.contains_key(TRANSFER_ENCODING) && !headers.contains_key(CONTENT_TYPE)
}

/// An empty parameter counts as one that is not there (RFC 6749 §3.2).
pub(super) fn members(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    let mut members = Map::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        if value.is_empty() {
            continue;
        }
        let before = members.insert(name.to_string(), Value::String(value.into_owned()));
        if before.is_some() {
            let kind = ProblemKind::DuplicateField;
            return Err(Problem::new(kind).field("", kind.slug(), "a parameter is there twice"));
        }
    }
    Ok(members)
}
