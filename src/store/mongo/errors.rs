//! The driver's errors in the port's words.

use mongodb::error::{
    Error, ErrorKind, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT, WriteFailure,
};

use crate::store::error::StoreError;
use crate::store::schema::Schema;

pub(super) const DUPLICATE_KEY: i32 = 11000;
const TIME_EXPIRED: i32 = 50;
const WRITE_CONFLICT: i32 = 112;
const SNAPSHOT_TOO_OLD: i32 = 239;
const FORGOTTEN: &str = "MongoDB has forgotten the instant that was looked at: let it remember longer \
    (its parameter minSnapshotHistoryWindowInSeconds), and begin again";

/// Whether it helps to ask again what became of a commit. Where there was nobody to ask, the time
/// that a caller can be kept waiting is over.
pub(super) fn may_have_committed(error: &Error) -> bool {
    error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT)
        && !matches!(*error.kind, ErrorKind::ServerSelection { .. })
}

/// The server's error code, if it was the server that refused.
pub(super) fn code(error: &Error) -> Option<i32> {
    if let ErrorKind::Command(command) = &*error.kind {
        return Some(command.code);
    }
    if let ErrorKind::Write(WriteFailure::WriteError(write)) = &*error.kind {
        return Some(write.code);
    }
    if let ErrorKind::InsertMany(many) = &*error.kind {
        let first = many.write_errors.as_ref().and_then(|all| all.first());
        return first.map(|write| write.code);
    }
    None
}

/// An error in the port's words; a refused unique index by its declared name.
pub(super) fn told(schema: &Schema, error: &Error) -> StoreError {
    if code(error) == Some(DUPLICATE_KEY) {
        let refused = refused_index(&message(error)).and_then(|name| schema.index_named(&name));
        if let Some(name) = refused {
            return StoreError::Duplicate(name);
        }
    }
    failure(error)
}

/// What the server said; of several inserts the driver keeps it to itself.
fn message(error: &Error) -> String {
    if let ErrorKind::InsertMany(many) = &*error.kind
        && let Some(first) = many.write_errors.as_ref().and_then(|all| all.first())
    {
        return first.message.clone();
    }
    error.to_string()
}

/// `… duplicate key error collection: db.c index: NAME dup key: …`
fn refused_index(message: &str) -> Option<String> {
    let (_, rest) = message.split_once(" index: ")?;
    rest.split_whitespace().next().map(str::to_owned)
}

/// An error in the port's words.
pub(super) fn failure(error: &Error) -> StoreError {
    // Without a code it was the network, or nobody to ask: to begin again at once would only wait.
    let transient = code(error).is_some() && error.contains_label(TRANSIENT_TRANSACTION_ERROR);
    if code(error) == Some(WRITE_CONFLICT) || transient {
        return StoreError::Conflict;
    }
    if code(error) == Some(TIME_EXPIRED) {
        return StoreError::Timeout;
    }
    if code(error) == Some(SNAPSHOT_TOO_OLD) {
        return StoreError::Unsuitable(FORGOTTEN.to_owned());
    }
    StoreError::Unavailable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::refused_index;

    #[test]
    fn the_refused_index_is_read_from_the_servers_sentence() {
        let message = "E11000 duplicate key error collection: a.authsome_users index: users_email \
                       dup key: { app_id: \"x\", email: \" index: y\" }";
        assert_eq!(refused_index(message).as_deref(), Some("users_email"));
    }
}
