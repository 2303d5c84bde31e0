//! Units of work on MongoDB: a verb by itself, a look, or a transaction.

use mongodb::{ClientSession, Database};
use tokio::sync::mpsc;

use super::errors::{failure, may_have_committed, told};
use super::{follow, verbs};
use crate::store::error::{StoreError, Stored};
use crate::store::follow::Word;
use crate::store::op::{Op, Outcome};
use crate::store::schema::Schema;

/// How often a commit of unknown fate is asked for again.
const COMMITS: u32 = 5;

#[derive(Debug)]
pub(in crate::store) struct Session {
    database: Database,
    span: Span,
    /// What ties the verbs of a look or a unit together; away while one of them runs.
    tie: Option<ClientSession>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    Verb,
    Look,
    Unit,
}

impl Session {
    pub(super) fn once(database: Database) -> Self {
        Self {
            database,
            span: Span::Verb,
            tie: None,
        }
    }

    pub(super) fn snapshot(database: Database, tie: ClientSession) -> Self {
        Self {
            database,
            span: Span::Look,
            tie: Some(tie),
        }
    }

    pub(super) fn transaction(database: Database, tie: ClientSession) -> Self {
        Self {
            database,
            span: Span::Unit,
            tie: Some(tie),
        }
    }

    pub(in crate::store) async fn run(&mut self, op: Op) -> Stored<Outcome> {
        let mut tie = self.tie.take();
        if tie.is_none() && self.span != Span::Verb {
            return Err(abandoned());
        }
        let (database, schema) = (self.database.clone(), op.schema);
        let verb = async move { (verbs::run(&database, tie.as_mut(), op).await, tie) };
        let (outcome, tie) = to_its_end(verb).await?;
        self.tie = tie;
        outcome.map_err(|error| told(&schema, &error))
    }

    /// Listens to what is added to a collection from now on, in whatever unit.
    pub(in crate::store) async fn follow(&self, schema: &Schema) -> Stored<mpsc::Receiver<Word>> {
        to_its_end(follow::follow(self.database.clone(), schema.collection)).await?
    }

    pub(in crate::store) async fn end(self, commit: bool) -> Stored<()> {
        match (self.span, self.tie) {
            (Span::Unit, Some(tie)) if commit => to_its_end(committed(tie)).await?,
            (Span::Unit, Some(tie)) => to_its_end(taken_back(tie)).await,
            (Span::Unit, None) if commit => Err(abandoned()),
            (Span::Verb | Span::Look | Span::Unit, _) => Ok(()),
        }
    }
}

async fn committed(mut tie: ClientSession) -> Stored<()> {
    for _ in 1..COMMITS {
        match tie.commit_transaction().await {
            Err(error) if may_have_committed(&error) => {}
            ended => return ended.map_err(|error| failure(&error)),
        }
    }
    tie.commit_transaction()
        .await
        .map_err(|error| failure(&error))
}

async fn taken_back(mut tie: ClientSession) {
    // The server forgets a transaction by itself too; nothing was promised.
    drop(tie.abort_transaction().await);
}

/// Runs what the driver does to its end, also when nobody waits for it any more. Dropped in the
/// middle of its first verb, a transaction may begin on the server after it was taken back there,
/// and then holds its documents for a minute.
fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = Stored<T>> {
    let running = tokio::spawn(work);
    async {
        running
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}

fn abandoned() -> StoreError {
    StoreError::Unavailable("a verb of this unit was abandoned".to_owned())
}
