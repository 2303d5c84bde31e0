//! SQLite by itself: one connection, write-ahead log, `synchronous=FULL`, one commit for as many as
//! there are clients.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::{Kind, Reached, Stint};

pub fn measure(kind: Kind, time: Duration, clients: usize) -> Reached {
    let folder = tempfile::tempdir().expect("a folder");
    let connection = Connection::open(folder.path().join("limit.db")).expect("a file");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER) STRICT;
             CREATE TABLE b (id INTEGER PRIMARY KEY, n INTEGER) STRICT;
             INSERT INTO a VALUES (0, 0);",
        )
        .expect("tables");
    let (stint, mut times) = (Stint::begin(), Vec::new());
    let mut number = 0_i64;
    while stint.began.elapsed() < time {
        let began = Instant::now();
        let transaction = connection.unchecked_transaction().expect("a transaction");
        for _ in 0..clients {
            let changed = match kind {
                Kind::Update | Kind::FindAndUpdate => update(&connection, number),
                Kind::Transaction => insert_two(&connection, number),
            };
            assert_eq!(changed, Ok(1));
            number += 1;
        }
        transaction.commit().expect("a commit");
        times.extend(std::iter::repeat_n(began.elapsed(), clients));
    }
    stint.end(times)
}

fn update(connection: &Connection, seen: i64) -> rusqlite::Result<usize> {
    let mut update = connection.prepare_cached("UPDATE a SET n = n + 1 WHERE id = 0 AND n = ?")?;
    update.execute([seen])
}

fn insert_two(connection: &Connection, number: i64) -> rusqlite::Result<usize> {
    let mut changed = 0;
    for table in [
        "INSERT INTO a VALUES (? + 1, 0)",
        "INSERT INTO b VALUES (?, 0)",
    ] {
        changed = connection.prepare_cached(table)?.execute([number])?;
    }
    Ok(changed)
}
