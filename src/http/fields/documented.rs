//! What every request type's own test asserts: its schema and its reading agree.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use utoipa::PartialSchema;

use super::{Fields, FromFields, Source};

/// More than any list may have.
const MANY: usize = 1_001;

/// Fails unless the schema of `T` names the fields that reading a `T` asks for, and as required
/// those it insists on; and unless it asks for all of them whatever one of them is.
pub(crate) fn assert_documented<T: FromFields + PartialSchema>() {
    let (whole, required) = asked_of::<T>(Map::new());

    let schema = serde_json::to_value(T::schema()).unwrap();

    let properties = schema["properties"].as_object().into_iter().flatten();
    let properties: BTreeSet<_> = properties.map(|(name, _)| name.clone()).collect();
    let documented = schema["required"].as_array().into_iter().flatten();
    let documented = documented.filter_map(Value::as_str).map(str::to_owned);
    assert_eq!(properties, whole, "properties of {schema:#}");
    assert_eq!(
        documented.collect::<BTreeSet<_>>(),
        required,
        "required fields of {schema:#}"
    );
    for (name, value) in properties.iter().flat_map(odd) {
        let told: String = format!("{name}: {value}").chars().take(60).collect();
        let (asked, _) = asked_of::<T>(Map::from_iter([(name.clone(), value)]));
        assert_eq!(asked, properties, "asked for where there is {told}");
    }
}

/// The names of the fields that reading a `T` asks for, and of those it insists on.
fn asked_of<T: FromFields>(members: Map<String, Value>) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut fields = Fields::of(members, Source::Body);
    let _: Option<T> = T::from_fields(&mut fields);
    let named = |(name, _): &(&str, bool)| (*name).to_owned();
    let required = fields.asked.iter().filter(|(_, is_required)| *is_required);
    (
        fields.asked.iter().map(named).collect(),
        required.map(named).collect(),
    )
}

/// A field with each of the values that hardly any takes.
fn odd(name: &String) -> impl Iterator<Item = (&String, Value)> {
    let numbered: Vec<_> = (0..MANY).map(|number| format!("a{number}:read")).collect();
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!("\u{0}"),
        json!([]),
        json!(["\u{0}", 1]),
        json!(numbered),
        json!(vec![json!({}); MANY]),
        json!({}),
    ];
    values.into_iter().map(move |value| (name, value))
}
