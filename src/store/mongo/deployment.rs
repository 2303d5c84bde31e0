//! What answers at the other end, and the sentence for the operator where it cannot serve.

use std::time::Duration;

use bson::{Document, doc};
use mongodb::error::ErrorKind;
use mongodb::options::ClientOptions;
use mongodb::{Client, Database};

use super::errors::failure;
use crate::kernel::time::Timestamp;
use crate::store::error::{StoreError, Stored};

/// How long a server that was not to be found may take to say what it is.
const SECOND_LOOK: Duration = Duration::from_secs(1);
const STANDALONE: &str = "this mongod is a standalone server, which has no transactions; start it \
    with `--replSet rs0` and run once: mongosh --eval 'rs.initiate()' (one member is enough)";
const NOT_INITIATED: &str = "this mongod belongs to a replica set that nobody has initiated; run \
    once: mongosh --eval 'rs.initiate()' (one member is enough)";
const NOT_LET_IN: &str = "MongoDB does not let this server in: check the user, the password and \
    `authSource` in AUTHSOME_STORE__URL";

/// Lets only a replica set pass, or what stands before several of them, and which lets this server in.
pub(super) async fn refuse_unsuitable(database: &Database, options: ClientOptions) -> Stored<()> {
    match hello(database).await {
        Ok(answer) => refusal(&answer).map_or(Ok(()), Err),
        Err(error) if matches!(*error.kind, ErrorKind::Authentication { .. }) => {
            Err(StoreError::Unsuitable(NOT_LET_IN.to_owned()))
        }
        // To the driver, a server outside the set that the URL names is none. Asked directly, it
        // says what it is.
        Err(error) => {
            let answer = hello_of_one(options).await;
            let refusal = answer.and_then(|answer| refusal(&answer));
            Err(refusal.unwrap_or_else(|| failure(&error)))
        }
    }
}

fn refusal(answer: &Document) -> Option<StoreError> {
    if answer.contains_key("setName") || answer.get_str("msg").is_ok_and(|kind| kind == "isdbgrid")
    {
        return None;
    }
    let waits_for_its_set = answer.get_bool("isreplicaset").unwrap_or(false);
    let sentence = if waits_for_its_set {
        NOT_INITIATED
    } else {
        STANDALONE
    };
    Some(StoreError::Unsuitable(sentence.to_owned()))
}

/// Whether writes are accepted.
pub(super) async fn refuse_without_primary(database: &Database) -> Stored<()> {
    let answer = told(database).await?;
    if answer.get_bool("isWritablePrimary").unwrap_or(false) {
        return Ok(());
    }
    Err(StoreError::Unavailable("no primary".to_owned()))
}

/// What the clock of the server says that answers.
pub(super) async fn time(database: &Database) -> Stored<Timestamp> {
    let answer = told(database).await?;
    let time = answer.get_datetime("localTime");
    let time = time.map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(Timestamp::from_millis(time.timestamp_millis()))
}

async fn told(database: &Database) -> Stored<Document> {
    hello(database).await.map_err(|error| failure(&error))
}

async fn hello(database: &Database) -> mongodb::error::Result<Document> {
    database.run_command(doc! { "hello": 1 }).await
}

async fn hello_of_one(mut options: ClientOptions) -> Option<Document> {
    options.repl_set_name = None;
    options.direct_connection = Some(true);
    options.hosts.truncate(1);
    options.server_selection_timeout = Some(SECOND_LOOK);
    let client = Client::with_options(options).ok()?;
    hello(&client.database("admin")).await.ok()
}
