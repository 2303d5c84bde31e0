//! Cross-origin requests: pages of an app's own origins may call, named exactly, without cookies.
//!
//! An answer names the origin only if the tenant of *this* request lists it. A preflight carries no
//! key, so it is answered for an origin that any app lists; the request itself is judged again.
//! `null` and `*` are no origins and are never named.

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};

use super::caller::{Directory, Presented};
use crate::kernel::tenant::Tenant;
use crate::kernel::text;

const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
const REQUEST_HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, X-API-Key, X-Authsome-Session, X-Publishable-Key";
const ANSWER_HEADERS: &str = "X-Request-Id, Retry-After, WWW-Authenticate, Idempotency-Replayed";
const PREFLIGHT_SECONDS: &str = "600";

/// The origin of the page that asks, if it is one, spelled as browsers spell it (RFC 6454 §6.2).
pub(super) fn origin(headers: &HeaderMap) -> Option<text::Origin> {
    let mut lines = headers.get_all(header::ORIGIN);
    let line = lines.next()?.to_str().ok()?;
    let origin = text::Origin::parse(line)
        .ok()
        .filter(|origin| origin.as_str() == line);
    origin.filter(|_| lines.next().is_none())
}

pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Answers a preflight: 204, with permissions only for an origin that is listed.
pub(super) async fn preflight(
    directory: &dyn Directory,
    headers: &HeaderMap,
    query: &str,
) -> HttpResponse {
    let key = Presented::of(headers, query)
        .ok()
        .and_then(|presented| presented.publishable_key);
    let tenant = match &key {
        Some(key) => directory.by_publishable_key(key).await.ok().flatten(),
        None => None,
    };
    let mut answer = HttpResponse::NoContent().finish();
    let Some(origin) = origin(headers) else {
        return answer;
    };
    if !is_listed(directory, tenant, &origin).await {
        return answer;
    }
    let permissions = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS),
    ];
    for (name, value) in permissions {
        answer
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    name_origin(answer.headers_mut(), &origin);
    answer
}

/// Lets the page that asked read the answer, if the tenant lists its origin.
pub(super) async fn permit(
    directory: &dyn Directory,
    tenant: Option<Tenant>,
    origin: &text::Origin,
    headers: &mut HeaderMap,
) {
    if is_listed(directory, tenant, origin).await {
        let exposed = HeaderValue::from_static(ANSWER_HEADERS);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        name_origin(headers, origin);
    }
}

/// A directory that cannot tell does not permit.
async fn is_listed(
    directory: &dyn Directory,
    tenant: Option<Tenant>,
    origin: &text::Origin,
) -> bool {
    directory
        .allows_origin(tenant, origin)
        .await
        .unwrap_or(false)
}

fn name_origin(headers: &mut HeaderMap, origin: &text::Origin) {
    if let Ok(value) = HeaderValue::from_str(origin.as_str()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::ORIGIN, HeaderValue::from_str(line).unwrap());
        }
        origin(&headers).map(|origin| origin.as_str().to_owned())
    }

    #[test]
    fn an_origin_counts_only_as_browsers_spell_it() {
        assert_eq!(
            read(&["https://app.example"]).as_deref(),
            Some("https://app.example")
        );
        for line in [
            "null",
            "*",
            "HTTPS://app.example",
            "https://app.example/",
            "https://app.example:443",
        ] {
            assert_eq!(read(&[line]), None, "{line}");
        }
        assert_eq!(read(&["https://app.example", "https://evil.example"]), None);
    }
}
