//! An installation: a folder, a port and settings, which one program after another serves.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use actix_web::rt::System;
use authsome::app::{Foundation, World};
use authsome::config::{Config, Secrets};
use authsome::store::Location;
use serde_json::Value;
use tempfile::TempDir;

use crate::client::Connection;
use crate::machine::Cores;
use crate::server::Where;

/// Every client is at one address, and asks as often as the server can answer; nobody is kept
/// waiting by a server that stops.
const WIDE: [(&str, &str); 4] = [
    ("AUTHSOME_LIMITS__SIGNIN", "1000000/1m"),
    ("AUTHSOME_LIMITS__SIGNUP", "1000000/1m"),
    ("AUTHSOME_LIMITS__REFRESH", "1000000/1m"),
    ("AUTHSOME_SERVER__STOP_DELAY", "0s"),
];

/// The least work that bcrypt takes.
const LEAST_COST: u32 = 4;

/// What an installation can be served by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The one that is measured.
    Server,
    /// The same code in this program, which hashes passwords at the least cost: it fills a store
    /// with sessions in a fraction of the time.
    Filler,
}

#[derive(Debug)]
pub struct Installation {
    folder: TempDir,
    pub address: SocketAddr,
    place: Where,
    settings: Vec<(String, String)>,
    cores: Option<Cores>,
}

impl Installation {
    /// With these settings beside the usual ones.
    pub fn at(place: &Where, settings: &[(&str, &str)], cores: Option<Cores>) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            address: address.expect("a port"),
            place: place.clone(),
            settings: settings.iter().map(own).collect(),
            cores,
        }
    }

    pub fn location(&self) -> Location {
        self.place
            .location(&self.folder.path().join("authsome-data"))
    }

    /// What the first start tells.
    pub fn bootstrap(&self) -> Value {
        let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_authsome")));
        let made = command
            .args(["bootstrap", "--json"])
            .stdout(Stdio::piped())
            .output();
        let made = made.expect("a first start");
        serde_json::from_slice(&made.stdout).expect("JSON")
    }

    /// A process that is ready, and the time from its start until then.
    pub fn start(&self, program: Program) -> (Child, Duration) {
        let mut command = match program {
            Program::Server => {
                let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_authsome")));
                command.arg("serve");
                command
            }
            Program::Filler => {
                let own = std::env::current_exe().expect("this program");
                let mut command = self.command(&own);
                command.arg("filler");
                command
            }
        };
        let began = Instant::now();
        let child = match self.cores {
            Some(cores) => cores.serving(move || command.spawn()),
            None => command.spawn(),
        };
        wait_until_ready(self.address);
        (child.expect("a server"), began.elapsed())
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"AUTHSOME_") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(self.folder.path())
            .env("AUTHSOME_SERVER__BIND", self.address.to_string())
            .env("AUTHSOME_LOG__LEVEL", "warn")
            .envs(WIDE)
            .envs(self.place.settings())
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null());
        command
    }
}

/// Serves as [`Program::Filler`], as the environment says, until the process is told to stop.
pub fn fill() {
    let config = Config::load(Some(Path::new("/dev/null")), std::env::vars_os());
    let mut config = config.expect("settings");
    config.security.bcrypt_cost = LEAST_COST;
    let served = System::new().block_on(async {
        let world = World::real();
        let secrets = Secrets::resolve(&config.store, &config.security, &world.entropy);
        let listener = TcpListener::bind(config.server.bind).expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let bound = config.server.bind;
        let secrets = secrets.expect("secrets");
        let foundation = Foundation::lay(config, secrets, world, bound).await;
        let authsome = foundation.expect("a store").raise().await;
        authsome
            .expect("parts")
            .serve(listener)
            .expect("a server")
            .await
    });
    served.expect("it serves until it is stopped");
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
