//! Nobody reads what a server says, or it cannot be written (RL-11): it serves all the same.

use std::fs::File;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Write, pipe};
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use tokio::time::timeout;

use super::server::{Home, PASSWORD, Process, eventually, text};
use crate::support::client::{Asks, Client};
use crate::support::stores::run;

/// Says more than a pipe holds, and more than a server keeps.
const REQUESTS: usize = 1_000;

/// What an idle server needs for its end, and what is left of its log.
const SOON: Duration = Duration::from_secs(15);

/// A home where a server says as much as it can, and the key of its app.
fn talkative() -> (Home, String) {
    let home = Home::embedded();
    let key = text(&home.bootstrap(&[]), "/publishable_key");
    (home.with("LOG__LEVEL", "trace"), key)
}

/// A pipe that nobody will read from any more.
fn abandoned() -> PipeWriter {
    let (_, writer) = pipe().expect("a pipe");
    writer
}

/// A pipe that is full, and who could read from it.
fn stalled() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().expect("a pipe");
    let ours = writer.try_clone().expect("another end");
    // It waits for room, as whoever writes to it does, until there is nobody left to read.
    thread::spawn(move || writer.write_all(&vec![b'\n'; 1 << 20]));
    (reader, ours)
}

fn full_disk() -> File {
    let disk = File::options().write(true).open("/dev/full");
    disk.expect("a device that is full")
}

/// Signs up and asks, which is answered.
async fn serves(home: &Home, key: &str, process: &mut Process) {
    let address = home.url()["http://".len()..].parse();
    let client = Client::of(address.expect("an address"));
    let probe = reqwest::Client::new();
    let readiness = format!("{}/readyz", home.url());
    eventually("the server is ready", async || {
        assert_eq!(process.has_ended(), None);
        let asked = probe.get(&readiness).send().await.ok()?;
        (asked.status() == 200).then_some(())
    })
    .await;
    let account = json!({"email": "mia@example.org", "password": PASSWORD});
    let ask = client.post("/v1/signup").header("x-publishable-key", key);
    ask.json(account).await.told(201);
    for _ in 0..REQUESTS {
        let ask = client.get("/v1/me").bearer("no token");
        ask.await.refuses(401, "invalid_token");
    }
}

async fn stops(process: &mut Process) {
    process.signal(Signal::TERM);

    let ended = timeout(SOON, process.ended()).await;
    assert_eq!(ended.expect("it stops").code(), Some(0));
}

async fn serves_and_stops(home: &Home, key: &str, mut process: Process) {
    serves(home, key, &mut process).await;
    stops(&mut process).await;
}

#[test]
fn a_server_goes_on_when_the_reader_of_its_log_is_gone() {
    run(async {
        let (home, key) = talkative();

        let process = home.start_saying(Stdio::null(), abandoned());

        serves_and_stops(&home, &key, process).await;
    });
}

#[test]
fn a_server_goes_on_when_nobody_reads_its_log() {
    run(async {
        let (home, key) = talkative();
        let (reader, log) = stalled();

        let process = home.start_saying(Stdio::null(), log);

        serves_and_stops(&home, &key, process).await;
        drop(reader);
    });
}

#[test]
fn what_was_dropped_is_told_once_somebody_reads_again() {
    run(async {
        let (home, key) = talkative();
        let (reader, log) = stalled();
        let mut process = home.start_saying(Stdio::null(), log);
        serves(&home, &key, &mut process).await;

        let (telling, told) = channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(reader).lines().map_while(Result::ok);
            let _ = telling.send(lines.any(|line| line.contains("could not be written")));
            lines.for_each(drop);
        });

        let is_told = eventually("the loss is told", async || told.try_recv().ok()).await;
        assert!(is_told);
        stops(&mut process).await;
    });
}

#[test]
fn a_server_goes_on_when_its_log_cannot_be_written() {
    run(async {
        let (home, key) = talkative();

        let process = home.start_saying(Stdio::null(), full_disk());

        serves_and_stops(&home, &key, process).await;
    });
}

#[test]
fn a_server_goes_on_when_nothing_it_says_can_be_written() {
    run(async {
        let (home, key) = talkative();

        let process = home.start_saying(full_disk(), full_disk());

        serves_and_stops(&home, &key, process).await;
    });
}
