//! Values of the port: BSON's scalar types, restricted to those both databases compare alike.
//!
//! Text, 64-bit integers, booleans and timestamps can be compared; lists and subdocuments can only
//! be set. Text compares by UTF-8 bytes, which is what SQLite and MongoDB do.

use std::cmp::Ordering;

use bson::{Bson, Document};
use serde::Serialize;
use serde_json::Value as Json;

use super::error::{StoreError, Stored};
use crate::kernel::time::Timestamp;

pub(crate) type Value = Bson;

#[derive(Serialize)]
struct Wrapped<'a, T: ?Sized> {
    value: &'a T,
}

/// The value of anything serialisable, times as BSON dates; null where there is none.
pub(super) fn of<T: Serialize + ?Sized>(value: &T) -> Value {
    let wrapped = bson::serialize_to_raw_document_buf(&Wrapped { value });
    let value = wrapped.ok().and_then(|it| {
        let raw = it.get("value").ok().flatten()?;
        Bson::try_from(raw).ok()
    });
    value.unwrap_or(Bson::Null)
}

/// The value of anything that compares: text, integers, booleans and times. Of lists, subdocuments
/// and the rest the databases disagree, so the language does not compare them.
pub(super) fn comparable<T: Serialize + ?Sized>(value: &T) -> Option<Value> {
    Some(of(value)).filter(|value| compare(value, value).is_some())
}

/// A record as a document, times as BSON dates.
pub(super) fn document<T: Serialize>(record: &T) -> Stored<Document> {
    bson::serialize_to_vec(record)
        .and_then(|bytes| Document::from_reader(bytes.as_slice()))
        .map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// A value as it stands in a document in JSON, times as text; `None` for what no record has.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "our records have no other values"
)]
pub(super) fn json(value: &Value) -> Option<Json> {
    Some(match value {
        Bson::DateTime(at) => text_of(*at).into(),
        Bson::Array(items) => items.iter().map(json).collect::<Option<Vec<_>>>()?.into(),
        Bson::Document(document) => object(document)?.into(),
        Bson::Boolean(truth) => (*truth).into(),
        Bson::Int32(number) => (*number).into(),
        Bson::Int64(number) => (*number).into(),
        Bson::Double(number) => (*number).into(),
        Bson::String(text) => text.clone().into(),
        Bson::Null => Json::Null,
        _ => return None,
    })
}

/// A document in JSON, as [`json`].
pub(super) fn object(document: &Document) -> Option<serde_json::Map<String, Json>> {
    let members = document.iter();
    members
        .map(|(key, value)| Some((key.clone(), json(value)?)))
        .collect()
}

/// A time as text: fixed width, so that it sorts as time.
pub(super) fn text_of(at: bson::DateTime) -> String {
    Timestamp::from_millis(at.timestamp_millis()).to_string()
}

/// Compares two values of one comparable type; `None` where the types differ or do not compare.
pub(super) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Bson::String(a), Bson::String(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Bson::Boolean(a), Bson::Boolean(b)) => Some(a.cmp(b)),
        (Bson::DateTime(a), Bson::DateTime(b)) => Some(a.cmp(b)),
        (a, b) => Some(integer(a)?.cmp(&integer(b)?)),
    }
}

fn integer(value: &Value) -> Option<i64> {
    if let Bson::Int32(small) = value {
        return Some(i64::from(*small));
    }
    value.as_i64()
}

/// The exclusive upper bound of all texts that begin with `prefix`; `None` where there is none.
pub(super) fn prefix_end(prefix: &str) -> Option<String> {
    let mut end: Vec<char> = prefix.chars().collect();
    while let Some(last) = end.pop() {
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            end.push(next);
            return Some(end.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_the_next_text_begins() {
        assert_eq!(prefix_end("ab").as_deref(), Some("ac"));
        assert_eq!(prefix_end("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(prefix_end("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(prefix_end("\u{10FFFF}"), None);
        assert_eq!(prefix_end(""), None);
    }

    #[test]
    fn integers_of_either_width_compare_and_other_types_do_not() {
        assert_eq!(
            compare(&Bson::Int32(3), &Bson::Int64(3)),
            Some(Ordering::Equal)
        );
        assert_eq!(compare(&Bson::Int64(3), &Bson::String("3".into())), None);
        assert_eq!(compare(&Bson::Null, &Bson::Null), None);
    }
}
