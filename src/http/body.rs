//! Bodies: JSON objects of at most 64 KiB, declared as JSON, read within the bound of the configuration.
//!
//! The declared type is checked before a byte is read: a form or a plain-text body is refused, which
//! is also what keeps cross-site forms out (they cannot send `application/json`).

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue,
};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use tokio::time::timeout;

use super::edge::Edge;
use super::fields::{self, FromFields, Source};
use super::json;
use super::problem::Problem;
use super::problems::ProblemKind;

const BODY_MAX: usize = 64 * 1024;

/// The body of a request, parsed.
#[derive(Debug)]
pub struct Body<T>(T);

impl<T> Body<T> {
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: FromFields + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let declared = check_declaration(req.headers());
        let payload = payload.take();
        let patience = req.app_data::<Data<Edge>>().map(|edge| edge.body_timeout);
        Box::pin(async move {
            declared?;
            let late = |_| Problem::new(ProblemKind::BodyTimeout);
            let bytes = timeout(patience.unwrap_or_default(), collect(payload))
                .await
                .map_err(late)??;
            fields::read(json::object(&bytes)?, Source::Body, None).map(Self)
        })
    }
}

fn check_declaration(headers: &HeaderMap) -> Result<(), Problem> {
    let is_json = headers
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(is_json);
    let encoding = headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes);
    if !is_json || encoding.is_some_and(|name| !name.eq_ignore_ascii_case(b"identity")) {
        return Err(ProblemKind::UnsupportedMediaType.into());
    }
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > BODY_MAX as u64) {
        return Err(ProblemKind::BodyTooLarge.into());
    }
    Ok(())
}

/// `application/json`, with no parameter but `charset=utf-8`.
fn is_json(value: &str) -> bool {
    let mut parts = value.split(';').map(str::trim);
    let is_type = parts
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    is_type
        && parts.all(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            name.trim().eq_ignore_ascii_case("charset")
                && value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
}

async fn collect(mut payload: Payload) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| broken(&error))?;
        if bytes.len() + chunk.len() > BODY_MAX {
            return Err(ProblemKind::BodyTooLarge.into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn broken(error: &PayloadError) -> Problem {
    if matches!(error, PayloadError::Overflow) {
        return ProblemKind::BodyTooLarge.into();
    }
    Problem::new(ProblemKind::BadRequest)
        .detail("the body broke off")
        .because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_in_utf_8_is_json() {
        let json = [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
        ];
        let other = [
            "",
            "text/plain",
            "application/json; charset=utf-16",
            "application/jsonx",
            "multipart/form-data",
            "application/x-www-form-urlencoded",
            "application/json; boundary=x",
            "application/json, text/plain",
        ];

        assert!(json.iter().all(|value| is_json(value)));
        assert!(other.iter().all(|value| !is_json(value)));
    }

    #[test]
    fn a_compressed_or_oversized_body_is_refused_before_it_is_read() {
        let refusal = |name, value| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(name, HeaderValue::from_static(value));
            check_declaration(&headers).map_err(|problem| problem.kind())
        };
        assert_eq!(
            refusal(CONTENT_ENCODING, "gzip"),
            Err(ProblemKind::UnsupportedMediaType)
        );
        assert_eq!(
            refusal(CONTENT_LENGTH, "65537"),
            Err(ProblemKind::BodyTooLarge)
        );
        assert_eq!(refusal(CONTENT_LENGTH, "65536"), Ok(()));
    }
}
