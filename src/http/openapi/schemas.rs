//! Mending schemas: what utoipa writes and generators of clients cannot read.
//!
//! A tagged enum comes without a `discriminator`, its variants nameless or as `allOf` of a reference
//! and the tag; the argument of a generic comes as a nameless copy of its component.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

const COMPONENT: &str = "#/components/schemas/";

/// Gives the variants of every tagged union a component each, and the union its discriminator.
pub(super) fn name_variants(document: &mut Value) {
    let Some(known) = document["components"]["schemas"].as_object().cloned() else {
        return;
    };
    for (name, schema) in &known {
        let Some(union) = Union::of(name, schema, &known) else {
            continue;
        };
        let schemas = &mut document["components"]["schemas"];
        schemas[name]["oneOf"] = union.references();
        schemas[name]["discriminator"] = union.discriminator();
        for variant in union.variants {
            schemas[&variant.name] = variant.schema;
        }
    }
}

/// An internally tagged union: every variant is an object whose `tag` has one possible value.
struct Union {
    tag: String,
    variants: Vec<Variant>,
}

struct Variant {
    name: String,
    value: String,
    schema: Value,
}

impl Union {
    fn of(name: &str, schema: &Value, known: &Map<String, Value>) -> Option<Self> {
        let arms = schema.get("oneOf")?.as_array()?;
        let arms: Vec<Value> = arms.iter().map(|arm| merged(arm, known)).collect();
        let tag = tag(arms.first()?)?;
        let mut variants = Vec::new();
        for schema in arms {
            let value = constant(&schema["properties"][&tag])?.to_owned();
            variants.push(Variant {
                name: format!("{name}{}", pascal(&value)),
                value,
                schema,
            });
        }
        Some(Self { tag, variants })
    }

    fn references(&self) -> Value {
        self.variants
            .iter()
            .map(|variant| reference(&variant.name))
            .collect()
    }

    fn discriminator(&self) -> Value {
        let entries = self
            .variants
            .iter()
            .map(|v| (v.value.clone(), format!("{COMPONENT}{}", v.name)));
        json!({"propertyName": self.tag, "mapping": entries.collect::<BTreeMap<_, _>>()})
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("{COMPONENT}{name}")})
}

/// The first property that can have one value only.
fn tag(arm: &Value) -> Option<String> {
    let properties = arm.get("properties")?.as_object()?;
    properties
        .iter()
        .find(|(_, schema)| constant(schema).is_some())
        .map(|(name, _)| name.clone())
}

fn constant(schema: &Value) -> Option<&str> {
    match schema
        .get("enum")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    {
        Some([only]) => only.as_str(),
        _ => schema.get("const").and_then(Value::as_str),
    }
}

/// One object for an `allOf` of objects and references to objects.
fn merged(schema: &Value, known: &Map<String, Value>) -> Value {
    let Some(parts) = schema.get("allOf").and_then(Value::as_array) else {
        return schema.clone();
    };
    let mut whole = json!({"type": "object", "properties": {}, "required": []});
    for part in parts {
        let part = resolved(part, known);
        for (name, property) in part["properties"].as_object().into_iter().flatten() {
            whole["properties"][name] = property.clone();
        }
        let names = part["required"].as_array().into_iter().flatten().cloned();
        if let Some(required) = whole["required"].as_array_mut() {
            required.extend(names);
        }
    }
    whole
}

fn resolved<'a>(schema: &'a Value, known: &'a Map<String, Value>) -> &'a Value {
    let name = schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|r| r.strip_prefix(COMPONENT));
    name.and_then(|name| known.get(name)).unwrap_or(schema)
}

/// `awaiting_mail` → `AwaitingMail`.
fn pascal(value: &str) -> String {
    let words = value.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .map(|word| {
            let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
            first.to_ascii_uppercase() + rest
        })
        .collect()
}

/// Replaces every copy of a component by a reference to it. Only objects with members and enums are
/// told apart well enough for that.
pub(super) fn refer_to_components(document: &mut Value) {
    let Some(known) = document["components"]["schemas"].as_object().cloned() else {
        return;
    };
    let is_distinct = |schema: &Value| {
        let has_members = schema["properties"]
            .as_object()
            .is_some_and(|members| !members.is_empty());
        has_members
            || schema["enum"]
                .as_array()
                .is_some_and(|values| values.len() > 1)
    };
    let names: Vec<(&Value, &String)> = known
        .iter()
        .filter(|(_, schema)| is_distinct(schema))
        .map(|(n, s)| (s, n))
        .collect();
    let Some(members) = document.as_object_mut() else {
        return;
    };
    for (key, part) in members {
        if key == "components" {
            let components = part["schemas"].as_object_mut().into_iter().flatten();
            // A component is not a copy of itself; what is inside it may be one of another.
            components.for_each(|(_, schema)| refer_inside(schema, &names));
        } else {
            refer(part, &names);
        }
    }
}

fn refer(value: &mut Value, names: &[(&Value, &String)]) {
    if let Some((_, name)) = names.iter().find(|(schema, _)| *schema == value) {
        *value = reference(name);
    } else {
        refer_inside(value, names);
    }
}

fn refer_inside(value: &mut Value, names: &[(&Value, &String)]) {
    match value {
        Value::Object(members) => members.values_mut().for_each(|member| refer(member, names)),
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Says of what is only sent that it has no other members: an unknown field is refused.
///
/// What is answered too stays open, so that a later release can add to it.
pub(super) fn close_requests(document: &mut Value) {
    let sent = references(document, "requestBody");
    let answered = references(document, "responses");
    for name in sent.difference(&answered) {
        let schema = &mut document["components"]["schemas"][name];
        if schema["properties"].is_object() && schema.get("additionalProperties").is_none() {
            schema["additionalProperties"] = false.into();
        }
    }
}

/// The components that this part of all operations refers to, also by others.
fn references(document: &Value, part: &str) -> BTreeSet<String> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(_, item)| item.as_object().into_iter().flatten());
    let mut found = BTreeSet::new();
    for (_, operation) in operations {
        collect_references(&operation[part], document, &mut found);
    }
    found
}

fn collect_references(value: &Value, document: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let target = members.get("$ref").and_then(Value::as_str);
            if let Some(name) = target.and_then(|it| it.strip_prefix(COMPONENT))
                && found.insert(name.to_owned())
            {
                collect_references(&document["components"]["schemas"][name], document, found);
            }
            for member in members.values() {
                collect_references(member, document, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                collect_references(item, document, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use utoipa::openapi::{ComponentsBuilder, OpenApiBuilder};
    use utoipa::{PartialSchema, ToSchema};

    use super::*;

    #[derive(Serialize, ToSchema)]
    struct Tokens {
        access_token: String,
    }

    #[derive(Serialize, ToSchema)]
    #[serde(tag = "status", rename_all = "snake_case")]
    #[expect(dead_code, reason = "only its schema is looked at")]
    enum Outcome {
        SignedIn(Tokens),
        VerificationRequired { hint: String },
        Refused,
    }

    #[derive(Serialize, ToSchema)]
    struct Page<T> {
        items: Vec<T>,
    }

    fn document() -> Value {
        let components = ComponentsBuilder::new()
            .schema("Tokens", Tokens::schema())
            .schema("Outcome", Outcome::schema())
            .schema("Page", Page::<Tokens>::schema());
        let document = OpenApiBuilder::new()
            .components(Some(components.build()))
            .build();
        serde_json::to_value(document).unwrap()
    }

    #[test]
    fn a_tagged_union_names_its_variants() {
        let mut document = document();

        name_variants(&mut document);

        let schemas = &document["components"]["schemas"];
        assert_eq!(
            schemas["Outcome"]["discriminator"],
            json!({
                "propertyName": "status",
                "mapping": {
                    "signed_in": "#/components/schemas/OutcomeSignedIn",
                    "verification_required": "#/components/schemas/OutcomeVerificationRequired",
                    "refused": "#/components/schemas/OutcomeRefused",
                },
            })
        );
        assert_eq!(
            schemas["Outcome"]["oneOf"][0]["$ref"],
            "#/components/schemas/OutcomeSignedIn"
        );
        let signed_in = &schemas["OutcomeSignedIn"];
        assert_eq!(
            signed_in["properties"]["status"]["enum"],
            json!(["signed_in"])
        );
        assert_eq!(signed_in["properties"]["access_token"]["type"], "string");
        assert_eq!(signed_in["required"], json!(["access_token", "status"]));
    }

    #[test]
    fn a_copy_of_a_component_becomes_a_reference() {
        let mut document = document();
        document["paths"] =
            json!({"/x": {"get": document["components"]["schemas"]["Tokens"].clone()}});

        refer_to_components(&mut document);

        let schemas = &document["components"]["schemas"];
        assert_eq!(
            schemas["Page"]["properties"]["items"]["items"],
            reference("Tokens")
        );
        assert_eq!(document["paths"]["/x"]["get"], reference("Tokens"));
        assert_eq!(
            schemas["Tokens"]["properties"]["access_token"]["type"],
            "string"
        );
    }

    #[test]
    fn what_is_only_sent_has_no_other_members() {
        let to = |name: &str| json!({"content": {"application/json": {"schema": reference(name)}}});
        let of = |name: &str| json!({"properties": {"it": reference(name)}});
        let free = json!({"type": "object", "additionalProperties": true});
        let mut document = json!({
            "paths": {"/x": {"post": {"requestBody": to("New"), "responses": {"200": to("Page")}}}},
            "components": {"schemas": {
                "New": of("Item"), "Item": of("Shared"), "Page": of("Shared"),
                "Shared": {"properties": {"metadata": free}},
            }},
        });

        close_requests(&mut document);

        let is_closed = |name: &str| {
            document["components"]["schemas"][name].get("additionalProperties")
                == Some(&json!(false))
        };
        assert_eq!(
            ["New", "Item", "Page", "Shared"].map(is_closed),
            [true, true, false, false]
        );
    }
}
