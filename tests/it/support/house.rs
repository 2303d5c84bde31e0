//! Houses that people move into: a database that is empty, or was filled by an earlier version, the
//! secrets that go with what comes into it, and a server there.

use std::path::Path;

use authsome::app::{self, Foundation, StartError, World};
use authsome::backups::{BackupError, Backups, Judge, Taken};
use authsome::config::{Config, Secrets};
use authsome::kernel::entropy::Entropy;
use authsome::kernel::time::Clock;
use authsome::store::{Location, Stored};
use mongodb::bson::{Bson, Document, doc};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::app::{NEW_YEAR, Settings, TestApp, changed, configured, url_of};
use super::node::Node;
use super::stores::{Backend, Guard, mongo_behind, place};

/// What the earlier version was given; see [`House::of_old`].
const OLD_SECRETS: [(&str, &str); 3] = [
    (
        "SECURITY__ENCRYPTION_KEY",
        "b2xkIGVuY3J5cHRpb24ga2V5IG9mIGEgZml4dHVyZSE=",
    ),
    (
        "SECURITY__REFRESH_SECRET",
        "the refresh secret of an old database, in a test",
    ),
    (
        "SECURITY__PEPPER",
        "the pepper of an old database, in a test",
    ),
];

#[derive(Debug)]
pub struct House {
    settings: Settings,
    clock: Clock,
    location: Location,
    _mail: TempDir,
    _guard: Guard,
}

/// A look at the house that a server lives in.
#[derive(Debug)]
pub struct Guest<'a>(&'a TestApp);

impl Guest<'_> {
    /// What takes a backup of it, while the server goes on.
    pub async fn as_it_is(&self) -> Backups {
        let config = configured(self.0.settings());
        let judge = app::judge(&resolved(&config));
        let backups = app::as_it_is(&config, judge).await;
        backups.expect("a store that opens")
    }

    pub async fn taken(&self) -> Result<(Taken, Vec<u8>), BackupError> {
        let backups = self.as_it_is().await;
        backups.take(Vec::new(), NEW_YEAR, &mut |_| ()).await
    }

    /// The secrets that it was given, by name.
    pub fn given(&self) -> Vec<(String, String)> {
        let all = self.0.settings().iter();
        let secret = all.filter(|(name, _)| name.starts_with("SECURITY__"));
        secret.cloned().collect()
    }
}

fn resolved(config: &Config) -> Secrets {
    let secrets = Secrets::resolve(&config.store, &config.security, &Entropy::system());
    secrets.expect("the secrets of a test are good")
}

impl House {
    /// An empty one, with the secrets and the time of `app`.
    pub fn like(app: &TestApp, backend: Backend) -> Self {
        Self::at(backend, app.settings().clone(), app.clock.clone())
    }

    /// The one that `app` serves from.
    pub fn of(app: &TestApp) -> Guest<'_> {
        Guest(app)
    }

    /// Another one, empty, with the same secrets.
    pub fn likewise(&self, backend: Backend) -> Self {
        Self::at(backend, self.settings.clone(), self.clock.clone())
    }

    fn at(backend: Backend, settings: Settings, clock: Clock) -> Self {
        let (store, guard) = place(backend);
        let mail = TempDir::new().expect("a folder for letters");
        let letters = format!("file:{}", mail.path().display());
        let own = [
            ("STORE__URL", &*url_of(&store.location)),
            ("MAIL__URL", &letters),
        ];
        Self {
            settings: changed(settings, &own),
            clock,
            location: store.location,
            _mail: mail,
            _guard: guard,
        }
    }

    /// A database as the version of 21 November 2026 wrote it, when there were no versions of the
    /// schema; and what was told there. Its code ran at the time of these tests, in 2040.
    pub async fn of_old(backend: Backend) -> (Self, Value) {
        let name = match backend {
            Backend::Sqlite => "2026-11-21.sqlite.ndjson",
            Backend::Mongo => "2026-11-21.mongodb.ndjson",
        };
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/api/old");
        let kept = std::fs::read_to_string(kept.join(name)).expect("a database of old");
        let (told, rest) = kept.split_once('\n').expect("lines");
        let settings = changed(Vec::new(), &OLD_SECRETS);
        let house = Self::at(backend, settings, Clock::frozen(NEW_YEAR));
        match &house.location {
            Location::Sqlite(path) => fill_sqlite(path, rest),
            Location::Mongo(_) => fill_mongo(&house.location, rest).await,
            Location::Memory => unreachable!("a place of its own"),
        }
        let told = serde_json::from_str(told).expect("what was told");
        (house, told)
    }

    /// With another setting.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings = changed(self.settings, &[(name, value)]);
        self
    }

    pub fn location(&self) -> &Location {
        &self.location
    }

    fn config(&self) -> (Config, World) {
        let world = World {
            clock: self.clock.clone(),
            entropy: Entropy::system(),
        };
        (configured(&self.settings), world)
    }

    fn secrets(&self) -> Secrets {
        resolved(&self.config().0)
    }

    /// What a backup that comes here is held against.
    pub fn judge(&self) -> Judge {
        app::judge(&self.secrets())
    }

    /// What takes a backup of it, whatever version it is of.
    pub async fn as_it_is(&self) -> Backups {
        let backups = app::as_it_is(&self.config().0, self.judge()).await;
        backups.expect("a store that opens")
    }

    /// What a backup is brought into.
    pub async fn up_to_date(&self) -> Stored<Backups> {
        let (config, world) = self.config();
        app::up_to_date(&config, self.judge(), &world).await
    }

    /// Takes a backup: what is said of it, and the archive.
    pub async fn taken(&self) -> Result<(Taken, Vec<u8>), BackupError> {
        let backups = self.as_it_is().await;
        backups.take(Vec::new(), NEW_YEAR, &mut |_| ()).await
    }

    /// Brings a backup back; how many documents were there already.
    pub async fn takes_in(&self, archive: &[u8]) -> Result<u64, BackupError> {
        let judged = self.judge().judge(archive, false, &mut |_| ())?;
        let backups = self.up_to_date().await?;
        backups
            .restore(archive, &judged, NEW_YEAR, &mut |_| ())
            .await
    }

    /// A server.
    pub async fn serves(&self) -> Node {
        let (config, world) = self.config();
        Node::raise(config, world).await.0
    }

    /// Why no server starts here.
    pub async fn refuses_to_serve(&self) -> StartError {
        let (config, world) = self.config();
        let bound = config.server.bind;
        let laid = Foundation::lay(config, self.secrets(), world, bound).await;
        laid.map(drop).expect_err("a start that is refused")
    }

    /// Changes what the store says of its version, past the server.
    pub async fn is_of_version(&self, version: i64) {
        match &self.location {
            Location::Sqlite(path) => {
                let database = Connection::open(path).expect("a database");
                let sql = "UPDATE authsome_schema SET doc = json_set(doc, '$.version', ?)";
                assert_eq!(database.execute(sql, [version]), Ok(1));
            }
            Location::Mongo(_) => {
                let kept = mongo(&self.location).await;
                let kept = kept.collection::<Document>("authsome_schema");
                let set = doc! { "$set": { "version": version } };
                let done = kept.update_one(doc! { "_id": "version" }, set).await;
                assert_eq!(done.expect("an update").matched_count, 1);
            }
            Location::Memory => unreachable!("a place of its own"),
        }
    }
}

async fn mongo(location: &Location) -> mongodb::Database {
    mongo_behind(&authsome::store::StoreSettings::at(location.clone())).await
}

/// Every collection of a dump, with its structure and its documents.
fn collections(dump: &str) -> Vec<(String, Vec<Value>, Vec<&str>)> {
    let mut all: Vec<(String, Vec<Value>, Vec<&str>)> = Vec::new();
    for line in dump.lines() {
        let read: Value = serde_json::from_str(line).expect("a line is JSON");
        match (&read["collection"], &read["structure"], all.last_mut()) {
            (Value::String(name), Value::Array(structure), _) => {
                all.push((name.clone(), structure.clone(), Vec::new()));
            }
            (_, _, Some((_, _, documents))) => documents.push(line),
            (_, _, None) => panic!("a document of no collection: {line}"),
        }
    }
    all
}

fn fill_sqlite(path: &Path, dump: &str) {
    let database = Connection::open(path).expect("a database");
    for (name, structure, documents) in collections(dump) {
        for sql in structure {
            let sql = sql.as_str().expect("a statement");
            database.execute_batch(sql).expect("a structure of old");
        }
        let sql = format!("INSERT INTO {name} (id, doc) VALUES (?1 ->> '$._id', ?1)");
        for document in documents {
            database.execute(&sql, [document]).expect("a document");
        }
    }
}

async fn fill_mongo(location: &Location, dump: &str) {
    let database = mongo(location).await;
    for (name, structure, documents) in collections(dump) {
        database
            .create_collection(&name)
            .await
            .expect("a collection");
        let indexes: Vec<Document> = structure.into_iter().map(index).collect();
        let create = doc! { "createIndexes": &name, "indexes": indexes };
        database.run_command(create).await.expect("indexes");
        let documents = documents.into_iter().map(|line| {
            let read = serde_json::from_str(line);
            document(read.expect("a line is JSON"))
        });
        let documents: Vec<_> = documents.collect();
        if !documents.is_empty() {
            let collection = database.collection::<Document>(&name);
            collection
                .insert_many(documents)
                .await
                .expect("documents of old");
        }
    }
}

/// An index, whose fields stand in a list: their order counts.
fn index(mut json: Value) -> Document {
    let fields = json["key"].take();
    let mut index = document(json);
    let fields = fields.as_array().expect("fields").iter().map(|field| {
        let name = field[0].as_str().expect("a field");
        (name.to_owned(), Bson::Int32(1))
    });
    index.insert("key", fields.collect::<Document>());
    index
}

/// Of what it is in extended JSON.
fn document(json: Value) -> Document {
    serde_json::from_value(json).expect("a document")
}

/// A user of old signs in.
pub fn entry(who: &Value) -> Value {
    json!({"email": who["email"], "password": who["password"]})
}
