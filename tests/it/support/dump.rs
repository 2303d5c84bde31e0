//! What a database keeps: every document of every collection, as bytes to search.

use std::collections::BTreeMap;

use authsome::store::Location;
use mongodb::bson::{RawDocumentBuf, doc};
use mongodb::options::Hint;
use rusqlite::Connection;

use super::app::{TestApp, eventually};

/// Every document that is there, and on SQLite every byte of the file.
pub async fn documents(app: &TestApp) -> Vec<u8> {
    everything(app.location()).await
}

/// The same of a database that another process has open.
pub async fn everything(location: &Location) -> Vec<u8> {
    let Location::Sqlite(path) = location else {
        let collections = collections(location).await;
        return collections.into_values().flatten().collect();
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

/// Every document that is there, by collection.
pub async fn collections(location: &Location) -> BTreeMap<String, Vec<u8>> {
    match location {
        Location::Mongo(url) => of_mongo(url).await,
        Location::Sqlite(path) => {
            let database = Connection::open(path).expect("the database can be opened");
            of_sqlite(&database).expect("the database can be read")
        }
        Location::Memory => panic!("nobody can look into memory"),
    }
}

fn of_sqlite(database: &Connection) -> rusqlite::Result<BTreeMap<String, Vec<u8>>> {
    let mut contents = BTreeMap::new();
    let mut tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
    for name in tables.query_map([], |row| row.get::<_, String>(0))? {
        let name = name?;
        let mut all = database.prepare(&format!("SELECT id || doc FROM {name}"))?;
        let all = all.query_map([], |row| row.get::<_, String>(0))?;
        let all: Vec<_> = all.collect::<Result<_, _>>()?;
        contents.insert(name, all.join("\n").into_bytes());
    }
    Ok(contents)
}

async fn of_mongo(url: &str) -> BTreeMap<String, Vec<u8>> {
    let client = mongodb::Client::with_uri_str(url)
        .await
        .expect("the test server answers");
    let database = client.default_database().expect("the URL names a database");
    let mut contents = BTreeMap::new();
    for name in database.list_collection_names().await.expect("collections") {
        let collection = database.collection::<RawDocumentBuf>(&name);
        // By the only index that every collection has: the profiler would tell of a scan.
        let all = collection.find(doc! {}).hint(Hint::Name("_id_".to_owned()));
        let Ok(mut all) = all.await else { continue };
        let mut bytes = Vec::new();
        while all.advance().await.expect("a document") {
            bytes.extend_from_slice(all.current().as_bytes());
        }
        contents.insert(name, bytes);
    }
    contents
}

pub fn holds(contents: &[u8], text: &str) -> bool {
    contents
        .windows(text.len())
        .any(|bytes| bytes == text.as_bytes())
}
