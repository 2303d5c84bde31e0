//! What can go wrong below the document port, in the port's own words.

/// The result of every verb of the port.
pub type Stored<T> = Result<T, StoreError>;

/// A fact about a failed store call. The text is for logs only and never reaches the wire.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// A unique index refused the write; the name is the one the schema declares (`_id` for the identifier).
    #[error("index {0} already holds this value")]
    Duplicate(&'static str),
    /// Another unit of work changed the same document; units are run again before this is reported.
    #[error("the unit of work kept conflicting with others")]
    Conflict,
    /// The tenant that the caller was let into has been removed meanwhile.
    #[error("the tenant is not there any more")]
    Gone,
    /// The database cannot be reached, refuses writes, or is out of space.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The database did not answer within its bound.
    #[error("the store did not answer in time")]
    Timeout,
    /// A stored document does not have the shape its entity declares.
    #[error("a stored document cannot be read: {0}")]
    Corrupt(String),
    /// An insert named an owner other than the scope of its transaction.
    #[error("a document of {0} was written outside its tenant")]
    OutsideScope(&'static str),
    /// The database does not suit this server; the sentence tells the operator what to do.
    #[error("{0}")]
    Unsuitable(String),
}

impl StoreError {
    /// Whether the same may go well a little later, without anybody mending anything here.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Timeout | Self::Conflict)
    }

    /// The unique index that refused, where that is what happened.
    pub fn duplicate(&self) -> Option<&'static str> {
        if let Self::Duplicate(index) = self {
            Some(index)
        } else {
            None
        }
    }
}
