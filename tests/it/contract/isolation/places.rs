//! Where identifiers stand in a request, as the document describes it.
//!
//! ```text
//! PATCH /v1/orgs/{org}/teams/{team}/members/{member} ? user_id= {"roles": ["arol_…"]}
//!                 └──────────┴──── path ─────┴─────────┘ query   └── body ──┘
//! ```
//!
//! A kind is the prefix of its identifiers. What names the tenant of a request as a whole (`app_id`,
//! `env_id`) is a parameter that all operations share, and has a test of its own.

use serde_json::{Value, json};

use super::super::{DOCUMENT, Operation};

/// Members and parameters that take a name or an identifier, which is not in their schema; and of
/// what kind it is.
const NAMES_OR_IDENTIFIERS: [(&str, &str); 7] = [
    ("actor", "ausr"),
    ("parent_id", "arol"),
    ("replacement", "arol"),
    ("role", "arol"),
    ("role_id", "arol"),
    ("roles", "arol"),
    ("target", "aorg"),
];

/// Members of which a body has one only.
const EITHER: [&str; 2] = ["role", "roles"];

/// Variables of paths that are no identifiers of anything that somebody has.
const NO_IDENTIFIERS: [&str; 3] = ["permission", "setting", "type"];

/// How deep a body is looked into.
const DEEPEST: usize = 8;

/// One place for an identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub at: At,
    pub kind: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    Path(String),
    Query(String),
    Body(Vec<Step>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Member(String),
    Item,
}

impl Place {
    pub fn is_in_path(&self) -> bool {
        matches!(self.at, At::Path(_))
    }

    /// Whether the request is none without it: it is in the path, or in the documented example.
    pub fn is_needed(&self, operation: &Operation) -> bool {
        match &self.at {
            At::Path(_) => true,
            At::Query(_) => false,
            At::Body(steps) => {
                let example = operation.example();
                let there = example.and_then(|it| it.pointer(&pointer(steps)));
                let prefix = format!("{}_", self.kind);
                there
                    .and_then(Value::as_str)
                    .is_some_and(|it| it.starts_with(&prefix))
            }
        }
    }
}

fn pointer(steps: &[Step]) -> String {
    let step = |step: &Step| match step {
        Step::Member(name) => format!("/{name}"),
        Step::Item => "/0".to_owned(),
    };
    steps.iter().map(step).collect()
}

/// Every place for an identifier in a request for this operation.
pub fn places(operation: &Operation) -> Vec<Place> {
    let mut all = Vec::new();
    for parameter in operation.parameters() {
        // A shared one is a reference, and has no name here.
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        let at = match parameter["in"].as_str() {
            Some("path") => At::Path(name.clone()),
            Some("query") => At::Query(name.clone()),
            _ => continue,
        };
        let (mut steps, mut found) = (Vec::new(), Vec::new());
        look(&parameter["schema"], &mut steps, &mut found);
        let schema = referred(&parameter["schema"]).unwrap_or(&parameter["schema"]);
        let described = also_a_name(&name, parameter).or_else(|| also_a_name(&name, schema));
        let kind = found.pop().map(|(_, kind)| kind).or(described);
        all.extend(kind.map(|kind| Place { at, kind }));
    }
    let body = "/requestBody/content/application~1json/schema";
    let mut found = Vec::new();
    if let Some(body) = operation.document.pointer(body) {
        look(body, &mut Vec::new(), &mut found);
    }
    let in_body = |(steps, kind)| Place {
        at: At::Body(steps),
        kind,
    };
    all.extend(found.into_iter().map(in_body));
    all.dedup();
    all
}

/// Finds identifiers below a schema: where they are, and of what kind.
fn look(schema: &Value, at: &mut Vec<Step>, found: &mut Vec<(Vec<Step>, String)>) {
    if at.len() > DEEPEST {
        return;
    }
    if let Some(schema) = referred(schema) {
        return look(schema, at, found);
    }
    if let Some(kind) = kind(schema) {
        return found.push((at.clone(), kind));
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        for one in schema[several].as_array().into_iter().flatten() {
            look(one, at, found);
        }
    }
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        at.push(Step::Member(name.clone()));
        match also_a_name(name, member) {
            Some(kind) if member["items"].is_object() => {
                found.push(([at.as_slice(), &[Step::Item]].concat(), kind));
            }
            Some(kind) => found.push((at.clone(), kind)),
            None => look(member, at, found),
        }
        at.pop();
    }
    if schema["items"].is_object() {
        at.push(Step::Item);
        look(&schema["items"], at, found);
        at.pop();
    }
}

fn referred(schema: &Value) -> Option<&'static Value> {
    let name = schema["$ref"].as_str()?;
    let there = DOCUMENT.pointer(name.trim_start_matches('#'));
    Some(there.expect("what is referred to is in the document"))
}

/// The kind that the schema of an identifier is of, by its pattern: `^aorg_[0-7]…$`.
fn kind(schema: &Value) -> Option<String> {
    let pattern = schema["pattern"].as_str()?;
    let (prefix, rest) = pattern.strip_prefix('^')?.split_once('_')?;
    rest.starts_with("[0-7]").then(|| prefix.to_owned())
}

/// The kind of a text that is described as a name or an identifier.
fn also_a_name(name: &str, described: &Value) -> Option<String> {
    let about = described["description"].as_str().unwrap_or_default();
    if !about.to_lowercase().contains("identifier") || kind(described).is_some() {
        return None;
    }
    let mut known = NAMES_OR_IDENTIFIERS.iter();
    let known = known.find(|(known, _)| *known == name);
    let (_, kind) = known.unwrap_or_else(|| panic!("of what is `{name}` an identifier? {about}"));
    Some((*kind).to_owned())
}

/// The path and the body of a request in which these identifiers stand where they belong. The rest is
/// as the document's example has it.
pub fn filled(operation: &Operation, ids: &[(&Place, String)]) -> (String, Option<Value>) {
    let id_of = |segment: &str| {
        let name = segment.trim_matches(['{', '}']);
        let mut all = ids.iter();
        all.find(|(place, _)| matches!(&place.at, At::Path(it) if it == name))
            .map(|(_, id)| id.clone())
    };
    let segments = operation.path.split('/').map(|it| {
        if !it.starts_with('{') {
            return it.to_owned();
        }
        id_of(it).unwrap_or_else(|| operation.example_of(it))
    });
    let mut path = segments.collect::<Vec<_>>().join("/");
    let mut body = operation.example().cloned();
    if operation.has_body() {
        body.get_or_insert_with(|| json!({}));
    }
    for (place, id) in ids {
        match &place.at {
            At::Path(_) => {}
            At::Query(name) => {
                let mark = if path.contains('?') { '&' } else { '?' };
                path = format!("{path}{mark}{name}={id}");
            }
            At::Body(steps) => put(body.as_mut().expect("a body"), steps, id),
        }
    }
    (path, body)
}

fn put(value: &mut Value, steps: &[Step], id: &str) {
    match steps.split_first() {
        None => *value = id.into(),
        Some((Step::Member(name), rest)) => {
            if !value.is_object() {
                *value = json!({});
            }
            if let Some(members) = value.as_object_mut().filter(|_| EITHER.contains(&&**name)) {
                members.retain(|other, _| other == name || !EITHER.contains(&&**other));
            }
            put(&mut value[name.as_str()], rest, id);
        }
        Some((Step::Item, rest)) => {
            if value.as_array().is_none_or(Vec::is_empty) {
                *value = json!([null]);
            }
            put(&mut value[0], rest, id);
        }
    }
}

/// The walk walked: what it would overlook, it would not test.
mod tests {
    use super::*;

    fn asked(operation: &str) -> Vec<String> {
        let all = super::super::super::operations();
        let operation = all.iter().find(|it| it.id == operation).expect(operation);
        let told = |place: Place| match place.at {
            At::Path(name) => format!("{{{name}}} {}", place.kind),
            At::Query(name) => format!("?{name} {}", place.kind),
            At::Body(steps) => format!("{} {}", pointer(&steps), place.kind),
        };
        places(operation).into_iter().map(told).collect()
    }

    #[test]
    fn identifiers_are_found_wherever_they_stand() {
        assert_eq!(asked("me.switch_org"), ["/org_id aorg"]);
        assert_eq!(asked("auth.sign_in"), ["/app_id aapp", "/org_id aorg"]);
        assert_eq!(asked("admin.notifications.list"), ["?user_id ausr"]);
        assert_eq!(
            asked("orgs.teams.members.remove"),
            ["{org} aorg", "{team} atm", "{member} amem"]
        );
        assert_eq!(
            asked("orgs.members.update"),
            ["{org} aorg", "{member} amem", "/role arol", "/roles/0 arol"]
        );
        assert_eq!(asked("me.read"), Vec::<String>::new());
    }

    /// A variable that is not walked says of itself that it is no identifier, by not being described
    /// as one: each is looked at once.
    #[test]
    fn every_variable_of_a_path_is_walked_or_known_to_be_none() {
        for operation in super::super::super::operations() {
            let walked = places(&operation);
            for segment in operation.path.split('/').filter(|it| it.starts_with('{')) {
                let name = segment.trim_matches(['{', '}']);
                let is_walked = walked.iter().any(|it| it.at == At::Path(name.to_owned()));
                let is_none = NO_IDENTIFIERS.contains(&name);
                assert!(is_walked != is_none, "{segment} of {}", operation.id);
            }
        }
    }

    #[test]
    fn an_identifier_is_put_where_it_belongs() {
        let steps = |text: &str| -> Vec<Step> {
            let step = |it: &str| match it {
                "0" => Step::Item,
                name => Step::Member(name.to_owned()),
            };
            text.split('/').map(step).collect()
        };
        let mut body = json!({"role": "member", "checks": [{"action": "read"}]});

        put(&mut body, &steps("roles/0"), "arol_1");
        put(&mut body, &steps("checks/0/org_id"), "aorg_1");

        assert_eq!(
            body,
            json!({"roles": ["arol_1"], "checks": [{"action": "read", "org_id": "aorg_1"}]})
        );
    }
}
