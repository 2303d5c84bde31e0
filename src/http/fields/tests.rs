use serde_json::json;
use utoipa::ToSchema;

use super::*;

#[derive(Debug, PartialEq, ToSchema)]
struct NewThing {
    name: String,
    size: Option<String>,
    #[schema(value_type = Option<String>)]
    note: Change<String>,
    tags: Vec<String>,
}

fn short(text: &str) -> Result<String, &'static str> {
    if text.len() < 5 {
        Ok(text.to_owned())
    } else {
        Err("is too long")
    }
}

impl FromFields for NewThing {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required_else("name", ProblemKind::WeakPassword, short);
        let size = fields.optional("size", short);
        let note = fields.change("note", short);
        let tags = fields.list("tags", short);
        Some(Self {
            name: name?,
            size: size?,
            note: note?,
            tags: tags?,
        })
    }
}

fn told(body: Value) -> (String, Vec<String>) {
    let Value::Object(members) = body else {
        panic!("an object")
    };
    let problem = read::<NewThing>(members, Source::Body, None).unwrap_err();
    let document = serde_json::to_value(problem.errors()).unwrap();
    let errors = document.as_array().unwrap().iter();
    let text = |error: &Value| format!("{} {}", error["pointer"], error["type"]).replace('"', "");
    (problem.to_string(), errors.map(text).collect())
}

#[test]
fn every_bad_field_is_told_at_once() {
    let (kind, errors) = told(json!({
        "name": "much too long", "size": 5, "note": {}, "tags": ["ok", "far too long"], "a/b": 1
    }));

    assert_eq!(kind, "invalid_body");
    assert_eq!(
        errors,
        [
            "/name weak_password",
            "/size wrong_type",
            "/note wrong_type",
            "/tags/1 invalid_tags",
            "/a~1b unknown_field",
        ]
    );
}

#[test]
fn faults_of_one_kind_give_the_problem_its_kind() {
    let body = |extra: &str, value: &str| {
        let mut body = json!({"name": "n", "tags": []});
        body[extra] = value.into();
        body
    };
    assert_eq!(told(body("name", "much too long")).0, "weak_password");
    assert_eq!(told(body("admin", "true")).0, "unknown_field");
    assert_eq!(told(json!({"tags": []})).0, "invalid_body");
}

#[test]
fn absent_and_null_are_told_apart_where_it_matters() {
    let read = |body: Value| {
        let Value::Object(members) = body else {
            panic!("an object")
        };
        read::<NewThing>(members, Source::Body, None).unwrap()
    };

    let kept = read(json!({"name": "n", "tags": ["a"]}));
    let cleared = read(json!({"name": "n", "tags": [], "note": null, "size": null}));

    assert_eq!(
        (kept.note, kept.size, kept.tags),
        (Change::Keep, None, vec!["a".to_owned()])
    );
    assert_eq!((cleared.note, cleared.size), (Change::Clear, None));
}

#[test]
fn reading_and_schema_name_the_same_fields() {
    crate::http::assert_documented::<NewThing>();
}

#[test]
fn a_required_field_may_not_be_null() {
    assert_eq!(
        told(json!({"name": null, "tags": []})).1,
        ["/name wrong_type"]
    );
}

/// JSON Schema 2020-12 Core §4.2.3: a number is whole by its value, however it is written.
#[test]
fn a_whole_number_is_whole_however_it_is_written() {
    let read = |value: Value| {
        let members = [("size".to_owned(), value)].into_iter().collect();
        let mut fields = Fields::of(members, Source::Body);
        fields.number("size", 1..=1000)
    };

    for five in ["5", "5.0", "0.5e1"] {
        let value = serde_json::from_str(five).unwrap();
        assert_eq!(read(value), Some(Some(5)), "{five}");
    }
    for none in ["0", "1001", "5.5", "-5", "1e300", "4294967301", "-0.0"] {
        let value = serde_json::from_str(none).unwrap();
        assert_eq!(read(value), None, "{none}");
    }
}
