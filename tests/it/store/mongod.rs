//! A `mongod` of one test: where a server must be stopped, broken, or unfit.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use authsome::store::{Location, StoreSettings};
use bson::{Document, doc};
use mongodb::Client;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tempfile::TempDir;

/// Ended with its test.
pub(super) struct Mongod {
    process: Child,
    port: u16,
    data: TempDir,
    options: Vec<String>,
}

impl Mongod {
    pub(super) fn start(options: &[&str]) -> Self {
        let data = TempDir::new().unwrap();
        let port = free_port();
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        let process = spawn(port, &data, &options);
        Self {
            process,
            port,
            data,
            options,
        }
    }

    /// A replica set of this one server.
    pub(super) async fn replica_set(options: &[&str]) -> Self {
        let mongod = Self::start(&[&["--replSet", "rs0"], options].concat());
        let members = doc! { "_id": 0, "host": format!("127.0.0.1:{}", mongod.port) };
        let set = doc! { "_id": "rs0", "members": [members] };
        mongod.asked(doc! { "replSetInitiate": set }).await;
        mongod
    }

    /// Runs an administrative command.
    pub(super) async fn asked(&self, command: Document) {
        let url = format!("mongodb://127.0.0.1:{}/?directConnection=true", self.port);
        let client = Client::with_uri_str(url).await.unwrap();
        client.database("admin").run_command(command).await.unwrap();
    }

    /// A database on it; `options` such as `?replicaSet=rs0`.
    pub(super) fn settings(&self, options: &str) -> StoreSettings {
        let url = format!("mongodb://127.0.0.1:{}/authsome{options}", self.port);
        StoreSettings::at(Location::Mongo(url))
    }

    /// Ends it as a power cut would.
    pub(super) fn cut(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Lets it hang, connected and silent, once every thread of it does.
    pub(super) fn hang(&self) {
        let process = Pid::from_child(&self.process);
        kill_process(process, Signal::STOP).unwrap();
        let stopped = waitpid(Some(process), WaitOptions::UNTRACED).unwrap();
        assert!(stopped.is_some_and(|(_, status)| status.stopped()));
    }

    /// Lets it go on.
    pub(super) fn resume(&self) {
        kill_process(Pid::from_child(&self.process), Signal::CONT).unwrap();
    }

    /// The same server after [`Mongod::cut`].
    pub(super) fn start_again(&mut self) {
        self.process = spawn(self.port, &self.data, &self.options);
    }
}

impl Drop for Mongod {
    fn drop(&mut self) {
        self.cut();
    }
}

/// A port that nobody listens on.
pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn spawn(port: u16, data: &TempDir, options: &[String]) -> Child {
    let program = std::env::var("MONGOD")
        .expect("MONGOD names a mongod: run the tests by tests/run, which provides one");
    Command::new(program)
        .args([
            "--bind_ip",
            "127.0.0.1",
            "--nounixsocket",
            "--wiredTigerCacheSizeGB",
            "0.25",
        ])
        .args(["--port", &port.to_string(), "--dbpath"])
        .arg(data.path())
        .args(options)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}
