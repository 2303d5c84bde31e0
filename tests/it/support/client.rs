//! A thin client: a request is built in one expression, awaited, and its reply held to everything
//! that holds for every reply ([`super::exchange`]).
//!
//! ```ignore
//! mia.patch("/v1/me").json(json!({"first_name": "Mia"})).await.expect(200);
//! app.get("/v1/me").await.refuses(401, "unauthenticated");
//! ```

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::pin::Pin;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use serde_json::Value;

use super::app::Door;
use super::exchange::{Exchange, examine};

/// Headers that are different on every reply.
const PASSING: [&str; 2] = ["date", "x-request-id"];

/// Who can ask: somebody with a credential, or nobody in particular.
pub trait Asks {
    fn request(&self, method: &str, path: &str) -> Request;

    fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    fn post(&self, path: &str) -> Request {
        self.request("POST", path)
    }

    fn patch(&self, path: &str) -> Request {
        self.request("PATCH", path)
    }

    fn delete(&self, path: &str) -> Request {
        self.request("DELETE", path)
    }
}

/// Connections to one node; clones share them.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    address: SocketAddr,
}

/// A request that is not yet sent: await it.
#[derive(Debug)]
pub struct Request {
    http: reqwest::Client,
    address: SocketAddr,
    method: String,
    base_path: String,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    may_fail: Vec<u16>,
}

/// A reply that passed [`examine`].
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    asked: String,
}

/// Fails unless the document has all these members, with these values; it may have more.
#[track_caller]
#[expect(
    clippy::needless_pass_by_value,
    reason = "callers write the members in place"
)]
pub fn assert_has(document: &Value, members: Value) {
    for (name, value) in members.as_object().expect("an object of members") {
        assert_eq!(document.get(name), Some(value), "{name} of {document}");
    }
}

impl Client {
    pub fn of(address: SocketAddr) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .build();
        Self {
            http: http.expect("a client"),
            address,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Asks for Client {
    fn request(&self, method: &str, path: &str) -> Request {
        Request {
            http: self.http.clone(),
            address: self.address,
            method: method.to_owned(),
            base_path: String::new(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            may_fail: Vec::new(),
        }
    }
}

impl Request {
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// With the publishable key of an environment.
    #[must_use]
    pub fn at(self, door: &Door) -> Self {
        self.header("x-publishable-key", &door.publishable_key)
    }

    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    #[must_use]
    pub fn api_key(self, key: &str) -> Self {
        self.header("x-api-key", key)
    }

    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers write the body in place"
    )]
    pub fn json(self, body: Value) -> Self {
        self.body("application/json", body.to_string())
    }

    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// Where the server serves everything a second time.
    #[must_use]
    pub fn below(mut self, base_path: &str) -> Self {
        base_path.clone_into(&mut self.base_path);
        self
    }

    /// A server error that is asked for: it does not fail the test by itself.
    #[must_use]
    pub fn that_may_be(mut self, status: u16) -> Self {
        self.may_fail.push(status);
        self
    }

    async fn send(self) -> Reply {
        let asked = format!("{} {}", self.method, self.path);
        let url = format!("http://{}{}{}", self.address, self.base_path, self.path);
        let method = self.method.parse().expect("a method");
        let mut request = self.http.request(method, url);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        if !self.body.is_empty() {
            request = request.body(self.body);
        }
        let received = request.send().await;
        let received = received.unwrap_or_else(|error| panic!("no answer to {asked}: {error:?}"));
        let (status, headers) = (received.status().as_u16(), received.headers().clone());
        let body = received.bytes().await.expect("a whole body").to_vec();
        let method = self.method;
        examine(&Exchange {
            method: &method,
            target: &self.path,
            status,
            headers: &headers,
            body: &body,
            may_fail: &self.may_fail,
        });
        Reply {
            status,
            headers,
            body,
            asked,
        }
    }
}

impl IntoFuture for Request {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("a header in ASCII"))
    }

    /// The document of the reply; null where there is none, or lines for a program.
    pub fn json(&self) -> Value {
        let is_lines = |it: &str| it.starts_with("text/plain;");
        if self.body.is_empty() || self.header("content-type").is_some_and(is_lines) {
            return Value::Null;
        }
        if self.header("content-type") == Some("application/x-ndjson") {
            return self.lines().into();
        }
        serde_json::from_slice(&self.body).expect("a body in JSON")
    }

    /// The documents of the reply, of which each has a line.
    pub fn lines(&self) -> Vec<Value> {
        let lines = self.body.split(|byte| *byte == b'\n');
        lines
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).expect("a line of JSON"))
            .collect()
    }

    /// The reply, which must have this status.
    #[track_caller]
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.text());
        self
    }

    /// The document of the reply, which must have this status.
    #[track_caller]
    pub fn told(self, status: u16) -> Value {
        self.expect(status).json()
    }

    /// The reply must be this problem.
    #[track_caller]
    pub fn refuses(self, status: u16, kind: &str) -> Value {
        let asked = self.asked.clone();
        let document = self.told(status);
        assert_eq!(document["type"], kind, "{asked}: {document}");
        document
    }

    /// The `type` of the problem, or nothing.
    pub fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap_or_default().to_owned()
    }

    /// `201 Created` without the words, and what kind of problem it is.
    pub fn outcome(&self) -> String {
        format!("{} {}", self.status, self.kind())
            .trim_end()
            .to_owned()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Everything that a caller can tell this reply from another by, but for what is different on
    /// every one: status, headers, and the document.
    pub fn tells(&self) -> (u16, Vec<String>, Value) {
        let line = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = self
            .headers
            .iter()
            .filter(|(name, _)| !PASSING.contains(&name.as_str()));
        let mut headers: Vec<_> = headers
            .map(|(name, value)| format!("{name}: {}", line(value)))
            .collect();
        headers.sort();
        let mut document = self.json();
        document
            .as_object_mut()
            .and_then(|members| members.remove("request_id"));
        (self.status, headers, document)
    }
}
