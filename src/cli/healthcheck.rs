//! The health check: asks a running server whether it is ready, for container engines without curl.
//!
//! One GET over plain TCP; no TLS, no redirects, no runtime. Only 200 is ready. Connecting
//! and each piece of the answer may take 3 seconds.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    time::Duration,
};

use url::Url;

use crate::config;

/// How long to wait for a connection, and then for each piece of the answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// `HTTP/1.1 200 OK` and room for a longer reason.
const STATUS_LINE: u64 = 256;

/// Why a server does not count as ready.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotReady {
    #[error("server.bind has port 0, so nobody knows where the server listens: pass --url")]
    NoPort,
    #[error("{0} is not an http URL; the check speaks plain HTTP only")]
    NotHttp(String),
    #[error("{url} does not answer: {cause}")]
    Silent { url: String, cause: io::Error },
    #[error("{url} answers {status}")]
    Status { url: String, status: String },
}

/// Where a server with these settings tells whether it is ready.
pub(super) fn url_of(server: &config::Server) -> Result<String, NotReady> {
    if server.bind.port() == 0 {
        return Err(NotReady::NoPort);
    }
    Ok(format!("http://{}/readyz", config::reachable(server.bind)))
}

/// Returns when the URL answers 200; any other answer, or none, is an error.
pub(super) fn check(url: &str) -> Result<(), NotReady> {
    let parsed = Url::parse(url)
        .ok()
        .filter(|parsed| parsed.scheme() == "http");
    let parsed = parsed.ok_or_else(|| NotReady::NotHttp(url.to_owned()))?;
    let status_line = ask(&parsed).map_err(|cause| NotReady::Silent {
        url: url.to_owned(),
        cause,
    })?;
    match status_line.split(' ').nth(1) {
        Some("200") => Ok(()),
        _ => Err(NotReady::Status {
            url: url.to_owned(),
            status: status_line,
        }),
    }
}

/// The first line of the answer. RFC 9112 §3.2: an HTTP/1.1 request names its host.
fn ask(url: &Url) -> io::Result<String> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(80);
    let mut stream = connect(host, port)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: authsome-healthcheck\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut head = Vec::new();
    BufReader::new(stream.take(STATUS_LINE)).read_until(b'\n', &mut head)?;
    Ok(String::from_utf8_lossy(&head).trim_end().to_owned())
}

fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    // A URL writes IPv6 addresses in brackets, the resolver wants them bare.
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in (name, port).to_socket_addrs()?.collect::<Vec<SocketAddr>>() {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(cause) => last = cause,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// A server that answers one request with `answer`; the request comes back when joined.
    fn server(answer: &'static str) -> (String, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/readyz", listener.local_addr().unwrap());
        let answering = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while !request.ends_with(b"\r\n\r\n") {
                reader.read_until(b'\n', &mut request).unwrap();
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        });
        (url, answering)
    }

    #[test]
    fn a_ready_server_is_ready() {
        let (url, answering) = server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");

        let outcome = check(&url);

        assert!(outcome.is_ok(), "{outcome:?}");
        let request = answering.join().unwrap();
        let host = url
            .trim_start_matches("http://")
            .trim_end_matches("/readyz");
        assert!(request.starts_with("GET /readyz HTTP/1.1\r\n"), "{request}");
        assert!(request.contains(&format!("Host: {host}\r\n")), "{request}");
    }

    #[test]
    fn any_other_answer_is_not_ready() {
        for answer in [
            "HTTP/1.1 503 Service Unavailable\r\n\r\n",
            "SSH-2.0-200\r\n",
            "",
        ] {
            let (url, answering) = server(answer);

            let outcome = check(&url);

            assert!(
                matches!(outcome, Err(NotReady::Status { .. })),
                "{answer}: {outcome:?}"
            );
            answering.join().unwrap();
        }
    }

    #[test]
    fn nobody_listening_is_not_ready() {
        let free = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();

        let outcome = check(&format!("http://{free}/readyz"));

        assert!(
            matches!(outcome, Err(NotReady::Silent { .. })),
            "{outcome:?}"
        );
    }

    #[test]
    fn only_plain_http_is_asked() {
        for url in ["https://auth.example.com/readyz", "auth.example.com", ""] {
            assert!(matches!(check(url), Err(NotReady::NotHttp(_))), "{url}");
        }
    }
}
