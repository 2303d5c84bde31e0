//! HTTP/1.1 from the other side: an answer as it came, and a kept-alive connection for asking one
//! thing after another.

use std::borrow::Cow;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long an answer may be waited for.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// One whole answer.
#[derive(Debug)]
pub struct Answer<'a> {
    pub status: u16,
    head: &'a str,
    pub body: Cow<'a, [u8]>,
}

impl<'a> Answer<'a> {
    /// The answer in these bytes, once all of it is there.
    ///
    /// Bodies are as long as `Content-Length` says, or in chunks (RFC 9112 §7.1), or empty.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|it| it == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let status = head.get(9..12)?.parse().ok()?;
        let rest = &bytes[end + 4..];
        let told = |name| header(head, name);
        let body = match told("content-length") {
            Some(length) => Cow::Borrowed(rest.get(..length.parse().ok()?)?),
            None if told("transfer-encoding") == Some("chunked") => Cow::Owned(joined(rest)?),
            None => Cow::Borrowed(&rest[..0]),
        };
        Some(Self { status, head, body })
    }

    pub fn header(&self, name: &str) -> Option<&'a str> {
        header(self.head, name)
    }

    /// Null where the body is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The cookies that it sets, as the next request sends them.
    pub fn cookies(&self) -> String {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let set = lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        let pairs = set.filter_map(|(_, value)| value.split(';').next());
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// For whoever wants to know what went wrong.
    pub fn in_words(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let text: String = text.chars().take(300).collect();
        format!("{} {text}", self.status)
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// What chunks amount to, once the last one is there.
fn joined(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|it| it == b"\r\n")?;
        let length = std::str::from_utf8(&rest[..end]).ok()?;
        let length = usize::from_str_radix(length.split(';').next()?, 16).ok()?;
        let chunk = rest.get(end + 2..end + 2 + length)?;
        rest = rest.get(end + 2 + length + 2..)?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(chunk);
    }
}

/// One kept-alive connection, which waits for each answer.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub fn open(to: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(8192),
        })
    }

    /// Sends a whole request and reads a whole answer: its status and its body.
    pub fn ask(&mut self, request: &[u8]) -> std::io::Result<(u16, Vec<u8>)> {
        let answer = self.answer(request)?;
        Ok((answer.status, answer.body.into_owned()))
    }

    /// The same, with its head.
    pub fn answer(&mut self, request: &[u8]) -> std::io::Result<Answer<'_>> {
        self.stream.write_all(request)?;
        self.buffer.clear();
        let mut chunk = [0_u8; 8192];
        while Answer::of(&self.buffer).is_none() {
            let read = self.stream.read(&mut chunk)?;
            if read == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            self.buffer.extend_from_slice(&chunk[..read]);
        }
        Answer::of(&self.buffer).ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
    }

    /// The answer to a request that is right.
    pub fn told(&mut self, request: &[u8]) -> Value {
        let answer = self.answer(request).expect("an answer");
        assert!(answer.status < 300, "{}", answer.in_words());
        answer.json()
    }
}
