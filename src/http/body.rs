//! Bodies: JSON objects of at most 64 KiB, declared as JSON, read within the bound of the configuration.
//!
//! The declared type is checked before a byte is read: a form or a plain-text body is refused, which
//! is also what keeps cross-site forms out (they cannot send `application/json`).

use std::io;
use std::time::Duration;

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, TRANSFER_ENCODING,
};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::StreamExt;
use futures_util::future::{LocalBoxFuture, ready};
use futures_util::stream::once;
use tokio::time::timeout;

use super::edge::Edge;
use super::fields::{self, FromFields, Source};
use super::json;
use super::problem::Problem;
use super::problems::ProblemKind;

pub(super) const BODY_MAX: usize = 64 * 1024;

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
        let declared = check_declaration(req.headers(), BODY_MAX);
        let payload = payload.take();
        let patience = req.app_data::<Data<Edge>>().map(|edge| edge.body_timeout);
        Box::pin(async move {
            declared?;
            read(payload, BODY_MAX, patience.unwrap_or_default())
                .await
                .map(Self)
        })
    }
}

/// Reads a body of at most `most` bytes, which must come in time.
pub(super) async fn read<T: FromFields>(
    payload: Payload,
    most: usize,
    patience: Duration,
) -> Result<T, Problem> {
    let late = |_| Problem::new(ProblemKind::BodyTimeout);
    let bytes = timeout(patience, collect(payload, most))
        .await
        .map_err(late)??;
    parsed(&bytes)
}

/// Reads one JSON object as a `T`.
pub(super) fn parsed<T: FromFields>(bytes: &[u8]) -> Result<T, Problem> {
    fields::read(json::object(bytes)?, Source::Body, None)
}

/// Whether the body says that it is JSON, and of `most` bytes at most.
pub(super) fn check_declaration(headers: &HeaderMap, most: usize) -> Result<(), Problem> {
    let is_json = headers
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(is_json);
    if !is_json {
        return Err(ProblemKind::UnsupportedMediaType.into());
    }
    check_size(headers, most)
}

/// What holds for every body of `most` bytes at most, of whatever type.
pub(super) fn check_size(headers: &HeaderMap, most: usize) -> Result<(), Problem> {
    let encoding = headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes);
    if encoding.is_some_and(|name| !name.eq_ignore_ascii_case(b"identity")) {
        return Err(ProblemKind::UnsupportedMediaType.into());
    }
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > most as u64) {
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

/// The whole body, which a handler can read again all the same; `None` where there is none that it
/// would take, and then it meets the same fault.
pub(super) async fn held(req: &mut ServiceRequest, patience: Duration) -> Option<Vec<u8>> {
    let headers = req.headers();
    let is_empty = headers
        .get(CONTENT_LENGTH)
        .is_none_or(|length| length == "0");
    if is_empty && !headers.contains_key(TRANSFER_ENCODING) {
        return Some(Vec::new());
    }
    check_declaration(headers, BODY_MAX).ok()?;
    let late = |_| Problem::new(ProblemKind::BodyTimeout);
    let read = timeout(patience, collect(req.take_payload(), BODY_MAX)).await;
    let read = read.map_err(late).flatten();
    let again = match &read {
        Ok(bytes) => Ok(Bytes::from(bytes.clone())),
        Err(problem) => Err(fault(problem.kind())),
    };
    req.set_payload(Payload::Stream {
        payload: Box::pin(once(ready(again))),
    });
    read.ok()
}

/// What makes a reader find the same fault again; see [`broken`].
fn fault(kind: ProblemKind) -> PayloadError {
    let timed_out = || PayloadError::Io(io::ErrorKind::TimedOut.into());
    if kind == ProblemKind::BodyTooLarge {
        return PayloadError::Overflow;
    }
    if kind == ProblemKind::BodyTimeout {
        return timed_out();
    }
    PayloadError::Incomplete(None)
}

pub(super) async fn collect(mut payload: Payload, most: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| broken(&error))?;
        if bytes.len() + chunk.len() > most {
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
    if matches!(error, PayloadError::Io(error) if error.kind() == io::ErrorKind::TimedOut) {
        return ProblemKind::BodyTimeout.into();
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
            check_declaration(&headers, BODY_MAX).map_err(|problem| problem.kind())
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
