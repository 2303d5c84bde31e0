//! Transactions whose process is no more. Killed in the middle of one, it cannot take it back, and the
//! server keeps it open for a minute (`transactionLifetimeLimitSeconds`): until then nobody else can
//! change what it has changed.
//!
//! ```text
//! one look        open, and idle between two verbs      remembered
//! the next look   has done nothing since                ended (`killSessions`)
//! ```
//!
//! A process that lives sends one verb after the other; should it have been frozen for that long, its
//! unit is run again like one that lost a race.

use std::collections::HashMap;

use bson::spec::BinarySubtype;
use bson::{Binary, Bson, Document, doc};
use futures_util::TryStreamExt;
use mongodb::options::{DatabaseOptions, ReadConcern};
use mongodb::{Client, Database};

use super::errors::failure;
use crate::store::error::Stored;

/// An open transaction: whose session it is in, and its number there.
type Transaction = (Vec<u8>, i64);

/// Looks for what was left, and remembers from one look to the next.
#[derive(Debug)]
pub(in crate::store) struct Leftovers {
    admin: Database,
    app_name: String,
    /// How long each has been at work, microseconds, as of the last look.
    idle: HashMap<Transaction, i64>,
}

impl Leftovers {
    pub(super) fn new(client: &Client, app_name: String) -> Self {
        // What goes on at the server is no data, and has no majority.
        let local = DatabaseOptions::builder()
            .read_concern(ReadConcern::local())
            .build();
        let admin = client.database_with_options("admin", local);
        let idle = HashMap::new();
        Self {
            admin,
            app_name,
            idle,
        }
    }

    /// Ends the transactions of this product that have done nothing since the last look; how many.
    pub(in crate::store) async fn end(&mut self) -> Stored<usize> {
        let idle = self.look().await?;
        let before = std::mem::replace(&mut self.idle, idle);
        let left = self
            .idle
            .iter()
            .filter(|(it, work)| before.get(*it) == Some(work));
        let sessions: Vec<Bson> = left.map(|((session, _), _)| named(session)).collect();
        let ended = sessions.len();
        if ended > 0 {
            let command = doc! { "killSessions": sessions };
            let killed = self.admin.run_command(command).await;
            killed.map_err(|error| failure(&error))?;
        }
        Ok(ended)
    }

    /// Whether the last look saw a transaction that was idle.
    pub(in crate::store) fn has_seen_some(&self) -> bool {
        !self.idle.is_empty()
    }

    async fn look(&self) -> Stored<HashMap<Transaction, i64>> {
        let pipeline = [
            doc! { "$currentOp": { "idleSessions": true } },
            doc! { "$match": {
                "type": "idleSession",
                "appName": &self.app_name,
                "transaction.parameters.autocommit": false,
            } },
            doc! { "$project": {
                "session": "$lsid.id",
                "number": "$transaction.parameters.txnNumber",
                "work": "$transaction.timeActiveMicros",
            } },
        ];
        let open = self.admin.aggregate(pipeline).await;
        let open = open.map_err(|error| failure(&error))?;
        let open: Vec<Document> = open.try_collect().await.map_err(|error| failure(&error))?;
        Ok(open.iter().filter_map(read).collect())
    }
}

fn read(open: &Document) -> Option<(Transaction, i64)> {
    let Some(Bson::Binary(session)) = open.get("session") else {
        return None;
    };
    let number = open.get_i64("number").ok()?;
    Some(((session.bytes.clone(), number), open.get_i64("work").ok()?))
}

fn named(session: &[u8]) -> Bson {
    let id = Binary {
        subtype: BinarySubtype::Uuid,
        bytes: session.to_vec(),
    };
    Bson::Document(doc! { "id": id })
}
