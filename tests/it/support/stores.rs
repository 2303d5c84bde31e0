//! Both databases for a test: `on_both_stores!` makes two tests of one behaviour.
//!
//! SQLite is a file of its own, as durable as in production; MongoDB a database of its own on the
//! server of `MONGODB_URI`. Both are gone when the test ends, however it ends.

use std::sync::{LazyLock, mpsc};
use std::time::Duration;

use authsome::kernel::entropy::Entropy;
use authsome::kernel::time::Timestamp;
use authsome::store::{Location, Schema, Store, StoreSettings};
use mongodb::{Client, Database};
use tempfile::TempDir;
use tokio::runtime::{self, Runtime};
use tokio::task::LocalSet;

/// A test that takes longer hangs.
const PATIENCE: Duration = Duration::from_mins(2);

/// Makes of each `async fn name(fixture: Fixture) { … }` the tests `name::sqlite` and
/// `name::mongo`.
///
/// A fixture is any type with `async fn on(backend: Backend) -> Self`.
macro_rules! on_both_stores {
    ($(
        $(#[$about:meta])*
        async fn $name:ident($fixture:ident: $Fixture:ty $(,)?) $body:block
    )+) => {$(
        $(#[$about])*
        async fn $name(backend: $crate::support::stores::Backend) {
            let $fixture = <$Fixture>::on(backend).await;
            $body
        }

        mod $name {
            use $crate::support::stores::{Backend, run};

            #[test]
            fn sqlite() {
                run(super::$name(Backend::Sqlite));
            }

            #[test]
            fn mongo() {
                run(super::$name(Backend::Mongo));
            }
        }
    )+};
}
pub(crate) use on_both_stores;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Mongo,
}

/// An empty database, and a store that is open on it.
#[derive(Debug)]
pub struct TestStore {
    pub store: Store,
    pub settings: StoreSettings,
    _guard: Guard,
}

/// What takes a test's database away when it is dropped.
#[derive(Debug)]
pub enum Guard {
    Folder { _until_dropped: TempDir },
    Database(String),
}

impl TestStore {
    pub async fn on(backend: Backend) -> Self {
        let (settings, guard) = place(backend);
        let store = Store::open(&settings)
            .await
            .expect("a fresh database can be opened");
        Self {
            store,
            settings,
            _guard: guard,
        }
    }

    /// The same store with the collections of `schemas`.
    pub async fn holding(self, schemas: &[Schema]) -> Self {
        self.store
            .migrate(schemas, Timestamp::from_millis(0))
            .await
            .expect("an empty database can be migrated");
        self
    }
}

/// A place where nothing is yet.
pub fn place(backend: Backend) -> (StoreSettings, Guard) {
    let (location, guard) = match backend {
        Backend::Sqlite => {
            let folder = TempDir::new().expect("a folder for a test");
            (
                Location::Sqlite(folder.path().join("authsome.db")),
                Guard::Folder {
                    _until_dropped: folder,
                },
            )
        }
        Backend::Mongo => {
            let name = format!("it_{:016x}", u64::from_be_bytes(Entropy::system().bytes()));
            (Location::Mongo(mongodb_url(&name)), Guard::Database(name))
        }
    };
    (StoreSettings::at(location), guard)
}

/// Runs a test as an actix worker runs a handler: on one thread, futures need not be `Send`.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let test = async {
        let ended = tokio::time::timeout(PATIENCE, test).await;
        ended.expect("a test that ends");
    };
    LocalSet::new().block_on(&runtime, test);
}

/// The URL of a database on the test server.
pub fn mongodb_url(database: &str) -> String {
    let server = std::env::var("MONGODB_URI")
        .expect("MONGODB_URI names a replica set: run the tests by tests/run, which provides one");
    let (server, options) = server.split_once('?').unwrap_or((&server, ""));
    let (scheme, server) = server
        .split_once("://")
        .expect("a MongoDB URL has a scheme");
    let hosts = server.split('/').next().unwrap_or(server);
    format!("{scheme}://{hosts}/{database}?{options}")
}

/// The database behind a store on MongoDB, for a look past the port.
pub async fn mongo_behind(settings: &StoreSettings) -> Database {
    let Location::Mongo(url) = &settings.location else {
        panic!("not a store on MongoDB")
    };
    let client = Client::with_uri_str(url)
        .await
        .expect("the test server answers");
    client.default_database().expect("the URL names a database")
}

impl Drop for Guard {
    fn drop(&mut self) {
        // A runtime of its own: the test's may be unwinding, and must not be blocked by itself.
        static JANITOR: LazyLock<Runtime> = LazyLock::new(|| {
            let mut builder = runtime::Builder::new_multi_thread();
            builder
                .worker_threads(1)
                .enable_all()
                .build()
                .expect("a runtime")
        });
        let Self::Database(name) = self else { return };
        let (done, waiting) = mpsc::channel();
        let url = mongodb_url(name);
        JANITOR.spawn(async move {
            let client = Client::with_uri_str(url)
                .await
                .expect("the test server answers");
            let database = client.default_database().expect("the URL names a database");
            done.send(database.drop().await)
                .expect("the test waits for its janitor");
        });
        let dropped = waiting.recv();
        if !std::thread::panicking() {
            dropped
                .expect("the janitor answers")
                .expect("a test's database can be dropped");
        }
    }
}
