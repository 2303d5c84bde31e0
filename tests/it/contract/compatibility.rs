//! What was released is kept: the document held against that of the last release.
//!
//! ```text
//! openapi/released.json ──┐            breaks   a client of the release fails: a fault
//!                         ├─▶ changes ─┤
//! the document ───────────┘            notes    a client must stand it, as it was told to: new
//!                                               values of an answer's enum
//! ```
//!
//! A release copies the document: `just release-document`. What must break is a new major version,
//! and its release does the same.

mod shapes;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use self::shapes::{Direction, Shapes};
use super::{DOCUMENT, METHODS};

/// What has changed from one document to another, a line each.
#[derive(Debug, Default, PartialEq, Eq)]
struct Changes {
    breaks: Vec<String>,
    notes: Vec<String>,
}

/// Everything that has changed for clients of `before`.
fn changes(before: &Value, after: &Value) -> Changes {
    let mut changes = Changes::default();
    for (path, item) in members(&before["paths"]) {
        for method in METHODS {
            let Some(old) = item.get(method.to_lowercase()) else {
                continue;
            };
            let place = format!("{method} {path}");
            match after["paths"][path].get(method.to_lowercase()) {
                None => changes.breaks.push(format!("{place} is gone")),
                Some(new) => {
                    let mut shapes = Shapes::new(before, after, &mut changes);
                    operation(&place, (old, new), &mut shapes);
                }
            }
        }
    }
    changes
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn operation(place: &str, (old, new): (&Value, &Value), shapes: &mut Shapes<'_>) {
    if old["operationId"] != new["operationId"] {
        shapes.breaks(
            place,
            "has another operation id: generated clients name it so",
        );
    }
    if old["x-permission"] != new["x-permission"] {
        shapes.breaks(place, "needs another permission");
    }
    for way in items(&old["security"]).filter(|way| !items(&new["security"]).any(|it| it == *way)) {
        shapes.breaks(place, &format!("is no longer open to {way}"));
    }
    parameters(place, (old, new), shapes);
    body(place, (&old["requestBody"], &new["requestBody"]), shapes);
    answers(place, (&old["responses"], &new["responses"]), shapes);
}

fn parameters(place: &str, (old, new): (&Value, &Value), shapes: &mut Shapes<'_>) {
    let (before, after) = (shapes.before, shapes.after);
    let of = |document, operation: &Value| {
        let all = items(&operation["parameters"]).map(|it| resolved(document, it));
        all.collect::<Vec<_>>()
    };
    let (old, new) = (of(before, old), of(after, new));
    let named = |all: &[Value], it: &Value| {
        let is_it = |other: &&Value| other["name"] == it["name"] && other["in"] == it["in"];
        all.iter().find(is_it).cloned()
    };
    for parameter in &old {
        let here = format!("{place} {}", parameter["name"]);
        match named(&new, parameter) {
            None => shapes.breaks(&here, "is no parameter any more"),
            Some(now) => {
                let schemas = (&parameter["schema"], &now["schema"]);
                shapes.compare(&here, schemas, Direction::Request);
            }
        }
    }
    for parameter in new.iter().filter(|it| it["required"] == true) {
        if named(&old, parameter).is_none_or(|it| it["required"] != true) {
            shapes.breaks(place, &format!("asks for {}", parameter["name"]));
        }
    }
}

fn resolved(document: &Value, value: &Value) -> Value {
    let target = value["$ref"].as_str().and_then(|it| it.strip_prefix('#'));
    target
        .and_then(|place| document.pointer(place))
        .unwrap_or(value)
        .clone()
}

fn body(place: &str, (old, new): (&Value, &Value), shapes: &mut Shapes<'_>) {
    if new["required"] == true && old["required"] != true {
        shapes.breaks(place, "asks for a body");
    }
    let here = format!("{place} body");
    for (media, content) in members(&old["content"]) {
        match new["content"].get(media) {
            None => shapes.breaks(&here, &format!("takes no {media} any more")),
            Some(now) => {
                shapes.compare(
                    &here,
                    (&content["schema"], &now["schema"]),
                    Direction::Request,
                );
            }
        }
    }
}

fn answers(place: &str, (old, new): (&Value, &Value), shapes: &mut Shapes<'_>) {
    for (status, answer) in members(old).filter(|(status, _)| status.starts_with('2')) {
        let here = format!("{place} {status}");
        if new.get(status).is_none() {
            shapes.breaks(&here, "is no answer any more");
            continue;
        }
        for (media, content) in members(&answer["content"]) {
            match new[status]["content"].get(media) {
                None => shapes.breaks(&here, &format!("is no {media} any more")),
                Some(now) => {
                    let schemas = (&content["schema"], &now["schema"]);
                    shapes.compare(&here, schemas, Direction::Answer);
                }
            }
        }
    }
    let succeeding = |of: &Value| -> BTreeSet<String> {
        members(of)
            .map(|(it, _)| it.clone())
            .filter(|it| it.starts_with('2'))
            .collect()
    };
    for status in succeeding(new).difference(&succeeding(old)) {
        shapes.breaks(place, &format!("answers {status}, which nobody expects"));
    }
}

#[test]
fn nothing_that_was_released_is_broken() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/released.json");
    let released = fs::read_to_string(file).expect("the document of the last release");
    let released: Value = serde_json::from_str(&released).expect("a document");

    let changes = changes(&released, &DOCUMENT);

    changes
        .notes
        .iter()
        .for_each(|note| eprintln!("since the last release: {note}"));
    assert!(
        changes.breaks.is_empty(),
        "clients of the last release fail: {:#?}",
        changes.breaks
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        let thing = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let content = |schema: Value| json!({"application/json": {"schema": schema}});
        let kind = json!({"type": "string", "enum": ["a", "b"]});
        let limit = json!({"in": "query", "name": "limit", "schema": {"type": "integer"}});
        let operation = json!({
            "operationId": "things.update", "x-permission": "things:update",
            "security": [{"session": []}, {"api_key": []}],
            "parameters": [limit, {"$ref": "#/components/parameters/Env"}],
            "requestBody": {"content": content(thing("NewThing"))},
            "responses": {"200": {"content": content(thing("Thing"))}, "404": {}},
        });
        let sent = json!({
            "type": "object", "required": ["name"], "additionalProperties": false,
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "^a"},
                "size": {"type": ["integer", "null"], "minimum": 1, "maximum": 9},
                "kind": kind, "tags": {"type": "array", "items": kind, "maxItems": 3},
            },
        });
        let answered = json!({
            "type": "object", "required": ["id", "kind", "parts"],
            "properties": {
                "id": {"type": "string", "format": "uuid"}, "kind": kind,
                "parts": {"type": "array", "items": thing("Thing")},
                "note": {"oneOf": [thing("Thing"), {"type": "null"}]},
            },
        });
        json!({
            "paths": {"/things": {"patch": operation}},
            "components": {
                "schemas": {"NewThing": sent, "Thing": answered},
                "parameters": {"Env": {"in": "query", "name": "env_id", "schema": {}}},
            },
        })
    }

    const OPERATION: &str = "/paths/~1things/patch";
    const SENT: &str = "/components/schemas/NewThing";
    const ANSWERED: &str = "/components/schemas/Thing";

    /// The document with something else at a place, or with nothing there.
    fn changed(root: &str, place: &str, value: &str) -> Value {
        let mut document = document();
        let place = format!("{root}{place}");
        let (parent, name) = place.rsplit_once('/').expect("a place");
        let parent = document.pointer_mut(parent).expect("a parent");
        if value.is_empty() {
            assert!(
                parent
                    .as_object_mut()
                    .expect("an object")
                    .remove(name)
                    .is_some(),
                "{place}"
            );
        } else {
            parent[name] = serde_json::from_str(value).expect("JSON");
        }
        document
    }

    /// Where something is changed, to what (nothing: it is removed), and what is told of it.
    const BREAKS: &str = r#"
op   |                                  |                         | is gone
op   | /operationId                     | "things.change"         | another operation id
op   | /x-permission                    | "things:break"          | another permission
op   | /security                        | [{"session": []}]       | no longer open to
op   | /parameters                      | []                      | "limit" is no parameter
op   | /parameters/0/schema/type        | "string"                | "limit" takes no integer
op   | /parameters/0/required           | true                    | asks for "limit"
op   | /requestBody/required            | true                    | asks for a body
op   | /requestBody/content             | {}                      | takes no application/json
op   | /responses/200                   |                         | 200 is no answer any more
op   | /responses/200/content           | {}                      | is no application/json
op   | /responses/202                   | {}                      | answers 202
sent | /properties/size                 |                         | body.size is not taken any more
sent | /required                        | ["name", "size"]        | body.size is asked for
sent | /properties/size/type            | "integer"               | body.size takes no null
sent | /properties/size/minimum         | 2                       | body.size has another minimum
sent | /properties/size/maximum         | 8                       | body.size has another maximum
sent | /properties/name/minLength       | 2                       | body.name has another minLength
sent | /properties/name/maxLength       | 8                       | body.name has another maxLength
sent | /properties/name/pattern         | "^b"                    | body.name has another pattern
sent | /properties/name/format          | "email"                 | body.name has another format
sent | /properties/kind/enum            | ["a"]                   | body.kind takes no "b"
sent | /properties/tags/items/enum      | ["a"]                   | body.tags[] takes no "b"
sent | /properties/tags/maxItems        | 2                       | body.tags has another maxItems
out  | /properties/kind                 |                         | 200.kind is not told any more
out  | /required                        | ["id", "parts"]         | 200.kind may be absent
out  | /properties/kind/type            | ["string", "null"]      | 200.kind may be null
out  | /properties/kind/type            | "integer"               | 200.kind may be integer
out  | /properties/id/format            | "date-time"             | 200.id has another format
out  | /properties/parts/items          | {"type": "string"}      | 200.parts[] may be string
out  | /properties/note                 | {"type": "boolean"}     | 200.note may be boolean
"#;

    const ALLOWED: &str = r#"
op   | /parameters/0/schema             | {"type": ["integer", "string"]}
op   | /parameters/2                    | {"in": "query", "name": "more", "schema": {}}
op   | /security                        | [{"session": []}, {"api_key": []}, {}]
op   | /responses/404                   |
op   | /responses/409                   | {}
sent | /properties/more                 | {"type": "string"}
sent | /required                        | []
sent | /properties/name/maxLength       | 10
sent | /properties/name/pattern         |
sent | /properties/kind/enum            | ["a", "b", "c"]
out  | /properties/more                 | {"type": "string"}
out  | /required                        | ["id", "kind", "note", "parts"]
out  | /properties/kind/enum            | ["a"]
"#;

    fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
        table
            .trim()
            .lines()
            .map(|row| row.split('|').map(str::trim).collect())
    }

    fn changes_by(row: &[&str]) -> Changes {
        let root = match row[0] {
            "op" => OPERATION,
            "sent" => SENT,
            _ => ANSWERED,
        };
        let mut document = document();
        // A list is grown by setting what is behind its end.
        let after = match (row[1], row[2]) {
            ("/parameters/2", more) => {
                let more = serde_json::from_str(more).expect("JSON");
                let all = document.pointer_mut(&format!("{OPERATION}/parameters"));
                all.and_then(Value::as_array_mut)
                    .expect("a list")
                    .push(more);
                document
            }
            (place, value) => changed(root, place, value),
        };
        changes(&super::tests::document(), &after)
    }

    #[test]
    fn what_stays_breaks_nobody() {
        assert_eq!(changes(&document(), &document()), Changes::default());
    }

    #[test]
    fn each_kind_of_break_is_caught() {
        for row in rows(BREAKS) {
            let breaks = changes_by(&row).breaks;

            assert!(
                breaks.iter().any(|told| told.contains(row[3])),
                "{row:?}: {breaks:#?}"
            );
        }
    }

    #[test]
    fn what_clients_stand_is_no_break() {
        for row in rows(ALLOWED) {
            assert_eq!(changes_by(&row).breaks, [""; 0], "{row:?}");
        }
    }

    #[test]
    fn a_new_value_of_an_answer_is_noted() {
        let after = changed(ANSWERED, "/properties/kind/enum", r#"["a", "b", "c"]"#);

        let changes = changes(&document(), &after);

        assert_eq!(changes.breaks, [""; 0]);
        assert_eq!(changes.notes, ["PATCH /things 200.kind may be \"c\""]);
    }
}
