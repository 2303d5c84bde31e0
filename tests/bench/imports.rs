//! How fast users are brought in with their hashes, and what that takes of memory: one call of NDJSON,
//! the same again, when all are there, and all of them taken along.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::server::{Running, Where};

const USERS: usize = 100_000;
const HASH: &str = "$2b$12$KKKKKKKKKKKKKKKKKKKKK.eeeeeeeeeeeeeeeeeeeeeeeeeeeeee.";
/// What takes longer has stopped.
const PATIENCE: Duration = Duration::from_mins(15);

/// What it says is printed.
pub fn measure(place: &Where) {
    let users = std::env::var("BENCH_USERS").ok();
    let users = users.and_then(|it| it.parse().ok()).unwrap_or(USERS);
    let running = Running::start(place);
    let secret = running.secret.clone().expect("a fresh database");
    let body: String = (0..users).map(line).collect();
    let name = place.name();
    let before = running.rss_kib();
    for what in ["import", "again"] {
        let began = Instant::now();
        let answer = asks(&running, &secret, Some(&body));
        let (took, rss) = (began.elapsed(), running.rss_kib());
        let rate = users as f64 / took.as_secs_f64();
        let summary = answer.lines().rev().find(|it| it.contains("\"summary\""));
        println!(
            "{name:<8}{what:<8} {rate:>10.0} users/s; {took:?}; RSS {before} KiB before, {rss} KiB after; {}",
            summary.expect("a summary")
        );
    }
    let began = Instant::now();
    let taken = asks(&running, &secret, None);
    let count = taken.lines().filter(|it| it.starts_with("{\"id\"")).count();
    let rate = count as f64 / began.elapsed().as_secs_f64();
    let rss = running.rss_kib();
    println!("{name:<8}export   {rate:>10.0} users/s; {count} users; RSS {rss} KiB after");
}

fn line(number: usize) -> String {
    format!(
        "{{\"email\":\"user{number}@example.org\",\"first_name\":\"User\",\"email_verified\":true,\
         \"metadata\":{{\"plan\":\"pro\"}},\"password_hash\":\"{HASH}\"}}\n"
    )
}

/// Sends and reads at once, as a client does that streams.
fn asks(running: &Running, secret: &str, body: Option<&str>) -> String {
    let mut stream = TcpStream::connect(running.address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let method = body.map_or("GET", |_| "POST");
    let what = body.map_or("export", |_| "import");
    let length = body.map_or(0, str::len);
    let head = format!(
        "{method} /v1/admin/bulk/users/{what} HTTP/1.1\r\nHost: bench\r\nX-API-Key: {secret}\r\n\
         Content-Type: application/x-ndjson\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let mut writer = stream.try_clone().expect("a socket");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            writer.write_all(head.as_bytes()).expect("a request");
            writer.write_all(body.unwrap_or_default().as_bytes())
        });
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    })
}
