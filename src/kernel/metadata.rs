//! Free-form maps that clients keep with their things.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A JSON object that both stores can hold.
///
/// No key, at any depth, begins with `$`, contains `.` or NUL, or is empty; integers fit 64 bits
/// with a sign.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct Metadata(Map<String, Value>);

/// The object has a key or a number that cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotStorable {
    #[error("the key {0:?} is empty, begins with `$`, or contains `.` or NUL")]
    Key(String),
    #[error("the number {0} does not fit 64 bits")]
    Number(String),
}

impl Metadata {
    pub fn parse(members: Map<String, Value>) -> Result<Self, NotStorable> {
        storable_members(&members)?;
        Ok(Self(members))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// About how many bytes it takes in memory.
    pub fn weight(&self) -> usize {
        weight_of_members(&self.0)
    }

    pub fn into_members(self) -> Map<String, Value> {
        self.0
    }
}

/// What a value takes beside its text, or a member beside its name and its value.
const OF_A_VALUE: usize = 64;

fn weight_of_members(members: &Map<String, Value>) -> usize {
    let weight = |(name, value): (&String, &Value)| OF_A_VALUE + name.len() + weight_of(value);
    members.iter().map(weight).sum()
}

fn weight_of(value: &Value) -> usize {
    OF_A_VALUE
        + match value {
            Value::Object(members) => weight_of_members(members),
            Value::Array(items) => items.iter().map(weight_of).sum(),
            Value::String(text) => text.len(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

fn storable_members(members: &Map<String, Value>) -> Result<(), NotStorable> {
    for (key, value) in members {
        if key.is_empty() || key.starts_with('$') || key.contains(['.', '\0']) {
            return Err(NotStorable::Key(key.clone()));
        }
        storable(value)?;
    }
    Ok(())
}

fn storable(value: &Value) -> Result<(), NotStorable> {
    match value {
        Value::Object(members) => storable_members(members),
        Value::Array(items) => items.iter().try_for_each(storable),
        Value::Number(number) if number.is_u64() && !number.is_i64() => {
            Err(NotStorable::Number(number.to_string()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(value: &Value) -> Result<Metadata, NotStorable> {
        Metadata::parse(value.as_object().unwrap().clone())
    }

    #[test]
    fn keys_that_a_database_would_interpret_are_refused_at_any_depth() {
        for bad in [
            json!({"$set": 1}),
            json!({"a": {"b.c": 1}}),
            json!({"a": [{"": 1}]}),
        ] {
            assert!(matches!(parse(&bad), Err(NotStorable::Key(_))));
        }
        assert!(parse(&json!({"a\u{0}": 1})).is_err());
        assert!(parse(&json!({"a$": {"b": [1, 2.5, null, "x.y", "$z"]}})).is_ok());
    }

    #[test]
    fn integers_beyond_64_bits_are_refused() {
        assert!(matches!(
            parse(&json!({"n": u64::MAX})),
            Err(NotStorable::Number(_))
        ));
        assert!(parse(&json!({"n": i64::MIN})).is_ok());
    }
}
