//! The version of what the collections hold, which every start compares with its own.
//!
//! What an index or a collection lacks, a start makes, and an older server can serve beside it.
//! The version is for the rest: it is raised where an older server would misread documents.

use super::error::StoreError;

/// The version that this server writes.
pub const VERSION: i64 = 1;

/// Where a store keeps its own: in the document of this name.
pub(super) const COLLECTION: &str = "authsome_schema";
pub(super) const ID: &str = "version";

/// Why a store of this version is not served, where it is not.
pub(super) fn refusal(found: Option<i64>) -> Option<StoreError> {
    let newer = found.filter(|found| *found > VERSION)?;
    Some(StoreError::Unsuitable(format!(
        "this database was written by a newer version of the server (its schema is {newer}, this \
         one knows {VERSION}): run that version, or restore the backup from before the upgrade"
    )))
}
