//! NDJSON: bodies and answers of one JSON object a line, read and written as they come.
//!
//! ```text
//! Upload ── Lines ─▶ a task, which asks for the next line when it is done with the last
//!                      └─▶ Scribe ─▶ NdJson ─▶ the client
//! ```
//!
//! Neither has a length that matters: memory holds a line of the body, and of the answer what the
//! client has not taken yet, up to a room. Many clients read nothing before they have sent all, so a
//! room must have place for the answer to a whole body. Both have a term: of a body each piece, and
//! all of it.

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
use crate::kernel::lines::{Cutter, LONGEST_LINE, NumberedLine};
use crate::kernel::measure::Stopwatch;

const MEDIA_TYPE: &str = "application/x-ndjson";
/// Bytes of a body that comes as a whole.
const WHOLE_MAX: usize = 8 * 1024 * 1024;
/// How long a body of lines may take from its first to its last, whatever is done about them meanwhile.
const WHOLE_TERM: Duration = Duration::from_mins(10);
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
    cutter: Cutter,
    /// How long the next piece may take.
    patience: Duration,
    /// How long all of them may take, and how long they have.
    term: Duration,
    since: Stopwatch,
    has_ended: bool,
}

/// Why there is no next line although the body has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CutOff {
    #[error("the body broke off")]
    BrokeOff,
    #[error("the rest of the body did not come in time")]
    Late,
    #[error("the whole body did not come within 10 minutes")]
    Endless,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").finish_non_exhaustive()
    }
}

impl Lines {
    fn of(payload: Payload, patience: Duration) -> Self {
        Self {
            payload,
            cutter: Cutter::default(),
            patience,
            term: WHOLE_TERM,
            since: Stopwatch::start(),
            has_ended: false,
        }
    }

    /// The next line, which [`read_line`] refuses where it is too long; `None` after the last. Blank
    /// ones are passed over.
    pub async fn next(&mut self) -> Result<Option<NumberedLine>, CutOff> {
        loop {
            if let Some(line) = self.cutter.next_line() {
                return Ok(Some(line));
            }
            if self.has_ended {
                return Ok(None);
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Result<(), CutOff> {
        let left = self.term.saturating_sub(self.since.elapsed());
        let (patience, late) = if left < self.patience {
            (left, CutOff::Endless)
        } else {
            (self.patience, CutOff::Late)
        };
        if left.is_zero() {
            return Err(CutOff::Endless);
        }
        let piece = timeout(patience, self.payload.next()).await;
        match piece.map_err(|_| late)? {
            Some(Ok(piece)) => self.cutter.takes(&piece),
            Some(Err(_)) => return Err(CutOff::BrokeOff),
            None => {
                self.cutter.ends();
                self.has_ended = true;
            }
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
                return Ok(Self::Lines(Lines::of(payload, patience)));
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
        let room = Arc::new(Semaphore::new(room.max(LONGEST_LINE)));
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
    if line.len() > LONGEST_LINE {
        let problem = Problem::new(ProblemKind::BodyTooLarge);
        return Err(problem.detail("a line has at most 64 KiB"));
    }
    body::parsed(line)
}

#[cfg(test)]
mod tests {
    use actix_web::error::PayloadError;

    use super::super::fields::Fields;
    use super::*;

    /// An object without members.
    struct NoFields;

    impl FromFields for NoFields {
        fn from_fields(_: &mut Fields) -> Option<Self> {
            Some(Self)
        }
    }

    fn lines(pieces: &[&'static str], breaks: bool) -> Lines {
        let mut all: Vec<_> = pieces.iter().map(|it| Ok(Bytes::from(*it))).collect();
        if breaks {
            all.push(Err(PayloadError::Incomplete(None)));
        }
        let payload: Payload = Payload::Stream {
            payload: Box::pin(stream::iter(all)),
        };
        Lines::of(payload, Duration::from_secs(5))
    }

    async fn read(mut lines: Lines) -> (Vec<String>, Option<CutOff>) {
        let mut all = Vec::new();
        loop {
            match lines.next().await {
                Ok(Some(line)) => all.push(String::from_utf8(line.text).unwrap().trim().to_owned()),
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
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_refused_and_those_behind_it_are_read() {
        let long: &str = "x".repeat(LONGEST_LINE).leak();
        for pieces in [&[long, "x\n{}"][..], &["x", long, "xxx", "\n{}\n"]] {
            let (all, cut) = read(lines(pieces, false)).await;

            assert_eq!((all.len(), &*all[1], cut), (2, "{}", None));
            assert!(read_line::<NoFields>(all[0].as_bytes()).is_err());
        }
    }

    /// What drips in keeps a connection and its task for so long, and no longer.
    #[tokio::test]
    async fn a_body_has_a_term_however_steadily_it_comes() {
        let mut dripping = lines(&["{}\n", "\n", "\n{}"], false);
        dripping.term = Duration::ZERO;
        assert_eq!(read(dripping).await, (vec![], Some(CutOff::Endless)));

        let payload: Payload = Payload::Stream {
            payload: Box::pin(stream::pending()),
        };
        let mut silent = Lines::of(payload, Duration::from_secs(5));
        silent.term = Duration::from_millis(1);
        assert_eq!(silent.next().await, Err(CutOff::Endless));
        silent.term = Duration::from_mins(10);
        silent.patience = Duration::from_millis(1);
        assert_eq!(silent.next().await, Err(CutOff::Late));
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_has_a_room_and_then_an_end() {
        let (mut scribe, NdJson { mut lines, .. }) = NdJson::open(0);
        scribe.patience = Duration::from_millis(1);
        let long = "x".repeat(LONGEST_LINE / 2);

        assert_eq!(scribe.write(&long).await, Ok(()));
        assert_eq!(scribe.write(&long).await, Err(HungUp));
        assert_eq!(scribe.write(&1).await, Ok(()));
        scribe.tear();

        assert_eq!(
            lines.recv().await.unwrap().unwrap().len(),
            LONGEST_LINE / 2 + 3
        );
        assert_eq!(lines.recv().await.unwrap().unwrap(), "1\n");
        assert!(lines.recv().await.unwrap().is_err());
        assert!(lines.recv().await.is_none());
    }
}
