//! The archive: one file of JSON lines. Documents are objects; what is said of them are lists.
//!
//! ```text
//! ["authsome-backup", {version, schema, server, store, taken_at, secrets}]
//! ["collection", "authsome_apps"]
//! {"_id":"aapp_…", …}                                        one document a line, members sorted
//! ["end", {collection, documents, unopened, sha256}]         of the document lines before it
//! …
//! ["sum", {documents, sha256}]                               of every byte before it
//! ```
//!
//! Whoever reads it to its end has compared every count and checksum: a file that is cut off or
//! damaged is found before anything of it is used.

use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kernel::checksum::Checksum;
use crate::kernel::time::Timestamp;

const FORMAT: &str = "authsome-backup";
/// The version of the format that is written, and the newest that is read.
const VERSION: u32 = 1;
/// MongoDB's documents have 16 MiB at most; as JSON they may take more room.
const LONGEST_LINE: u64 = 64 << 20;

/// What an archive says of itself first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    version: u32,
    /// The version of the store's schema, see [`crate::store::VERSION`].
    pub schema: i64,
    /// The version of the server that wrote it.
    pub server: String,
    /// `sqlite` or `mongodb`.
    pub store: String,
    pub taken_at: Timestamp,
    pub secrets: Marks,
}

/// By what the secrets of the source are known again; none of them is in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// The mark of the first encryption key.
    pub encryption: String,
    pub pepper: String,
    pub refresh_secret: String,
}

/// What is said of a collection behind its documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    pub collection: String,
    pub documents: u64,
    /// Sealed documents that did not open where they come from either.
    pub unopened: u64,
    pub sha256: String,
}

/// What is said of the whole at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    pub documents: u64,
    pub sha256: String,
}

/// Why an archive is not read on.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("it cannot be read: {0}")]
    Unread(#[from] io::Error),
    #[error("it is no backup of this server's")]
    NotOne,
    #[error(
        "it was written by a newer version of the server, in a format that this one does not know ({0})"
    )]
    Newer(u32),
    #[error("it is cut off: its end is missing")]
    CutOff,
    #[error("line {line} is damaged: {why}")]
    Damaged { line: u64, why: String },
}

/// The header of an archive that is taken now.
pub(super) fn header(store: &str, schema: i64, taken_at: Timestamp, secrets: Marks) -> Header {
    Header {
        version: VERSION,
        schema,
        server: env!("CARGO_PKG_VERSION").to_owned(),
        store: store.to_owned(),
        taken_at,
        secrets,
    }
}

/// Counted and summed lines.
#[derive(Debug, Clone, Default)]
struct Count {
    documents: u64,
    sum: Checksum,
}

impl Count {
    fn takes(&mut self, line: &[u8]) {
        self.documents += 1;
        self.sum.takes(line);
    }
}

/// Writes an archive from its first line to its last.
#[derive(Debug)]
pub(super) struct Writer<W> {
    out: W,
    section: Count,
    whole: Count,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(out: W, header: &Header) -> io::Result<Self> {
        let mut writer = Self {
            out,
            section: Count::default(),
            whole: Count::default(),
        };
        writer.says(FORMAT, header)?;
        Ok(writer)
    }

    pub(super) fn begins(&mut self, collection: &str) -> io::Result<()> {
        self.section = Count::default();
        self.says("collection", &collection)
    }

    pub(super) fn document(&mut self, text: &str) -> io::Result<()> {
        let line = format!("{text}\n");
        self.section.takes(line.as_bytes());
        self.whole.documents += 1;
        self.line(&line)
    }

    pub(super) fn ends(&mut self, collection: &str, unopened: u64) -> io::Result<Section> {
        let section = Section {
            collection: collection.to_owned(),
            documents: self.section.documents,
            unopened,
            sha256: self.section.sum.text(),
        };
        self.says("end", &section)?;
        Ok(section)
    }

    /// The last line; what was written to is given back, flushed.
    pub(super) fn finishes(mut self) -> io::Result<(Sum, W)> {
        let sum = Sum {
            documents: self.whole.documents,
            sha256: self.whole.sum.text(),
        };
        self.says("sum", &sum)?;
        self.out.flush()?;
        Ok((sum, self.out))
    }

    fn says(&mut self, word: &str, what: &impl Serialize) -> io::Result<()> {
        let line = serde_json::to_string(&(word, what))?;
        self.line(&format!("{line}\n"))
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        self.whole.sum.takes(line.as_bytes());
        self.out.write_all(line.as_bytes())
    }
}

/// What comes next in an archive.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    Begins(String),
    Document(String),
    Ends(Section),
    /// The last one.
    Sum(Sum),
}

/// Reads an archive line by line, and compares what is said with what was read.
#[derive(Debug)]
pub(super) struct Reader<R> {
    input: R,
    line: u64,
    bytes: u64,
    collection: Option<String>,
    section: Count,
    whole: Count,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header.
    pub(super) fn open(input: R) -> Result<(Header, Self), ArchiveError> {
        let mut reader = Self {
            input,
            line: 0,
            bytes: 0,
            collection: None,
            section: Count::default(),
            whole: Count::default(),
        };
        let first = reader.text().map_err(|why| match why {
            ArchiveError::CutOff | ArchiveError::Damaged { .. } => ArchiveError::NotOne,
            why @ (ArchiveError::Unread(_) | ArchiveError::NotOne | ArchiveError::Newer(_)) => why,
        })?;
        let said: Result<(String, Value), _> = serde_json::from_str(&first);
        let (format, said) = said.map_err(|_| ArchiveError::NotOne)?;
        if format != FORMAT {
            return Err(ArchiveError::NotOne);
        }
        let version = said["version"].as_u64().unwrap_or_default();
        if version > u64::from(VERSION) {
            return Err(ArchiveError::Newer(
                u32::try_from(version).unwrap_or(u32::MAX),
            ));
        }
        let header = serde_json::from_value(said).map_err(|why| reader.damaged(why.to_string()))?;
        reader.whole.sum.takes(first.as_bytes());
        Ok((header, reader))
    }

    /// How many bytes have been read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn next(&mut self) -> Result<Item, ArchiveError> {
        let text = self.text()?;
        if text.starts_with('{') {
            if self.collection.is_none() {
                return Err(self.damaged("a document of no collection".to_owned()));
            }
            self.section.takes(text.as_bytes());
            self.whole.takes(text.as_bytes());
            return Ok(Item::Document(text));
        }
        let said: Result<(String, Value), _> = serde_json::from_str(&text);
        let (word, said) = said.map_err(|why| self.damaged(why.to_string()))?;
        let before = self.whole.sum.clone();
        self.whole.sum.takes(text.as_bytes());
        match (word.as_str(), &self.collection) {
            ("collection", None) => self.begins(said),
            ("end", Some(_)) => self.ends(said),
            ("sum", None) => self.sum(said, &before),
            _ => Err(self.damaged(format!("`{word}` has no place here"))),
        }
    }

    fn begins(&mut self, said: Value) -> Result<Item, ArchiveError> {
        let name: String = self.parsed(said)?;
        self.collection = Some(name.clone());
        self.section = Count::default();
        Ok(Item::Begins(name))
    }

    fn ends(&mut self, said: Value) -> Result<Item, ArchiveError> {
        let section: Section = self.parsed(said)?;
        let read = (
            self.collection.take(),
            self.section.documents,
            self.section.sum.text(),
        );
        let told = (
            Some(section.collection.clone()),
            section.documents,
            section.sha256.clone(),
        );
        if read == told {
            return Ok(Item::Ends(section));
        }
        Err(self.damaged(format!(
            "{} is not as it was written: {} documents where there were {}, or another checksum",
            section.collection, read.1, section.documents
        )))
    }

    fn sum(&mut self, said: Value, before: &Checksum) -> Result<Item, ArchiveError> {
        let sum: Sum = self.parsed(said)?;
        if sum.documents != self.whole.documents || sum.sha256 != before.text() {
            return Err(self.damaged("the whole is not as it was written".to_owned()));
        }
        match self.input.fill_buf()? {
            [] => Ok(Item::Sum(sum)),
            _ => Err(self.damaged("something follows the end".to_owned())),
        }
    }

    /// The next line, with its end.
    fn text(&mut self) -> Result<String, ArchiveError> {
        let mut bytes = Vec::new();
        let mut longest = (&mut self.input).take(LONGEST_LINE);
        longest.read_until(b'\n', &mut bytes)?;
        self.line += 1;
        self.bytes += bytes.len() as u64;
        if bytes.last() != Some(&b'\n') {
            let is_long = bytes.len() as u64 == LONGEST_LINE;
            let why = || self.damaged("it does not end".to_owned());
            return Err(if is_long { why() } else { ArchiveError::CutOff });
        }
        String::from_utf8(bytes).map_err(|why| self.damaged(why.to_string()))
    }

    fn parsed<T: serde::de::DeserializeOwned>(&self, said: Value) -> Result<T, ArchiveError> {
        serde_json::from_value(said).map_err(|why| self.damaged(why.to_string()))
    }

    pub(super) fn damaged(&self, why: String) -> ArchiveError {
        let line = self.line;
        ArchiveError::Damaged { line, why }
    }
}

#[cfg(test)]
mod tests;
