//! What a database keeps: every document of every collection, as bytes to search or one by one.

use std::collections::BTreeMap;

use authsome::store::Location;
use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::options::Hint;
use rusqlite::Connection;
use serde_json::Value;

use super::app::TestApp;

/// Every document that is there. What SQLite has deleted and not yet overwritten is left out.
pub async fn documents(app: &TestApp) -> Vec<u8> {
    match app.location() {
        Location::Mongo(url) => of_mongo(url).await,
        Location::Sqlite(path) => {
            let folder = tempfile::tempdir().expect("a folder");
            let copy = folder.path().join("copy.db");
            let database = Connection::open(path).expect("the database can be opened");
            let into = [copy.to_str().expect("a path in UTF-8")];
            database
                .execute("VACUUM INTO ?1", into)
                .expect("the database can be copied");
            std::fs::read(copy).expect("the copy is there")
        }
        Location::Memory => panic!("nobody can look into memory"),
    }
}

/// Every document of a database on MongoDB.
pub async fn of_mongo(url: &str) -> Vec<u8> {
    let client = mongodb::Client::with_uri_str(url)
        .await
        .expect("the test server answers");
    let database = client.default_database().expect("the URL names a database");
    let mut contents = Vec::new();
    for name in database.list_collection_names().await.expect("collections") {
        let collection = database.collection::<RawDocumentBuf>(&name);
        // By the only index that every collection has: the profiler would tell of a scan.
        let all = collection.find(doc! {}).hint(Hint::Name("_id_".to_owned()));
        let Ok(mut all) = all.await else { continue };
        while all.advance().await.expect("a document") {
            contents.extend_from_slice(all.current().as_bytes());
        }
    }
    contents
}

/// Every document that is there, by its collection; of empty collections the names alone.
pub async fn collections(app: &TestApp) -> BTreeMap<String, Vec<Value>> {
    match app.location() {
        Location::Mongo(url) => collections_of_mongo(url).await,
        Location::Sqlite(path) => {
            let database = Connection::open(path).expect("the database can be opened");
            collections_of_sqlite(&database).expect("the database can be read")
        }
        Location::Memory => panic!("nobody can look into memory"),
    }
}

async fn collections_of_mongo(url: &str) -> BTreeMap<String, Vec<Value>> {
    let client = mongodb::Client::with_uri_str(url)
        .await
        .expect("the test server answers");
    let database = client.default_database().expect("the URL names a database");
    let mut found = BTreeMap::new();
    for name in database.list_collection_names().await.expect("collections") {
        if !name.starts_with("authsome_") {
            continue;
        }
        let collection = database.collection::<Document>(&name);
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

fn collections_of_sqlite(database: &Connection) -> rusqlite::Result<BTreeMap<String, Vec<Value>>> {
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'authsome_%'";
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

pub fn holds(contents: &[u8], text: &str) -> bool {
    contents
        .windows(text.len())
        .any(|bytes| bytes == text.as_bytes())
}
