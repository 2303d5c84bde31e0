//! Headers that whoever makes a webhook adds to its requests.
//!
//! For marks by which a receiver tells requests apart, not for secrets: they are shown to everybody
//! who may read the webhook. What frames, routes or authenticates a request is not his to say.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Header names, lower-case, with their values.
pub(super) type Headers = BTreeMap<String, String>;

const MOST: usize = 10;
const LONGEST_NAME: usize = 64;
const LONGEST_VALUE: usize = 512;

/// Names that are ours, the connection's, or a credential's.
const RESERVED: [&str; 29] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "origin",
    "range",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-api-key",
    "x-auth-token",
    "x-client-ip",
    "x-http-method",
    "x-method-override",
    "x-real-ip",
];

/// Beginnings of such names.
const RESERVED_BEGINNINGS: [&str; 8] = [
    "proxy-",
    "sec-",
    "webhook-",
    "x-authsome-",
    "x-forwarded-",
    "x-http-method-",
    "x-original-",
    "x-rewrite-",
];

/// Why headers are refused. What was sent is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadHeaders {
    #[error("must be at most 10 headers")]
    TooMany,
    #[error("must have names of letters, digits, hyphens and underscores, 64 at most, each once")]
    Name,
    #[error("must not name what frames, routes or authenticates a request")]
    Reserved,
    #[error("must have values of 1 to 512 printable ASCII characters on one line")]
    Value,
}

pub(super) fn parse(members: Map<String, Value>) -> Result<Headers, BadHeaders> {
    if members.len() > MOST {
        return Err(BadHeaders::TooMany);
    }
    let mut headers = Headers::new();
    for (name, value) in members {
        let name = named(&name)?;
        let value = value.as_str().filter(|it| is_a_value(it));
        let value = value.ok_or(BadHeaders::Value)?.to_owned();
        if headers.insert(name, value).is_some() {
            return Err(BadHeaders::Name);
        }
    }
    Ok(headers)
}

/// RFC 9110 §5.1: names know no case.
fn named(name: &str) -> Result<String, BadHeaders> {
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_of_a_name) {
        return Err(BadHeaders::Name);
    }
    let name = name.to_ascii_lowercase();
    // Some receivers take the one for the other.
    let meant = name.replace('_', "-");
    let begins = |beginning: &&str| meant.starts_with(*beginning);
    if RESERVED.contains(&&*meant) || RESERVED_BEGINNINGS.iter().any(begins) {
        return Err(BadHeaders::Reserved);
    }
    Ok(name)
}

fn is_a_value(value: &str) -> bool {
    let is_printable = |byte: u8| (b' '..=b'~').contains(&byte);
    let is_trimmed = value.trim() == value;
    !value.is_empty()
        && value.len() <= LONGEST_VALUE
        && is_trimmed
        && value.bytes().all(is_printable)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(headers: Value) -> Result<Headers, BadHeaders> {
        let Value::Object(members) = headers else {
            panic!("no object: {headers}")
        };
        parse(members)
    }

    #[test]
    fn headers_of_ones_own_are_kept_in_lower_case() {
        let headers = parsed(json!({"X-Source": "authsome", "x_stage": "a=b; c"})).unwrap();

        let expected = [("x-source", "authsome"), ("x_stage", "a=b; c")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(headers, Headers::from(expected));
    }

    #[test]
    fn what_frames_routes_or_authenticates_is_refused() {
        for name in [
            "Host",
            "Authorization",
            "Content-Length",
            "Transfer-Encoding",
            "transfer_encoding",
            "Connection",
            "Cookie",
            "Proxy-Authorization",
            "Webhook-Id",
            "webhook-signature",
            "X-Authsome-Signature",
            "X-Forwarded-For",
            "Sec-Fetch-Site",
            "X-Api-Key",
            "x_api_key",
            "X-Real-IP",
            "X-Original-URL",
            "X-Rewrite-URL",
            "X-HTTP-Method-Override",
        ] {
            assert_eq!(
                parsed(json!({name: "x"})),
                Err(BadHeaders::Reserved),
                "{name}"
            );
        }
    }

    #[test]
    fn lines_cannot_be_broken_or_begun() {
        for value in [
            "a\r\nx-evil: b",
            "a\nb",
            "a\rb",
            "a\0b",
            "a\tb",
            "ü",
            "",
            " a",
            "a ",
            "\u{7f}",
        ] {
            assert_eq!(
                parsed(json!({"x-a": value})),
                Err(BadHeaders::Value),
                "{value:?}"
            );
        }
        for name in [
            "",
            "x a",
            "x:a",
            "x\r\na",
            "x.a",
            "$x",
            "ü",
            &"x".repeat(65),
        ] {
            assert_eq!(
                parsed(json!({name: "x"})),
                Err(BadHeaders::Name),
                "{name:?}"
            );
        }
        assert_eq!(parsed(json!({"x-a": 1})), Err(BadHeaders::Value));
        assert_eq!(
            parsed(json!({"x-a": "1", "X-A": "2"})),
            Err(BadHeaders::Name)
        );
        let many: Map<_, _> = (0..=MOST)
            .map(|it| (format!("x-{it}"), json!("x")))
            .collect();
        assert_eq!(parse(many), Err(BadHeaders::TooMany));
    }
}
