//! Limits on the head of a request, and framing that two readers could understand differently.
//!
//! actix refuses most of these itself, before there is a request, with an empty answer: more than
//! 96 header lines (431), two `Content-Length` or `Host` lines, `Content-Length` together with
//! `Transfer-Encoding` (400 and close). The same law stands here for what gets through.

use actix_web::http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderName, TRANSFER_ENCODING};
use actix_web::http::{Method, Uri};

use super::problems::ProblemKind;

const URI_MAX: usize = 8 * 1024;
const HEADERS_MAX: usize = 16 * 1024;
const HEADER_LINES_MAX: usize = 100;

/// What each header line costs besides name and value: the colon, a space and the line end.
const LINE_OVERHEAD: usize = 4;

/// The first limit that the head of a request breaks.
pub(super) fn broken(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<ProblemKind> {
    if uri
        .path_and_query()
        .is_some_and(|target| target.as_str().len() > URI_MAX)
    {
        return Some(ProblemKind::UriTooLong);
    }
    if headers.len() > HEADER_LINES_MAX || size(headers) > HEADERS_MAX {
        return Some(ProblemKind::HeadersTooLarge);
    }
    is_ambiguous(method, headers).then_some(ProblemKind::AmbiguousFraming)
}

fn size(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + LINE_OVERHEAD)
        .sum()
}

fn is_ambiguous(method: &Method, headers: &HeaderMap) -> bool {
    let lines = |name: HeaderName| headers.get_all(name).count();
    let (lengths, codings) = (lines(CONTENT_LENGTH), lines(TRANSFER_ENCODING));
    if lengths + codings > 1 || lines(HOST) > 1 {
        return true;
    }
    // A GET with a body is a second request to a front end that does not expect one.
    let has_body = codings > 0
        || headers
            .get(CONTENT_LENGTH)
            .is_some_and(|length| length != "0");
    has_body && (*method == Method::GET || *method == Method::HEAD)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn judged(method: &Method, uri: &str, headers: &[(&'static str, &str)]) -> Option<ProblemKind> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        broken(method, &uri.parse().unwrap(), &map)
    }

    #[test]
    fn heads_within_the_limits_pass() {
        let longest = format!("/{}", "a".repeat(URI_MAX - 1));

        assert_eq!(
            judged(&Method::GET, &longest, &[("content-length", "0")]),
            None
        );
        assert_eq!(
            judged(
                &Method::POST,
                "/",
                &[("content-length", "5"), ("host", "a")]
            ),
            None
        );
        assert_eq!(
            judged(&Method::DELETE, "/", &[("transfer-encoding", "chunked")]),
            None
        );
    }

    #[test]
    fn heads_beyond_the_limits_are_named() {
        let too_long = format!("/?{}", "a".repeat(URI_MAX));
        let large = "a".repeat(HEADERS_MAX);

        assert_eq!(
            judged(&Method::GET, &too_long, &[]),
            Some(ProblemKind::UriTooLong)
        );
        assert_eq!(
            judged(&Method::GET, "/", &[("x", &large)]),
            Some(ProblemKind::HeadersTooLarge)
        );
        let lines = vec![("x", "1"); HEADER_LINES_MAX + 1];
        assert_eq!(
            judged(&Method::GET, "/", &lines),
            Some(ProblemKind::HeadersTooLarge)
        );
    }

    #[test]
    fn framing_that_can_be_read_in_two_ways_is_ambiguous() {
        let table: [(Method, &[(&'static str, &str)]); 5] = [
            (
                Method::POST,
                &[("content-length", "5"), ("transfer-encoding", "chunked")],
            ),
            (
                Method::POST,
                &[("content-length", "5"), ("content-length", "6")],
            ),
            (Method::POST, &[("host", "a"), ("host", "b")]),
            (Method::GET, &[("content-length", "5")]),
            (Method::GET, &[("transfer-encoding", "chunked")]),
        ];
        for (method, headers) in table {
            assert_eq!(
                judged(&method, "/", headers),
                Some(ProblemKind::AmbiguousFraming),
                "{headers:?}"
            );
        }
    }
}
