//! Yardsticks: what this machine can do at the most, on the core that the server has.
//!
//! Each is this program once more, in a process of its own, so that what it uses is told apart:
//!
//! ```text
//! yardstick http                       handlers of actix; says where, and stays
//! yardstick hash COST MS               bcrypt of the crate, one hash after another
//! yardstick sqlite KIND MS CLIENTS     one connection, one durable commit for all of them
//! yardstick mongo KIND MS CLIENTS URI  majority and journaled
//!
//! KIND   find-and-update, update: a compare-and-set by identifier · transaction: two inserts
//! ```
//!
//! A limit that ends by itself prints what it came to as one line of JSON, a [`Reached`].

mod hash;
mod http;
mod mongo;
mod sqlite;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

pub use self::http::{Handler, Told};
use crate::load::percentile;
use crate::machine::cpu_time;

/// What a limit came to.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Reached {
    pub count: usize,
    pub seconds: f64,
    pub p50_seconds: f64,
    pub p99_seconds: f64,
    /// Of the process itself; what a database beside it uses is not in it.
    pub cpu_seconds: f64,
}

/// What is done to a store, again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    FindAndUpdate,
    Update,
    Transaction,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::FindAndUpdate => "find-and-update",
            Self::Update => "update",
            Self::Transaction => "transaction",
        }
    }

    fn of(name: &str) -> Self {
        let all = [Self::FindAndUpdate, Self::Update, Self::Transaction];
        let known = all.into_iter().find(|kind| kind.name() == name);
        known.expect("a kind of yardstick")
    }
}

/// What a process does that was started as a yardstick.
pub fn be(arguments: &[&str]) {
    let reached = match *arguments {
        ["http"] => return http::serve(),
        ["hash", cost, ms] => hash::measure(number(cost), time(ms)),
        ["sqlite", kind, ms, clients] => {
            sqlite::measure(Kind::of(kind), time(ms), number(clients) as usize)
        }
        ["mongo", kind, ms, clients, uri] => {
            mongo::measure(Kind::of(kind), time(ms), (number(clients) as usize, uri))
        }
        _ => panic!("no such yardstick: {arguments:?}"),
    };
    println!("{}", serde_json::to_string(&reached).expect("JSON"));
}

fn number(text: &str) -> u32 {
    text.parse().expect("a number")
}

fn time(ms: &str) -> Duration {
    Duration::from_millis(u64::from(number(ms)))
}

/// What was begun when it was made.
struct Stint {
    began: Instant,
    used: Duration,
}

impl Stint {
    fn begin() -> Self {
        Self {
            began: Instant::now(),
            used: own_time(),
        }
    }

    fn end(self, mut times: Vec<Duration>) -> Reached {
        times.sort_unstable();
        Reached {
            count: times.len(),
            seconds: self.began.elapsed().as_secs_f64(),
            p50_seconds: percentile(&times, 0.50).as_secs_f64(),
            p99_seconds: percentile(&times, 0.99).as_secs_f64(),
            cpu_seconds: own_time().saturating_sub(self.used).as_secs_f64(),
        }
    }
}

fn own_time() -> Duration {
    cpu_time(std::process::id()).expect("this process")
}
