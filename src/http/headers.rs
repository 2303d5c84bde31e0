//! Headers that every answer carries, refusals included. A handler's own choice stands.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// The answer depends on the origin that asks (CORS) and on the credential.
const VARY: &str = "Origin, Authorization";

/// ASVS 3.4, 14.3.2. A browser shown an answer of the API must run, frame and keep nothing.
const SECURITY: [(HeaderName, &str); 8] = [
    (header::CACHE_CONTROL, "no-store"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        PERMISSIONS_POLICY,
        "camera=(), geolocation=(), microphone=(), payment=(), publickey-credentials-get=(), usb=()",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::STRICT_TRANSPORT_SECURITY,
        "max-age=63072000; includeSubDomains",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

pub(super) fn secure(headers: &mut HeaderMap) {
    for (name, value) in SECURITY {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    headers.append(header::VARY, HeaderValue::from_static(VARY));
    headers.remove(header::SERVER);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_secured_and_a_handler_s_choice_stands() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=600"),
        );
        headers.insert(header::SERVER, HeaderValue::from_static("x"));

        secure(&mut headers);

        assert_eq!(
            headers.get(header::CACHE_CONTROL).unwrap(),
            "public, max-age=600"
        );
        assert_eq!(
            headers.get(header::X_CONTENT_TYPE_OPTIONS).unwrap(),
            "nosniff"
        );
        assert_eq!(headers.len(), SECURITY.len() + 1);
        assert!(!headers.contains_key(header::SERVER));
    }
}
