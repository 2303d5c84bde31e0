//! Whole collections: every document as it stands, in one notation for both databases.
//!
//! ```text
//! SQLite     JSON, a time is text ─────────────────▶ [`Whole`] ──as it is──────────────▶ SQLite
//! MongoDB    BSON, a time is a date ──to its text──▶           ──typed by its entity──▶ MongoDB
//! ```
//!
//! Only its entity knows which text of a document is a time. What the entity does not know goes
//! along as it is: another version may. Not here: files ([`crate::backups`]).

use std::fmt;

use bson::{Bson, Document, RawDocumentBuf};
use serde_json::Value as Json;

use super::error::{StoreError, Stored};
use super::op::{Encoded, Find, Outcome, Verb};
use super::query::{Node, Sort, Test};
use super::schema::{AcrossTenants, Entity, Schema};
use super::tx::Tx;
use super::unit::Notation;
use super::value;

/// A document of some collection. As text it is one line of JSON, members in the order of their
/// names: the same document is the same line, whichever database it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Whole {
    id: String,
    json: Json,
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.json.fmt(f)
    }
}

impl Whole {
    /// Reads a document; it has an identifier.
    pub fn parse(text: &str) -> Stored<Self> {
        serde_json::from_str(text)
            .map_err(|error| StoreError::Corrupt(error.to_string()))
            .and_then(Self::of)
    }

    fn of(json: Json) -> Stored<Self> {
        let id = json.get("_id").and_then(Json::as_str).map(str::to_owned);
        let id = id.ok_or_else(|| StoreError::Corrupt("it has no identifier".to_owned()))?;
        Ok(Self { id, json })
    }

    fn read(encoded: &Encoded) -> Stored<Self> {
        let raw = match encoded {
            Encoded::Json { text, .. } => return Self::parse(text),
            Encoded::Bson(raw) => raw,
        };
        let document: Document = bson::deserialize_from_slice(raw.as_bytes())
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let json = value::object(&document).ok_or_else(|| {
            let id = document.get_str("_id").unwrap_or_default();
            StoreError::Corrupt(format!("{id} holds what no document of ours does"))
        })?;
        Self::of(Json::Object(json))
    }

    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Schema {
    /// Fails where this is no document of the collection.
    pub fn judge(&self, whole: &Whole) -> Stored<()> {
        self.document(whole).map(drop)
    }

    fn document(&self, whole: &Whole) -> Stored<Document> {
        let typed = Bson::Document((self.typed)(&whole.to_string())?);
        match typed_over(&whole.json, Some(&typed)) {
            Some(Bson::Document(document)) => Ok(document),
            Some(_) | None => Err(StoreError::Corrupt("it is no document".to_owned())),
        }
    }

    fn encoded(&self, whole: &Whole, notation: Notation) -> Stored<Encoded> {
        match notation {
            Notation::Json => Ok(Encoded::Json {
                id: whole.id.clone(),
                text: whole.to_string(),
            }),
            Notation::Bson => RawDocumentBuf::try_from(&self.document(whole)?)
                .map(Encoded::Bson)
                .map_err(|error| StoreError::Corrupt(error.to_string())),
        }
    }
}

/// What an entity makes of a document.
pub(super) fn typed_as<E: Entity>(text: &str) -> Stored<Document> {
    let entity: E =
        serde_json::from_str(text).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    value::document(&entity)
}

/// `raw` with the types of `typed`, where that knows the same member.
fn typed_over(raw: &Json, typed: Option<&Bson>) -> Option<Bson> {
    match raw {
        Json::Object(members) => {
            let known = typed.and_then(Bson::as_document);
            let members = members.iter().map(|(key, raw)| {
                let typed = known.and_then(|known| known.get(key));
                Some((key.clone(), typed_over(raw, typed)?))
            });
            members.collect::<Option<Document>>().map(Bson::Document)
        }
        Json::Array(items) => {
            let known = typed.and_then(Bson::as_array);
            let items = items.iter().enumerate();
            let items = items.map(|(at, raw)| typed_over(raw, known.and_then(|it| it.get(at))));
            items.collect::<Option<Vec<_>>>().map(Bson::Array)
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => match typed {
            Some(typed) if is_the_same(raw, typed) => Some(typed.clone()),
            Some(_) | None => plain(raw),
        },
    }
}

/// Whether a typed value says what the raw one does. A time does in whatever spelling.
fn is_the_same(raw: &Json, typed: &Bson) -> bool {
    typed.as_datetime().is_some() || value::json(typed).as_ref() == Some(raw)
}

fn plain(raw: &Json) -> Option<Bson> {
    Some(match raw {
        Json::Null => Bson::Null,
        Json::Bool(truth) => (*truth).into(),
        Json::String(text) => text.clone().into(),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => number.as_f64()?.into(),
        },
        Json::Array(_) | Json::Object(_) => return None,
    })
}

impl Tx<'_, AcrossTenants> {
    /// Documents of a collection in the order of their identifiers, behind `after`, `most` at most.
    pub async fn whole(&mut self, schema: &Schema, after: &str, most: u32) -> Stored<Vec<Whole>> {
        let path = "_id";
        let find = Find {
            filter: Node::Is {
                path,
                test: Test::Gt(after.into()),
            },
            after: None,
            sort: Some(Sort {
                path,
                descending: false,
            }),
            skip: 0,
            limit: Some(most),
        };
        match self.run_on(schema, Verb::Find(find)).await? {
            Outcome::Documents(found) => found.iter().map(Whole::read).collect(),
            Outcome::Count(_) => Ok(Vec::new()),
        }
    }

    /// Adds documents to a collection as they are, in one call; within a unit of work.
    pub async fn bring(&mut self, schema: &Schema, all: &[Whole]) -> Stored<()> {
        if all.is_empty() {
            return Ok(());
        }
        let notation = self.notation();
        let encoded = all.iter().map(|it| schema.encoded(it, notation));
        let encoded = encoded.collect::<Stored<Vec<_>>>()?;
        self.run_on(schema, Verb::InsertAll(encoded))
            .await
            .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;
    use crate::kernel::time::Timestamp;
    use crate::store::{Index, Nobody};

    #[derive(Clone, Serialize, Deserialize)]
    struct Letter {
        #[serde(rename = "_id")]
        id: String,
        sent_at: Timestamp,
        #[serde(default)]
        read_at: Vec<Timestamp>,
        #[serde(default)]
        count: i64,
        data: serde_json::Map<String, Json>,
    }

    impl Entity for Letter {
        type Owner = Nobody;
        const COLLECTION: &'static str = "letters";
        const INDEXES: &'static [Index] = &[];
    }

    const AT: &str = "2040-01-01T00:00:00.000Z";

    fn document(json: &Json) -> Document {
        let whole = Whole::parse(&json.to_string()).unwrap();
        Schema::of::<Letter>().document(&whole).unwrap()
    }

    #[test]
    fn times_become_dates_and_whatever_looks_like_one_does_not() {
        let json = json!({
            "_id": "a", "sent_at": AT, "read_at": [AT], "count": 3,
            "data": {"due": AT, "n": 1.5, "none": null},
        });

        let document = document(&json);

        let at = AT.parse::<Timestamp>().unwrap().as_millis();
        let date = Bson::from(bson::DateTime::from_millis(at));
        assert_eq!(document["sent_at"], date);
        assert_eq!(document["read_at"], Bson::Array(vec![date]));
        let free = document.get_document("data").unwrap();
        assert_eq!(free["due"], Bson::from(AT));
        assert_eq!(value::object(&document).map(Json::Object), Some(json));
    }

    #[test]
    fn what_an_entity_does_not_know_goes_along_and_what_it_adds_does_not() {
        let json = json!({"_id": "a", "sent_at": AT, "data": {}, "colour": ["red", 7]});

        let document = document(&json);

        assert_eq!(value::object(&document).map(Json::Object), Some(json));
    }

    #[test]
    fn what_is_no_document_of_the_collection_is_told() {
        let judge = |text: &str| Schema::of::<Letter>().judge(&Whole::parse(text).unwrap());

        assert!(judge(r#"{"_id": "a", "data": {}}"#).is_err());
        assert!(judge(r#"{"_id": "a", "data": {}, "sent_at": "soon"}"#).is_err());
        assert!(Whole::parse(r#"{"data": {}}"#).is_err());
        assert!(Whole::parse("{").is_err());
    }

    #[test]
    fn one_document_is_one_line() {
        let one = Whole::parse(r#"{"b": 1, "_id": "a", "c": {"z": "\n", "a": 2}}"#).unwrap();

        assert_eq!(one.to_string(), r#"{"_id":"a","b":1,"c":{"a":2,"z":"\n"}}"#);
    }
}
