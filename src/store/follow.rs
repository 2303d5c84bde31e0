//! Following a collection: what is added to it is told as soon as it is committed.
//!
//! MongoDB tells by itself and is listened to; SQLite does not, so of it the caller has to ask.
//! Word comes from a task of its own, which runs every call to the driver to its end and stops when
//! the [`Follower`] is dropped. Nothing is resumed: a follower that ends has missed something, and
//! whoever opens the next one reads everything again.

use std::marker::PhantomData;
use std::time::Instant;

use bson::RawDocumentBuf;
use tokio::sync::mpsc;

use super::error::{StoreError, Stored};
use super::op::Encoded;
use super::schema::Entity;

/// What the database says when it is asked for news.
pub(super) type Word = Stored<(Vec<RawDocumentBuf>, Instant)>;

/// Hears of every document that is added from now on, whoever adds it.
#[derive(Debug)]
pub struct Follower<E> {
    words: mpsc::Receiver<Word>,
    of: PhantomData<fn() -> E>,
}

/// One answer of the database.
#[derive(Debug)]
pub struct News<E> {
    /// In the order of their commits; empty where nothing happened.
    pub added: Vec<E>,
    /// The moment of the question. What was committed before it has been told by now.
    pub asked: Instant,
}

impl<E: Entity> Follower<E> {
    pub(super) fn hearing(words: mpsc::Receiver<Word>) -> Self {
        Self {
            words,
            of: PhantomData,
        }
    }

    /// The next answer, at least twice a second from a database that is well. An error is the last.
    pub async fn next(&mut self) -> Stored<News<E>> {
        let word = self.words.recv().await.unwrap_or_else(|| Err(over()))?;
        let (documents, asked) = word;
        let added = documents.into_iter().map(Encoded::Bson);
        Ok(News {
            added: added.map(|it| it.decode()).collect::<Stored<_>>()?,
            asked,
        })
    }
}

fn over() -> StoreError {
    StoreError::Unavailable("nothing more is told".to_owned())
}
