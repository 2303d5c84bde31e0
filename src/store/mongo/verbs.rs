//! Each verb of the port, as the driver is asked for it.

use std::time::Duration;

use bson::{RawDocumentBuf, doc};
use futures_util::TryStreamExt;
use mongodb::error::Result;
use mongodb::options::ReturnDocument;
use mongodb::{ClientSession, Collection, Database};

use super::translate::{filter, order, selection, update};
use crate::store::op::{Encoded, Find, Op, Outcome, Sweep, Verb};
use crate::store::query::Node;
use crate::store::update::Change;

/// How long the server may work on one verb.
const BOUND: Duration = Duration::from_secs(3);

pub(super) async fn run(
    database: &Database,
    session: Option<&mut ClientSession>,
    op: Op,
) -> Result<Outcome> {
    let collection = database.collection::<RawDocumentBuf>(op.schema.collection);
    match op.verb {
        Verb::Insert(encoded) => insert(&collection, session, encoded).await,
        Verb::InsertAll(all) => insert_all(&collection, session, all).await,
        Verb::Find(wanted) => find(&collection, session, &wanted).await,
        Verb::Count(node) => count(&collection, session, &node).await,
        Verb::UpdateOne(node, changes) => update_one(&collection, session, &node, &changes).await,
        Verb::ChangeOne(node, changes) => {
            let action = collection.update_one(filter(&node), update(&changes));
            let done = match session {
                Some(session) => action.session(session).await,
                None => action.await,
            };
            done.map(|done| Outcome::Count(done.matched_count))
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
        Verb::Sweep(wanted) => sweep(&collection, session, &wanted).await,
    }
}

/// The server removes one or all: which ones they are is asked first, and they are judged again.
async fn sweep(
    collection: &Collection<RawDocumentBuf>,
    mut session: Option<&mut ClientSession>,
    wanted: &Sweep,
) -> Result<Outcome> {
    let action = collection
        .find(filter(&wanted.filter))
        .projection(doc! { "_id": 1 })
        .sort(doc! { wanted.path: 1 })
        .limit(i64::from(wanted.most))
        .batch_size(wanted.most)
        .max_time(BOUND);
    let oldest: Vec<RawDocumentBuf> = match session.as_deref_mut() {
        Some(session) => {
            let mut cursor = action.session(&mut *session).await?;
            cursor.stream(session).try_collect().await?
        }
        None => action.await?.try_collect().await?,
    };
    if oldest.is_empty() {
        return Ok(Outcome::Count(0));
    }
    let ids = oldest.iter().filter_map(|found| found.get_str("_id").ok());
    let these = doc! { "_id": { "$in": ids.collect::<Vec<_>>() } };
    let action = collection.delete_many(doc! { "$and": [these, filter(&wanted.filter)] });
    let done = match session {
        Some(session) => action.session(session).await?,
        None => action.await?,
    };
    Ok(Outcome::Count(done.deleted_count))
}

async fn insert(
    collection: &Collection<RawDocumentBuf>,
    session: Option<&mut ClientSession>,
    encoded: Encoded,
) -> Result<Outcome> {
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

async fn insert_all(
    collection: &Collection<RawDocumentBuf>,
    session: Option<&mut ClientSession>,
    all: Vec<Encoded>,
) -> Result<Outcome> {
    let documents = all.into_iter().filter_map(|encoded| match encoded {
        Encoded::Bson(document) => Some(document),
        Encoded::Json { .. } => None,
    });
    let action = collection.insert_many(documents.collect::<Vec<_>>());
    let done = match session {
        Some(session) => action.session(session).await?,
        None => action.await?,
    };
    Ok(Outcome::Count(done.inserted_ids.len() as u64))
}

async fn find(
    collection: &Collection<RawDocumentBuf>,
    session: Option<&mut ClientSession>,
    wanted: &Find,
) -> Result<Outcome> {
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
) -> Result<Outcome> {
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
) -> Result<Outcome> {
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
