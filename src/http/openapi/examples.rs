//! An example for every answer that succeeds, made of what the schemas say of themselves.
//!
//! ```text
//! its own example, default or only value ─▶ what the name of a text says (TEXTS) ─▶ the least of its kind
//! ```
//!
//! Only what is always there is shown, and what `SHOWN` names. An operation that states an example of
//! its own keeps it.

use serde_json::{Map, Value, json};

const TOKEN: &str =
    "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJhdXNyXzAxaDIifQ.c2lnbmF0dXJl";
const PLACE: &str = "b2xkZXIgdGhhbiB0aGlz";

/// What a text is, by the name of its member, where no schema says.
const TEXTS: [(&str, &str); 45] = [
    ("access_token", TOKEN),
    ("action", "read"),
    ("amr", "pwd"),
    ("browser", "Firefox"),
    (
        "client_config_uri",
        "https://auth.example.com/v1/client-config",
    ),
    ("crv", "P-256"),
    ("description", "Reads and writes documents"),
    ("detail", "must be 1 to 64 characters"),
    (
        "documentation",
        "The path names nothing that the caller may know of.",
    ),
    ("documentation_uri", "https://auth.example.com/docs"),
    ("first_name", "Mia"),
    ("id", "ausr_01h2xcejqtf2nbrexx3vqjhp41"),
    ("inviter", "Mia Klein"),
    ("ip_address", "203.0.113.7"),
    ("issuer", "https://auth.example.com"),
    ("jwks_uri", "https://auth.example.com/.well-known/jwks.json"),
    ("kind", "user"),
    ("kty", "EC"),
    ("last_name", "Klein"),
    ("name", "editor"),
    ("next", PLACE),
    ("next_cursor", PLACE),
    (
        "openapi_uri",
        "https://auth.example.com/.well-known/authsome/openapi",
    ),
    ("os", "Linux"),
    (
        "publishable_key",
        "pk_test_0dGoX2YSH5lgdK0ANnjL86VGl4y68aLL2jJre4bP3og",
    ),
    ("refresh_token", "Xk3vN0aTn1c8Qm5sWz7pYb2dRf4hJg6u"),
    ("refresh_uri", "https://auth.example.com/v1/refresh"),
    ("request_id", "6309ed860fff764c1401cf2cba2475d7"),
    ("resource", "documents"),
    ("role", "editor"),
    ("roles", "editor"),
    (
        "secret_key",
        "sk_test_8vDqT3nZc1YkW0aJm5RbXu7EhG2sLp9F4iQoKx6NtVw",
    ),
    ("session_token", TOKEN),
    ("signin_uri", "https://auth.example.com/v1/signin"),
    ("signout_uri", "https://auth.example.com/v1/signout"),
    ("signup_uri", "https://auth.example.com/v1/signup"),
    ("slug", "acme"),
    ("template", "verify_email"),
    ("title", "There is no such thing"),
    ("token_type", "Bearer"),
    ("type", "text"),
    ("use", "sig"),
    ("user_agent", "Mozilla/5.0"),
    ("x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
    ("y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
];

/// Flags that an example shows raised; the others are shown lowered.
const RAISED: [&str; 6] = [
    "active",
    "allowed",
    "available",
    "current",
    "email_verified",
    "has_more",
];

/// Members that are shown although they may be absent.
const SHOWN: [&str; 8] = [
    "crv",
    "first_name",
    "ip_address",
    "kid",
    "next_cursor",
    "role",
    "x",
    "y",
];

/// Names of people: their schema is that of all names.
const PEOPLE: [&str; 2] = ["first_name", "last_name"];

/// What answers are written in; of NDJSON the example is a line.
const MEDIA_TYPES: [&str; 2] = ["application/json", "application/x-ndjson"];

/// Deeper than any answer is.
const DEEPEST: usize = 12;

/// Gives every answer that succeeds an example, where it has none.
pub(super) fn add(document: &mut Value) {
    let schemas = document["components"]["schemas"].take();
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    let operations = paths.flat_map(|(_, item)| item.as_object_mut().into_iter().flatten());
    for (_, operation) in operations {
        let responses = operation["responses"].as_object_mut().into_iter().flatten();
        for (_, response) in responses.filter(|(status, _)| status.starts_with('2')) {
            let content = response.get_mut("content").and_then(Value::as_object_mut);
            let kinds = content.into_iter().flatten();
            for (_, answer) in kinds.filter(|(kind, _)| MEDIA_TYPES.contains(&&***kind)) {
                if answer.get("example").is_none() && answer.get("examples").is_none() {
                    let maker = Maker { schemas: &schemas };
                    answer["example"] = maker.example("", &answer["schema"], 0);
                }
            }
        }
    }
    document["components"]["schemas"] = schemas;
}

struct Maker<'a> {
    schemas: &'a Value,
}

impl Maker<'_> {
    /// What a member of this name and schema may be.
    fn example(&self, name: &str, schema: &Value, depth: usize) -> Value {
        if depth > DEEPEST {
            return Value::Null;
        }
        if let Some(stated) = stated(schema) {
            return stated.clone();
        }
        if PEOPLE.contains(&name) {
            return named(name).into();
        }
        if let Some(component) = schema["$ref"].as_str().and_then(|it| it.rsplit('/').next()) {
            return self.example(name, &self.schemas[component], depth + 1);
        }
        if let Some(arms) = alternatives(schema) {
            let arm = arms.iter().find(|it| it["type"] != "null");
            return self.example(name, arm.unwrap_or(&Value::Null), depth + 1);
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let parts = parts.iter().map(|it| self.example(name, it, depth + 1));
            return parts
                .filter_map(object)
                .flatten()
                .collect::<Map<_, _>>()
                .into();
        }
        self.of_its_type(name, schema, depth)
    }

    fn of_its_type(&self, name: &str, schema: &Value, depth: usize) -> Value {
        match kind(schema) {
            "array" => json!([self.example(name, &schema["items"], depth + 1)]),
            "boolean" => RAISED.contains(&name).into(),
            "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
            "string" => text(name, schema).into(),
            _ => self.members(schema, depth),
        }
    }

    fn members(&self, schema: &Value, depth: usize) -> Value {
        let required = schema["required"].as_array();
        let is_shown = |name: &str| {
            SHOWN.contains(&name) || required.is_some_and(|them| them.iter().any(|it| it == name))
        };
        let members = schema["properties"].as_object().into_iter().flatten();
        let members = members.filter(|(name, _)| is_shown(name));
        members
            .map(|(name, member)| (name.clone(), self.example(name, member, depth + 1)))
            .collect::<Map<_, _>>()
            .into()
    }
}

/// What a schema says of itself.
fn stated(schema: &Value) -> Option<&Value> {
    let first = |of: &str| schema.get(of).and_then(|them| them.get(0));
    schema
        .get("example")
        .or_else(|| first("examples"))
        .or_else(|| schema.get("default"))
        .or_else(|| schema.get("const"))
        .or_else(|| first("enum"))
}

fn alternatives(schema: &Value) -> Option<&Vec<Value>> {
    schema
        .get("oneOf")
        .or_else(|| schema.get("anyOf"))?
        .as_array()
}

/// The type, without `null` beside it.
fn kind(schema: &Value) -> &str {
    let kinds = &schema["type"];
    let among = kinds
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    kinds
        .as_str()
        .or_else(|| among.into_iter().find(|it| *it != "null"))
        .unwrap_or("object")
}

fn text(name: &str, schema: &Value) -> &'static str {
    match schema["format"].as_str() {
        Some("date-time") => "2026-11-21T13:08:19.123Z",
        Some("uri") => "https://app.example.com/logo.png",
        Some("email") => "mia@example.org",
        _ => named(name),
    }
}

fn named(name: &str) -> &'static str {
    let found = TEXTS.iter().find(|(it, _)| *it == name);
    found.map_or("…", |(_, text)| text)
}

fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example_of(schema: &Value) -> Value {
        let answer = json!({"content": {"application/json": {"schema": schema}}});
        let page = json!({
            "required": ["things", "has_more"],
            "properties": {
                "things": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                "has_more": {"type": "boolean"}, "next_cursor": {"type": "string"},
            },
        });
        let thing = json!({
            "required": ["id", "at", "count", "role", "banned"],
            "properties": {
                "id": {"type": "string", "examples": ["athg_1"]},
                "at": {"type": "string", "format": "date-time"},
                "count": {"type": "integer", "minimum": 5},
                "role": {"type": ["string", "null"]},
                "banned": {"type": "boolean"},
                "reason": {"type": "string"},
            },
        });
        let mut document = json!({
            "paths": {"/things": {"get": {"responses": {"200": answer, "404": answer}}}},
            "components": {"schemas": {"Page": page, "Thing": thing}},
        });

        add(&mut document);

        let responses = document["paths"]["/things"]["get"]["responses"].take();
        let made = |status: &str| &responses[status]["content"]["application/json"]["example"];
        assert_eq!(*made("404"), Value::Null, "refusals have none");
        assert!(document["components"]["schemas"]["Thing"].is_object());
        made("200").clone()
    }

    #[test]
    fn an_example_is_made_of_what_schemas_say_of_themselves() {
        let thing = json!({
            "id": "athg_1", "at": "2026-11-21T13:08:19.123Z", "count": 5, "role": "editor",
            "banned": false,
        });
        let page = json!({"things": [thing], "has_more": true, "next_cursor": PLACE});

        assert_eq!(
            example_of(&json!({"$ref": "#/components/schemas/Page"})),
            page
        );
    }

    #[test]
    fn alternatives_show_the_first_and_parts_are_one() {
        let either = json!({"oneOf": [{"type": "null"}, {"enum": ["a", "b"]}]});
        assert_eq!(example_of(&either), "a");

        let part = |name: &str| json!({"required": [name], "properties": {name: {"default": 1}}});
        let both = json!({"allOf": [part("a"), part("b")]});
        assert_eq!(example_of(&both), json!({"a": 1, "b": 1}));
    }

    #[test]
    fn a_schema_within_itself_ends() {
        let endless = json!({"allOf": [{"$ref": "#/components/schemas/Page"}, {"properties": {}}]});

        assert!(example_of(&endless)["things"].is_array());
    }

    #[test]
    fn the_tables_are_in_order() {
        assert!(TEXTS.is_sorted_by_key(|(name, _)| *name));
        assert!(RAISED.is_sorted() && SHOWN.is_sorted());
    }
}
