//! Event streams: answers that go on (server-sent events, WHATWG HTML §9.2).
//!
//! ```text
//! Accept, Last-Event-ID ─▶ Subscription      a task ─▶ Line ─▶ EventStream ─▶ the client
//! ```
//!
//! The answer is a pipe, and whoever has its [`Line`] writes as long as the client listens; so the
//! deadline of handlers and the count of units under way end with the head of the answer.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::header::{ACCEPT, HeaderMap, HeaderName};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::fields::CursorScope;
use super::problem::Problem;
use super::problems::ProblemKind;
use super::query::cursor_scope;
use crate::kernel::page::{Cursor, Position};

const MEDIA_TYPE: &str = "text/event-stream";
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Asks nginx, and those who have learned from it, to pass on what comes as it comes.
const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");

/// Events that may wait for a client to take them.
const WAITING: usize = 64;
/// How long the next one waits for a client that takes none.
const PATIENCE: Duration = Duration::from_secs(15);

/// How a request wants to go on reading a list.
#[derive(Debug)]
pub struct Subscription {
    is_live: bool,
    last: Option<Position>,
    cursors: CursorScope,
}

impl Subscription {
    /// Whether the client wants events, and not a page.
    pub fn is_live(&self) -> bool {
        self.is_live
    }

    /// The place of the last event that the client has seen, where it comes back.
    pub fn last(&self) -> Option<&Position> {
        self.last.as_ref()
    }

    /// What a client sends to go on at `position`, in this list and tenant only.
    pub fn cursor(&self, position: &Position) -> String {
        Cursor::seal(&self.cursors.key, &self.cursors.list, position)
    }
}

impl FromRequest for Subscription {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(subscription(req))
    }
}

fn subscription(req: &HttpRequest) -> Result<Subscription, Problem> {
    let unmounted = || Problem::internal("a list is read outside the edge");
    let cursors = cursor_scope(req)?.ok_or_else(unmounted)?;
    let is_live = wants_events(req.headers());
    let last = req.headers().get(LAST_EVENT_ID).filter(|_| is_live);
    let opened = last.map(|last| {
        let text = last.to_str().map_err(|_| ProblemKind::BadCursor)?;
        Cursor::open(&cursors.key, &cursors.list, text).map_err(|_| ProblemKind::BadCursor)
    });
    Ok(Subscription {
        is_live,
        last: opened.transpose()?,
        cursors,
    })
}

/// RFC 9110 §12.5.1, as far as it matters: the media type is named.
fn wants_events(headers: &HeaderMap) -> bool {
    let lines = headers
        .get_all(ACCEPT)
        .filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|range| {
        let name = range.split(';').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case(MEDIA_TYPE)
    })
}

/// The client does not listen any more, or takes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client hung up")]
pub struct HungUp;

/// The writing end of an event stream, which is over when every clone is dropped.
#[derive(Clone, Debug)]
pub struct Line {
    events: mpsc::Sender<Bytes>,
    patience: Duration,
}

impl Line {
    /// Sends an event; `id` is what the client comes back with. Waits for a client that is slow.
    pub async fn tell(&self, name: &str, id: &str, view: &impl Serialize) -> Result<(), HungUp> {
        // JSON has no line breaks of its own. A view is a struct of texts and numbers.
        let data = serde_json::to_string(view).map_err(|_| HungUp)?;
        self.send(format!("id: {id}\nevent: {name}\ndata: {data}\n\n"))
            .await
    }

    /// Sends a comment, which says that the line is open, and where to come back.
    pub async fn beat(&self, id: &str) -> Result<(), HungUp> {
        self.send(format!(": here\nid: {id}\n\n")).await
    }

    /// Returns when the client is gone.
    pub async fn closed(&self) {
        self.events.closed().await;
    }

    async fn send(&self, text: String) -> Result<(), HungUp> {
        let sent = timeout(self.patience, self.events.send(text.into())).await;
        sent.map_err(|_| HungUp)?.map_err(|_| HungUp)
    }
}

/// An answer that ends with its [`Line`].
#[derive(Debug)]
pub struct EventStream(mpsc::Receiver<Bytes>);

impl EventStream {
    pub fn open() -> (Line, Self) {
        let (line, events) = mpsc::channel(WAITING);
        let line = Line {
            events: line,
            patience: PATIENCE,
        };
        (line, Self(events))
    }
}

impl Responder for EventStream {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut events = self.0;
        let events = stream::poll_fn(move |cx| {
            let polled = events.poll_recv(cx);
            polled.map(|event| event.map(Ok::<Bytes, Infallible>))
        });
        HttpResponse::Ok()
            .content_type(MEDIA_TYPE)
            .insert_header(UNBUFFERED)
            .streaming(events)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn events_are_for_those_who_name_them() {
        let table = [
            ("text/event-stream", true),
            ("application/json, Text/Event-Stream;q=0.9", true),
            ("application/json", false),
            ("*/*", false),
            ("text/*", false),
            ("text/event-streams", false),
        ];
        for (accept, expected) in table {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(wants_events(&headers), expected, "{accept}");
        }
        assert!(!wants_events(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn an_event_is_three_lines_and_an_empty_one() {
        let (line, EventStream(mut events)) = EventStream::open();

        line.tell("revocation", "c1", &serde_json::json!({"a": "x\ny"}))
            .await
            .unwrap();
        line.beat("c2").await.unwrap();

        let expected = "id: c1\nevent: revocation\ndata: {\"a\":\"x\\ny\"}\n\n";
        assert_eq!(events.recv().await.unwrap(), expected);
        assert_eq!(events.recv().await.unwrap(), ": here\nid: c2\n\n");
        drop(events);
        assert_eq!(line.beat("c3").await, Err(HungUp));
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_hung_up_on() {
        let (mut line, _events) = EventStream::open();
        line.patience = Duration::from_millis(1);
        for _ in 0..WAITING {
            line.beat("c").await.unwrap();
        }

        assert_eq!(line.beat("c").await, Err(HungUp));
    }
}
