//! What a database keeps: every document of every collection, as bytes to search or one by one.

use std::collections::BTreeMap;

use authsome::store::Location;
use mongodb::bson::{Document, doc};
use mongodb::options::Hint;
use rusqlite::Connection;
use serde_json::Value;

use super::app::{TestApp, eventually};

/// Every document that is there, and on SQLite every byte of the file.
pub async fn documents(app: &TestApp) -> Vec<u8> {
    everything(app.location()).await
}

/// The same of a database that another process has open.
pub async fn everything(location: &Location) -> Vec<u8> {
    let Location::Sqlite(path) = location else {
        let collections = collections(location).await;
        let all: Vec<_> = collections.into_values().flatten().collect();
        return text(&all).into_bytes();
    };
    let database = Connection::open(path).expect("the database can be opened");
    // What is in the log only is written to the file, once nobody reads.
    eventually(async || {
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        let busy = database.query_row(checkpoint, [], |row| row.get::<_, i64>(0));
        busy.is_ok_and(|busy| busy == 0)
    })
    .await;
    std::fs::read(path).expect("the file is there")
}

/// Every document that is there, by its collection, also of a database that another process has
/// open; of empty collections the names alone.
pub async fn collections(location: &Location) -> BTreeMap<String, Vec<Value>> {
    match location {
        Location::Mongo(url) => of_mongo(url).await,
        Location::Sqlite(path) => {
            let database = Connection::open(path).expect("the database can be opened");
            of_sqlite(&database).expect("the database can be read")
        }
        Location::Memory => panic!("nobody can look into memory"),
    }
}

async fn of_mongo(url: &str) -> BTreeMap<String, Vec<Value>> {
    let client = mongodb::Client::with_uri_str(url)
        .await
        .expect("the test server answers");
    let database = client.default_database().expect("the URL names a database");
    let mut found = BTreeMap::new();
    for name in database.list_collection_names().await.expect("collections") {
        if name.starts_with("system.") {
            continue;
        }
        let collection = database.collection::<Document>(&name);
        // By the only index that every collection has: the profiler would tell of a scan.
        let all = collection.find(doc! {}).hint(Hint::Name("_id_".to_owned()));
        let mut all = all.await.expect("documents");
        let mut documents = Vec::new();
        while all.advance().await.expect("a document") {
            let document = all.deserialize_current().expect("a document");
            documents.push(serde_json::to_value(document).expect("a document is JSON"));
        }
        found.insert(name, documents);
    }
    found
}

fn of_sqlite(database: &Connection) -> rusqlite::Result<BTreeMap<String, Vec<Value>>> {
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table'";
    let mut found = BTreeMap::new();
    for name in texts(database, tables)? {
        let documents = texts(database, &format!("SELECT doc FROM {name}"))?;
        let parsed = documents.iter().map(|text| serde_json::from_str(text));
        let parsed: Result<Vec<Value>, _> = parsed.collect();
        found.insert(name, parsed.expect("documents are JSON"));
    }
    Ok(found)
}

fn texts(database: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = database.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    rows.collect()
}

/// Documents as a text to search.
pub fn text(documents: &[Value]) -> String {
    let texts: Vec<_> = documents.iter().map(Value::to_string).collect();
    texts.join("\n")
}

pub fn holds(contents: &[u8], text: &str) -> bool {
    contents
        .windows(text.len())
        .any(|bytes| bytes == text.as_bytes())
}
