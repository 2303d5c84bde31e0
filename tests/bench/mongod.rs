//! MongoDB: the one that `MONGODB_URI` names, or one of our own, of the program that `MONGOD` names:
//! a replica set of one in a folder of its own, which ends with its value.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mongodb::Client;
use mongodb::bson::{Document, doc};
use tempfile::TempDir;

use crate::load::run;

/// How long it may take to become writable.
const PATIENCE: Duration = Duration::from_mins(1);

/// A replica set that can be written to.
#[derive(Debug)]
pub struct Mongo {
    pub uri: String,
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    child: Child,
    _folder: TempDir,
}

impl Drop for Own {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Databases of this process begin with this.
pub fn prefix() -> String {
    format!("authsome_bench_{}_", std::process::id())
}

/// Another's keeps nothing of this process.
impl Drop for Mongo {
    fn drop(&mut self) {
        if self.own.is_none() {
            run(forget(&self.uri));
        }
    }
}

async fn forget(uri: &str) {
    let client = Client::with_uri_str(uri).await.expect("a client");
    let names = client.list_database_names().await.expect("names");
    for name in names.iter().filter(|it| it.starts_with(&prefix())) {
        client.database(name).drop().await.expect("a clean end");
    }
}

impl Mongo {
    /// None where the environment names neither.
    pub fn obtain() -> Option<Self> {
        if let Ok(uri) = std::env::var("MONGODB_URI") {
            return Some(Self { uri, own: None });
        }
        let program = std::env::var("MONGOD").ok()?;
        Some(Self::start(Path::new(&program)))
    }

    fn start(program: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
        let port = free.expect("a port").port();
        let child = Command::new(program)
            .args(["--replSet", "rs0", "--bind_ip", "127.0.0.1"])
            .args(["--nounixsocket", "--wiredTigerCacheSizeGB", "1"])
            .args(["--port", &port.to_string(), "--dbpath"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn();
        let own = Own {
            child: child.expect("a mongod"),
            _folder: folder,
        };
        run(becomes_writable(port));
        Self {
            uri: format!("mongodb://127.0.0.1:{port}/?replicaSet=rs0"),
            own: Some(own),
        }
    }

    /// Of our own one only: what another's uses cannot be seen.
    pub fn process(&self) -> Option<u32> {
        self.own.as_ref().map(|own| own.child.id())
    }

    pub async fn version(&self) -> String {
        let client = Client::with_uri_str(&self.uri).await.expect("a client");
        let admin = client.database("admin");
        let told = admin.run_command(doc! { "buildInfo": 1 }).await;
        let told = told.expect("an answer");
        told.get_str("version").expect("a version").to_owned()
    }
}

async fn becomes_writable(port: u16) {
    let uri = format!("mongodb://127.0.0.1:{port}/?directConnection=true");
    let client = Client::with_uri_str(uri).await.expect("a client");
    let admin = client.database("admin");
    let members = vec![doc! { "_id": 0, "host": format!("127.0.0.1:{port}") }];
    let config = doc! { "replSetInitiate": { "_id": "rs0", "members": members } };
    // Waits for a server that is still starting.
    admin.run_command(config).await.expect("a replica set");
    let until = Instant::now() + PATIENCE;
    let is_writable = |told: Document| told.get_bool("isWritablePrimary").unwrap_or(false);
    while !is_writable(
        admin
            .run_command(doc! { "hello": 1 })
            .await
            .expect("it is there"),
    ) {
        assert!(Instant::now() < until, "no writable primary");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
