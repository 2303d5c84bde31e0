//! The one writer: a thread that owns the write connection and commits in groups.
//!
//! ```text
//! BEGIN IMMEDIATE ─▶ unit 1 (savepoint) ─▶ unit 2 ─▶ … ─▶ COMMIT, one fsync ─▶ all are told
//! ```
//! Units that wait when a group is open join it, [`GROUP`] in all; nobody is told of success before
//! the commit. A unit that fails is rolled back to its savepoint and leaves the others alone.

use std::sync::mpsc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::connection::{apply, failure};
use crate::store::error::{StoreError, Stored};
use crate::store::op::{Op, Outcome};

/// Units to a commit, at most.
const GROUP: usize = 64;
/// How long a unit of work may leave the writer waiting for its next verb.
const PATIENCE: Duration = Duration::from_secs(5);

/// What waits for the writer.
#[expect(
    clippy::large_enum_variant,
    reason = "moved once into the channel and once out"
)]
#[derive(Debug)]
pub(super) enum Job {
    /// A unit of several verbs, sent one by one as the caller decides.
    Unit { steps: mpsc::Receiver<Step> },
    /// One verb that is a unit by itself.
    Once {
        op: Op,
        answer: oneshot::Sender<Stored<Outcome>>,
    },
}

#[expect(
    clippy::large_enum_variant,
    reason = "moved once into the channel and once out"
)]
#[derive(Debug)]
pub(super) enum Step {
    Run {
        op: Op,
        answer: oneshot::Sender<Stored<Outcome>>,
    },
    Commit {
        answer: oneshot::Sender<Stored<()>>,
    },
}

/// Somebody to be told when the group has been committed.
enum Waiting {
    Unit(oneshot::Sender<Stored<()>>),
    Once(oneshot::Sender<Stored<Outcome>>, Outcome),
}

impl Waiting {
    fn tell(self, committed: &Stored<()>) {
        // A caller who has gone away is not owed an answer.
        match self {
            Waiting::Unit(answer) => drop(answer.send(committed.clone())),
            Waiting::Once(answer, outcome) => {
                drop(answer.send(committed.clone().map(|()| outcome)));
            }
        }
    }
}

/// Serves jobs until every sender is gone.
pub(super) fn serve(connection: &Connection, jobs: &mpsc::Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        if let Err(error) = says(connection, "BEGIN IMMEDIATE") {
            refuse(first, &failure(&error));
            continue;
        }
        let mut group: Vec<Waiting> = run(connection, first).into_iter().collect();
        for _ in 1..GROUP {
            // After some errors (a full disk) SQLite has rolled back by itself: nothing may join.
            if connection.is_autocommit() {
                break;
            }
            let Ok(job) = jobs.try_recv() else { break };
            group.extend(run(connection, job));
        }
        let committed = commit(connection);
        for waiting in group {
            waiting.tell(&committed);
        }
    }
}

fn commit(connection: &Connection) -> Stored<()> {
    if connection.is_autocommit() {
        return Err(StoreError::Unavailable(
            "the database rolled the group back".to_owned(),
        ));
    }
    says(connection, "COMMIT").map_err(|error| {
        // Nothing of the group may linger when it could not be made durable.
        drop(connection.execute_batch("ROLLBACK"));
        failure(&error)
    })
}

fn refuse(job: Job, error: &StoreError) {
    match job {
        Job::Once { answer, .. } => drop(answer.send(Err(error.clone()))),
        Job::Unit { steps } => {
            if let Ok(step) = steps.recv_timeout(PATIENCE) {
                match step {
                    Step::Run { answer, .. } => drop(answer.send(Err(error.clone()))),
                    Step::Commit { answer } => drop(answer.send(Err(error.clone()))),
                }
            }
        }
    }
}

fn run(connection: &Connection, job: Job) -> Option<Waiting> {
    if let Err(error) = says(connection, "SAVEPOINT unit") {
        refuse(job, &failure(&error));
        return None;
    }
    let kept = match job {
        Job::Once { op, answer } => once(connection, &op, answer),
        Job::Unit { steps } => unit(connection, &steps),
    };
    if !connection.is_autocommit() {
        let undone = match kept {
            Some(_) => Ok(()),
            None => says(connection, "ROLLBACK TO unit"),
        };
        drop(undone.and_then(|()| says(connection, "RELEASE unit")));
    }
    kept
}

/// One of the few sentences that begin and end things, understood once and for all.
fn says(connection: &Connection, sentence: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sentence)?.execute([]).map(drop)
}

fn once(
    connection: &Connection,
    op: &Op,
    answer: oneshot::Sender<Stored<Outcome>>,
) -> Option<Waiting> {
    match apply(connection, op) {
        Ok(outcome) => Some(Waiting::Once(answer, outcome)),
        Err(error) => {
            drop(answer.send(Err(error)));
            None
        }
    }
}

/// Runs the verbs of a unit as they come; `None` when it failed, was dropped, or took too long.
fn unit(connection: &Connection, steps: &mpsc::Receiver<Step>) -> Option<Waiting> {
    loop {
        match steps.recv_timeout(PATIENCE).ok()? {
            Step::Run { op, answer } => {
                let outcome = apply(connection, &op);
                let failed = outcome.is_err();
                drop(answer.send(outcome));
                if failed {
                    return None;
                }
            }
            Step::Commit { answer } => return Some(Waiting::Unit(answer)),
        }
    }
}
