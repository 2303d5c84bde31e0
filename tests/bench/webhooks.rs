//! How fast events go out: from the first that is on record to the last that every receiver has, beside
//! the rate at which a receiver takes what is thrown at it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use authsome::events::{self, Event, Name, Origin, Party};
use authsome::kernel::entropy::Entropy;
use authsome::kernel::time::Clock;
use authsome::store::{Store, StoreSettings, Stored};
use serde_json::json;

use crate::client::Connection;
use crate::server::{Running, Where};

const EVENTS: usize = 2_000;
const IN_ONE_UNIT: usize = 100;
/// As many as the server sends to one webhook at once.
const SENDERS: usize = 16;
const PATIENCE: Duration = Duration::from_mins(3);

/// Answers 200 to everything, and counts.
struct Receiver {
    address: SocketAddr,
    got: Arc<AtomicUsize>,
}

/// What it says is printed.
pub fn measure(place: &Where) {
    let name = place.name();
    let limit = Receiver::start().takes();
    println!("limit   a receiver, {SENDERS} connections            {limit:>10.0} requests/s");
    for webhooks in [1, 10] {
        let receivers: Vec<_> = (0..webhooks).map(|_| Receiver::start()).collect();
        let place = place.anew();
        let running = Running::start_with(&place, &[("AUTHSOME_WEBHOOKS__ALLOW_PRIVATE", "true")]);
        for receiver in &receivers {
            listens(&running, receiver.address);
        }
        let began = Instant::now();
        happens(&running);
        let on_record = began.elapsed();
        for receiver in &receivers {
            receiver.has(EVENTS);
        }
        let rate = (webhooks * EVENTS) as f64 / began.elapsed().as_secs_f64();
        println!(
            "{name:<8}webhooks: {EVENTS} events, {webhooks:>2} receivers     {rate:>10.0} deliveries/s = {:.2} \
             of the limit; on record within {on_record:?}, RSS {} KiB",
            rate / limit,
            running.rss_kib(),
        );
    }
}

fn listens(running: &Running, address: SocketAddr) {
    let secret = running.secret.as_ref().expect("a fresh database");
    let key = format!("X-API-Key: {secret}\r\n");
    let new = json!({"url": format!("http://{address}/"), "events": ["user.updated"]});
    let mut connection = Connection::open(running.address).expect("a connection");
    let asked = connection.ask(&running.request("POST", "/v1/webhooks", &key, Some(&new)));
    assert_eq!(asked.expect("an answer").0, 201);
}

/// Writes events as units of work do, past the API: what is measured is what follows.
fn happens(running: &Running) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (entropy, clock, nobody) = (Entropy::system(), Clock::system(), Origin::default());
    runtime.block_on(async {
        let settings = StoreSettings::at(running.location.clone());
        let store = Store::open(&settings).await.expect("a store");
        for _ in 0..EVENTS / IN_ONE_UNIT {
            let made = (clock.now(), &entropy);
            let event = || {
                let (tenant, system) = (running.tenant, Party::system());
                Event::new(Name::UserUpdated, tenant, system, &nobody, made)
            };
            let some: Vec<_> = (0..IN_ONE_UNIT).map(|_| event()).collect();
            let written: Stored<()> = store
                .write(async |tx| {
                    let mut tx = tx.within(running.tenant);
                    for event in &some {
                        events::record(&mut tx, event).await?;
                    }
                    Ok(())
                })
                .await;
            written.expect("events can be written");
        }
    });
}

impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let receiver = Self {
            address: listener.local_addr().expect("an address"),
            got: Arc::default(),
        };
        let got = receiver.got.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let got = got.clone();
                std::thread::spawn(move || serves(stream, &got));
            }
        });
        receiver
    }

    /// Waits until it has so many.
    fn has(&self, count: usize) {
        let until = Instant::now() + PATIENCE;
        while self.got.load(Ordering::Relaxed) < count {
            let got = self.got.load(Ordering::Relaxed);
            assert!(Instant::now() < until, "{got} of {count} events");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Requests a second that it takes from a client that does nothing else.
    fn takes(&self) -> f64 {
        let (began, left) = (Instant::now(), AtomicUsize::new(EVENTS));
        let body = "x".repeat(400);
        let address = self.address;
        let request = format!(
            "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        std::thread::scope(|scope| {
            for _ in 0..SENDERS {
                scope.spawn(|| {
                    let mut connection = Connection::open(address).expect("a connection");
                    let take = |it: usize| it.checked_sub(1);
                    while left
                        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                        .is_ok()
                    {
                        connection.ask(request.as_bytes()).expect("an answer");
                    }
                });
            }
        });
        EVENTS as f64 / began.elapsed().as_secs_f64()
    }
}

fn serves(mut stream: TcpStream, got: &AtomicUsize) {
    let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(told) = line.strip_prefix("content-length: ") {
                length = told.parse().expect("a length");
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        got.fetch_add(1, Ordering::Relaxed);
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        if stream.write_all(answer).is_err() {
            return;
        }
    }
}
