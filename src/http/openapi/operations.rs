//! Completing operations: every answer documented, and every description present.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{IDEMPOTENCY_KEY, METHODS};
use crate::http::problem::MEDIA_TYPE;
use crate::http::problems::ProblemKind;

type Kinds = BTreeSet<ProblemKind>;

/// What may happen to any request.
const EVERYWHERE: [ProblemKind; 3] = [
    ProblemKind::Internal,
    ProblemKind::StoreUnavailable,
    ProblemKind::Timeout,
];

/// What the edge refuses before it knows the operation.
const BEFORE_ROUTING: [ProblemKind; 5] = [
    ProblemKind::BadRequest,
    ProblemKind::AmbiguousFraming,
    ProblemKind::MethodNotAllowed,
    ProblemKind::UriTooLong,
    ProblemKind::HeadersTooLarge,
];

const OF_A_TENANT: [ProblemKind; 5] = [
    ProblemKind::AmbiguousCredentials,
    ProblemKind::InvalidPublishableKey,
    ProblemKind::InvalidToken,
    ProblemKind::TenantMismatch,
    ProblemKind::NotFound,
];

const OF_A_BODY: [ProblemKind; 8] = [
    ProblemKind::BadRequest,
    ProblemKind::InvalidBody,
    ProblemKind::MalformedJson,
    ProblemKind::UnknownField,
    ProblemKind::DuplicateField,
    ProblemKind::BodyTimeout,
    ProblemKind::BodyTooLarge,
    ProblemKind::UnsupportedMediaType,
];

const OF_A_REPEATABLE: [ProblemKind; 4] = [
    ProblemKind::InvalidIdempotencyKey,
    ProblemKind::IdempotencyKeyInUse,
    ProblemKind::IdempotencyAnswerLost,
    ProblemKind::IdempotencyKeyReused,
];

/// What an operation says of itself that creates nothing, and yet should happen once.
const REPEATABLE: &str = "x-idempotent";

/// Completes every operation of the document.
pub(super) fn complete(document: &mut Value) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, item) in paths.into_iter().flatten() {
        let operations = METHODS
            .iter()
            .filter_map(|method| Some((*method, item.get(*method)?.clone())));
        for (method, operation) in operations.collect::<Vec<_>>() {
            if let Value::Object(operation) = operation {
                item[method] = Value::Object(completed((method, path), operation));
            }
        }
    }
}

fn completed(
    (method, path): (&str, &str),
    mut operation: Map<String, Value>,
) -> Map<String, Value> {
    add_parameters(path, &mut operation);
    spare_body(&mut operation);
    let is_repeatable = method == "post" && is_repeatable(&mut operation);
    let mut kinds = derived(path, &operation);
    kinds.extend(stated(&mut operation));
    if is_repeatable {
        kinds.extend(OF_A_REPEATABLE);
        take_key(&mut operation);
    }
    let mut responses = object(operation.remove("responses"));
    for (status, kinds) in by_status(&kinds) {
        responses
            .entry(status)
            .and_modify(|own| also_refuses(own, &kinds))
            .or_insert_with(|| refusal(&kinds));
    }
    responses
        .entry("default")
        .or_insert_with(|| refusal(&BEFORE_ROUTING));
    responses
        .iter_mut()
        .for_each(|(status, response)| describe(status, response));
    operation.insert("responses".to_owned(), Value::Object(responses));
    operation
}

/// A body is needed, where the operation does not say that it does without.
fn spare_body(operation: &mut Map<String, Value>) {
    let is_optional = operation.remove("x-body-optional").is_some();
    if let Some(body) = operation.get_mut("requestBody").filter(|_| is_optional) {
        body["required"] = Value::Bool(false);
    }
}

fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// Parameters that path and permission imply, where the operation does not describe them itself.
fn add_parameters(path: &str, operation: &mut Map<String, Value>) {
    let is_guarded = operation.contains_key("x-permission");
    let is_for_others = !is_guarded && takes_keys(operation);
    let Some(parameters) = operation
        .entry("parameters")
        .or_insert_with(|| json!([]))
        .as_array_mut()
    else {
        return;
    };
    for name in variables(path) {
        if !parameters.iter().any(|parameter| parameter["name"] == name) {
            parameters.push(json!({
                "name": name, "in": "path", "required": true, "schema": {"type": "string"},
            }));
        }
    }
    if is_guarded {
        parameters.push(json!({"$ref": "#/components/parameters/AppId"}));
        parameters.push(json!({"$ref": "#/components/parameters/EnvId"}));
    }
    if is_for_others {
        parameters.push(json!({"$ref": "#/components/parameters/ClientIp"}));
    }
    if parameters.is_empty() {
        operation.remove("parameters");
    }
}

/// Whether its answers are remembered by key: those of everything that creates, and of what says so.
/// A body that is no JSON may be a stream, which nobody keeps.
fn is_repeatable(operation: &mut Map<String, Value>) -> bool {
    let says_so = operation.remove(REPEATABLE) == Some(Value::Bool(true));
    let creates = operation["responses"].get("201").is_some();
    let content = operation.get("requestBody").map(|body| &body["content"]);
    let is_json = content.is_none_or(|content| content.get("application/json").is_some());
    (says_so || creates) && is_json
}

fn take_key(operation: &mut Map<String, Value>) {
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        parameters.push(json!({"$ref": IDEMPOTENCY_KEY}));
    }
}

/// Whether a backend can call it with its secret key.
fn takes_keys(operation: &Map<String, Value>) -> bool {
    let schemes = operation.get("security").and_then(Value::as_array);
    let mut schemes = schemes.into_iter().flatten();
    schemes.any(|scheme| scheme.get("api_key").is_some())
}

fn variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// The problems an operation names, taken out of it.
fn stated(operation: &mut Map<String, Value>) -> Kinds {
    let stated = operation.remove("x-problems").unwrap_or_default();
    let slugs = stated
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    slugs.filter_map(ProblemKind::by_slug).collect()
}

/// The problems that guard, path, query and body of an operation imply.
fn derived(path: &str, operation: &Map<String, Value>) -> Kinds {
    let mut kinds = Kinds::from(EVERYWHERE);
    let is_secured_by = |scheme: &str| {
        let alternatives = operation.get("security").and_then(Value::as_array);
        alternatives
            .into_iter()
            .flatten()
            .any(|scheme_set| scheme_set.get(scheme).is_some())
    };
    if is_secured_by("session") || is_secured_by("api_key") {
        kinds.extend(OF_A_TENANT);
        kinds.insert(ProblemKind::Unauthenticated);
    }
    if is_secured_by("session") && !is_secured_by("api_key") {
        kinds.insert(ProblemKind::UserRequired);
    }
    if is_secured_by("publishable_key") {
        kinds.extend(OF_A_TENANT);
        kinds.insert(ProblemKind::AppContextRequired);
    }
    if operation.contains_key("x-permission") {
        kinds.insert(ProblemKind::Forbidden);
    }
    if operation.contains_key("requestBody") {
        kinds.extend(OF_A_BODY);
    }
    if variables(path).next().is_some() {
        kinds.insert(ProblemKind::NotFound);
    }
    kinds.extend(of_query(operation));
    kinds
}

fn of_query(operation: &Map<String, Value>) -> Kinds {
    let parameters = operation
        .get("parameters")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut kinds = Kinds::new();
    for parameter in parameters.filter(|parameter| parameter["in"] == "query") {
        kinds.insert(ProblemKind::InvalidQuery);
        if parameter["name"] == "cursor" {
            kinds.insert(ProblemKind::BadCursor);
        }
    }
    kinds
}

fn by_status(kinds: &Kinds) -> BTreeMap<String, Vec<ProblemKind>> {
    let mut groups: BTreeMap<String, Vec<ProblemKind>> = BTreeMap::new();
    for kind in kinds {
        groups
            .entry(kind.status().as_u16().to_string())
            .or_default()
            .push(*kind);
    }
    groups
}

fn refusal(kinds: &[ProblemKind]) -> Value {
    let lines = kinds
        .iter()
        .map(|kind| format!("- `{}`: {}", kind.slug(), kind.title()));
    json!({
        "description": lines.collect::<Vec<_>>().join("\n"),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        "x-problems": kinds,
    })
}

/// What an operation answers by itself with this status, and the problems that it may be instead.
fn also_refuses(own: &mut Value, kinds: &[ProblemKind]) {
    let refusal = refusal(kinds);
    let both = [&own["description"], &refusal["description"]];
    let both: Vec<_> = both.into_iter().filter_map(Value::as_str).collect();
    own["description"] = both.join("\n").into();
    own["content"][MEDIA_TYPE] = refusal["content"][MEDIA_TYPE].clone();
    own["x-problems"] = refusal["x-problems"].clone();
}

/// OpenAPI 3.1 §4.8.17: a response without a description makes the document invalid.
fn describe(status: &str, response: &mut Value) {
    let is_described = response["description"]
        .as_str()
        .is_some_and(|text| !text.is_empty());
    if is_described || response.get("$ref").is_some() {
        return;
    }
    let reason = StatusCode::from_bytes(status.as_bytes())
        .ok()
        .and_then(|s| s.canonical_reason());
    response["description"] = reason.unwrap_or("An answer").into();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(path: &str, operation: &Value) -> Value {
        let mut document = json!({"paths": {path: {"post": operation}}});
        complete(&mut document);
        document["paths"][path]["post"].take()
    }

    #[test]
    fn problems_are_grouped_by_status() {
        let done = operation(
            "/v1/signup",
            &json!({
                "security": [{"publishable_key": []}],
                "requestBody": {},
                "x-problems": [ProblemKind::EmailTaken, ProblemKind::UsernameTaken],
                "responses": {"201": {}},
            }),
        );

        let conflict = &done["responses"]["409"];
        assert_eq!(
            conflict["x-problems"],
            json!(["email_taken", "username_taken"])
        );
        assert!(
            conflict["description"]
                .as_str()
                .unwrap()
                .contains("`email_taken`: ")
        );
        assert_eq!(done["responses"]["201"]["description"], "Created");
        assert_eq!(done.get("x-problems"), None);
        let statuses: Vec<_> = done["responses"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(
            statuses,
            [
                "201", "400", "401", "404", "408", "409", "413", "415", "500", "503", "default"
            ]
        );
    }

    #[test]
    fn what_guard_and_path_imply_is_documented() {
        let done = operation(
            "/v1/users/{user}/roles",
            &json!({
                "security": [{"session": []}, {"api_key": []}],
                "x-permission": "users:assign_roles",
                "responses": {},
            }),
        );

        assert_eq!(done["parameters"][0]["name"], "user");
        assert_eq!(
            done["parameters"][1]["$ref"],
            "#/components/parameters/AppId"
        );
        assert_eq!(done["responses"]["403"]["x-problems"], json!(["forbidden"]));
        assert!(
            done["responses"]["401"]["x-problems"]
                .to_string()
                .contains("unauthenticated")
        );
        assert_eq!(done["x-permission"], "users:assign_roles");
    }

    #[test]
    fn what_only_people_can_do_says_so() {
        let permission = "me:read";
        let done = operation(
            "/v1/me",
            &json!({"security": [{"session": []}], "x-permission": permission, "responses": {}}),
        );

        assert_eq!(
            done["responses"]["403"]["x-problems"],
            json!(["forbidden", "user_required"])
        );
    }

    #[test]
    fn what_a_backend_does_for_its_users_names_their_address() {
        let keys = json!([{"publishable_key": []}, {"api_key": []}]);
        let done = operation("/v1/signin", &json!({"security": keys, "responses": {}}));

        assert_eq!(
            done["parameters"],
            json!([{"$ref": "#/components/parameters/ClientIp"}])
        );
    }

    #[test]
    fn an_open_operation_says_little() {
        let done = operation(
            "/livez",
            &json!({"responses": {"200": {"description": "Alive"}}}),
        );

        let statuses: Vec<_> = done["responses"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(statuses, ["200", "500", "503", "default"]);
        assert_eq!(done["responses"]["200"]["description"], "Alive");
        assert_eq!(done.get("parameters"), None);
    }
}
