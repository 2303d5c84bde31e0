//! The OpenAPI document as a judge: every reply must be one that its operation documents, with a
//! body of the documented shape, no member more, and with a problem that is listed.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use super::exchange::Exchange;

/// What may be answered where no operation is: by the edge, before it has looked for one.
const OF_THE_EDGE: [&str; 6] = [
    "not_found",
    "method_not_allowed",
    "bad_request",
    "ambiguous_framing",
    "uri_too_long",
    "headers_too_large",
];

static SPEC: LazyLock<Spec> = LazyLock::new(|| Spec::of(authsome::app::document()));

#[derive(Debug)]
struct Spec {
    document: Value,
    /// By the place of the response in the document; they are made when first needed.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// What is wrong with a reply by the document.
pub fn fault(exchange: &Exchange<'_>) -> Option<String> {
    if exchange.is_page() {
        return None;
    }
    match SPEC.operation(exchange.method, exchange.path()) {
        Some((template, operation)) => SPEC.judge(exchange, &template, operation),
        None => of_no_operation(exchange),
    }
}

fn of_no_operation(exchange: &Exchange<'_>) -> Option<String> {
    let is_preflight = exchange.method == "OPTIONS" && exchange.status == 204;
    let told = kind(exchange);
    let is_edge = exchange.method == "HEAD" || OF_THE_EDGE.contains(&told.as_str());
    let is_known = is_preflight || is_edge && exchange.status >= 400;
    (!is_known).then(|| "no operation is documented here".to_owned())
}

fn kind(exchange: &Exchange<'_>) -> String {
    let document: Value = serde_json::from_slice(exchange.body).unwrap_or_default();
    document["type"].as_str().unwrap_or_default().to_owned()
}

impl Spec {
    fn of(mut document: Value) -> Self {
        let schemas = document["components"]["schemas"].as_object_mut();
        schemas
            .into_iter()
            .flatten()
            .for_each(|(_, schema)| close(schema));
        Self {
            document,
            validators: Mutex::default(),
        }
    }

    /// The operation, and the template of its path; of those that know the method, literal segments
    /// win over variables.
    fn operation(&self, method: &str, path: &str) -> Option<(String, &Value)> {
        let paths = self.document["paths"]
            .as_object()
            .expect("a document has paths");
        let fitting = paths.iter().filter(|(template, _)| fits(template, path));
        let known = fitting
            .filter_map(|(template, item)| Some((template, item.get(method.to_lowercase())?)));
        let (template, operation) =
            known.min_by_key(|(template, _)| template.matches('{').count())?;
        Some((template.clone(), operation))
    }

    fn judge(&self, exchange: &Exchange<'_>, template: &str, operation: &Value) -> Option<String> {
        let status = exchange.status.to_string();
        let responses = &operation["responses"];
        let place = if responses.get(&status).is_some() {
            &status
        } else {
            "default"
        };
        let response = &responses[place];
        if exchange.status < 400 && place == "default" {
            return Some(format!("{status} is not documented"));
        }
        // What the edge may say before it has looked for an operation stands under `default`.
        let listed = |response| lists(response, &kind(exchange));
        if exchange.is_problem() && !listed(response) && !listed(&responses["default"]) {
            return Some(format!("{} is not documented for {status}", kind(exchange)));
        }
        if exchange.is_plain() {
            let is_documented = response["content"].get("text/plain").is_some();
            return (!is_documented).then(|| "no lines are documented".to_owned());
        }
        let media_type = if exchange.is_problem() {
            "problem+json"
        } else if exchange.is_lines() {
            "x-ndjson"
        } else {
            "json"
        };
        let content = &response["content"][format!("application/{media_type}")];
        if content.is_null() {
            let is_empty = exchange.body.is_empty() && response.get("content").is_none();
            return (!is_empty).then(|| format!("no such body is documented for {status}"));
        }
        let key = format!("{} {template} {place} {media_type}", exchange.method);
        if exchange.is_lines() {
            let lines = exchange.body.split(|byte| *byte == b'\n');
            let mut lines = lines.filter(|line| !line.is_empty());
            return lines.find_map(|line| self.mismatch(&key, &content["schema"], line));
        }
        self.mismatch(&key, &content["schema"], exchange.body)
    }

    fn mismatch(&self, key: &str, schema: &Value, body: &[u8]) -> Option<String> {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return Some("the body is not JSON".to_owned());
        };
        let validator = self.validator(key, schema);
        let faults = validator.iter_errors(&body);
        let told: Vec<_> = faults
            .map(|fault| format!("{}: {fault}", fault.instance_path))
            .collect();
        (!told.is_empty()).then(|| told.join("\n"))
    }

    fn validator(&self, key: &str, schema: &Value) -> Arc<Validator> {
        let mut validators = self
            .validators
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let make = || Arc::new(self.compiled(schema));
        validators
            .entry(key.to_owned())
            .or_insert_with(make)
            .clone()
    }

    fn compiled(&self, schema: &Value) -> Validator {
        let root = json!({"allOf": [schema], "components": self.document["components"]});
        let options = jsonschema::options().with_draft(Draft::Draft202012);
        options
            .should_validate_formats(true)
            .build(&root)
            .expect("a schema that compiles")
    }
}

/// Members that are not documented are a fault, wherever the document lists members.
fn close(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else {
        return;
    };
    if members.contains_key("properties") && !members.contains_key("additionalProperties") {
        members.insert("additionalProperties".to_owned(), false.into());
    }
}

/// Whether a path is one of this template.
pub fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    let fits =
        |(own, given): (&&str, &&str)| own == given || own.starts_with('{') && !given.is_empty();
    template.len() == path.len() && template.iter().zip(&path).all(fits)
}

fn lists(response: &Value, kind: &str) -> bool {
    let listed = response["x-problems"].as_array().into_iter().flatten();
    listed.into_iter().any(|listed| listed == kind)
}

/// The judge judged: each of these replies would be a fault of the server.
#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};
    use serde_json::json;

    use super::*;

    fn verdict(asked: &str, status: u16, body: &Value) -> Option<String> {
        let (method, target) = asked.split_once(' ').unwrap();
        let kind = if status < 400 { "json" } else { "problem+json" };
        let kind = HeaderValue::from_str(&format!("application/{kind}")).unwrap();
        let headers = HeaderMap::from_iter([("content-type".parse().unwrap(), kind)]);
        let body = body.to_string().into_bytes();
        let (headers, body, may_fail) = (&headers, &body[..], &[][..]);
        fault(&Exchange {
            method,
            target,
            status,
            headers,
            body,
            may_fail,
        })
    }

    fn problem(kind: &str, status: u16) -> Value {
        json!({"type": kind, "title": "x", "error": "x", "status": status, "request_id": "x"})
    }

    #[test]
    fn what_is_documented_is_no_fault() {
        assert_eq!(verdict("GET /livez", 200, &json!({"status": "ok"})), None);
        assert_eq!(
            verdict("GET /v1/me?x=y", 401, &problem("unauthenticated", 401)),
            None
        );
        assert_eq!(
            verdict("GET /v1/me", 414, &problem("uri_too_long", 414)),
            None
        );
        assert_eq!(
            verdict("GET /nowhere", 404, &problem("not_found", 404)),
            None
        );
    }

    #[test]
    fn a_member_a_status_and_a_problem_that_are_not_documented_are_faults() {
        for (asked, status, body) in [
            ("GET /livez", 200, json!({"status": "ok", "version": "1"})),
            ("GET /livez", 200, json!({})),
            ("GET /livez", 200, json!({"status": 1})),
            ("GET /livez", 201, json!({"status": "ok"})),
            ("GET /livez", 404, problem("not_found", 404)),
            ("GET /v1/me", 401, problem("invalid_credentials", 401)),
            ("GET /v1/me", 401, json!({"type": "unauthenticated"})),
            ("POST /nowhere", 200, json!({})),
            ("GET /nowhere", 403, problem("forbidden", 403)),
        ] {
            assert!(
                verdict(asked, status, &body).is_some(),
                "{asked} {status} {body}"
            );
        }
    }
}
