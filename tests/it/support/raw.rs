//! Requests to the letter, over a bare socket: what no client library would send.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::exchange::{Exchange, examine};

/// Longer than the server takes to give up on a connection; only a server that hangs needs it.
const PATIENCE: Duration = Duration::from_secs(40);

/// What came back before the server closed, or before a whole reply was there.
#[derive(Debug)]
pub struct RawReply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Whether the server closed the connection after it.
    pub closed: bool,
}

/// Sends `bytes` as they are and reads one reply. Not for a thread that must go on meanwhile.
pub fn exchange(address: SocketAddr, bytes: &[u8]) -> RawReply {
    let mut stream = connected(address);
    // A server that refuses early may close before everything is written.
    let _ = stream.write_all(bytes);
    read(stream)
}

/// As [`exchange`], and holds the reply to what holds for every reply.
pub fn examined(address: SocketAddr, bytes: &[u8]) -> RawReply {
    let reply = exchange(address, bytes);
    let line = bytes
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let mut words = line.split(' ');
    examine(&Exchange {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        status: reply.status,
        headers: &reply.headers,
        body: &reply.body,
        may_fail: &[],
    });
    reply
}

/// Sends `bytes` and hangs up after the last one, without a look at the answer.
pub fn sent_and_cut_off(address: SocketAddr, bytes: &[u8]) {
    let mut stream = connected(address);
    stream.write_all(bytes).expect("a request can be sent");
    // The read half may be gone already: then it is cut off as well.
    let _ = stream.shutdown(Shutdown::Both);
}

/// Sends `bytes`, waits for `begun`, and hangs up in the way that a server notices at once: with
/// an answer unread, closing is a reset.
pub fn sent_and_reset(address: SocketAddr, bytes: &[u8], begun: impl FnOnce()) {
    let mut stream = connected(address);
    let before = request("GET /livez", &[], b"");
    stream.write_all(&before).expect("a request can be sent");
    let unread = stream.peek(&mut [0]).expect("an answer comes");
    assert_eq!(unread, 1, "the server closed at once");
    stream
        .write_all(bytes)
        .expect("a second request can be sent");
    begun();
}

/// A request with this head line, `Host`, these lines and this body.
pub fn request(line: &str, lines: &[String], body: &[u8]) -> Vec<u8> {
    let mut head = vec![format!("{line} HTTP/1.1"), "Host: localhost".to_owned()];
    head.extend_from_slice(lines);
    if !body.is_empty() {
        head.push(format!("Content-Length: {}", body.len()));
    }
    [head.join("\r\n").as_bytes(), b"\r\n\r\n", body].concat()
}

fn connected(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a stream with a timeout");
    stream.set_nodelay(true).expect("a stream without delay");
    stream
}

fn read(mut stream: TcpStream) -> RawReply {
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(reply) = parsed(&received, false) {
            let closed = reply
                .headers
                .get("connection")
                .is_some_and(|it| it == "close");
            return RawReply { closed, ..reply };
        }
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => received.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("no reply but {received:?}: {error}"),
        }
    }
    let none = RawReply {
        status: 0,
        headers: HeaderMap::new(),
        body: Vec::new(),
        closed: true,
    };
    parsed(&received, true).map_or(none, |reply| RawReply {
        closed: true,
        ..reply
    })
}

/// A reply, once all of it is there; without `Content-Length` only when the stream has ended.
fn parsed(received: &[u8], ended: bool) -> Option<RawReply> {
    let end = received.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&received[..end]);
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let name: HeaderName = name.parse().ok()?;
        headers.append(name, HeaderValue::from_str(value.trim()).ok()?);
    }
    let body = &received[end + 4..];
    let length = headers
        .get("content-length")
        .and_then(|it| it.to_str().ok()?.parse().ok());
    let whole = match length {
        Some(length) => body.get(..length),
        None if status == 204 => Some(&body[..0]),
        None => ended.then_some(body),
    };
    let body = whole?.to_vec();
    Some(RawReply {
        status,
        headers,
        body,
        closed: false,
    })
}
