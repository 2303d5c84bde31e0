//! What a document must have beyond being valid: each rule, and a document that breaks it.

use std::collections::BTreeSet;

use authsome::access::PERMISSIONS;
use authsome::http::ProblemKind;
use serde_json::{Map, Value, json};

use super::{Operation, of_document};

/// Answers whose shape is another standard's.
const FOREIGN: &[&str] = &["meta.openapi"];

const PROBLEM: &str = "#/components/schemas/Problem";

/// Everything that is wrong with a document, a line each.
pub fn faults(document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for operation in of_document(document) {
        let id = operation.id.clone();
        let mut fault =
            |what: String| faults.push(format!("{} {}: {what}", operation.method, operation.path));
        if !is_dotted(&id) {
            fault(format!("the operation id {id:?} is not dotted words"));
        }
        if !seen.insert(id.clone()) {
            fault(format!("the operation id {id} is taken"));
        }
        about_the_text(&operation).into_iter().for_each(&mut fault);
        about_access(&operation, document)
            .into_iter()
            .for_each(&mut fault);
        about_the_request(&operation, document)
            .into_iter()
            .for_each(&mut fault);
        about_the_responses(&operation, document)
            .into_iter()
            .for_each(&mut fault);
    }
    faults.extend(dangling(document, document));
    faults
}

fn is_dotted(id: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.chars().all(|c| matches!(c, 'a'..='z' | '_'));
    id.contains('.') && id.split('.').all(is_word)
}

fn is_text(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn about_the_text(operation: &Operation) -> Vec<String> {
    let mut faults = Vec::new();
    let summary = &operation.document["summary"];
    if !is_text(summary)
        || summary
            .as_str()
            .is_some_and(|it| it.ends_with('.') || it.len() > 60)
    {
        faults.push(format!("the summary is {summary}"));
    }
    if !is_text(&operation.document["description"]) {
        faults.push("it is not described".to_owned());
    }
    if items(&operation.document["tags"]).count() != 1 {
        faults.push("one tag is needed".to_owned());
    }
    faults
}

fn about_access(operation: &Operation, document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let Some(alternatives) = operation.document["security"].as_array() else {
        return vec!["it does not say who may call it".to_owned()];
    };
    let schemes = alternatives
        .iter()
        .flat_map(|it| members(it).map(|(name, _)| name.as_str()));
    let schemes: BTreeSet<&str> = schemes.collect();
    for scheme in &schemes {
        if document["components"]["securitySchemes"]
            .get(*scheme)
            .is_none()
        {
            faults.push(format!("there is no security scheme {scheme}"));
        }
    }
    let permission = operation.permission.as_deref();
    if permission.is_some_and(|name| PERMISSIONS.iter().all(|row| row.name != name)) {
        faults.push(format!(
            "there is no permission {}",
            permission.unwrap_or_default()
        ));
    }
    let is_open =
        schemes.contains("publishable_key") || alternatives.iter().any(|it| it == &json!({}));
    if permission.is_some() == is_open {
        faults
            .push("a permission is for those who need a credential, and they need one".to_owned());
    }
    faults
}

fn about_the_request(operation: &Operation, document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for variable in operation
        .path
        .split('/')
        .filter_map(|it| it.strip_prefix('{')?.strip_suffix('}'))
    {
        let described = |it: &&Value| it["in"] == "path" && it["name"] == variable;
        if !items(&operation.document["parameters"])
            .any(|it| described(&it) && is_text(&it["description"]))
        {
            faults.push(format!("{variable} is not described"));
        }
    }
    let Some(body) = operation.document.get("requestBody") else {
        return faults;
    };
    let schema = &body["content"]["application/json"]["schema"];
    if schema.get("$ref").is_none() {
        faults.push("the body has no named schema".to_owned());
    }
    match operation.example() {
        None => faults.push("the body has no example".to_owned()),
        Some(example) if !fits(example, schema, document) => {
            faults.push(format!("the example of the body is none: {example}"));
        }
        Some(_) => {}
    }
    faults
}

fn fits(example: &Value, schema: &Value, document: &Value) -> bool {
    let root = json!({"allOf": [schema], "components": document["components"]});
    let options = jsonschema::draft202012::options();
    let validator = options.should_validate_formats(true).build(&root);
    validator.is_ok_and(|it| it.is_valid(example))
}

fn about_the_responses(operation: &Operation, document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let responses = &operation.document["responses"];
    if !members(responses).any(|(status, _)| status.starts_with('2')) {
        faults.push("it never succeeds".to_owned());
    }
    for (status, response) in members(responses) {
        let mut fault = |what: &str| faults.push(format!("{status} {what}"));
        if !is_text(&response["description"]) {
            fault("has no description");
        }
        let lines = &response["content"]["text/plain"];
        let answers =
            ["json", "x-ndjson"].map(|kind| &response["content"][format!("application/{kind}")]);
        let answer = answers.into_iter().find(|it| !it.is_null());
        let answer = answer.unwrap_or(&Value::Null);
        let body = &answer["schema"];
        let is_problem =
            response["content"]["application/problem+json"]["schema"]["$ref"] == PROBLEM;
        match status.as_str() {
            "204" | "304" if response.get("content").is_some() => fault("has a body"),
            "204" | "304" => {}
            // For a program that reads no JSON.
            "200" if lines["schema"]["type"] == "string" && is_text(&lines["example"]) => {}
            it if it.starts_with('2') => {
                let is_named = body.get("$ref").is_some() || FOREIGN.contains(&&*operation.id);
                if body.is_null() || !is_named {
                    fault("has no named schema");
                }
                match answer.get("example") {
                    None => fault("has no example"),
                    Some(example) if !fits(example, body, document) => {
                        fault("has an example that is none");
                    }
                    Some(_) => {}
                }
            }
            _ if !is_problem => fault("is no problem"),
            _ => faults.extend(about_problems(status, response)),
        }
    }
    faults
}

fn about_problems(status: &str, response: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    if items(&response["x-problems"]).next().is_none() {
        faults.push(format!("{status} names no problem"));
    }
    for slug in items(&response["x-problems"]) {
        let kind = slug.as_str().and_then(ProblemKind::by_slug);
        match kind {
            None => faults.push(format!("{status} names {slug}, which is no problem")),
            Some(kind) if status != "default" && kind.status().as_str() != status => {
                faults.push(format!(
                    "{status} names {slug}, which is a {}",
                    kind.status().as_u16()
                ));
            }
            Some(_) => {}
        }
    }
    faults
}

/// References to what is not there.
fn dangling(value: &Value, document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, member) in members(value) {
        let target = member.as_str().filter(|_| name == "$ref");
        if let Some(target) = target
            && target
                .strip_prefix('#')
                .and_then(|place| document.pointer(place))
                .is_none()
        {
            faults.push(format!("{target} refers to nothing"));
        }
        faults.extend(dangling(member, document));
    }
    faults.extend(items(value).flat_map(|item| dangling(item, document)));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const THING: &str = "#/components/schemas/Thing";

    fn document() -> Value {
        let problem = json!({
            "description": "- `not_found`", "x-problems": ["not_found"],
            "content": {"application/problem+json": {"schema": {"$ref": PROBLEM}}},
        });
        let operation = json!({
            "operationId": "things.update", "summary": "Change a thing", "tags": ["things"],
            "description": "What is absent stays as it is.",
            "security": [{"session": []}], "x-permission": "users:read",
            "parameters": [{"in": "path", "name": "id", "description": "The thing"}],
            "requestBody": {"content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/Thing"}, "example": {"name": "a"},
            }}},
            "responses": {
                "200": {
                    "description": "The thing",
                    "content": {"application/json": {
                        "schema": {"$ref": THING}, "example": {"name": "a"},
                    }},
                },
                "404": problem, "default": problem,
            },
        });
        let shapes = json!({
            "Thing": {"required": ["name"], "properties": {"name": {"type": "string"}}},
            "Problem": {"type": "object"},
        });
        let schemes = json!({"session": {}, "publishable_key": {}});
        json!({
            "paths": {"/things/{id}": {"patch": operation}},
            "components": {"schemas": shapes, "securitySchemes": schemes},
        })
    }

    #[test]
    fn a_whole_document_has_no_faults() {
        assert_eq!(faults(&document()), [""; 0]);
    }

    /// Where an operation is spoilt, by what, and what is said of it.
    const SPOILT: &str = r##"
/operationId | "updateThing" | the operation id "updateThing" is not dotted words
/summary | "Change a thing." | the summary is "Change a thing."
/description | "" | it is not described
/tags | [] | one tag is needed
/security | null | it does not say who may call it
/security | [{"cookie": []}] | there is no security scheme cookie
/security | [{"publishable_key": []}] | a permission is for those who need a credential
/security | [{}, {"session": []}] | a permission is for those who need a credential
/x-permission | "things:break" | there is no permission things:break
/x-permission | null | a permission is for those who need a credential
/parameters/0/description | "" | id is not described
/parameters/0/name | "thing" | id is not described
/requestBody/content/application~1json/schema | {} | the body has no named schema
/requestBody/content/application~1json | {} | the body has no example
/requestBody/content/application~1json/example | {} | the example of the body is none: {}
/responses | {} | it never succeeds
/responses/200/description | " " | 200 has no description
/responses/200/content/application~1json/schema | {"type": "array"} | 200 has no named schema
/responses/200/content | null | 200 has no named schema
/responses/200/content/application~1json/example | {} | 200 has an example that is none
/responses/200/content/application~1json | {"schema": {"$ref": "#/components/schemas/Thing"}} | 200 has no example
/responses/200/content/application~1json/schema/$ref | "#/a" | #/a refers to nothing
/responses/404/content | null | 404 is no problem
/responses/404/x-problems | [] | 404 names no problem
/responses/404/x-problems/0 | "gone" | 404 names "gone", which is no problem
/responses/404/x-problems/0 | "forbidden" | 404 names "forbidden", which is a 403
"##;

    #[test]
    fn every_rule_can_be_broken() {
        for row in SPOILT.trim().lines() {
            let [place, by, told] = row.split(" | ").collect::<Vec<_>>()[..] else {
                panic!("{row}")
            };
            let mut document = document();
            let operation = &mut document["paths"]["/things/{id}"]["patch"];
            let spot = operation
                .pointer_mut(place)
                .unwrap_or_else(|| panic!("nothing at {place}"));
            *spot = serde_json::from_str(by).expect("JSON");

            let faults = faults(&document);

            assert!(
                faults.iter().any(|fault| fault.contains(told)),
                "{row}: {faults:?}"
            );
        }
    }

    #[test]
    fn two_operations_of_one_name_are_told() {
        let mut document = document();
        document["paths"]["/more/{id}"] = document["paths"]["/things/{id}"].clone();

        assert_eq!(
            faults(&document),
            ["PATCH /things/{id}: the operation id things.update is taken"]
        );
    }

    #[test]
    fn no_content_is_none() {
        let mut document = document();
        let responses = &mut document["paths"]["/things/{id}"]["patch"]["responses"];
        responses["204"] = json!({"description": "Done"});
        assert_eq!(faults(&document), [""; 0]);

        let responses = &mut document["paths"]["/things/{id}"]["patch"]["responses"];
        responses["204"]["content"] = json!({"application/json": {}});
        assert_eq!(faults(&document), ["PATCH /things/{id}: 204 has a body"]);
    }
}
