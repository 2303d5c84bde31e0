//! The client: one request, one answer, within bounds that no receiver can stretch.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::resolving::{Judge, Unresolved};
use super::target::{Reach, Target};

/// How long a connection may take.
const CONNECTING: Duration = Duration::from_secs(5);
/// What is read of an answer, in bytes; what follows is not waited for.
const READ: usize = 64 * 1_024;
/// What is kept of it.
const KEPT: usize = 1_024;
/// Connections to a host that wait for the next request, and for how long.
const IDLE: usize = 8;
const IDLE_FOR: Duration = Duration::from_secs(30);

/// Asks targets. Clones share connections.
#[derive(Debug, Clone)]
pub struct Outbound {
    http: Client,
    reach: Reach,
}

/// What a receiver said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    pub status: u16,
    /// Of `Retry-After`, as it came (RFC 9110 §10.2.3).
    pub retry_after: Option<String>,
    /// The beginning of its body, at most 1 KiB of printable text.
    pub excerpt: String,
}

/// Why there is no answer. What other software says of it goes nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Unreached {
    #[error("the address is not a public one")]
    PrivateAddress,
    #[error("the name has no address")]
    UnknownHost,
    #[error("nobody listens there")]
    ConnectionRefused,
    #[error("the certificate, or what was said before it, is not good")]
    Tls,
    #[error("there was no answer in time")]
    Timeout,
    #[error("the connection broke off")]
    ConnectionLost,
}

/// The client cannot be made: a root certificate is none, or there is no randomness.
#[derive(Debug, thiserror::Error)]
#[error("requests to others cannot be made: {0}")]
pub struct Unbuildable(#[from] reqwest::Error);

impl Outbound {
    /// `patience` is for all of a request, from resolving the name to the last byte of the answer.
    pub fn new(reach: Reach, patience: Duration) -> Result<Self, Unbuildable> {
        let http = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .timeout(patience)
            .connect_timeout(CONNECTING.min(patience))
            .pool_max_idle_per_host(IDLE)
            .pool_idle_timeout(IDLE_FOR)
            .dns_resolver(Arc::new(Judge(reach)))
            .tls_certs_merge(public_roots()?)
            .user_agent(concat!("Authsome/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, reach })
    }

    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Sends `body` with these headers. Every answer counts as one, whatever its status is.
    pub async fn post(
        &self,
        target: &Target,
        headers: &[(String, String)],
        body: Vec<u8>,
    ) -> Result<Answered, Unreached> {
        // An address in the URL is never resolved, so it is judged here.
        if target.address().is_some_and(|ip| !self.reach.admits(ip)) {
            return Err(Unreached::PrivateAddress);
        }
        let mut request = self.http.post(target.as_str()).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = request.send().await.map_err(|error| why(&error))?;
        let retry_after = response.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok());
        Ok(Answered {
            status: response.status().as_u16(),
            retry_after: retry_after.map(str::to_owned),
            excerpt: excerpt(&beginning(response).await),
        })
    }
}

/// The roots that browsers trust, beside those of the machine, which may have none.
fn public_roots() -> Result<Vec<Certificate>, reqwest::Error> {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    roots.map(|root| Certificate::from_der(root)).collect()
}

/// The first KiB of a body. It is read as far as 64 KiB, so that the connection can be used again;
/// one that breaks off or drips is a body all the same.
async fn beginning(mut response: Response) -> Vec<u8> {
    let (mut kept, mut read) = (Vec::new(), 0);
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = KEPT.saturating_sub(kept.len()).min(chunk.len());
        kept.extend_from_slice(&chunk[..room]);
        read += chunk.len();
        if read >= READ {
            break;
        }
    }
    kept
}

/// What can be shown of a body: text without control characters, at most 1 KiB.
fn excerpt(bytes: &[u8]) -> String {
    let mut shown = String::new();
    let text = String::from_utf8_lossy(bytes);
    for letter in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
        if shown.len() + letter.len_utf8() > KEPT {
            break;
        }
        shown.push(letter);
    }
    shown.truncate(shown.trim_end().len());
    shown
}

fn why(error: &reqwest::Error) -> Unreached {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(unresolved) = cause.downcast_ref::<Unresolved>() {
            return match unresolved {
                Unresolved::Unknown => Unreached::UnknownHost,
                Unresolved::NotPublic => Unreached::PrivateAddress,
            };
        }
        match cause.downcast_ref::<io::Error>().map(innermost) {
            Some(io::ErrorKind::ConnectionRefused) => return Unreached::ConnectionRefused,
            // What rustls finds wrong is told as data that is not valid.
            Some(io::ErrorKind::InvalidData) if error.is_connect() => return Unreached::Tls,
            Some(_) | None => {}
        }
        source = cause.source();
    }
    if error.is_timeout() {
        return Unreached::Timeout;
    }
    Unreached::ConnectionLost
}

/// Of an error within an error the kind of the inner one: each is made of the one before.
fn innermost(error: &io::Error) -> io::ErrorKind {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    inner.map_or(error.kind(), innermost)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener};
    use std::thread;

    use super::*;

    /// A server that answers one request after another with these bytes, each once.
    fn answering(answers: Vec<Vec<u8>>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 4_096]);
                // Who has read enough hangs up.
                let _ = stream.write_all(&answer);
            }
        });
        address
    }

    async fn posted(reach: Reach, url: &str) -> Result<Answered, Unreached> {
        let target = Target::parse(url, Reach::Anywhere).unwrap();
        let outbound = Outbound::new(reach, Duration::from_secs(10)).unwrap();
        outbound.post(&target, &[], b"{}".to_vec()).await
    }

    #[tokio::test]
    async fn an_answer_is_told_with_its_beginning() {
        let body = "no\u{7} ".repeat(1_000);
        let head = "HTTP/1.1 503 No\r\nretry-after: 120\r\nconnection: close\r\n\r\n";
        let address = answering(vec![format!("{head}{body}").into_bytes()]);

        let answered = posted(Reach::Anywhere, &format!("http://{address}/")).await;

        let answered = answered.unwrap();
        assert_eq!(answered.status, 503);
        assert_eq!(answered.retry_after.as_deref(), Some("120"));
        assert!(answered.excerpt.starts_with("no  no"), "{answered:?}");
        assert!((1_000..=KEPT).contains(&answered.excerpt.len()));
    }

    #[tokio::test]
    async fn a_body_without_end_is_left_and_a_redirect_is_not_followed() {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n".to_vec();
        let endless = [head, vec![b'x'; 4 * READ]].concat();
        let away =
            b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n";
        let address = answering(vec![endless, away.to_vec()]);
        let url = format!("http://{address}/");

        let endless = posted(Reach::Anywhere, &url).await.unwrap();
        let away = posted(Reach::Anywhere, &url).await.unwrap();

        assert_eq!((endless.status, endless.excerpt.len()), (200, KEPT));
        assert_eq!(away.status, 302);
    }

    #[tokio::test]
    async fn nothing_is_said_to_an_address_that_is_not_public() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();

        for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"] {
            let answered = posted(Reach::Public, &format!("http://{host}:{port}/")).await;
            assert_eq!(answered, Err(Unreached::PrivateAddress), "{host}");
        }
        assert!(listener.accept().is_err(), "somebody has connected");
    }

    #[tokio::test]
    async fn what_goes_wrong_has_a_name() {
        let nobody = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let plain = answering(vec![b"HTTP/1.1 200 OK\r\n\r\n".to_vec()]);
        let mute = answering(vec![Vec::new()]);
        for (url, why) in [
            (format!("http://{nobody}/"), Unreached::ConnectionRefused),
            (format!("https://{plain}/"), Unreached::Tls),
            (format!("http://{mute}/"), Unreached::ConnectionLost),
            ("http://nobody.invalid/".to_owned(), Unreached::UnknownHost),
        ] {
            assert_eq!(posted(Reach::Anywhere, &url).await, Err(why), "{url}");
        }
    }

    #[test]
    fn an_excerpt_ends_with_a_whole_character() {
        let text = "ü".repeat(KEPT);

        let shown = excerpt(&text.as_bytes()[..KEPT - 1]);

        assert!(shown.len() <= KEPT && shown.starts_with("üü"));
    }
}
