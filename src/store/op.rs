//! One verb of the port as data: what crosses from a transaction to a driver and back.

use bson::RawDocumentBuf;
use serde::de::DeserializeOwned;

use super::error::{StoreError, Stored};
use super::query::{Node, Sort};
use super::schema::Schema;
use super::update::Change;

/// A verb on one collection.
#[derive(Debug)]
pub(crate) struct Op {
    pub schema: Schema,
    pub verb: Verb,
}

#[derive(Debug)]
pub(crate) enum Verb {
    Insert(Encoded),
    /// Adds all of them, or none where one is refused.
    InsertAll(Vec<Encoded>),
    Find(Find),
    Count(Node),
    /// Changes at most one document and returns it as it is afterwards.
    UpdateOne(Node, Vec<Change>),
    /// Changes at most one document and counts it.
    ChangeOne(Node, Vec<Change>),
    UpdateMany(Node, Vec<Change>),
    /// Removes at most one document and returns it.
    TakeOne(Node),
    DeleteMany(Node),
    Sweep(Sweep),
}

/// Removes documents that match, the oldest by `path` first, `most` at most.
#[derive(Debug)]
pub(crate) struct Sweep {
    pub filter: Node,
    pub path: &'static str,
    pub most: u32,
}

#[derive(Debug)]
pub(crate) struct Find {
    pub filter: Node,
    /// Only documents that come after this one in `sort`'s order: the sort value and the identifier.
    pub after: Option<(super::value::Value, String)>,
    pub sort: Option<Sort>,
    pub skip: u64,
    pub limit: Option<u32>,
}

/// A document in the notation of its database.
#[derive(Debug)]
pub(crate) enum Encoded {
    Json { id: String, text: String },
    Bson(RawDocumentBuf),
}

/// What a verb answers.
#[derive(Debug)]
pub(crate) enum Outcome {
    Documents(Vec<Encoded>),
    Count(u64),
}

impl Verb {
    pub(super) fn is_read(&self) -> bool {
        match self {
            Verb::Find(_) | Verb::Count(_) => true,
            Verb::Insert(_)
            | Verb::InsertAll(_)
            | Verb::UpdateOne(..)
            | Verb::ChangeOne(..)
            | Verb::UpdateMany(..)
            | Verb::TakeOne(_)
            | Verb::DeleteMany(_)
            | Verb::Sweep(_) => false,
        }
    }
}

impl Encoded {
    pub(super) fn decode<E: DeserializeOwned>(&self) -> Stored<E> {
        match self {
            Encoded::Json { text, .. } => {
                serde_json::from_str(text).map_err(|error| StoreError::Corrupt(error.to_string()))
            }
            Encoded::Bson(raw) => bson::deserialize_from_slice(raw.as_bytes())
                .map_err(|error| StoreError::Corrupt(error.to_string())),
        }
    }
}

impl Outcome {
    pub(super) fn count(self) -> u64 {
        match self {
            Outcome::Count(count) => count,
            Outcome::Documents(documents) => documents.len() as u64,
        }
    }

    pub(super) fn documents<E: DeserializeOwned>(self) -> Stored<Vec<E>> {
        match self {
            Outcome::Documents(documents) => documents.iter().map(Encoded::decode).collect(),
            Outcome::Count(_) => Ok(Vec::new()),
        }
    }

    pub(super) fn document<E: DeserializeOwned>(self) -> Stored<Option<E>> {
        Ok(self.documents()?.into_iter().next())
    }
}
