//! A mail server of the tests' own: `tests/e2e/smtp_server.py`, which says how it can be told to refuse.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::mail::Letter;

/// What takes longer does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mail server that runs; it ends when dropped.
#[derive(Debug)]
pub struct MailServer {
    child: Child,
    pub port: u16,
    folder: TempDir,
}

/// A letter that the server was given.
#[derive(Debug, Clone)]
pub struct Received {
    pub letter: Letter,
    /// The envelope and how it came.
    pub facts: Value,
}

impl MailServer {
    /// On a free port, with these arguments.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_at(0, arguments)
    }

    pub fn start_at(port: u16, arguments: &[&str]) -> Self {
        let folder = TempDir::new().expect("a folder for a mail server");
        let python = std::env::var("E2E_PYTHON").expect("E2E_PYTHON: run the tests by tests/run");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/smtp_server.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg(folder.path())
            .args(["--port", &port.to_string()])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the mail server can be run");
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().expect("its standard output"));
        said.read_line(&mut line).expect("its port");
        let port = line.trim().parse().expect("the mail server starts");
        Self {
            child,
            port,
            folder,
        }
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its address for `MAIL__URL`, with a scheme, and what follows the port.
    pub fn url(&self, scheme: &str, rest: &str) -> String {
        format!("{scheme}://localhost:{}{rest}", self.port)
    }

    /// What certifies it.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// All that clients said, decrypted.
    pub fn wire(&self) -> String {
        let said = fs::read(self.folder.path().join("wire")).expect("what was said");
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Every letter it was given, in that order.
    pub fn received(&self) -> Vec<Received> {
        let files = fs::read_dir(self.folder.path()).expect("its folder");
        let paths = files.map(|file| file.expect("a file").path());
        let mut paths: Vec<_> = paths
            .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
            .collect();
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn read(envelope: &Path) -> Received {
        let facts = fs::read(envelope).expect("an envelope");
        let raw = fs::read(envelope.with_extension("eml")).expect("a letter");
        Received {
            letter: Letter::read(&raw),
            facts: serde_json::from_slice(&facts).expect("an envelope is JSON"),
        }
    }

    /// The letter of this number, from one on, once it was given.
    pub fn nth_received(&self, number: usize) -> Option<Received> {
        let path = self.folder.path().join(format!("{number:06}.json"));
        path.exists().then(|| Self::read(&path))
    }

    /// Every letter it was given for `address`.
    pub fn received_for(&self, address: &str) -> Vec<Received> {
        let mut received = self.received();
        received.retain(|it| it.letter.to == [address]);
        received
    }

    /// The letters for `address` once there are `count` of them.
    pub async fn awaits(&self, address: &str, count: usize) -> Vec<Received> {
        let until = Instant::now() + PATIENCE;
        loop {
            let received = self.received_for(address);
            if received.len() >= count {
                return received;
            }
            let so_far = received.len();
            assert!(Instant::now() < until, "{so_far} of {count} for {address}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
