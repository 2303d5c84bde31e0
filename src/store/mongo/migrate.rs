//! Start-up: collections and indexes, made where they are missing, outside transactions.

use bson::{Bson, Document, doc};
use futures_util::TryStreamExt;
use mongodb::options::IndexOptions;
use mongodb::{Collection, Database, IndexModel};

use super::errors::{DUPLICATE_KEY, code, failure};
use super::translate::{keys, partial};
use crate::kernel::time::Timestamp;
use crate::store::error::{StoreError, Stored};
use crate::store::schema::{Index, Schema};
use crate::store::version::{self, VERSION};

const NAMESPACE_EXISTS: i32 = 48;
const NAMESPACE_NOT_FOUND: i32 = 26;
const OPTIONS_CONFLICT: i32 = 85;
const KEY_CONFLICT: i32 = 86;

/// Brings the database to what `schemas` declare. Every step can be repeated, so several nodes may
/// do it at once.
pub(super) async fn migrate(database: &Database, schemas: &[Schema], now: Timestamp) -> Stored<()> {
    raise_version(database, now).await?;
    make_collection(database, "authsome_migrations").await?;
    for schema in schemas {
        make_collection(database, schema.collection).await?;
        let made = make_indexes(database, schema).await?;
        record(database, schema, &made, now).await?;
    }
    Ok(())
}

/// The version that the database was last brought to.
pub(super) async fn version(database: &Database) -> Stored<Option<i64>> {
    let kept = database.collection::<Document>(version::COLLECTION);
    let found = kept.find_one(doc! { "_id": version::ID }).await;
    let found = found.map_err(|error| failure(&error))?;
    Ok(found.and_then(|found| found.get_i64("version").ok()))
}

async fn raise_version(database: &Database, now: Timestamp) -> Stored<()> {
    let found = version(database).await?;
    if let Some(refusal) = version::refusal(found) {
        return Err(refusal);
    }
    if found == Some(VERSION) {
        return Ok(());
    }
    let at = bson::DateTime::from_millis(now.as_millis());
    // A newer node may start at the same time: the version never falls.
    database
        .collection::<Document>(version::COLLECTION)
        .update_one(
            doc! { "_id": version::ID },
            doc! { "$max": { "version": VERSION, "applied_at": at } },
        )
        .upsert(true)
        .await
        .map(drop)
        .map_err(|error| failure(&error))
}

async fn make_collection(database: &Database, name: &str) -> Stored<()> {
    match database.create_collection(name).await {
        Err(error) if code(&error) != Some(NAMESPACE_EXISTS) => Err(failure(&error)),
        _ => Ok(()),
    }
}

async fn make_indexes(database: &Database, schema: &Schema) -> Stored<Vec<&'static str>> {
    let collection = database.collection::<Document>(schema.collection);
    let known = known(&collection).await?.unwrap_or_default();
    let mut made = Vec::new();
    for index in schema.indexes {
        let named = known.iter().find(|known| name(known) == Some(index.name));
        match named {
            Some(known) if same(known, index) => {}
            Some(known) => return Err(conflicting(schema, index, &known.keys.to_string())),
            None => {
                collection
                    .create_index(model(index))
                    .await
                    .map_err(|error| match code(&error) {
                        Some(OPTIONS_CONFLICT | KEY_CONFLICT) => {
                            conflicting(schema, index, "the same keys with other options")
                        }
                        Some(DUPLICATE_KEY) => unbuildable(schema, index, &failure(&error)),
                        Some(_) | None => failure(&error),
                    })?;
                made.push(index.name);
            }
        }
    }
    Ok(made)
}

/// The indexes that there are; `None` where there is no such collection.
async fn known(collection: &Collection<Document>) -> Stored<Option<Vec<IndexModel>>> {
    match collection.list_indexes().await {
        Ok(cursor) => {
            let all = cursor.try_collect().await;
            all.map(Some).map_err(|error| failure(&error))
        }
        Err(error) if code(&error) == Some(NAMESPACE_NOT_FOUND) => Ok(None),
        Err(error) => Err(failure(&error)),
    }
}

/// What [`migrate`] would do or refuse, a sentence each.
pub(super) async fn examine(database: &Database, schemas: &[Schema]) -> Stored<Vec<String>> {
    let mut flaws = Vec::new();
    for schema in schemas {
        let collection = database.collection::<Document>(schema.collection);
        let Some(known) = known(&collection).await? else {
            flaws.push(schema.is_missing());
            continue;
        };
        for index in schema.indexes {
            match known.iter().find(|known| name(known) == Some(index.name)) {
                Some(known) if same(known, index) => {}
                Some(_) => flaws.push(schema.differs(index)),
                None => flaws.push(schema.lacks(index)),
            }
        }
    }
    Ok(flaws)
}

fn name(model: &IndexModel) -> Option<&str> {
    model.options.as_ref()?.name.as_deref()
}

fn model(index: &Index) -> IndexModel {
    let mut options = IndexOptions::default();
    options.name = Some(index.name.to_owned());
    options.unique = index.unique.then_some(true);
    options.partial_filter_expression = partial(index);
    options.expire_after = index.expires_after;
    IndexModel::builder()
        .keys(keys(index))
        .options(options)
        .build()
}

fn same(known: &IndexModel, index: &Index) -> bool {
    let fields = known
        .keys
        .iter()
        .map(|(path, order)| (path.as_str(), ascending(order)));
    let wanted = index.fields.iter().map(|path| (*path, true));
    let Some(options) = &known.options else {
        return false;
    };
    fields.eq(wanted)
        && options.unique.unwrap_or(false) == index.unique
        && options.partial_filter_expression == partial(index)
        && options.expire_after == index.expires_after
        && !options.sparse.unwrap_or(false)
        && options.collation.is_none()
}

fn ascending(order: &Bson) -> bool {
    order.as_i32() == Some(1)
        || order.as_i64() == Some(1)
        || order
            .as_f64()
            .is_some_and(|order| (order - 1.0).abs() < f64::EPSILON)
}

fn conflicting(schema: &Schema, index: &Index, found: &str) -> StoreError {
    StoreError::Unsuitable(format!(
        "the index {} of {} exists with another definition ({found}); drop it, and the server makes \
         it anew at the next start",
        index.name, schema.collection
    ))
}

fn unbuildable(schema: &Schema, index: &Index, error: &StoreError) -> StoreError {
    StoreError::Unsuitable(format!(
        "the index {} of {} cannot be made ({error}); documents that violate it have to go first",
        index.name, schema.collection
    ))
}

async fn record(database: &Database, schema: &Schema, made: &[&str], now: Timestamp) -> Stored<()> {
    if made.is_empty() {
        return Ok(());
    }
    let id = format!("{}/{}", schema.collection, made.join("+"));
    let at = bson::DateTime::from_millis(now.as_millis());
    let fields = doc! { "collection": schema.collection, "indexes": made, "applied_at": at };
    database
        .collection::<Document>("authsome_migrations")
        .update_one(doc! { "_id": id }, doc! { "$setOnInsert": fields })
        .upsert(true)
        .await
        .map(drop)
        .map_err(|error| failure(&error))
}
