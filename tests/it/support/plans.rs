//! How MongoDB answered: its profiler writes down every query that had to read a whole collection.

use std::thread;

use authsome::store::Location;
use mongodb::bson::{Document, doc};
use mongodb::{Client, Database};
use tokio::runtime;

/// Fails its test, when it is dropped, if there was such a query.
#[derive(Debug)]
pub struct Plans {
    url: String,
}

impl Plans {
    /// Watches a database from now on; `None` where there is no profiler.
    pub async fn of(location: &Location) -> Option<Self> {
        let Location::Mongo(url) = location else {
            return None;
        };
        let watch = doc! { "profile": 1, "filter": a_scan() };
        database(url)
            .await
            .run_command(watch)
            .await
            .expect("a profiler");
        Some(Self { url: url.clone() })
    }
}

/// What a change stream reads is the oplog, which has no index and needs none; it is accounted to
/// the collection that is followed.
pub fn not_of_a_stream() -> Document {
    let of_another = doc! { "$ne": "authsome follows" };
    doc! { "command.comment": of_another.clone(), "originatingCommand.comment": of_another }
}

fn a_scan() -> Document {
    let mut scan = doc! { "planSummary": { "$regex": "COLLSCAN" } };
    scan.extend(not_of_a_stream());
    scan
}

/// The database that a URL names, past the port.
pub async fn database(url: &str) -> Database {
    let client = Client::with_uri_str(url)
        .await
        .expect("the test server answers");
    client.default_database().expect("the URL names a database")
}

async fn scans(url: &str) -> Vec<Document> {
    let mut seen = Vec::new();
    let written = database(url).await.collection::<Document>("system.profile");
    // Asked again here: what was under way while a test watched everything is written down late.
    let mut cursor = written
        .find(a_scan())
        .await
        .expect("the profile can be read");
    while cursor.advance().await.expect("the profile can be read") {
        seen.push(cursor.deserialize_current().expect("a document"));
    }
    seen
}

impl Drop for Plans {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        let url = self.url.clone();
        // A thread of its own: the one that drops it is inside a runtime.
        let asked = thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(scans(&url))
        });
        let scans = asked.join().expect("the profile can be read");
        let told: Vec<String> = scans.iter().map(told).collect();
        assert!(
            told.is_empty(),
            "MongoDB read whole collections:\n{}",
            told.join("\n")
        );
    }
}

/// A query that the profiler wrote down, for whoever is to give it an index.
pub fn told(scan: &Document) -> String {
    let command = scan.get_document("command").cloned().unwrap_or_default();
    format!("{}: {command}", scan.get_str("ns").unwrap_or_default())
}
