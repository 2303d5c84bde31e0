//! How long a revocation takes: from the 2xx of a sign-out on one node to the first refusal on
//! another, and to the event that a follower of the feed there is told.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Connection;
use crate::server::{Running, Where};

const TRIES: usize = 200;

/// Two nodes on one database; what it says is printed.
pub fn measure(uri: &str) {
    let place = Where::mongo(uri);
    let (here, there) = (Running::start(&place), Running::start(&place));
    let secret = here.secret.as_ref().expect("a fresh database");
    let events = follow(there.address, secret);
    let (mut refused, mut told) = (Vec::new(), Vec::new());
    for _ in 0..TRIES {
        let (at_refusal, at_event) = one(&here, &there, &events);
        refused.push(at_refusal);
        told.push(at_event);
    }
    row("refused on another node", refused);
    row("told to a follower there", told);
}

fn one(
    here: &Running,
    there: &Running,
    events: &Receiver<(String, Instant)>,
) -> (Duration, Duration) {
    let signed_in = here.signed_in(0);
    let text = |name: &str| signed_in[name].as_str().expect("a text").to_owned();
    let (token, session) = (text("access_token"), text("session_id"));
    let ask = |method: &str, path: &str, address: SocketAddr| {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        let mut connection = Connection::open(address).expect("a connection");
        move || connection.ask(request.as_bytes()).expect("an answer").0
    };
    let (mut me, mut sign_out) = (
        ask("GET", "/v1/me", there.address),
        ask("POST", "/v1/signout", here.address),
    );
    assert_eq!(me(), 200, "the token is good there");
    assert_eq!(sign_out(), 204);
    let done = Instant::now();
    while me() != 401 {
        assert!(
            done.elapsed() < Duration::from_secs(10),
            "it is never refused"
        );
    }
    let at_refusal = done.elapsed();
    let mut seen = HashMap::new();
    while !seen.contains_key(&session) {
        let event = events.recv_timeout(Duration::from_secs(10));
        seen.extend([event.expect("an event")]);
    }
    (at_refusal, seen[&session].saturating_duration_since(done))
}

/// Sessions that a node tells of, and when.
fn follow(node: SocketAddr, secret: &str) -> Receiver<(String, Instant)> {
    let mut stream = TcpStream::connect(node).expect("a connection");
    let request = format!(
        "GET /v1/revocations HTTP/1.1\r\nHost: {node}\r\nX-API-Key: {secret}\r\n\
         Accept: text/event-stream\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("a request");
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let at = Instant::now();
            let Some(data) = line.strip_prefix("data: ") else {
                continue;
            };
            let data: Value = serde_json::from_str(data).expect("JSON");
            let session = data["session_id"].as_str().unwrap_or_default().to_owned();
            if tell.send((session, at)).is_err() {
                return;
            }
        }
    });
    told
}

fn row(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)];
    println!(
        "mongodb revocation {what:<25} {} tries: p50 {:?}, p99 {:?}, most {:?}",
        times.len(),
        at(50),
        at(99),
        at(100)
    );
}
