//! The server under load: the built binary, in a folder and on a port of its own.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use authsome::kernel::tenant::Tenant;
use authsome::store::Location;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Connection, Load, drive};
use crate::limits::get;

/// Which store the server works on.
#[derive(Debug)]
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
        let database = format!("authsome_bench_{}_{number}", std::process::id());
        Where::Mongo(uri.to_owned(), database)
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
    fn url(&self) -> Option<String> {
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

    fn settings(&self) -> Vec<(&'static str, String)> {
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

/// Every client is at one address, and asks as often as the server can answer.
const WIDE: [(&str, &str); 3] = [
    ("AUTHSOME_LIMITS__SIGNIN", "1000000/1m"),
    ("AUTHSOME_LIMITS__SIGNUP", "1000000/1m"),
    ("AUTHSOME_LIMITS__REFRESH", "1000000/1m"),
];

/// A running server and what is needed to call it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    pub address: SocketAddr,
    key: String,
    /// The environment of the key.
    pub tenant: Tenant,
    /// Where its database is.
    pub location: Location,
    /// Told by the first start on a database only.
    pub secret: Option<String>,
    pub ready_after: Duration,
    _folder: TempDir,
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
        let folder = tempfile::tempdir().expect("a folder");
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let address = address.expect("a port");
        let command = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_authsome"));
            command
                .args(arguments)
                .current_dir(folder.path())
                .env("AUTHSOME_SERVER__BIND", address.to_string())
                .env("AUTHSOME_LOG__LEVEL", "warn")
                .envs(WIDE)
                .envs(place.settings())
                .envs(settings.iter().copied())
                .stdout(Stdio::piped());
            command
        };
        let made = command(&["bootstrap", "--json"])
            .output()
            .expect("bootstrap");
        let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
        let key = made["publishable_key"].as_str().expect("a key").to_owned();
        let secret = made["secret_key"].as_str().map(str::to_owned);
        let location = place.location(&folder.path().join("authsome-data"));
        let began = Instant::now();
        let child = command(&["serve"]).spawn().expect("a server");
        wait_until_ready(address);
        Self {
            child,
            address,
            tenant: tenant(&made, &key),
            location,
            key,
            secret,
            ready_after: began.elapsed(),
            _folder: folder,
        }
    }

    /// Memory that is resident, as the kernel counts it.
    pub fn rss_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("a process");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .expect("VmRSS");
        line.split_whitespace()
            .nth(1)
            .and_then(|number| number.parse().ok())
            .expect("a number")
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

    fn account(number: usize) -> Value {
        json!({ "email": format!("user{number}@example.org"), "password": "a long quiet river" })
    }

    /// The answer to a sign-in of the account, which is made first where it is missing.
    pub fn signed_in(&self, number: usize) -> Value {
        let mut connection = Connection::open(self.address).expect("a connection");
        let account = Self::account(number);
        connection
            .ask(&self.post("/v1/signup", &account))
            .expect("a sign-up");
        let (status, body) = connection
            .ask(&self.post("/v1/signin", &account))
            .expect("a sign-in");
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).expect("JSON")
    }

    pub fn sign_ins(&self, clients: usize, time: Duration) -> Load {
        for number in 0..clients {
            self.signed_in(number);
        }
        drive(clients, time, |number| {
            let mut connection = Connection::open(self.address).expect("a connection");
            let request = self.post("/v1/signin", &Self::account(number));
            move || {
                connection
                    .ask(&request)
                    .is_ok_and(|(status, _)| status == 200)
            }
        })
    }

    pub fn me(&self, clients: usize, time: Duration) -> Load {
        let token = self.signed_in(0)["access_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        let line = format!("Authorization: Bearer {token}\r\n");
        get(self.address, clients, time, "/v1/me", &line)
    }

    pub fn refreshes(&self, clients: usize, time: Duration) -> Load {
        let tokens: Vec<Value> = (0..clients).map(|number| self.signed_in(number)).collect();
        drive(clients, time, |number| {
            let mut connection = Connection::open(self.address).expect("a connection");
            let mut token = tokens[number]["refresh_token"].clone();
            move || {
                let request = self.post("/v1/refresh", &json!({ "refresh_token": token }));
                let Ok((200, body)) = connection.ask(&request) else {
                    return false;
                };
                let next: Value = serde_json::from_slice(&body).expect("JSON");
                token = next["refresh_token"].clone();
                true
            }
        })
    }

    /// `/v1/me` by one client while others sign in without a pause.
    pub fn me_while_signing_in(&self, clients: usize, time: Duration) -> Load {
        std::thread::scope(|scope| {
            let storm = scope.spawn(|| self.sign_ins(clients, time * 2));
            std::thread::sleep(time / 2);
            let me = self.me(1, time);
            drop(storm.join());
            me
        })
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

fn wait_until_ready(address: SocketAddr) {
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let until = Instant::now() + Duration::from_secs(30);
    while Instant::now() < until {
        let asked = Connection::open(address).and_then(|mut it| it.ask(request.as_bytes()));
        if asked.is_ok_and(|(status, _)| status == 200) {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("the server did not become ready");
}
