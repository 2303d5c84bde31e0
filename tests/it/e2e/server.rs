//! A home to run the binary in, and a server that runs there.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use authsome::kernel::entropy::Entropy;
use authsome::store::Location;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::{Asks, Client, Reply, Request};
use crate::support::stores::{Backend, Guard, place};

/// A debug build on a busy machine is slow; what takes longer hangs.
const PATIENCE: Duration = Duration::from_mins(1);

pub const PASSWORD: &str = "seven-quiet-herons-9154";

/// An empty working directory with a port and a database. All commands that are run in it share
/// them, as they would on a machine of their own.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
    /// What processes write, which is not theirs to find.
    outputs: TempDir,
    port: Cell<u16>,
    started: Cell<usize>,
    settings: BTreeMap<String, String>,
    _database: Option<Guard>,
}

/// A command that ran to its end.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A command that runs; it is killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    output: PathBuf,
}

/// A server that is ready.
#[derive(Debug)]
pub struct Server {
    pub process: Process,
    pub url: String,
    client: Client,
}

impl Home {
    #[expect(
        clippy::unused_async,
        reason = "what `on_both_stores!` asks of a fixture"
    )]
    pub async fn on(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => Self::embedded(),
            Backend::Mongo => Self::on_mongodb(),
        }
    }

    /// Nothing is set but what makes tests quick: the database is where the defaults put it.
    pub fn embedded() -> Self {
        let home = Self {
            folder: TempDir::new().expect("a folder to run in"),
            outputs: TempDir::new().expect("a folder for outputs"),
            port: Cell::new(free_port()),
            started: Cell::new(0),
            settings: BTreeMap::new(),
            _database: None,
        };
        home.with("SECURITY__BCRYPT_COST", "10")
            .with("SERVER__STOP_DELAY", "0s")
    }

    /// A database of its own, and the secrets that every node must be given.
    pub fn on_mongodb() -> Self {
        let (settings, guard) = place(Backend::Mongo);
        let Location::Mongo(url) = settings.location else {
            unreachable!("a place on MongoDB")
        };
        let secret = || Entropy::system().token();
        let home = Self {
            _database: Some(guard),
            ..Self::embedded()
        };
        home.with("STORE__URL", url)
            .with("SECURITY__ENCRYPTION_KEY", secret())
            .with("SECURITY__REFRESH_SECRET", secret())
            .with("SECURITY__PEPPER", secret())
    }

    /// Sets `AUTHSOME_<name>` for every command.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings
            .insert(format!("AUTHSOME_{name}"), value.into());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.settings.remove(&format!("AUTHSOME_{name}"));
        self
    }

    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings
            .get(&format!("AUTHSOME_{name}"))
            .map(String::as_str)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The binary here. Nothing of the environment of the tests comes along but where programs are.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_authsome"));
        command
            .args(arguments)
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env(
                "AUTHSOME_SERVER__BIND",
                format!("127.0.0.1:{}", self.port.get()),
            )
            .envs(&self.settings);
        command
    }

    /// Runs the binary to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let output = self
            .command(arguments)
            .output()
            .expect("the binary can be run");
        Ran {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("output is UTF-8"),
            err: String::from_utf8(output.stderr).expect("output is UTF-8"),
        }
    }

    /// What `authsome bootstrap --json` prints, with further arguments.
    pub fn bootstrap(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[&["bootstrap", "--json"], arguments].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        serde_json::from_str(&ran.out).unwrap_or_else(|why| panic!("{why}: {ran:?}"))
    }

    /// Starts the server without waiting for it.
    pub fn start(&self) -> Process {
        let number = self.started.get() + 1;
        let output = self.outputs.path().join(number.to_string());
        let file = |kind: &str| File::create(output.with_extension(kind)).expect("an output file");
        self.start_saying(file("out"), file("err"))
    }

    /// The same, where its output and its log go elsewhere.
    pub fn start_saying(&self, out: impl Into<Stdio>, err: impl Into<Stdio>) -> Process {
        self.started.set(self.started.get() + 1);
        let mut command = self.command(&[]);
        let child = command.stdout(out).stderr(err).spawn();
        Process {
            child: child.expect("the binary can be started"),
            output: self.outputs.path().join(self.started.get().to_string()),
        }
    }

    /// Where what is started here next serves.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.get())
    }

    /// Another port for what is started next.
    pub fn move_on(&self) {
        self.port.set(free_port());
    }

    /// The port of a server that was started here before, for what is started next.
    pub fn go_back_to(&self, url: &str) {
        let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
        self.port.set(port.expect("a URL with a port"));
    }

    /// A server that is ready.
    pub async fn serve(&self) -> Server {
        loop {
            let process = self.start();
            match Server::ready(process, self.url()).await {
                Some(server) => return server,
                // Somebody took the port since it was found free.
                None => self.move_on(),
            }
        }
    }
}

/// A port that is free, from below those the system gives to connections.
pub fn free_port() -> u16 {
    loop {
        let port = 10_000 + u16::from_be_bytes(Entropy::system().bytes()) % 20_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Asks until there is an answer.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "still not so: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Process {
    /// What it has written to standard output.
    pub fn said(&self) -> String {
        fs::read_to_string(self.output.with_extension("out")).expect("output is UTF-8")
    }

    /// What it has written to standard error: its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.output.with_extension("err")).expect("output is UTF-8")
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the process is there");
    }

    /// Leaves it room for so many files beyond those that it has open.
    pub fn may_open_more(&self, files: usize) {
        let pid = Pid::from_child(&self.child);
        let open = format!("/proc/{}/fd", pid.as_raw_nonzero());
        let open = fs::read_dir(open).expect("what it has open").count();
        let most = u64::try_from(open + files).ok();
        let limit = Rlimit {
            current: most,
            maximum: most,
        };
        prlimit(Some(pid), Resource::Nofile, limit).expect("a process of ours can be limited");
    }

    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours")
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        eventually("the process ends", async || self.has_ended()).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Waits until the server is ready; `None` where its port was taken.
    pub async fn ready(mut process: Process, url: String) -> Option<Self> {
        let address = url
            .trim_start_matches("http://")
            .parse()
            .expect("an address");
        let probe = reqwest::Client::new();
        eventually("the server is ready", async || {
            if let Some(status) = process.has_ended() {
                let is_taken = process.log().contains("cannot be listened on");
                assert!(
                    is_taken,
                    "the server ended with {status}:\n{}",
                    process.log()
                );
                return Some(());
            }
            // Its own word comes first: on a port that was taken somebody else would answer.
            let is_serving = process.said().contains("Serving on ");
            let asked = async || probe.get(format!("{url}/readyz")).send().await.ok();
            let is_ready = is_serving && asked().await?.status() == 200;
            is_ready.then_some(())
        })
        .await;
        let client = Client::of(address);
        process.has_ended().is_none().then_some(Self {
            process,
            url,
            client,
        })
    }

    /// The account behind an access token.
    pub async fn me(&self, token: &str) -> Reply {
        self.get("/v1/me").bearer(token).await
    }

    /// Posts in the environment of a publishable key.
    pub fn post_at(&self, key: &str, path: &str, body: Value) -> Request {
        self.post(path).header("x-publishable-key", key).json(body)
    }

    /// A new account and its tokens.
    pub async fn sign_up(&self, key: &str, email: &str) -> Value {
        let account = json!({"email": email, "password": PASSWORD});
        self.post_at(key, "/v1/signup", account).await.told(201)
    }

    /// The tokens of a new session.
    pub async fn sign_in(&self, key: &str, email: &str, password: &str) -> Value {
        let account = json!({"email": email, "password": password});
        self.post_at(key, "/v1/signin", account).await.told(200)
    }
}

impl Asks for Server {
    fn request(&self, method: &str, path: &str) -> Request {
        self.client.request(method, path)
    }
}

/// A text member of a JSON object, at a JSON pointer.
pub fn text(object: &Value, pointer: &str) -> String {
    let found = object.pointer(pointer).and_then(Value::as_str);
    found
        .unwrap_or_else(|| panic!("no text at {pointer}: {object}"))
        .to_owned()
}

/// The key that signed an access token, as its header names it.
pub fn key_of(token: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let header = token
        .split('.')
        .next()
        .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let header: Value = serde_json::from_slice(&header.expect("a JWT")).expect("a JWT");
    text(&header, "/kid")
}
