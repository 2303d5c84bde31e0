//! Nobody reads what a server says, or it cannot be written (RL-11): it serves all the same.

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::timeout;

use super::server::{Home, Process, eventually, text};
use crate::support::client::{Asks, Client};
use crate::support::stores::run;

/// Says more than a pipe holds, and more than a server keeps.
const REQUESTS: usize = 400;

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
    thread::spawn(move || writer.write_all(&[b'\n'; 1 << 20]));
    (reader, ours)
}

fn full_disk() -> File {
    let disk = File::options().write(true).open("/dev/full");
    disk.expect("a device that is full")
}

/// Signs up and asks, which is answered, and stops, which it does.
async fn serves_and_stops(home: &Home, key: &str, mut process: Process) {
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
    let account =
        serde_json::json!({"email": "mia@example.org", "password": super::server::PASSWORD});
    let ask = client.post("/v1/signup").header("x-publishable-key", key);
    ask.json(account).await.told(201);
    for _ in 0..REQUESTS {
        client
            .get("/v1/me")
            .bearer("no token")
            .await
            .refuses(401, "invalid_token");
    }

    process.signal(Signal::TERM);

    let ended = timeout(SOON, process.ended()).await;
    assert_eq!(ended.expect("it stops").code(), Some(0));
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
        let (mut reader, log) = stalled();

        let process = home.start_saying(Stdio::null(), log);

        serves_and_stops(&home, &key, process).await;
        drop(thread::spawn(move || reader.read_to_end(&mut Vec::new())));
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
