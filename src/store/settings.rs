//! Where documents live, and how hard each write is made.

use std::path::PathBuf;

/// Which database, and its bounds.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    pub location: Location,
    /// Connections to MongoDB at most.
    pub pool_size: u32,
    /// Read connections to SQLite at most.
    pub readers: u32,
    pub synchronous: Synchronous,
}

/// A database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file of this path.
    Sqlite(PathBuf),
    /// Nothing outlives the process.
    Memory,
    /// A MongoDB URL with a database name, as the driver documents it.
    Mongo(String),
}

/// When SQLite waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// At every commit: an acknowledged write survives a power cut.
    Full,
    /// At checkpoints: an acknowledged write survives a crash of the process.
    Normal,
}

impl StoreSettings {
    /// The settings of a location with the default bounds.
    pub fn at(location: Location) -> Self {
        Self {
            location,
            pool_size: 64,
            readers: 8,
            synchronous: Synchronous::Full,
        }
    }
}
