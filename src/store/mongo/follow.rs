//! A change stream, by the commands behind it (MongoDB manual, "Change Streams").
//!
//! The driver's own stream resumes unseen, and does not say when a batch is at its end; here each
//! answer is one question to the server, so that the caller knows up to when it has heard all.

use std::time::{Duration, Instant};

use bson::{Document, RawDocumentBuf, doc};
use mongodb::{ClientSession, Database};
use tokio::sync::mpsc;

use super::errors::failure;
use crate::store::error::{StoreError, Stored};
use crate::store::follow::Word;

/// How long the server waits for something to tell before it says that there is nothing. An answer
/// vouches for the moment of its question only, so it is at most twice this old.
const AWAIT: Duration = Duration::from_millis(250);

/// What the operator of the database sees of it, in `currentOp` and the profiler.
const COMMENT: &str = "authsome follows";

/// A cursor on the server, and the session that it belongs to.
struct Stream {
    database: Database,
    session: ClientSession,
    collection: &'static str,
    cursor: i64,
}

/// Opens a stream: from this moment on nothing is missed.
pub(super) async fn follow(
    database: Database,
    collection: &'static str,
) -> Stored<mpsc::Receiver<Word>> {
    let (stream, first) = Stream::open(database, collection).await?;
    let (words, heard) = mpsc::channel(1);
    tokio::spawn(stream.tell(words, first));
    Ok(heard)
}

impl Stream {
    async fn open(database: Database, collection: &'static str) -> Stored<(Self, Word)> {
        let session = database.client().start_session().await;
        let mut stream = Self {
            session: session.map_err(|error| failure(&error))?,
            database,
            collection,
            cursor: 0,
        };
        let first = stream
            .ask(doc! {
                "aggregate": collection,
                "pipeline": [
                    { "$changeStream": {} },
                    { "$match": { "operationType": "insert" } },
                    { "$project": { "fullDocument": 1 } },
                ],
                "cursor": {},
                "readConcern": { "level": "majority" },
                "comment": COMMENT,
            })
            .await?;
        Ok((stream, Ok(first)))
    }

    /// Passes on what the server says until it fails or nobody listens.
    async fn tell(mut self, words: mpsc::Sender<Word>, first: Word) {
        let mut word = first;
        loop {
            let is_last = word.is_err();
            if words.send(word).await.is_err() || is_last {
                break;
            }
            let wait = i64::try_from(AWAIT.as_millis()).unwrap_or(i64::MAX);
            let more = doc! {
                "getMore": self.cursor, "collection": self.collection, "maxTimeMS": wait,
            };
            word = self.ask(more).await;
        }
        let over = doc! { "killCursors": self.collection, "cursors": [self.cursor] };
        // A cursor that is left behind goes by itself after ten minutes.
        let asked = self.database.run_command(over).session(&mut self.session);
        drop(asked.await);
    }

    async fn ask(&mut self, question: Document) -> Word {
        let asked = moment();
        let action = self.database.run_command(question);
        let answer = action.session(&mut self.session).await;
        let answer = answer.map_err(|error| failure(&error))?;
        let cursor = answer.get_document("cursor").map_err(unreadable)?;
        self.cursor = cursor.get_i64("id").map_err(unreadable)?;
        if self.cursor == 0 {
            // The collection was dropped or renamed.
            return Err(StoreError::Unavailable("the stream was closed".to_owned()));
        }
        Ok((added(cursor)?, asked))
    }
}

fn added(cursor: &Document) -> Stored<Vec<RawDocumentBuf>> {
    let batch = cursor
        .get_array("nextBatch")
        .or_else(|_| cursor.get_array("firstBatch"))
        .map_err(unreadable)?;
    let documents = batch.iter().map(|event| {
        let event = event
            .as_document()
            .map(|it| it.get_document("fullDocument"));
        let document = event.transpose().map_err(unreadable)?.ok_or_else(empty)?;
        RawDocumentBuf::try_from(document).map_err(unreadable)
    });
    documents.collect()
}

fn unreadable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(error.to_string())
}

fn empty() -> StoreError {
    StoreError::Corrupt("an event without a document".to_owned())
}

#[expect(
    clippy::disallowed_methods,
    reason = "how old an answer is, is measured and not told by a clock that can be set"
)]
fn moment() -> Instant {
    Instant::now()
}
