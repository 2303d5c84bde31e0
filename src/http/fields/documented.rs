//! What every request type's own test asserts: its schema and its reading agree.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use utoipa::PartialSchema;

use super::{Fields, FromFields, Source};

/// Fails unless the schema of `T` names the fields that reading a `T` asks for, and as required
/// those it insists on.
pub(crate) fn assert_documented<T: FromFields + PartialSchema>() {
    let mut fields = Fields::of(Map::new(), Source::Body);
    let _: Option<T> = T::from_fields(&mut fields);
    let asked = |only_required: bool| {
        let kept = fields
            .asked
            .iter()
            .filter(|(_, is_required)| *is_required || !only_required);
        kept.map(|(name, _)| (*name).to_owned())
            .collect::<BTreeSet<_>>()
    };

    let schema = serde_json::to_value(T::schema()).unwrap();

    let properties = schema["properties"].as_object().into_iter().flatten();
    let properties: BTreeSet<_> = properties.map(|(name, _)| name.clone()).collect();
    let required = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let required: BTreeSet<_> = required.map(str::to_owned).collect();
    assert_eq!(properties, asked(false), "properties of {schema:#}");
    assert_eq!(required, asked(true), "required fields of {schema:#}");
}
