//! Start-up: tables, generated columns and indexes, made where they are missing.

use rusqlite::{Connection, ErrorCode, OptionalExtension};

use super::connection::failure;
use super::translate::{column, create_index};
use crate::kernel::time::Timestamp;
use crate::store::error::{StoreError, Stored};
use crate::store::schema::Schema;
use crate::store::version::{self, VERSION};

/// Brings the file to what `schemas` declare, in one transaction: several processes may do it at once.
pub(super) fn migrate(connection: &Connection, schemas: &[Schema], now: Timestamp) -> Stored<()> {
    run(connection, "BEGIN IMMEDIATE")?;
    let made = all(connection, schemas, now);
    run(connection, if made.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    made
}

fn all(connection: &Connection, schemas: &[Schema], now: Timestamp) -> Stored<()> {
    raise_version(connection, now)?;
    table(connection, "authsome_migrations")?;
    for schema in schemas {
        table(connection, schema.collection)?;
        columns(connection, schema)?;
        let made = indexes(connection, schema)?;
        record(connection, schema, &made, now)?;
    }
    Ok(())
}

/// The version that the file was last brought to.
pub(super) fn version(connection: &Connection) -> Stored<Option<i64>> {
    if definition(connection, "table", version::COLLECTION)?.is_none() {
        return Ok(None);
    }
    let sql = format!(
        "SELECT doc ->> '$.version' FROM {} WHERE id = ?",
        version::COLLECTION
    );
    let found = connection.query_row(&sql, [version::ID], |row| row.get(0));
    found.optional().map_err(|error| failure(&error))
}

fn raise_version(connection: &Connection, now: Timestamp) -> Stored<()> {
    let found = version(connection)?;
    if let Some(refusal) = version::refusal(found) {
        return Err(refusal);
    }
    if found == Some(VERSION) {
        return Ok(());
    }
    table(connection, version::COLLECTION)?;
    let doc = serde_json::json!({ "_id": version::ID, "version": VERSION, "applied_at": now });
    let sql = format!(
        "INSERT OR REPLACE INTO {} (id, doc) VALUES (?, ?)",
        version::COLLECTION
    );
    connection
        .execute(&sql, [version::ID, &doc.to_string()])
        .map(drop)
        .map_err(|error| failure(&error))
}

/// The names of all tables.
pub(super) fn tables(connection: &Connection) -> Stored<Vec<String>> {
    connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .map_err(|error| failure(&error))
}

fn run(connection: &Connection, sql: &str) -> Stored<()> {
    connection
        .execute_batch(sql)
        .map_err(|error| failure(&error))
}

fn table(connection: &Connection, name: &str) -> Stored<()> {
    let sql = format!(
        "CREATE TABLE IF NOT EXISTS {name} (id TEXT NOT NULL PRIMARY KEY, \
         doc TEXT NOT NULL CHECK (json_valid(doc))) STRICT"
    );
    run(connection, &sql)
}

fn columns(connection: &Connection, schema: &Schema) -> Stored<()> {
    let known: Vec<String> = connection
        .prepare(&format!(
            "SELECT name FROM pragma_table_xinfo('{}')",
            schema.collection
        ))
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .map_err(|error| failure(&error))?;
    for path in schema.indexed_paths() {
        let column = column(path);
        if !known.contains(&column) {
            let sql = format!(
                "ALTER TABLE {} ADD COLUMN {column} ANY GENERATED ALWAYS AS (doc ->> '$.{path}') VIRTUAL",
                schema.collection
            );
            run(connection, &sql)?;
        }
    }
    Ok(())
}

/// Makes the missing indexes and names them; refuses on a same-named one that differs.
fn indexes(connection: &Connection, schema: &Schema) -> Stored<Vec<&'static str>> {
    let mut made = Vec::new();
    // Backwards, because SQLite checks the youngest first: a document that breaks several rules
    // is refused by the one declared first, as in MongoDB.
    for index in schema.indexes.iter().rev() {
        let wanted = create_index(schema, index);
        match definition(connection, "index", index.name)? {
            None => {
                connection
                    .execute_batch(&wanted)
                    .map_err(|error| unbuildable(schema, index.name, &error))?;
                made.push(index.name);
            }
            Some(found) if found == wanted => {}
            Some(found) => {
                return Err(StoreError::Unsuitable(format!(
                    "the index {} of {} exists with another definition ({found}); drop it, and the \
                     server makes it anew at the next start",
                    index.name, schema.collection
                )));
            }
        }
    }
    made.reverse();
    Ok(made)
}

/// How something of this kind and name was made.
fn definition(connection: &Connection, kind: &str, name: &str) -> Stored<Option<String>> {
    let sql = "SELECT sql FROM sqlite_master WHERE type = ? AND name = ?";
    let found = connection.query_row(sql, [kind, name], |row| row.get(0));
    found.optional().map_err(|error| failure(&error))
}

/// What [`migrate`] would do or refuse, a sentence each.
pub(super) fn examine(connection: &Connection, schemas: &[Schema]) -> Stored<Vec<String>> {
    let mut flaws = Vec::new();
    for schema in schemas {
        if definition(connection, "table", schema.collection)?.is_none() {
            flaws.push(schema.is_missing());
            continue;
        }
        for index in schema.indexes {
            match definition(connection, "index", index.name)? {
                Some(found) if found == create_index(schema, index) => {}
                Some(_) => flaws.push(schema.differs(index)),
                None => flaws.push(schema.lacks(index)),
            }
        }
    }
    Ok(flaws)
}

fn unbuildable(schema: &Schema, index: &str, error: &rusqlite::Error) -> StoreError {
    if error.sqlite_error_code() != Some(ErrorCode::ConstraintViolation) {
        return failure(error);
    }
    StoreError::Unsuitable(format!(
        "the index {index} of {} cannot be made ({error}); documents that violate it have to go first",
        schema.collection
    ))
}

fn record(connection: &Connection, schema: &Schema, made: &[&str], now: Timestamp) -> Stored<()> {
    if made.is_empty() {
        return Ok(());
    }
    let id = format!("{}/{}", schema.collection, made.join("+"));
    let doc = serde_json::json!({
        "_id": id, "collection": schema.collection, "indexes": made, "applied_at": now,
    });
    connection
        .execute(
            "INSERT OR REPLACE INTO authsome_migrations (id, doc) VALUES (?, ?)",
            [id, doc.to_string()],
        )
        .map(drop)
        .map_err(|error| failure(&error))
}
