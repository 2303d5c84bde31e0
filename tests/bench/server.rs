//! The server under load: the built binary, in a folder and on a port of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Child;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use authsome::kernel::tenant::Tenant;
use authsome::store::Location;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::client::Connection;
use crate::installation::{Installation, Program};
use crate::machine::{Cores, Memory, memory};
use crate::mongod::prefix;

/// Which store the server works on.
#[derive(Debug, Clone)]
pub enum Where {
    Embedded,
    /// The server, and the name of a database of its own.
    Mongo(String, String),
}

impl Where {
    pub fn embedded() -> Self {
        Where::Embedded
    }

    /// A fresh database on the server of this URI.
    pub fn mongo(uri: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Where::Mongo(uri.to_owned(), format!("{}{number}", prefix()))
    }

    /// Another fresh one, on the same server.
    pub fn anew(&self) -> Self {
        match self {
            Where::Embedded => Where::Embedded,
            Where::Mongo(uri, _) => Where::mongo(uri),
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Where::Embedded => "sqlite",
            Where::Mongo(..) => "mongodb",
        }
    }

    /// The URL of the database; none where the server makes its own file.
    pub fn url(&self) -> Option<String> {
        let Where::Mongo(uri, database) = self else {
            return None;
        };
        let (hosts, options) = uri
            .split_once("/?")
            .unwrap_or((uri.trim_end_matches('/'), ""));
        Some(format!("{hosts}/{database}?{options}"))
    }

    /// The same, or a file in the folder of data.
    pub fn location(&self, data: &Path) -> Location {
        let file = || Location::Sqlite(data.join("authsome.db"));
        self.url().map_or_else(file, Location::Mongo)
    }

    /// Takes the database away where it is not in the folder of the server.
    pub async fn forget(&self) {
        let Where::Mongo(uri, database) = self else {
            return;
        };
        let client = mongodb::Client::with_uri_str(uri).await.expect("a client");
        client.database(database).drop().await.expect("a clean end");
    }

    /// What the server is told of it.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let Some(url) = self.url() else {
            return Vec::new();
        };
        let secret = "a secret of the benchmark, 32 characters at least".to_owned();
        vec![
            ("AUTHSOME_STORE__URL", url),
            (
                "AUTHSOME_SECURITY__ENCRYPTION_KEY",
                "7f".repeat(16) + "3a".repeat(16).as_str(),
            ),
            (
                "AUTHSOME_SECURITY__REFRESH_SECRET",
                secret.clone() + ", for refreshing",
            ),
            ("AUTHSOME_SECURITY__PEPPER", secret + ", for peppering"),
            // One issuer, whichever node a client asks.
            ("AUTHSOME_SERVER__PUBLIC_URL", "http://localhost".to_owned()),
        ]
    }
}

/// A running server and what is needed to call it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    installation: Installation,
    pub address: SocketAddr,
    key: String,
    /// What the first start on a database told.
    pub made: Value,
    /// The environment of the key.
    pub tenant: Tenant,
    /// Where its database is.
    pub location: Location,
    /// Told by the first start on a database only.
    pub secret: Option<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Running {
    pub fn start(place: &Where) -> Self {
        Self::start_with(place, &[])
    }

    /// With these settings beside the others.
    pub fn start_with(place: &Where, settings: &[(&str, &str)]) -> Self {
        Self::of(Installation::at(place, settings, None))
    }

    /// The same, on the server's core.
    pub fn start_on(cores: Cores, place: &Where, settings: &[(&str, &str)]) -> Self {
        Self::of(Installation::at(place, settings, Some(cores)))
    }

    fn of(installation: Installation) -> Self {
        let made = installation.bootstrap();
        let key = made["publishable_key"].as_str().expect("a key").to_owned();
        let (child, _) = installation.start(Program::Server);
        Self {
            child,
            address: installation.address,
            tenant: tenant(&made, &key),
            location: installation.location(),
            installation,
            key,
            secret: made["secret_key"].as_str().map(str::to_owned),
            made,
        }
    }

    /// Ends it and starts it again; the time until it was ready.
    pub fn restart(&mut self) -> Duration {
        self.become_another(Program::Server)
    }

    /// The same installation, served by another program from now on.
    pub fn become_another(&mut self, program: Program) -> Duration {
        let stopping = kill_process(Pid::from_child(&self.child), Signal::TERM);
        stopping.expect("a process that can be stopped");
        self.child.wait().expect("a process that ends");
        let (child, ready_after) = self.installation.start(program);
        self.child = child;
        ready_after
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    pub fn memory(&self) -> Memory {
        memory(self.process())
    }

    /// Memory that is resident, as the kernel counts it.
    pub fn rss_kib(&self) -> u64 {
        self.memory().resident
    }

    /// A request with the publishable key.
    pub fn post(&self, path: &str, body: &Value) -> Vec<u8> {
        let line = format!("X-Publishable-Key: {}\r\n", self.key);
        self.request("POST", path, &line, Some(body))
    }

    /// A whole request with these header lines.
    pub fn request(&self, method: &str, path: &str, lines: &str, body: Option<&Value>) -> Vec<u8> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let content = match body.len() {
            0 => String::new(),
            length => format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"),
        };
        let address = self.address;
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n{lines}{content}\r\n{body}")
            .into_bytes()
    }

    pub fn account(number: usize) -> Value {
        json!({ "email": format!("user{number}@example.org"), "password": "a long quiet river" })
    }

    /// The answer to a sign-in of the account, which is made first where it is missing.
    pub fn signed_in(&self, number: usize) -> Value {
        let mut connection = Connection::open(self.address).expect("a connection");
        let account = Self::account(number);
        connection
            .ask(&self.post("/v1/signup", &account))
            .expect("a sign-up");
        connection.told(&self.post("/v1/signin", &account))
    }
}

/// The environment that a first start told this publishable key of.
fn tenant(made: &Value, key: &str) -> Tenant {
    let all = made["environments"].as_array().into_iter().flatten();
    let mut all = all.filter(|it| it["publishable_key"] == key);
    let env = all.next().expect("the key is of an environment");
    let id = |value: &Value| value.as_str().expect("an identifier").to_owned();
    Tenant {
        app_id: id(&made["app_id"]).parse().expect("an app"),
        env_id: id(&env["id"]).parse().expect("an environment"),
    }
}
