//! A unit of work on one of the two databases: the only place that chooses between them.

use std::hash::Hash;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::error::{StoreError, Stored};
use super::follow::Word;
use super::marks::{Changes, Marks, Moment};
use super::measures::Measures;
use super::op::{Op, Outcome};
use super::schema::Schema;
use super::{Database, mongo, sqlite};
use crate::kernel::measure::Stopwatch;

/// How a database writes its documents down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    Json,
    Bson,
}

/// A unit of work and its fate so far. Any error ends it, on both databases.
#[derive(Debug)]
pub(crate) struct Unit {
    driver: Driver,
    /// Each verb is a unit by itself: its error ends nothing but the verb.
    single: bool,
    failure: Option<StoreError>,
    measures: Arc<Measures>,
    /// When it began, where all it does is look.
    looks_since: Option<Moment>,
    changes: Changes,
}

#[expect(
    clippy::large_enum_variant,
    reason = "a unit of work holds one, and moves it once"
)]
#[derive(Debug)]
pub(super) enum Driver {
    /// A consistent look that has seen nothing yet.
    Look(Database),
    /// A consistent look.
    SqliteRead(sqlite::ReadUnit),
    /// All or nothing.
    SqliteWrite(sqlite::WriteUnit),
    /// Each verb by itself.
    SqliteOnce(sqlite::Once),
    Mongo(mongo::Session),
}

impl Unit {
    pub(super) fn new(driver: Driver, (measures, marks): (Arc<Measures>, Arc<Marks>)) -> Self {
        Self {
            driver,
            single: false,
            failure: None,
            measures,
            looks_since: None,
            changes: Changes::of(marks),
        }
    }

    pub(super) fn of_single_verbs(driver: Driver, kept: (Arc<Measures>, Arc<Marks>)) -> Self {
        Self {
            single: true,
            ..Self::new(driver, kept)
        }
    }

    /// The database is asked nothing before the first verb.
    pub(super) fn of_a_look(database: Database, kept: (Arc<Measures>, Arc<Marks>)) -> Self {
        let moment = kept.1.moment();
        Self {
            looks_since: Some(moment),
            ..Self::new(Driver::Look(database), kept)
        }
    }

    pub(super) fn notation(&self) -> Notation {
        match self.driver {
            Driver::Look(Database::Sqlite(_))
            | Driver::SqliteRead(_)
            | Driver::SqliteWrite(_)
            | Driver::SqliteOnce(_) => Notation::Json,
            Driver::Look(Database::Mongo(_)) | Driver::Mongo(_) => Notation::Bson,
        }
    }

    pub(super) async fn run(&mut self, op: Op) -> Stored<Outcome> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        if let Driver::Look(database) = &self.driver {
            self.driver = database.look().await?;
        }
        let (is_read, watch) = (op.verb.is_read(), Stopwatch::start());
        self.measures.sent(is_read);
        if op.schema.kept && !is_read {
            self.changes.written();
        }
        let answered = match &mut self.driver {
            Driver::Look(_) => Err(StoreError::Corrupt("a look that is not open".to_owned())),
            Driver::SqliteRead(unit) => unit.run(&op),
            Driver::SqliteWrite(unit) => unit.run(op).await,
            Driver::SqliteOnce(unit) => unit.run(op).await,
            Driver::Mongo(session) => session.run(op).await,
        };
        let is_well = answered.is_ok();
        self.measures.answered(is_read, watch.elapsed(), is_well);
        answered
    }

    /// Word of what is added to a collection, from a database that tells by itself.
    pub(super) async fn follow(&self, schema: &Schema) -> Stored<Option<mpsc::Receiver<Word>>> {
        match &self.driver {
            Driver::Look(_)
            | Driver::SqliteRead(_)
            | Driver::SqliteWrite(_)
            | Driver::SqliteOnce(_) => Ok(None),
            Driver::Mongo(session) => session.follow(schema).await.map(Some),
        }
    }

    /// See [`super::Tx::moment`].
    pub(super) fn looks_since(&self) -> Option<Moment> {
        self.looks_since
    }

    pub(super) fn marks(&self) -> &Marks {
        self.changes.marks()
    }

    pub(super) fn mark(&mut self, name: impl Hash) {
        self.changes.name(name);
    }

    /// Lets an error end the unit, also one that did not come from the database.
    pub(super) fn noted<T>(&mut self, result: Stored<T>) -> Stored<T> {
        if let Err(error) = &result
            && !self.single
        {
            self.failure.get_or_insert_with(|| error.clone());
        }
        result
    }

    /// The error that ended this unit, if one did.
    pub(super) fn failure(&self) -> Option<&StoreError> {
        self.failure.as_ref()
    }

    /// What was named is marked after this, and before the caller hears how it went.
    pub(super) async fn commit(self) -> Stored<()> {
        let Some(failure) = self.failure.clone() else {
            let watch = Stopwatch::start();
            let ended = self.driver.end(true).await;
            self.measures.committed(watch.elapsed());
            return ended;
        };
        self.abort().await?;
        Err(failure)
    }

    pub(super) async fn abort(self) -> Stored<()> {
        if let Some(StoreError::Unavailable(_)) = self.failure {
            // Nobody may be there to be told; a dropped unit tells without waiting for an answer.
            return Ok(());
        }
        self.driver.end(false).await
    }
}

impl Driver {
    async fn end(self, commit: bool) -> Stored<()> {
        match self {
            Driver::SqliteRead(unit) => {
                drop(unit);
                Ok(())
            }
            Driver::Look(_) | Driver::SqliteOnce(_) => Ok(()),
            Driver::SqliteWrite(unit) => unit.end(commit).await,
            Driver::Mongo(session) => session.end(commit).await,
        }
    }
}
