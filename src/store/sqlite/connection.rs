//! Connections: how they are opened, and how one verb is run on them.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};

use super::translate::{Answer, insertion, refusal, statement};
use crate::store::error::{StoreError, Stored};
use crate::store::op::{Encoded, Op, Outcome, Verb};
use crate::store::schema::Schema;
use crate::store::settings::Synchronous;

/// How long a statement waits for another process that holds the write lock.
const BUSY: Duration = Duration::from_secs(5);
/// How often a new file's lock may be lost to another process that makes the same file.
const TURNS: u32 = 100;
const CACHED_STATEMENTS: usize = 256;

/// A connection that may write.
pub(super) fn open_writer(path: &Path, synchronous: Option<Synchronous>) -> Stored<Connection> {
    make_private(path)?;
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let level = match synchronous {
        Some(Synchronous::Full) => "FULL",
        Some(Synchronous::Normal) => "NORMAL",
        None => "OFF",
    };
    // What is deleted is overwritten: nothing of a person who has left stays in the file.
    let settings = format!("PRAGMA synchronous = {level}; PRAGMA secure_delete = ON;");
    write_ahead(&connection)
        .and_then(|()| connection.execute_batch(&settings))
        .map_err(|error| failure(&error))?;
    Ok(connection)
}

/// Makes the file, for its owner alone; the log files beside it take over its mode.
fn make_private(path: &Path) -> Stored<()> {
    let made = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path);
    made.map(drop).map_err(|error| {
        StoreError::Unsuitable(format!(
            "the file {} cannot be opened: {error}",
            path.display()
        ))
    })
}

/// Turns the write-ahead log on, which SQLite refuses at once while another process has the new
/// file locked: an empty transaction waits for that process.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    for _ in 1..TURNS {
        match connection.execute_batch("PRAGMA journal_mode = WAL;") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                connection.execute_batch("BEGIN IMMEDIATE; COMMIT;")?;
            }
            turned => return turned,
        }
    }
    connection.execute_batch("PRAGMA journal_mode = WAL;")
}

/// A connection that only reads.
pub(super) fn open_reader(path: &Path) -> Stored<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection
        .execute_batch("PRAGMA query_only = ON;")
        .map_err(|error| failure(&error))?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> Stored<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| failure(&error))?;
    connection
        .busy_timeout(BUSY)
        .map_err(|error| failure(&error))?;
    // What a statement sets aside stays in memory: there may be no folder that can be written, and
    // nothing of a person lies about in another one.
    connection
        .execute_batch("PRAGMA temp_store = MEMORY;")
        .map_err(|error| failure(&error))?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    Ok(connection)
}

/// Writes what the file holds at one instant into another, which is empty, and looks whether it is whole.
/// Writers go on meanwhile: what they add is in the log, behind the instant.
pub(super) fn copy(from: &Path, to: &Path) -> Stored<()> {
    let source = open(from, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let name = to.to_str().ok_or_else(|| {
        StoreError::Unsuitable("the name of the copy is no text in UTF-8".to_owned())
    })?;
    source
        .execute("VACUUM INTO ?", [name])
        .map_err(|error| failure(&error))?;
    let copied = open(to, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let told: String = copied
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| failure(&error))?;
    if told == "ok" {
        return Ok(());
    }
    Err(StoreError::Corrupt(told))
}

/// Runs one verb.
pub(super) fn apply(connection: &Connection, op: &Op) -> Stored<Outcome> {
    run(connection, op).map_err(|error| told(&op.schema, &error))
}

fn run(connection: &Connection, op: &Op) -> rusqlite::Result<Outcome> {
    if let Verb::InsertAll(all) = &op.verb {
        return insert_all(connection, &op.schema, all);
    }
    let (statement, answer) = statement(&op.schema, &op.verb);
    let mut prepared = connection.prepare_cached(&statement.sql)?;
    let params = params_from_iter(statement.params);
    match answer {
        Answer::Changed => Ok(Outcome::Count(prepared.execute(params)? as u64)),
        Answer::Number => {
            let number: i64 = prepared.query_row(params, |row| row.get(0))?;
            Ok(Outcome::Count(u64::try_from(number).unwrap_or_default()))
        }
        Answer::Documents => {
            let rows = prepared.query_map(params, |row| {
                Ok(Encoded::Json {
                    id: String::new(),
                    text: row.get(0)?,
                })
            })?;
            Ok(Outcome::Documents(rows.collect::<rusqlite::Result<_>>()?))
        }
    }
}

/// One after another, by one statement: the savepoint of the unit makes them one.
fn insert_all(
    connection: &Connection,
    schema: &Schema,
    all: &[Encoded],
) -> rusqlite::Result<Outcome> {
    for encoded in all {
        let statement = insertion(schema, encoded);
        let mut prepared = connection.prepare_cached(&statement.sql)?;
        prepared.execute(params_from_iter(statement.params))?;
    }
    Ok(Outcome::Count(all.len() as u64))
}

/// An error in the port's words; a refused unique index by its declared name.
fn told(schema: &Schema, error: &rusqlite::Error) -> StoreError {
    let message = error.to_string();
    if let Some((_, columns)) = message.split_once("UNIQUE constraint failed: ") {
        if columns == format!("{}.id", schema.collection) {
            return StoreError::Duplicate("_id");
        }
        let refused = schema
            .indexes
            .iter()
            .find(|index| refusal(schema, index) == columns);
        if let Some(index) = refused {
            return StoreError::Duplicate(index.name);
        }
    }
    failure(error)
}

/// An error in the port's words.
pub(super) fn failure(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt(error.to_string())
        }
        _ => StoreError::Unavailable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a killed process leaves behind does not show it: the system still has what it wrote.
    #[test]
    fn a_writer_waits_for_the_disk_unless_it_is_told_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");

        for (synchronous, level) in [
            (Some(Synchronous::Full), 2),
            (Some(Synchronous::Normal), 1),
            (None, 0),
        ] {
            let writer = open_writer(&path, synchronous).unwrap();
            let told = writer.query_row("PRAGMA synchronous", [], |row| row.get(0));
            assert_eq!(told, Ok(level), "{synchronous:?}");
            let journal = writer.query_row("PRAGMA journal_mode", [], |row| row.get(0));
            assert_eq!(journal, Ok("wal".to_owned()));
        }
    }

    #[test]
    fn nothing_is_set_aside_in_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");

        for connection in [
            open_writer(&path, None).unwrap(),
            open_reader(&path).unwrap(),
        ] {
            let kept = connection.query_row("PRAGMA temp_store", [], |row| row.get(0));
            assert_eq!(kept, Ok(2), "in memory");
        }
    }
}
