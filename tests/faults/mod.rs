//! The fault rig: what was acknowledged is there, whatever dies, hangs or is cut off.
//!
//! ```text
//! load ──▶ two servers ──▶ network ──▶ three mongod      killed, stepped down, stopped, cut off
//!   └─▶ ledger ◀── checker         └──▶ mail server      what must hold, over the log of answers
//! ```
//!
//! `tests/faults/run` is the long form. Without it, as in CI, there are fewer faults and shorter
//! ones ([`Form`]). A fault lasts for a time; what follows from it is waited for, never slept for.

mod asking;
mod checker;
mod cluster;
mod disk;
mod failover;
mod house;
mod killed;
mod ledger;
mod letters;
mod load;
mod mail;
mod network;
mod newcomers;
mod owners;
mod rolling;
mod starting;

use std::time::{Duration, Instant};

use tokio::task::LocalSet;

/// Back to normal, without a restart, from the moment of a fault.
const NORMAL: Duration = Duration::from_secs(15);
/// No fault keeps what it does beyond this: the leases of whoever was killed are over by then.
const PATIENCE: Duration = Duration::from_secs(100);

/// How often and for how long.
#[derive(Debug, Clone, Copy)]
struct Form {
    /// How long a database is stopped, or cut off.
    silence: Duration,
    /// How long it is slow.
    slowness: Duration,
    /// How often a server is killed.
    kills: usize,
    /// How long disks are full, in sign-ups that are refused.
    refusals: usize,
}

const SHORT: Form = Form {
    silence: Duration::from_secs(5),
    slowness: Duration::from_secs(3),
    kills: 5,
    refusals: 10,
};

const LONG: Form = Form {
    silence: Duration::from_secs(30),
    slowness: Duration::from_secs(30),
    kills: 200,
    refusals: 200,
};

impl Form {
    fn asked_for() -> Self {
        match std::env::var("FAULTS").as_deref() {
            Ok("long") => LONG,
            _ => SHORT,
        }
    }
}

/// Runs a test for as long as it takes: the runner has the last word.
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    LocalSet::new().block_on(&runtime, test);
}

/// Asks until there is an answer, and tells how long that took.
async fn until<T>(
    what: &str,
    most: Duration,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> (T, Duration) {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return (answer, began.elapsed());
        }
        assert!(began.elapsed() < most, "not within {most:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Lets a fault last.
async fn lasts(time: Duration) {
    tokio::time::sleep(time).await;
}
