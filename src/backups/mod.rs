//! Backups: everything that a store holds, carried in one file to another store of either kind.
//!
//! ```text
//! store ──one instant──▶ archive ──judged as a whole──▶ begun ──batch by batch──▶ done
//! ```
//!
//! An archive is judged before anything is written: its checksums, its version, each document, and
//! whether the secrets here are those it was taken under. Each batch is one unit of work, together
//! with the mark of how far the restore has come: killed at any moment, it goes on from there, and
//! brings nothing twice. Until the mark is gone no server serves the store. Secrets are in no
//! archive. Who may: whoever has the machine; there is no route.
//! Not here: users of one app, with an app of its own ([`crate::transfers`]).

mod archive;
mod record;
mod repo;
mod restoring;
mod taking;

use thiserror::Error;

pub use self::archive::{ArchiveError, Header, Marks, Section, Sum};
pub use self::record::Restore;
pub use self::repo::unfinished;
pub use self::restoring::Judged;
pub use self::taking::Taken;
use crate::kernel::secret::KeyRing;
use crate::store::{Schema, Store, StoreError, Stored, VERSION};

/// What collections of a server's are called by, of whatever version it is.
const PREFIX: &str = "authsome_";
/// What a store keeps of itself, which is in no backup.
const OF_THE_STORE: [&str; 2] = ["authsome_migrations", "authsome_schema"];

/// Takes backups, and brings them back.
#[derive(Debug, Clone)]
pub struct Backups {
    pub store: Store,
    pub judge: Judge,
}

/// What an archive is held against.
#[derive(Debug, Clone)]
pub struct Judge {
    /// What is carried: every collection, but the marks of restores.
    pub schemas: &'static [Schema],
    pub ring: KeyRing,
    /// The pepper and the refresh secret: what each is called, and by what it is known again.
    pub marks: [(&'static str, String); 2],
    /// Whether what is sealed in a document of a collection opens; true where nothing is.
    pub opens: fn(&KeyRing, collection: &str, document: &str) -> bool,
}

/// How far it has come.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    pub collection: &'a str,
    pub documents: u64,
    /// Read of the archive.
    pub bytes: u64,
}

/// Why a backup was not taken, or not brought back. Each is a sentence for an operator.
#[derive(Debug, Error)]
pub enum BackupError {
    #[error("the backup cannot be used: {0}")]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the backup cannot be written: {0}")]
    Unwritten(#[source] std::io::Error),
    #[error(
        "the backup is of a newer version of the server (its schema is {0}, this one knows {VERSION}): \
         bring it back with that version"
    )]
    NewerSchema(i64),
    #[error("the backup has a collection that this version does not know: {0}")]
    Unknown(String),
    #[error(
        "the store has a collection that this version does not know, and that the backup would lack: \
         {0}; take the backup with the version of the server that made it"
    )]
    Lacking(String),
    #[error(
        "the backup was taken under the encryption key {0}, which is not the one here: without it \
         nothing sealed opens; give it in AUTHSOME_SECURITY__ENCRYPTION_KEY"
    )]
    EncryptionKey(String),
    #[error(
        "the backup was taken under another pepper than the one here: no password would be right; give \
         its own in AUTHSOME_SECURITY__PEPPER"
    )]
    Pepper,
    #[error(
        "the backup was taken under another refresh secret than the one here: every session would end, \
         and open links be void; give its own in AUTHSOME_SECURITY__REFRESH_SECRET, or say --end-sessions"
    )]
    RefreshSecret,
    #[error(
        "{fields} sealed fields of {collection} do not open under the encryption keys here, though they \
         did where the backup was taken"
    )]
    Unopened { collection: String, fields: u64 },
    #[error("{collection} has a document that cannot be read, {id}: {why}")]
    Unreadable {
        collection: &'static str,
        id: String,
        #[source]
        why: StoreError,
    },
    #[error(
        "the store was filled under another {0} than the one given here: take the backup with the \
         secrets that its servers have"
    )]
    OtherSecret(&'static str),
    #[error(
        "the store is not empty: there are documents in {0}; a backup is brought back into an empty one"
    )]
    NotEmpty(&'static str),
    #[error(
        "another backup is being brought back into this store; that one has to come to its end"
    )]
    AnotherBackup,
    #[error("somebody else is at this store: another restore, or a server")]
    NotAlone,
    #[error("the store is not whole: `authsome restore` has not come to its end in it")]
    NotWhole,
}

impl Backups {
    /// Whether the store has a collection, which one of an older version may not.
    async fn has(&self) -> Stored<impl Fn(&str) -> bool + use<>> {
        let there = self.store.collections().await?;
        Ok(move |name: &str| there.iter().any(|there| there == name))
    }

    async fn is_unfinished(&self, has: &impl Fn(&str) -> bool) -> Stored<bool> {
        Ok(has(record::COLLECTION) && repo::unfinished(&self.store).await?.is_some())
    }
}

impl Judge {
    /// The collections that are carried, in the order of the archive.
    fn carried(&self) -> impl Iterator<Item = &'static Schema> {
        let is_carried = |it: &&Schema| it.collection() != record::COLLECTION;
        self.schemas.iter().filter(is_carried)
    }

    /// Whether a collection is of a server's that knows more of them than this one.
    fn is_unknown(&self, name: &str) -> bool {
        let is_known = self.schemas.iter().any(|it| it.collection() == name);
        name.starts_with(PREFIX) && !is_known && !OF_THE_STORE.contains(&name)
    }
}
