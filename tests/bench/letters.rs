//! How fast letters go out: from the first request that asks for one to the last that the mail server
//! has, beside the rate at which that server takes what is thrown at it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::client::Connection;
use crate::server::{Running, Where};

const LETTERS: usize = 500;
/// As many as the server sends at once.
const SENDERS: usize = 8;
const PATIENCE: Duration = Duration::from_mins(2);

/// The tests' mail server, on a free port.
#[derive(Debug)]
struct MailServer {
    child: Child,
    port: u16,
    folder: TempDir,
}

/// What it says is printed.
pub fn measure(place: &Where) {
    let name = place.name();
    let mail = MailServer::start();
    let limit = mail.takes();
    println!("limit   the mail server, {SENDERS} connections     {limit:>10.0} letters/s");
    let mail = MailServer::start();
    let url = format!("smtp://localhost:{}", mail.port);
    let running = Running::start_with(
        place,
        &[
            ("AUTHSOME_MAIL__URL", url.as_str()),
            ("AUTHSOME_SECURITY__BCRYPT_COST", "10"),
            ("AUTHSOME_LIMITS__RECOVERY", "1000000/1m"),
            ("AUTHSOME_LIMITS__LETTERS", "1000000/1m"),
        ],
    );
    // Every account begins with a letter of its own.
    for number in 0..LETTERS {
        running.signed_in(number);
    }
    mail.has(LETTERS);
    let began = Instant::now();
    let mut connection = Connection::open(running.address).expect("a connection");
    for number in 0..LETTERS {
        let body = json!({ "email": format!("user{number}@example.org") });
        let asked = connection.ask(&running.post("/v1/forgot-password", &body));
        assert_eq!(asked.expect("an answer").0, 200);
    }
    let answered = began.elapsed();
    mail.has(2 * LETTERS);
    let rate = LETTERS as f64 / began.elapsed().as_secs_f64();
    println!(
        "{name:<8}letters                                 {rate:>10.0} letters/s = {:.2} of the limit; \
         {LETTERS} asked for, one after another, within {answered:?}",
        rate / limit
    );
}

impl MailServer {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let python = std::env::var("E2E_PYTHON");
        let python = python.expect("E2E_PYTHON names a Python with tests/e2e/requirements.txt");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/smtp_server.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a mail server");
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().expect("its output"));
        said.read_line(&mut line).expect("its port");
        let port = line.trim().parse().expect("a port");
        Self {
            child,
            port,
            folder,
        }
    }

    /// Waits until it has so many letters.
    fn has(&self, count: usize) {
        let until = Instant::now() + PATIENCE;
        while self.count() < count {
            assert!(
                Instant::now() < until,
                "{} of {count} letters",
                self.count()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn count(&self) -> usize {
        let files = std::fs::read_dir(self.folder.path()).expect("its folder");
        let names = files.map(|file| file.expect("a file").path());
        names
            .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
            .count()
    }

    /// Letters a second that it takes on kept connections, from a client that does nothing else.
    fn takes(&self) -> f64 {
        let (began, left) = (Instant::now(), AtomicUsize::new(LETTERS));
        std::thread::scope(|scope| {
            for _ in 0..SENDERS {
                scope.spawn(|| {
                    let stream =
                        TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
                    let mut said = BufReader::new(stream.try_clone().expect("a stream"));
                    reply(&mut said);
                    ask(&stream, &mut said, "HELO bench\r\n");
                    let take = |it: usize| it.checked_sub(1);
                    while left
                        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                        .is_ok()
                    {
                        ask(&stream, &mut said, "MAIL FROM:<a@example.org>\r\n");
                        ask(&stream, &mut said, "RCPT TO:<b@example.org>\r\n");
                        ask(&stream, &mut said, "DATA\r\n");
                        let line = "x".repeat(70) + "\r\n";
                        let text = format!("Subject: x\r\n\r\n{}.\r\n", line.repeat(40));
                        ask(&stream, &mut said, &text);
                    }
                });
            }
        });
        self.has(LETTERS);
        LETTERS as f64 / began.elapsed().as_secs_f64()
    }
}

fn ask(mut stream: &TcpStream, said: &mut BufReader<TcpStream>, words: &str) {
    stream
        .write_all(words.as_bytes())
        .expect("a server that listens");
    reply(said);
}

/// RFC 5321 §4.2: the last line of a reply has a space after its code.
fn reply(said: &mut BufReader<TcpStream>) {
    loop {
        let mut line = String::new();
        said.read_line(&mut line).expect("a reply");
        assert!(line.starts_with(['2', '3']), "{line}");
        if line.as_bytes().get(3) == Some(&b' ') {
            return;
        }
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
