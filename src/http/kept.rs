//! Documents that clients keep for a while, and ask for again without being sent them again.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderMap, IF_NONE_MATCH, VARY};
use actix_web::{HttpRequest, HttpResponse, Responder};
use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::Serialize;

use super::problem::Problem;

/// 200 and a document that depends on the publishable key, and that its reader may keep; or 304
/// where he has it already (RFC 9110 §13.1.2).
#[derive(Clone, Debug)]
pub struct Kept<T> {
    view: T,
    seconds: u32,
}

impl<T> Kept<T> {
    pub fn new(view: T, seconds: u32) -> Self {
        Self { view, seconds }
    }
}

impl<T: Serialize> Responder for Kept<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let bytes = match serde_json::to_vec(&self.view) {
            Ok(bytes) => bytes,
            Err(error) => return HttpResponse::from_error(Problem::internal(error)),
        };
        let tag = tag(&bytes);
        let is_known = knows(request.headers(), &tag);
        let status = if is_known {
            StatusCode::NOT_MODIFIED
        } else {
            StatusCode::OK
        };
        let mut response = HttpResponse::build(status);
        response
            .insert_header((CACHE_CONTROL, format!("private, max-age={}", self.seconds)))
            .append_header((VARY, "X-Publishable-Key"))
            .insert_header((ETAG, tag));
        if is_known {
            return response.finish();
        }
        response.content_type("application/json").body(bytes)
    }
}

/// A strong validator: the same text, the same tag.
fn tag(bytes: &[u8]) -> String {
    let hash = digest(&SHA256, bytes);
    let half = hash.as_ref().split_at(16).0;
    format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(half))
}

/// Compared weakly, as a GET is (RFC 9110 §8.8.3.2).
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers.get_all(IF_NONE_MATCH);
    let mut known = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    known.any(|it| {
        let it = it.trim();
        it == "*" || it.strip_prefix("W/").unwrap_or(it) == tag
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn a_reader_knows_what_he_names_and_nothing_else() {
        let own = tag(b"{}");
        let named = |line: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_str(line).unwrap());
            knows(&headers, &own)
        };

        assert!(named(&own) && named("*") && named(&format!("W/{own}")));
        assert!(named(&format!("\"other\", {own}")));
        assert!(!named("\"other\"") && !named("") && !named(own.trim_matches('"')));
        assert_ne!(own, tag(b"{ }"));
    }
}
