//! A receiver of webhooks: a small HTTP server that keeps what it is sent and answers as it is told.
//!
//! ```ignore
//! let receiver = Receiver::start();
//! receiver.answers(&[500, 200]);                  // the first two; 200 from then on
//! let got = receiver.awaits(1).await;             // everything so far, once there is so much
//! ```

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::app::eventually;

/// Listens until the test is over.
#[derive(Debug, Clone)]
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    got: Vec<Got>,
    answers: VecDeque<Answer>,
    /// Once those are used up.
    usual: Option<Answer>,
}

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    Status(u16),
    /// A status, and headers.
    With(u16, Vec<(&'static str, String)>),
    /// Never.
    Silence,
    /// These bytes, and nothing more while the other side listens.
    Raw(Arc<Vec<u8>>),
    /// These bytes, and one more now and then for as long as the other side listens.
    Drip(Vec<u8>),
    /// Nothing is read, and the connection is reset.
    Reset,
}

/// A request, as it came.
#[derive(Debug, Clone)]
pub struct Got {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Receiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let receiver = Self {
            address: listener.local_addr().expect("an address"),
            state: Arc::default(),
        };
        let listening = receiver.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if matches!(listening.state().usual, Some(Answer::Reset)) {
                    resets(&stream);
                    continue;
                }
                let serving = listening.clone();
                thread::spawn(move || serving.serves(stream));
            }
        });
        receiver
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Answers the next requests with these, in their order.
    pub fn answers(&self, statuses: &[u16]) {
        let answers = statuses.iter().copied().map(Answer::Status);
        self.state().answers.extend(answers);
    }

    /// Answers with this from now on.
    pub fn always(&self, answer: Answer) {
        self.state().usual = Some(answer);
    }

    pub fn got(&self) -> Vec<Got> {
        self.state().got.clone()
    }

    /// Everything it got, once there is so much, which must not be more.
    pub async fn awaits(&self, count: usize) -> Vec<Got> {
        eventually(async || self.got().len() >= count).await;
        let got = self.got();
        let told = got.iter().map(|it| it.message().to_string());
        assert_eq!(got.len(), count, "{:#?}", told.collect::<Vec<_>>());
        got
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it")
    }

    fn serves(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
        while let Some(got) = Got::read(&mut reader) {
            let answer = {
                let mut state = self.state();
                state.got.push(got);
                let usual = state.usual.clone();
                let next = state.answers.pop_front().or(usual);
                next.unwrap_or(Answer::Status(200))
            };
            let (status, headers) = match answer {
                Answer::Status(status) => (status, Vec::new()),
                Answer::With(status, headers) => (status, headers),
                Answer::Raw(bytes) => {
                    let _ = stream.write_all(&bytes);
                    let _ = reader.read(&mut [0]);
                    return;
                }
                Answer::Drip(bytes) => return drips(stream, &bytes),
                Answer::Silence | Answer::Reset => {
                    // Until the other side hangs up.
                    let _ = reader.read(&mut [0]);
                    return;
                }
            };
            let body = format!("answer {status}");
            let lines = headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}\r\n"));
            let reply = format!(
                "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{}\r\n{body}",
                body.len(),
                lines.collect::<Vec<_>>().concat()
            );
            if stream.write_all(reply.as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// Whoever closes with something unread resets.
fn resets(stream: &TcpStream) {
    let _ = stream.peek(&mut [0]);
}

/// A byte each time that the other side has said nothing for a while.
fn drips(mut stream: TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes);
    let pause = Some(Duration::from_millis(50));
    stream.set_read_timeout(pause).expect("a pause");
    loop {
        match stream.read(&mut [0]) {
            Ok(0) => return,
            Ok(_) => {}
            Err(_) if stream.write_all(b"x").is_ok() => {}
            Err(_) => return,
        }
    }
}

impl Got {
    fn read(reader: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_owned();
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        let line = lines.remove(0);
        let header = |line: &String| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_ascii_lowercase(), value.to_owned()))
        };
        let headers: Vec<_> = lines.iter().filter_map(header).collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.map_or(0, |(_, value)| value.parse().expect("a length"));
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        Some(Self {
            line,
            headers,
            body: String::from_utf8(body).expect("a message is UTF-8"),
        })
    }

    /// The value of a header that is there once.
    pub fn header(&self, name: &str) -> &str {
        let mut all = self.headers.iter().filter(|(known, _)| known == name);
        let (_, value) = all.next().unwrap_or_else(|| panic!("no {name}: {self:?}"));
        assert!(all.next().is_none(), "{name} twice: {self:?}");
        value
    }

    pub fn message(&self) -> Value {
        serde_json::from_str(&self.body).expect("a message is JSON")
    }

    /// What it is about.
    pub fn kind(&self) -> String {
        self.message()["type"].as_str().expect("a type").to_owned()
    }
}
