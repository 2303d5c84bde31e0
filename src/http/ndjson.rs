//! NDJSON: bodies and answers of one JSON object a line, read and written as they come.
//!
//! ```text
//! Upload ── Lines ─▶ a task, which asks for the next line when it is done with the last
//!                      └─▶ Scribe ─▶ NdJson ─▶ the client
//! ```
//!
//! Neither has a length that matters: memory holds a line of the body, and of the answer what the
//! client has not taken yet, up to a room. Many clients read nothing before they have sent all, so a
//! room must have place for the answer to a whole body.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream;
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use super::body;
use super::edge::Edge;
use super::event_stream::HungUp;
use super::fields::FromFields;
use super::problem::Problem;
use super::problems::ProblemKind;

const MEDIA_TYPE: &str = "application/x-ndjson";
/// Bytes of a body that comes as a whole.
const WHOLE_MAX: usize = 8 * 1024 * 1024;
/// Bytes of a line.
const LINE_MAX: usize = 64 * 1024;
/// How long an answer waits for a client that takes nothing of it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A body that is either one JSON document, or NDJSON.
#[derive(Debug)]
pub enum Upload<T> {
    Whole(T),
    Lines(Lines),
}

/// The lines of a body that is still coming.
pub struct Lines {
    payload: Payload,
    unread: Vec<u8>,
    /// How long the next piece may take.
    patience: Duration,
    has_ended: bool,
}

/// Why there is no next line although the body has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CutOff {
    #[error("the body broke off")]
    BrokeOff,
    #[error("the rest of the body did not come in time")]
    Late,
    #[error("a line is longer than 64 KiB")]
    TooLong,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").finish_non_exhaustive()
    }
}

impl Lines {
    /// The next line without its end; `None` after the last. Empty ones are passed over.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, CutOff> {
        loop {
            if let Some(line) = self.taken() {
                if line.iter().any(|byte| !byte.is_ascii_whitespace()) {
                    return Ok(Some(line));
                }
            } else if self.has_ended {
                return Ok(None);
            } else if self.unread.len() > LINE_MAX {
                return Err(CutOff::TooLong);
            } else {
                self.more().await?;
            }
        }
    }

    fn taken(&mut self) -> Option<Vec<u8>> {
        let end = self.unread.iter().position(|byte| *byte == b'\n');
        if let Some(end) = end {
            let rest = self.unread.split_off(end + 1);
            return Some(std::mem::replace(&mut self.unread, rest));
        }
        let is_last = self.has_ended && !self.unread.is_empty();
        is_last.then(|| std::mem::take(&mut self.unread))
    }

    async fn more(&mut self) -> Result<(), CutOff> {
        let piece = timeout(self.patience, self.payload.next()).await;
        match piece.map_err(|_| CutOff::Late)? {
            Some(Ok(piece)) => self.unread.extend_from_slice(&piece),
            Some(Err(_)) => return Err(CutOff::BrokeOff),
            None => self.has_ended = true,
        }
        Ok(())
    }
}

impl<T: FromFields + 'static> FromRequest for Upload<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_lines = is_ndjson(req.headers());
        let declared = body::check_declaration(req.headers(), WHOLE_MAX);
        let patience = req.app_data::<Data<Edge>>().map(|edge| edge.body_timeout);
        let (payload, patience) = (payload.take(), patience.unwrap_or_default());
        Box::pin(async move {
            if is_lines {
                return Ok(Self::Lines(Lines {
                    payload,
                    unread: Vec::new(),
                    patience,
                    has_ended: false,
                }));
            }
            declared?;
            let whole = body::read(payload, WHOLE_MAX, patience).await?;
            Ok(Self::Whole(whole))
        })
    }
}

fn is_ndjson(headers: &HeaderMap) -> bool {
    let declared = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let name = declared.and_then(|it| it.split(';').next());
    let is_plain = headers.get(CONTENT_ENCODING).is_none();
    is_plain && name.is_some_and(|name| name.trim().eq_ignore_ascii_case(MEDIA_TYPE))
}

/// The answer ends before it is whole.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the answer broke off")]
struct Torn;

/// The writing end of an answer, which is over when it is dropped.
#[derive(Debug)]
pub struct Scribe {
    lines: mpsc::UnboundedSender<Result<Bytes, Torn>>,
    room: Arc<Semaphore>,
    patience: Duration,
}

impl Scribe {
    /// Writes a line. Waits where the room is full, and not for ever.
    pub async fn write(&self, line: &impl Serialize) -> Result<(), HungUp> {
        let mut text = serde_json::to_vec(line).map_err(|_| HungUp)?;
        text.push(b'\n');
        let size = u32::try_from(text.len()).map_err(|_| HungUp)?;
        let place = timeout(self.patience, self.room.acquire_many(size)).await;
        place.map_err(|_| HungUp)?.map_err(|_| HungUp)?.forget();
        self.lines.send(Ok(text.into())).map_err(|_| HungUp)
    }

    /// Lets the client see that something is missing: the connection ends in the middle.
    pub fn tear(self) {
        // Who has hung up already misses more than this.
        drop(self.lines.send(Err(Torn)));
    }
}

/// An answer of lines, which ends with its [`Scribe`].
#[derive(Debug)]
pub struct NdJson {
    lines: mpsc::UnboundedReceiver<Result<Bytes, Torn>>,
    room: Arc<Semaphore>,
}

impl NdJson {
    /// An answer of which `room` bytes may wait for the client; at least one line.
    pub fn open(room: usize) -> (Scribe, Self) {
        let (sender, lines) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(room.max(LINE_MAX)));
        let scribe = Scribe {
            lines: sender,
            room: room.clone(),
            patience: PATIENCE,
        };
        (scribe, Self { lines, room })
    }
}

impl Responder for NdJson {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let Self { mut lines, room } = self;
        let lines = stream::poll_fn(move |cx| {
            lines.poll_recv(cx).map(|line| {
                if let Some(Ok(line)) = &line {
                    room.add_permits(line.len());
                }
                line
            })
        });
        HttpResponse::Ok().content_type(MEDIA_TYPE).streaming(lines)
    }
}

/// Reads a line as a body is read: strictly, and every fault told.
pub fn read_line<T: FromFields>(line: &[u8]) -> Result<T, Problem> {
    if line.len() > LINE_MAX {
        return Err(ProblemKind::BodyTooLarge.into());
    }
    body::parsed(line)
}

#[cfg(test)]
mod tests {
    use actix_web::error::PayloadError;

    use super::*;

    fn lines(pieces: &[&'static str], breaks: bool) -> Lines {
        let mut all: Vec<_> = pieces.iter().map(|it| Ok(Bytes::from(*it))).collect();
        if breaks {
            all.push(Err(PayloadError::Incomplete(None)));
        }
        Lines {
            payload: Payload::Stream {
                payload: Box::pin(stream::iter(all)),
            },
            unread: Vec::new(),
            patience: Duration::from_secs(5),
            has_ended: false,
        }
    }

    async fn read(mut lines: Lines) -> (Vec<String>, Option<CutOff>) {
        let mut all = Vec::new();
        loop {
            match lines.next().await {
                Ok(Some(line)) => all.push(String::from_utf8(line).unwrap().trim().to_owned()),
                Ok(None) => return (all, None),
                Err(cut) => return (all, Some(cut)),
            }
        }
    }

    #[tokio::test]
    async fn lines_are_whole_however_they_come() {
        let (all, cut) = read(lines(&["{\"a\"", ":1}\n\n{}\r\n  \n{\"b", "\":2}"], false)).await;

        assert_eq!(all, ["{\"a\":1}", "{}", "{\"b\":2}"]);
        assert_eq!(cut, None);
        assert_eq!(read(lines(&[], false)).await, (vec![], None));
    }

    #[tokio::test]
    async fn what_breaks_off_is_no_line() {
        let broken = read(lines(&["{}\n{\"a"], true)).await;
        assert_eq!(broken, (vec!["{}".to_owned()], Some(CutOff::BrokeOff)));

        let endless = "x".repeat(LINE_MAX + 1).leak();
        let (_, cut) = read(lines(&[endless], false)).await;
        assert_eq!(cut, Some(CutOff::TooLong));
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_has_a_room_and_then_an_end() {
        let (mut scribe, NdJson { mut lines, .. }) = NdJson::open(0);
        scribe.patience = Duration::from_millis(1);
        let long = "x".repeat(LINE_MAX / 2);

        assert_eq!(scribe.write(&long).await, Ok(()));
        assert_eq!(scribe.write(&long).await, Err(HungUp));
        assert_eq!(scribe.write(&1).await, Ok(()));
        scribe.tear();

        assert_eq!(lines.recv().await.unwrap().unwrap().len(), LINE_MAX / 2 + 3);
        assert_eq!(lines.recv().await.unwrap().unwrap(), "1\n");
        assert!(lines.recv().await.unwrap().is_err());
        assert!(lines.recv().await.is_none());
    }
}
