//! Questions and answers of forms: see [`crate::kernel::fuzz`].

use proptest::collection::vec;
use serde_json::{Map, Value, json};

use super::answers::Form;
use super::field::{FieldType, FormField, TextFormat};
use super::record::FormType;
use crate::kernel::fuzz::{always, any_json, is_as_serialized, texts};
use crate::kernel::metadata::Metadata;

#[test]
fn kinds_of_forms_and_questions_are_read_as_they_are_written() {
    let seeds = [
        "text",
        "textarea",
        "email",
        "multiselect",
        "letters",
        "integer",
        "signup",
        "profile",
    ];
    always(texts(seeds), |text| {
        is_as_serialized::<FormType>(&text);
        is_as_serialized::<FieldType>(&text);
        is_as_serialized::<TextFormat>(&text);
    });
}

/// A question of every kind.
fn form() -> Form {
    let options = json!([{"value": "red"}, {"value": "green"}]);
    let fields = json!([
        {"name": "nick", "type": "text", "label": "It", "min": 2, "max": 9},
        {"name": "digits", "type": "text", "label": "It", "format": "digits"},
        {"name": "about", "type": "textarea", "label": "It"},
        {"name": "second", "type": "email", "label": "It"},
        {"name": "mobile", "type": "phone", "label": "It"},
        {"name": "page", "type": "url", "label": "It"},
        {"name": "size", "type": "number", "label": "It", "max": 1000},
        {"name": "count", "type": "number", "label": "It", "format": "integer"},
        {"name": "born", "type": "date", "label": "It", "latest": "2040-01-01"},
        {"name": "agree", "type": "checkbox", "label": "It"},
        {"name": "one", "type": "select", "label": "It", "options": options},
        {"name": "some", "type": "multiselect", "label": "It", "options": options},
    ]);
    let fields: Vec<FormField> = serde_json::from_value(fields).expect("questions");
    Form { version: 1, fields }
}

/// An answer that is kept is kept in one spelling; and nothing is kept that nobody asked for.
#[test]
fn answers_settle_and_are_those_to_our_questions() {
    let form = form();
    let names: Vec<String> = form.fields.iter().map(|it| it.name.to_string()).collect();
    let said = texts([
        "https://x.example/a/../b?q#f",
        "+49 151 1234567",
        "Mia@Example.org",
        "2040-01-01",
        "red",
        " Zoe\u{308}\r\nx ",
        "٣٣",
        "007",
    ]);
    let said = proptest::prop_oneof![
        4 => proptest::strategy::Strategy::prop_map(said, Value::from),
        2 => any_json(),
        1 => proptest::sample::select(vec![json!(true), json!(["red", "green"]), json!(["red", "red"]), json!(5.0)]),
    ];
    let name = proptest::sample::select([names.clone(), vec!["role".to_owned()]].concat());
    always(vec((name, said), 0..6), |answers| {
        let answers: Map<String, Value> = answers.into_iter().collect();
        let Ok(answers) = Metadata::parse(answers) else {
            return;
        };
        let Ok(kept) = form.answered(answers) else {
            return;
        };
        assert!(kept.members().keys().all(|name| names.contains(name)));
        assert_eq!(form.answered(kept.clone()).expect("it was taken"), kept);
        assert_eq!(
            form.unasked().answered(kept.clone()).expect("it was taken"),
            kept
        );
    });
}
