//! What can be wrong with a configuration, each as one sentence for a person at a terminal.
//!
//! A sentence names the setting as its giver spelled it, its source, and the way out. None holds
//! a secret: the variants for secrets have no room for one.

use std::{fmt, io, path::PathBuf};

/// One thing that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("{spelled} is not a setting; did you mean {nearest}?")]
    Unknown { spelled: String, nearest: String },

    #[error("[{section}] in {path} is not a section; did you mean [{nearest}]?")]
    UnknownSection {
        section: String,
        path: String,
        nearest: String,
    },

    #[error("{spelled} is {text:?}, but {why}.")]
    Value {
        spelled: String,
        text: String,
        why: String,
    },

    #[error("{spelled} cannot be used: {why}.")]
    Secret { spelled: String, why: String },

    #[error("{first} and {second} are both given; keep one of them.")]
    Twice { first: String, second: String },

    #[error("{spelled} is {what}, which no setting takes.")]
    Shape { spelled: String, what: &'static str },

    #[error("{spelled} names {}, which cannot be read: {cause}.", path.display())]
    Named {
        spelled: String,
        path: PathBuf,
        cause: io::Error,
    },

    // Without the name: people put the secret itself where its file belongs.
    #[error("{spelled} names a file that cannot be read: {cause}.")]
    SecretFile { spelled: String, cause: io::Error },

    #[error("{} cannot be read: {cause}.", path.display())]
    Unreadable { path: PathBuf, cause: io::Error },

    #[error("{} is not a TOML file: {why}.", path.display())]
    NotToml { path: PathBuf, why: String },

    #[error("{} cannot be made: {cause}.", path.display())]
    NotMade { path: PathBuf, cause: io::Error },

    #[error(
        "{0} can be read by others (its mode is {mode:03o}); run: chmod 600 {0}",
        path.display()
    )]
    Exposed { path: PathBuf, mode: u32 },

    #[error(
        "{} exists, but the secret it was filled with is missing: restore {} or set {variable}.",
        database.display(),
        path.display()
    )]
    Lost {
        database: PathBuf,
        path: PathBuf,
        variable: String,
    },

    #[error(
        "the secret that the backup was taken under is not here: put it into {}, or set {variable}.",
        path.display()
    )]
    Absent { path: PathBuf, variable: String },

    #[error(
        "MongoDB is shared by nodes, so secrets are not made up: set {} to the same text on every \
         node, each made with `openssl rand -base64 32`.",
        variables.join(" and ")
    )]
    MissingOnMongo { variables: Vec<String> },
}

/// Everything that is wrong, a sentence a line.
#[derive(Debug)]
pub struct Faults(Vec<Fault>);

impl Faults {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<Fault>> for Faults {
    fn from(faults: Vec<Fault>) -> Self {
        Self(faults)
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.0.iter().enumerate() {
            let line_break = if at == 0 { "" } else { "\n" };
            write!(f, "{line_break}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
