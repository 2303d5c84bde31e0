//! Verbs on MongoDB: by themselves, in a snapshot, or in a transaction.

use std::time::Duration;

use bson::RawDocumentBuf;
use futures_util::TryStreamExt;
use mongodb::error::{
    Error, ErrorKind, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT, WriteFailure,
};
use mongodb::options::ReturnDocument;
use mongodb::{ClientSession, Collection, Database};

use super::translate::{filter, order, selection, update};
use crate::store::error::{StoreError, Stored};
use crate::store::op::{Encoded, Find, Op, Outcome, Verb};
use crate::store::query::Node;
use crate::store::schema::Schema;
use crate::store::update::Change;

/// How long the server may work on one verb.
const BOUND: Duration = Duration::from_secs(3);
pub(super) const DUPLICATE_KEY: i32 = 11000;
const TIME_EXPIRED: i32 = 50;
const WRITE_CONFLICT: i32 = 112;
/// How often a commit of unknown fate is asked for again.
const COMMITS: u32 = 5;

/// A unit of work: without a driver session each verb is one by itself.
#[derive(Debug)]
pub(in crate::store) struct Session {
    database: Database,
    inner: Option<ClientSession>,
    transaction: bool,
}

impl Session {
    pub(super) fn once(database: Database) -> Self {
        Self {
            database,
            inner: None,
            transaction: false,
        }
    }

    pub(super) fn snapshot(database: Database, session: ClientSession) -> Self {
        Self {
            database,
            inner: Some(session),
            transaction: false,
        }
    }

    pub(super) fn transaction(database: Database, session: ClientSession) -> Self {
        Self {
            database,
            inner: Some(session),
            transaction: true,
        }
    }

    pub(in crate::store) async fn run(&mut self, op: Op) -> Stored<Outcome> {
        let collection = self
            .database
            .collection::<RawDocumentBuf>(op.schema.collection);
        let session = self.inner.as_mut();
        let outcome = match op.verb {
            Verb::Insert(encoded) => insert(&collection, session, encoded).await,
            Verb::Find(wanted) => find(&collection, session, &wanted).await,
            Verb::Count(node) => count(&collection, session, &node).await,
            Verb::UpdateOne(node, changes) => {
                update_one(&collection, session, &node, &changes).await
            }
            Verb::UpdateMany(node, changes) => {
                let action = collection.update_many(filter(&node), update(&changes));
                let done = match session {
                    Some(session) => action.session(session).await,
                    None => action.await,
                };
                done.map(|done| Outcome::Count(done.matched_count))
            }
            Verb::TakeOne(node) => {
                let action = collection
                    .find_one_and_delete(filter(&node))
                    .max_time(BOUND);
                let taken = match session {
                    Some(session) => action.session(session).await,
                    None => action.await,
                };
                taken.map(one)
            }
            Verb::DeleteMany(node) => {
                let action = collection.delete_many(filter(&node));
                let done = match session {
                    Some(session) => action.session(session).await,
                    None => action.await,
                };
                done.map(|done| Outcome::Count(done.deleted_count))
            }
        };
        outcome.map_err(|error| told(&op.schema, &error))
    }

    pub(in crate::store) async fn end(mut self, commit: bool) -> Stored<()> {
        let Some(session) = self.inner.as_mut().filter(|_| self.transaction) else {
            return Ok(());
        };
        if !commit {
            // The server forgets an aborted transaction by itself too; nothing was promised.
            drop(session.abort_transaction().await);
            return Ok(());
        }
        for _ in 1..COMMITS {
            match session.commit_transaction().await {
                Err(error) if may_have_committed(&error) => {}
                ended => return ended.map_err(|error| failure(&error)),
            }
        }
        session
            .commit_transaction()
            .await
            .map_err(|error| failure(&error))
    }
}

/// Whether it helps to ask again what became of a commit. Where there was nobody to ask, the time
/// that a caller can be kept waiting is over.
fn may_have_committed(error: &Error) -> bool {
    error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT)
        && !matches!(*error.kind, ErrorKind::ServerSelection { .. })
}

async fn insert(
    collection: &Collection<RawDocumentBuf>,
    session: Option<&mut ClientSession>,
    encoded: Encoded,
) -> mongodb::error::Result<Outcome> {
    let Encoded::Bson(document) = encoded else {
        return Ok(Outcome::Count(0));
    };
    let action = collection.insert_one(document);
    match session {
        Some(session) => action.session(session).await?,
        None => action.await?,
    };
    Ok(Outcome::Count(1))
}

async fn find(
    collection: &Collection<RawDocumentBuf>,
    session: Option<&mut ClientSession>,
    wanted: &Find,
) -> mongodb::error::Result<Outcome> {
    let mut action = collection.find(selection(wanted)).max_time(BOUND);
    if let Some(order) = order(wanted) {
        action = action.sort(order);
    }
    if wanted.skip > 0 {
        action = action.skip(wanted.skip);
    }
    if let Some(limit) = wanted.limit {
        action = action.limit(i64::from(limit)).batch_size(limit);
    }
    let documents: Vec<RawDocumentBuf> = match session {
        Some(session) => {
            let mut cursor = action.session(&mut *session).await?;
            cursor.stream(session).try_collect().await?
        }
        None => action.await?.try_collect().await?,
    };
    Ok(Outcome::Documents(
        documents.into_iter().map(Encoded::Bson).collect(),
    ))
}

async fn count(
    collection: &Collection<RawDocumentBuf>,
    session: Option<&mut ClientSession>,
    node: &Node,
) -> mongodb::error::Result<Outcome> {
    let action = collection.count_documents(filter(node)).max_time(BOUND);
    let counted = match session {
        Some(session) => action.session(session).await?,
        None => action.await?,
    };
    Ok(Outcome::Count(counted))
}

async fn update_one(
    collection: &Collection<RawDocumentBuf>,
    session: Option<&mut ClientSession>,
    node: &Node,
    changes: &[Change],
) -> mongodb::error::Result<Outcome> {
    let action = collection
        .find_one_and_update(filter(node), update(changes))
        .return_document(ReturnDocument::After)
        .max_time(BOUND);
    let updated = match session {
        Some(session) => action.session(session).await?,
        None => action.await?,
    };
    Ok(one(updated))
}

fn one(document: Option<RawDocumentBuf>) -> Outcome {
    Outcome::Documents(document.into_iter().map(Encoded::Bson).collect())
}

/// The server's error code, if it was the server that refused.
pub(super) fn code(error: &Error) -> Option<i32> {
    if let ErrorKind::Command(command) = &*error.kind {
        return Some(command.code);
    }
    if let ErrorKind::Write(WriteFailure::WriteError(write)) = &*error.kind {
        return Some(write.code);
    }
    None
}

/// An error in the port's words; a refused unique index by its declared name.
fn told(schema: &Schema, error: &Error) -> StoreError {
    if code(error) == Some(DUPLICATE_KEY) {
        let refused = refused_index(&error.to_string()).and_then(|name| schema.index_named(&name));
        if let Some(name) = refused {
            return StoreError::Duplicate(name);
        }
    }
    failure(error)
}

/// `… duplicate key error collection: db.c index: NAME dup key: …`
fn refused_index(message: &str) -> Option<String> {
    let (_, rest) = message.split_once(" index: ")?;
    rest.split_whitespace().next().map(str::to_owned)
}

/// An error in the port's words.
pub(super) fn failure(error: &Error) -> StoreError {
    // Without a code it was the network, or nobody to ask: to begin again at once would only wait.
    let transient = code(error).is_some() && error.contains_label(TRANSIENT_TRANSACTION_ERROR);
    if code(error) == Some(WRITE_CONFLICT) || transient {
        return StoreError::Conflict;
    }
    if code(error) == Some(TIME_EXPIRED) {
        return StoreError::Timeout;
    }
    StoreError::Unavailable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::refused_index;

    #[test]
    fn the_refused_index_is_read_from_the_servers_sentence() {
        let message = "E11000 duplicate key error collection: a.authsome_users index: users_email \
                       dup key: { app_id: \"x\", email: \" index: y\" }";
        assert_eq!(refused_index(message).as_deref(), Some("users_email"));
    }
}
