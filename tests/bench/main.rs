//! The server beside its limits and its peers, measured in one run: `cargo bench`.
//!
//! ```text
//! cargo bench                    the suite, in full: an hour, with peers
//! cargo bench -- --quick         within three minutes, without (with `--peers`: with)
//! cargo bench -- --scale         with a million users besides
//! cargo bench -- --cost 10       with another cost of bcrypt than 12 (10, where it is quick)
//! cargo bench -- NAME            one figure more: revocation (how long one takes from node to node),
//!                                lockout, letters, webhooks, organizations, imports
//! ```
//!
//! `tests/bench/run` obtains what they need: `MONGOD`, a mongod to start, or `MONGODB_URI`, a replica
//! set; `BENCH_NODE` and `BENCH_PYTHON`, for peers. Without one of them less is measured, and told.
//! Everything talks to 127.0.0.1 and stops by itself; a request that fails, fails the run.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measurement that cannot be made should stop with its place"
)]

mod askers;
mod client;
mod imports;
mod installation;
mod letters;
mod load;
mod lockout;
mod machine;
mod mongod;
mod organizations;
mod revocation;
mod server;
mod suite;
mod webhooks;
mod yardsticks;

use std::process::ExitCode;
use std::time::Duration;

use mongod::Mongo;
use server::Where;
use suite::Options;

/// How long each figure is measured that is asked for by name.
const TIME: Duration = Duration::from_secs(5);
const CONCURRENCY: usize = 16;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let is_well = match arguments[..] {
        // `cargo test --benches` and `cargo bench -- --list` ask without wanting to wait.
        _ if ["--list", "--test"].iter().any(|it| arguments.contains(it)) => true,
        ["yardstick", ref rest @ ..] => {
            yardsticks::be(rest);
            true
        }
        ["filler"] => {
            installation::fill();
            true
        }
        _ => asked(&arguments),
    };
    if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What the command line asks for; cargo adds `--bench`.
fn asked(arguments: &[&str]) -> bool {
    let arguments: Vec<&str> = arguments
        .iter()
        .copied()
        .filter(|it| *it != "--bench")
        .collect();
    match arguments[..] {
        ["revocation"] => {
            let mongo = Mongo::obtain().expect("MONGODB_URI or MONGOD is set");
            revocation::measure(&mongo.uri);
        }
        ["organizations"] => return organizations::measure(Mongo::obtain().as_ref()),
        ["lockout"] => everywhere(|place| lockout::measure(place, CONCURRENCY, TIME)),
        ["letters"] => everywhere(letters::measure),
        ["webhooks"] => everywhere(webhooks::measure),
        ["imports"] => everywhere(imports::measure),
        _ => match Options::of(&arguments) {
            Ok(options) => return suite::measure(&options),
            Err(why) => {
                eprintln!("{why}");
                return false;
            }
        },
    }
    true
}

/// On every store that there is.
fn everywhere(measure: impl Fn(&Where)) {
    let mongo = Mongo::obtain();
    measure(&Where::embedded());
    match &mongo {
        Some(mongo) => measure(&Where::mongo(&mongo.uri)),
        None => println!("MongoDB is not measured: neither MONGOD nor MONGODB_URI is set"),
    }
}
