//! The mark of a restore: each change of it is one conditional write.

use super::record::{ID, Restore};
use crate::store::{Field, Filter, Store, Stored, Tx, by_id};

const ARCHIVE: Field<Restore, String> = Field::at("archive");
const DOCUMENTS: Field<Restore, i64> = Field::at("documents");

/// The restore that has not come to its end here, if there is one.
pub async fn unfinished(store: &Store) -> Stored<Option<Restore>> {
    store.once().shared().get(ID).await
}

pub(super) async fn begun(tx: &mut Tx<'_>) -> Stored<Option<Restore>> {
    tx.get(ID).await
}

pub(super) async fn begin(tx: &mut Tx<'_>, restore: &Restore) -> Stored<()> {
    tx.insert(restore).await
}

/// From `from` documents to `to`; false where it is not there any more.
pub(super) async fn advance(
    tx: &mut Tx<'_>,
    archive: &str,
    (from, to): (i64, i64),
) -> Stored<bool> {
    let there = at(archive, from);
    Ok(tx.update_one(there, DOCUMENTS.set(to)).await?.is_some())
}

/// Removes the mark; false where it is not at `documents`.
pub(super) async fn end(tx: &mut Tx<'_>, archive: &str, documents: i64) -> Stored<bool> {
    Ok(tx.take_one(at(archive, documents)).await?.is_some())
}

fn at(archive: &str, documents: i64) -> Filter<Restore> {
    by_id(ID) & ARCHIVE.eq(archive.to_owned()) & DOCUMENTS.eq(documents)
}
