//! The limits as subjects: each says of which scenarios it is the limit.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use super::figure::{Figure, Processes, Round};
use super::scenario::{About, Kind, Scenario, Subject};
use crate::askers::again;
use crate::load::{Askers, closed, run};
use crate::machine::{Cores, cpu_time};
use crate::mongod::Mongo;
use crate::yardsticks::{self, Handler, Reached, Told};

/// The handlers of actix, in a process of their own.
#[derive(Debug)]
struct Handlers {
    child: Child,
    told: Told,
}

impl Drop for Handlers {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// One of them.
#[derive(Debug)]
struct OfHttp {
    about: About,
    handlers: Rc<Handlers>,
    handler: Handler,
    scenarios: &'static [Scenario],
}

/// A limit that ends by itself and tells what it has come to.
#[derive(Debug)]
struct Ending {
    about: About,
    cores: Cores,
    /// What it is started with; `{ms}` and `{clients}` are filled in.
    arguments: Vec<String>,
    scenarios: &'static [Scenario],
    store: Option<u32>,
}

/// All that can be measured here.
pub fn all(cores: Cores, cost: u32, mongo: Option<&Mongo>) -> Vec<Box<dyn Subject>> {
    let mut all = handlers(cores);
    let mut limit = |name: &str, store, arguments: &[&str], scenarios| {
        all.push(Box::new(Ending {
            about: about(name, store),
            cores,
            arguments: arguments.iter().map(|&it| it.to_owned()).collect(),
            scenarios,
            store: mongo
                .filter(|_| store == Some("mongodb"))
                .and_then(Mongo::process),
        }));
    };
    let hashing = format!("bcrypt of the crate, cost {cost}, one after another");
    let hash = &["hash", &cost.to_string(), "{ms}"];
    limit(&hashing, None, hash, &[Scenario::SignIn, Scenario::SignUp]);
    let sqlite = [
        ("update, synchronous=FULL", yardsticks::Kind::Update),
        (
            "two inserts each, synchronous=FULL",
            yardsticks::Kind::Transaction,
        ),
    ];
    for (name, kind) in sqlite {
        let arguments = ["sqlite", kind.name(), "{ms}", "{clients}"];
        limit(name, Some("sqlite"), &arguments, scenarios_of(kind));
    }
    let Some(mongo) = mongo else {
        return all;
    };
    let on_mongo = [
        ("updateOne, majority, journaled", yardsticks::Kind::Update),
        (
            "findOneAndUpdate, likewise",
            yardsticks::Kind::FindAndUpdate,
        ),
        (
            "two inserts in a transaction",
            yardsticks::Kind::Transaction,
        ),
    ];
    for (name, kind) in on_mongo {
        let arguments = ["mongo", kind.name(), "{ms}", "{clients}", &mongo.uri];
        limit(name, Some("mongodb"), &arguments, scenarios_of(kind));
    }
    all
}

fn about(name: &str, store: Option<&'static str>) -> About {
    About {
        name: format!("limit: {name}"),
        store,
        kind: Kind::Limit,
        what: String::new(),
    }
}

const fn scenarios_of(kind: yardsticks::Kind) -> &'static [Scenario] {
    match kind {
        yardsticks::Kind::Update | yardsticks::Kind::FindAndUpdate => &[Scenario::Refresh],
        yardsticks::Kind::Transaction => &[Scenario::Found],
    }
}

fn handlers(cores: Cores) -> Vec<Box<dyn Subject>> {
    let mut child = cores.serving(|| own(&["http"]).stdout(Stdio::piped()).spawn());
    let said = child.as_mut().expect("this program").stdout.take();
    let mut line = String::new();
    let mut said = BufReader::new(said.expect("its output"));
    said.read_line(&mut line).expect("where it is");
    let handlers = Rc::new(Handlers {
        child: child.expect("this program"),
        told: serde_json::from_str(&line).expect("JSON"),
    });
    let one = |name, handler, scenarios| {
        let one: Box<dyn Subject> = Box::new(OfHttp {
            about: about(name, None),
            handlers: handlers.clone(),
            handler,
            scenarios,
        });
        one
    };
    let everywhere = &[
        Scenario::Me,
        Scenario::Refresh,
        Scenario::Check,
        Scenario::List,
    ];
    vec![
        one("a handler of actix", Handler::Bare, everywhere),
        one("actix, HS256 verified", Handler::Hs256, &[Scenario::Me]),
        one(
            "actix, ES256 verified once",
            Handler::Cached,
            &[Scenario::Me],
        ),
        one("actix, ES256 verified", Handler::Es256, &[Scenario::MeAnew]),
    ]
}

/// This program as a yardstick.
fn own(arguments: &[&str]) -> Command {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.arg("yardstick").args(arguments);
    command
}

impl Subject for OfHttp {
    fn about(&self) -> &About {
        &self.about
    }

    fn round(&mut self, scenario: Scenario, clients: usize, time: Duration) -> Option<Round> {
        if !self.scenarios.contains(&scenario) {
            return None;
        }
        let told = &self.handlers.told;
        let token = match self.handler {
            Handler::Hs256 => &told.hs256,
            Handler::Bare | Handler::Es256 | Handler::Cached => &told.es256,
        };
        let (path, address) = (self.handler.path(), told.address);
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        let asker = |_| again(request.clone().into_bytes(), 200);
        let mut askers: Askers = (0..clients).map(asker).collect();
        let processes = Processes {
            own: self.handlers.child.id(),
            store: None,
        };
        let before = processes.used();
        let load = run(closed(address, time, &mut askers));
        Some(processes.figure(&before, &load))
    }
}

impl Subject for Ending {
    fn about(&self) -> &About {
        &self.about
    }

    fn round(&mut self, scenario: Scenario, clients: usize, time: Duration) -> Option<Round> {
        if !self.scenarios.contains(&scenario) {
            return None;
        }
        let filled = |argument: &String| match argument.as_str() {
            "{ms}" => time.as_millis().to_string(),
            "{clients}" => clients.to_string(),
            other => other.to_owned(),
        };
        let arguments: Vec<String> = self.arguments.iter().map(filled).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let before = self.store.and_then(cpu_time);
        let told = self.cores.serving(|| own(&arguments).output());
        let after = self.store.and_then(cpu_time);
        let told = told.expect("this program");
        let reached: Result<Reached, _> = serde_json::from_slice(&told.stdout);
        let used = before
            .zip(after)
            .map(|(before, after)| after.saturating_sub(before));
        Some(match reached {
            Ok(reached) => Ok(Figure::of_limit(&reached, used)),
            Err(_) => Err(String::from_utf8_lossy(&told.stderr).into_owned()),
        })
    }
}
