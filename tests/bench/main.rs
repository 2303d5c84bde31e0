//! The server beside its limits, measured in one run: `cargo bench`. By name, one figure more:
//!
//! ```text
//! cargo bench -- revocation      how long a revocation takes from node to node
//! cargo bench -- lockout         what locking accounts costs a sign-in
//! cargo bench -- letters         how fast letters go out
//! cargo bench -- webhooks        how fast events go out
//! cargo bench -- organizations   what many organisations cost
//! cargo bench -- imports         how fast users are brought in
//! ```
//!
//! Limits: one bcrypt hash after another, a bare actix handler, a raw compare-and-set on either
//! database with the same durability. Everything talks to 127.0.0.1 and stops by itself. MongoDB is
//! measured where `MONGODB_URI` names a replica set.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measurement that cannot be made should stop with its place"
)]

mod client;
mod imports;
mod letters;
mod limits;
mod lockout;
mod organizations;
mod revocation;
mod server;
mod webhooks;

use std::time::Duration;

use client::Load;
use server::{Running, Where};

/// How long each figure is measured.
const TIME: Duration = Duration::from_secs(5);
const CONCURRENCY: usize = 16;

fn main() {
    // `cargo test --benches` and `cargo bench -- --list` ask without wanting to wait.
    if std::env::args().any(|argument| argument == "--list" || argument == "--test") {
        return;
    }
    let is_asked = |name: &str| std::env::args().any(|argument| argument == name);
    if is_asked("revocation") {
        let uri = std::env::var("MONGODB_URI").expect("MONGODB_URI names a replica set");
        revocation::measure(&uri);
        return;
    }
    if ["lockout", "letters", "webhooks", "imports"]
        .into_iter()
        .any(is_asked)
    {
        let mongo = std::env::var("MONGODB_URI")
            .ok()
            .map(|uri| Where::mongo(&uri));
        for place in [Where::Embedded].into_iter().chain(mongo) {
            if is_asked("lockout") {
                lockout::measure(&place, CONCURRENCY, TIME);
            } else if is_asked("webhooks") {
                webhooks::measure(&place);
            } else if is_asked("imports") {
                imports::measure(&place);
            } else {
                letters::measure(&place);
            }
        }
        return;
    }
    if is_asked("organizations") {
        std::process::exit(i32::from(!organizations::measure()));
    }
    let hash = limits::bcrypt_hashes(12);
    println!("limit   bcrypt cost 12, one at a time          {hash:>10.1} /s");
    let bare = limits::bare_actix(CONCURRENCY, TIME);
    println!(
        "limit   bare actix handler, c={CONCURRENCY}               {:>10.0} /s",
        bare.rate
    );
    let sqlite = limits::sqlite_updates(TIME);
    println!("limit   SQLite update, synchronous=FULL        {sqlite:>10.0} /s");
    measure(&Where::Embedded, (hash, &bare, sqlite));
    if let Ok(uri) = std::env::var("MONGODB_URI") {
        let mongo = limits::mongo_updates(&uri, CONCURRENCY, TIME);
        println!("limit   findOneAndUpdate, majority, j, c={CONCURRENCY}    {mongo:>10.0} /s");
        measure(&Where::mongo(&uri), (hash, &bare, mongo));
    } else {
        println!("MongoDB is not measured: MONGODB_URI is not set");
    }
}

/// All figures of one store, each with its ratio to the limit `(hashes, bare handler, updates)`.
fn measure(place: &Where, (hash, bare, updates): (f64, &Load, f64)) {
    let running = Running::start(place);
    let name = place.name();
    println!(
        "{name:<8}start to ready {:?}, RSS {} KiB",
        running.ready_after,
        running.rss_kib()
    );
    let signed_in = running.sign_ins(CONCURRENCY, TIME);
    row(name, "sign-in, c=16", &signed_in, hash);
    let me = running.me(CONCURRENCY, TIME);
    row(name, "GET /v1/me, c=16", &me, bare.rate);
    let refreshed = running.refreshes(CONCURRENCY, TIME);
    row(name, "refresh, c=16", &refreshed, updates);
    let alone = running.me(1, TIME);
    let busy = running.me_while_signing_in(CONCURRENCY, TIME);
    println!(
        "{name:<8}GET /v1/me, c=1: p99 {:?} alone, {:?} under {CONCURRENCY} sign-ins",
        alone.percentile(0.99),
        busy.percentile(0.99)
    );
    println!("{name:<8}RSS after the load {} KiB", running.rss_kib());
}

fn row(name: &str, what: &str, load: &Load, limit: f64) {
    println!(
        "{name:<8}{what:<18} {:>10.1} /s = {:.2} of the limit; p50 {:?}, p99 {:?}, {} failed",
        load.rate,
        load.rate / limit,
        load.percentile(0.50),
        load.percentile(0.99),
        load.failed,
    );
}
