//! A collector of spans: takes what is sent by OTLP over HTTP, and keeps it byte by byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The request line and the headers, in lower case.
    pub head: String,
    pub body: Vec<u8>,
}

/// It listens until the process ends.
#[derive(Debug, Clone)]
pub struct Collector {
    address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Collector {
    pub fn listening() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let collector = Self {
            address,
            calls: Arc::default(),
        };
        let own = collector.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                own.takes(stream);
            }
        });
        collector
    }

    pub fn url(&self) -> String {
        format!("http://{}/v1/traces", self.address)
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().expect("calls").clone()
    }

    /// How often the bytes occur in what was sent.
    pub fn count(&self, bytes: impl AsRef<[u8]>) -> usize {
        let bytes = bytes.as_ref();
        let in_call = |call: &Call| {
            let windows = call.body.windows(bytes.len());
            windows.filter(|it| *it == bytes).count()
        };
        self.calls().iter().map(in_call).sum()
    }

    fn takes(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream);
        let (mut head, mut line) = (String::new(), String::new());
        while reader.read_line(&mut line).unwrap_or(0) > 2 {
            head.push_str(&line.to_lowercase());
            line.clear();
        }
        let mut lines = head.lines();
        let length = lines.find_map(|it| it.strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).expect("a whole body");
        self.calls.lock().expect("calls").push(Call { head, body });
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let _ = reader.get_mut().write_all(answer);
    }
}
