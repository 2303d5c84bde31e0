//! Peers: small programs made with other people's libraries (`tests/bench/peers/`), as subjects.
//!
//! They are measured where `BENCH_NODE` names a Node, for better-auth, and `BENCH_PYTHON` a Python,
//! for fastapi-users; what either needs is there already. Each runs with the hashing that it has by
//! default, and once more with bcrypt of the cost that the server has, for sign-in and sign-up.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::figure::{Processes, Round};
use super::ours::Ground;
use super::peer_askers::{Make, Visitors};
use super::scenario::{About, Kind, Scenario, Subject};
use crate::load::{closed, run};
use crate::mongod::Mongo;
use crate::server::Where;

/// What is compared at equal work.
const HASHING: &[Scenario] = &[Scenario::SignIn, Scenario::SignUp];

/// One program that runs, and those who have accounts there.
#[derive(Debug)]
pub struct Peer {
    about: About,
    make: Make,
    address: SocketAddr,
    processes: Processes,
    visitors: Visitors,
    scenarios: &'static [Scenario],
    _program: Program,
}

#[derive(Debug)]
struct Program {
    child: Child,
    _folder: TempDir,
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Every peer that is here.
pub fn all(ground: &Ground<'_>) -> Vec<Box<dyn Subject>> {
    let mut all: Vec<Box<dyn Subject>> = Vec::new();
    let mut add = |make, store, hash| {
        if let Some(peer) = Peer::start(ground, (make, store, hash)) {
            all.push(Box::new(peer));
        }
    };
    for hash in ["default", "bcrypt"] {
        add(Make::BetterAuth, "sqlite", hash);
        if ground.mongo.is_some() {
            add(Make::BetterAuth, "mongodb", hash);
            add(Make::FastApiUsers, "mongodb", hash);
        }
    }
    all
}

impl Peer {
    /// None where the interpreter is not named.
    fn start(ground: &Ground<'_>, (make, store, hash): (Make, &'static str, &str)) -> Option<Self> {
        let interpreter = std::env::var(make.interpreter()).ok()?;
        let folder = tempfile::tempdir().expect("a folder");
        let place = place(ground.mongo, store, folder.path());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(make.script());
        let mut command = Command::new(interpreter);
        command.arg(script);
        if make == Make::BetterAuth {
            command.arg(store);
        }
        command
            .args([&place, hash, &ground.cost.to_string()])
            .env("NODE_ENV", "production")
            .current_dir(folder.path())
            .stdout(Stdio::piped());
        let child = ground.cores.serving(move || command.spawn());
        let mut child = child.expect("an interpreter");
        let told = first_line(&mut child);
        let told: Value = serde_json::from_str(&told).expect("a peer that starts");
        let address = told["address"].as_str().and_then(|it| it.parse().ok());
        let address = address.expect("an address");
        let is_default = hash == "default";
        let on_mongo = ground.mongo.filter(|_| store == "mongodb");
        Some(Self {
            about: About {
                name: format!(
                    "{}{}",
                    make.name(),
                    if is_default { "" } else { ", bcrypt" }
                ),
                store: Some(store),
                kind: Kind::Peer,
                what: told["what"].as_str().expect("a text").to_owned(),
            },
            make,
            address,
            processes: Processes {
                own: child.id(),
                store: on_mongo.and_then(Mongo::process),
            },
            visitors: Visitors::at(make, address, ground.people, is_default),
            scenarios: if is_default {
                make.scenarios()
            } else {
                HASHING
            },
            _program: Program {
                child,
                _folder: folder,
            },
        })
    }
}

/// A file in the folder, or a database of its own.
fn place(mongo: Option<&Mongo>, store: &str, folder: &Path) -> String {
    let mongo = mongo.filter(|_| store == "mongodb");
    let url = mongo.and_then(|mongo| Where::mongo(&mongo.uri).url());
    url.unwrap_or_else(|| folder.join("peer.db").display().to_string())
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    let mut said = BufReader::new(child.stdout.take().expect("its output"));
    said.read_line(&mut line).expect("where it is");
    line
}

impl Subject for Peer {
    fn about(&self) -> &About {
        &self.about
    }

    fn round(&mut self, scenario: Scenario, clients: usize, time: Duration) -> Option<Round> {
        if !self.scenarios.contains(&scenario) {
            return None;
        }
        let mut askers = self.visitors.askers(self.make, scenario, clients);
        let before = self.processes.used();
        let load = run(closed(self.address, time, &mut askers));
        Some(self.processes.figure(&before, &load))
    }
}
