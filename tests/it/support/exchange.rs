//! What holds for every reply that any test receives, whatever it asked.

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::{log, spec};

/// A request and its reply, as far as they can be judged.
#[derive(Debug)]
pub struct Exchange<'a> {
    pub method: &'a str,
    /// Path and query, without the base path.
    pub target: &'a str,
    pub status: u16,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
    /// Server errors that the test asked for.
    pub may_fail: &'a [u16],
}

/// On every reply, and exactly so (ASVS 3.4, 14.3.2).
const SECURITY: [(&str, &str); 5] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    (
        "strict-transport-security",
        "max-age=63072000; includeSubDomains",
    ),
    ("x-content-type-options", "nosniff"),
];

/// What others may keep for a while.
const KEPT: [&str; 3] = [
    "/.well-known/jwks.json",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
];

/// Words of what lies behind the API: drivers, files, stacks, collections.
const INNARDS: [&str; 20] = [
    "E11000",
    "dup key",
    "duplicate key",
    "MongoDB",
    "mongodb:",
    "SQLITE",
    "SQLite",
    "rusqlite",
    "UNIQUE constraint",
    "constraint failed",
    "panicked",
    "RUST_BACKTRACE",
    ".rs:",
    "/src/",
    "/root/",
    "/home/",
    "/tmp/",
    "authsome_",
    "serde",
    "actix",
];

/// Secrets of the personas: a password never comes back.
pub const MARK: &str = "quiet river";

/// Fails the test for a reply that breaks a rule of the house.
pub fn examine(exchange: &Exchange<'_>) {
    let faults = faults(exchange);
    let Exchange {
        method,
        target,
        status,
        body,
        ..
    } = exchange;
    let body = String::from_utf8_lossy(body);
    assert!(
        faults.is_empty(),
        "{method} {target} -> {status} {body:.2000}\n{}",
        faults.join("\n")
    );
}

fn faults(exchange: &Exchange<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    about_the_head(exchange, &mut faults);
    about_the_body(exchange, &mut faults);
    about_refusals(exchange, &mut faults);
    faults.extend(spec::fault(exchange));
    faults
}

impl Exchange<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The path alone.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub fn is_json(&self) -> bool {
        self.header("content-type")
            .is_some_and(|it| it.starts_with("application/json"))
    }

    /// One JSON document a line.
    pub fn is_lines(&self) -> bool {
        self.header("content-type") == Some("application/x-ndjson")
    }

    /// Lines for a program that are no JSON, where they are documented.
    pub fn is_plain(&self) -> bool {
        self.header("content-type")
            .is_some_and(|it| it.starts_with("text/plain;"))
    }

    pub fn is_problem(&self) -> bool {
        self.header("content-type") == Some("application/problem+json")
    }

    /// A refusal in the words of RFC 6749.
    pub fn is_oauth(&self) -> bool {
        self.path() == "/v1/token/exchange" && self.is_json()
    }

    /// A page for people, which is no part of the API.
    pub fn is_page(&self) -> bool {
        let of = |all: &str| self.path().starts_with(all);
        self.path() == "/docs" || of("/docs/") || of("/pages/")
    }
}

fn about_the_head(exchange: &Exchange<'_>, faults: &mut Vec<String>) {
    let id = exchange.header("x-request-id").unwrap_or_default();
    if id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        faults.push(format!("x-request-id is {id:?}"));
    }
    if exchange.headers.contains_key("server") {
        faults.push("a server header".to_owned());
    }
    for (name, value) in SECURITY {
        if exchange.header(name) != Some(value) {
            faults.push(format!("{name} is {:?}", exchange.header(name)));
        }
    }
    let policy = exchange
        .header("content-security-policy")
        .unwrap_or_default();
    for rule in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        if !policy.contains(rule) {
            faults.push(format!("the content security policy does not say {rule}"));
        }
    }
    let vary: Vec<_> = exchange.headers.get_all("vary").iter().collect();
    let vary = vary
        .iter()
        .filter_map(|it| it.to_str().ok())
        .collect::<Vec<_>>()
        .join(", ");
    if !vary.contains("Origin") || !vary.contains("Authorization") {
        faults.push(format!("vary is {vary:?}"));
    }
    let is_kept = KEPT.contains(&exchange.path()) && matches!(exchange.status, 200 | 304);
    let is_shown = exchange.path() == "/v1/client-config" && exchange.status < 400;
    if !is_kept && !is_shown && exchange.header("cache-control") != Some("no-store") {
        faults.push(format!(
            "cache-control is {:?}",
            exchange.header("cache-control")
        ));
    }
}

fn about_the_body(exchange: &Exchange<'_>, faults: &mut Vec<String>) {
    let text = String::from_utf8_lossy(exchange.body);
    let is_about_itself = exchange.path() == "/.well-known/authsome/openapi" || exchange.is_page();
    if !is_about_itself && text.contains(MARK) {
        faults.push("a password in the body".to_owned());
    }
    // Metrics bear the product's name, as collections do.
    if !is_about_itself && !exchange.is_plain() {
        let told = INNARDS.iter().filter(|word| text.contains(**word));
        faults.extend(told.map(|word| format!("{word:?} in the body")));
    }
    let declared = exchange.header("content-type");
    match exchange.status {
        204 if declared.is_some() || !exchange.body.is_empty() => {
            faults.push("a 204 with a body".to_owned());
        }
        200..=299
            if exchange.status != 204
                && !exchange.is_json()
                && !exchange.is_lines()
                && !exchange.is_plain()
                && !exchange.is_page() =>
        {
            faults.push(format!("content-type is {declared:?}"));
        }
        400.. if !exchange.is_problem() && !exchange.is_oauth() => {
            faults.push(format!("content-type is {declared:?}"));
        }
        _ => {}
    }
}

fn about_refusals(exchange: &Exchange<'_>, faults: &mut Vec<String>) {
    let status = exchange.status;
    let id = exchange.header("x-request-id").unwrap_or_default();
    if status >= 500 && !exchange.may_fail.contains(&status) {
        faults.push(format!(
            "a server error; the log says\n{}",
            log::lines_with(id).join("\n")
        ));
    }
    let demanded = match status {
        401 => Some("www-authenticate"),
        405 => Some("allow"),
        429 | 503 => Some("retry-after"),
        _ => None,
    };
    if let Some(name) = demanded.filter(|name| !exchange.headers.contains_key(*name)) {
        faults.push(format!("no {name}"));
    }
    if status < 400 || exchange.method == "HEAD" || exchange.is_oauth() {
        return;
    }
    let document: Value = serde_json::from_slice(exchange.body).unwrap_or_default();
    if document["status"] != status || document["request_id"] != id {
        faults.push("the problem tells another status or request".to_owned());
    }
    if document["error"] != document["title"] {
        faults.push("`error` does not repeat the title".to_owned());
    }
}
