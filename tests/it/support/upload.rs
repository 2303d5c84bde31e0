//! A body that is sent piece by piece, and an answer that is taken when the test wants it: over a bare
//! socket, for no client library lets go of either in the middle.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Longer than the server takes to give up on anything here.
const PATIENCE: Duration = Duration::from_secs(40);

/// A request under way.
#[derive(Debug)]
pub struct Upload(TcpStream);

/// An answer of lines, as far as it came.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    pub lines: Vec<Value>,
    /// Whether it came to its end.
    pub is_whole: bool,
}

impl Upload {
    /// `line` is the head line without the version; a body in chunks follows.
    pub fn begins(address: SocketAddr, line: &str, headers: &[String]) -> Self {
        let chunked = "Transfer-Encoding: chunked".to_owned();
        Self::asks(address, line, &[headers, &[chunked]].concat())
    }

    /// Without a body; nothing is read of the answer yet.
    pub fn asks(address: SocketAddr, line: &str, headers: &[String]) -> Self {
        let mut stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        stream.set_nodelay(true).expect("a socket");
        let head = [format!("{line} HTTP/1.1"), "Host: localhost".to_owned()];
        let end = "Connection: close\r\n\r\n".to_owned();
        let head = [&head, headers, &[end]].concat().join("\r\n");
        stream.write_all(head.as_bytes()).expect("a request");
        Self(stream)
    }

    /// Sends a piece of the body, as one chunk and one packet as far as it fits.
    pub fn sends(&mut self, text: &str) {
        let chunk = format!("{:x}\r\n{text}\r\n", text.len());
        self.0.write_all(chunk.as_bytes()).expect("a piece");
    }

    /// Returns when the first byte of the answer is there.
    pub fn is_answered(&self) {
        let begun = self.0.peek(&mut [0]).expect("an answer");
        assert_eq!(begun, 1, "the server closed at once");
    }

    /// Ends the body, and takes the answer.
    pub fn ends(mut self) -> Answered {
        self.0.write_all(b"0\r\n\r\n").expect("an end");
        self.taken()
    }

    /// Takes the answer.
    pub fn taken(mut self) -> Answered {
        let mut all = Vec::new();
        match self.0.read_to_end(&mut all) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("no end of the answer: {error}"),
        }
        let end = all.windows(4).position(|it| it == b"\r\n\r\n");
        let end = end.expect("a head of an answer");
        let head = String::from_utf8_lossy(&all[..end]).into_owned();
        let status = head.split(' ').nth(1).expect("a status");
        let (body, is_whole) = unchunked(&all[end + 4..]);
        let lines = body.split(|byte| *byte == b'\n');
        let lines = lines.filter_map(|line| serde_json::from_slice(line).ok());
        Answered {
            status: status.parse().expect("a number"),
            lines: lines.collect(),
            is_whole,
        }
    }
}

/// RFC 9112 §7.1, without extensions; whether the last chunk is there.
fn unchunked(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(end) = rest.windows(2).position(|it| it == b"\r\n") else {
            return (body, false);
        };
        let size = str::from_utf8(&rest[..end]).expect("a size");
        let size = usize::from_str_radix(size, 16).expect("a size");
        if size == 0 {
            return (body, true);
        }
        let from = end + 2;
        body.extend_from_slice(&rest[from..rest.len().min(from + size)]);
        if rest.len() < from + size + 2 {
            return (body, false);
        }
        rest = &rest[from + size + 2..];
    }
}
