//! Bringing a backup back: first it is judged, then it is brought, and a kill costs one batch.

use std::io::BufRead;

use super::archive::{Header, Item, Marks, Reader, Section, Sum};
use super::record::{ID, Restore};
use super::{BackupError, Backups, Judge, Progress, repo};
use crate::kernel::time::Timestamp;
use crate::store::{Schema, StoreError, Tx, VERSION, Whole};

/// A unit of work brings so many documents at most, or so many bytes and one document more.
const MOST_DOCUMENTS: usize = 500;
const MOST_BYTES: usize = 1 << 20;

/// An archive that is whole and would be brought back.
#[derive(Debug)]
pub struct Judged {
    pub header: Header,
    pub sections: Vec<Section>,
    pub sum: Sum,
}

impl Judge {
    /// Reads an archive to its end: whether it is whole, of a version that is known, and taken under the
    /// secrets that there are here. With `ends_sessions` the refresh secret may be another.
    pub fn judge(
        &self,
        archive: impl BufRead,
        ends_sessions: bool,
        told: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Judged, BackupError> {
        let (header, mut reader) = Reader::open(archive)?;
        if header.schema > VERSION {
            return Err(BackupError::NewerSchema(header.schema));
        }
        self.knows(&header.secrets, ends_sessions)?;
        let (mut sections, mut open) = (Vec::new(), Open::default());
        loop {
            match reader.next()? {
                Item::Begins(name) => open = Open::of(self.schema(&name)?),
                Item::Document(text) => {
                    let whole = Whole::parse(&text);
                    let judged = whole.and_then(|whole| open.judge(&whole));
                    judged.map_err(|why| reader.damaged(why.to_string()))?;
                    let opens = (self.opens)(&self.ring, open.name(), &text);
                    open.unopened += u64::from(!opens);
                    open.documents += 1;
                    if open.documents % (MOST_DOCUMENTS as u64) == 0 {
                        told(open.progress(reader.bytes()));
                    }
                }
                Item::Ends(section) => {
                    if open.unopened > section.unopened {
                        return Err(BackupError::Unopened {
                            collection: section.collection,
                            fields: open.unopened - section.unopened,
                        });
                    }
                    told(open.progress(reader.bytes()));
                    sections.push(section);
                }
                Item::Sum(sum) => {
                    return Ok(Judged {
                        header,
                        sections,
                        sum,
                    });
                }
            }
        }
    }

    fn knows(&self, source: &Marks, ends_sessions: bool) -> Result<(), BackupError> {
        if !self.ring.recognises(&source.encryption) {
            let id = source.encryption.split_once('.').map_or("", |(id, _)| id);
            return Err(BackupError::EncryptionKey(id.to_owned()));
        }
        let [(_, pepper), (_, refresh_secret)] = &self.marks;
        if source.pepper != *pepper {
            return Err(BackupError::Pepper);
        }
        if source.refresh_secret != *refresh_secret && !ends_sessions {
            return Err(BackupError::RefreshSecret);
        }
        Ok(())
    }

    fn schema(&self, name: &str) -> Result<&'static Schema, BackupError> {
        let known = self.carried().find(|it| it.collection() == name);
        known.ok_or_else(|| BackupError::Unknown(name.to_owned()))
    }
}

/// The collection that is being read.
#[derive(Default)]
struct Open {
    schema: Option<&'static Schema>,
    documents: u64,
    unopened: u64,
}

impl Open {
    fn of(schema: &'static Schema) -> Self {
        Self {
            schema: Some(schema),
            ..Self::default()
        }
    }

    fn name(&self) -> &'static str {
        self.schema.map_or("", Schema::collection)
    }

    fn judge(&self, whole: &Whole) -> Result<(), StoreError> {
        self.schema.map_or(Ok(()), |schema| schema.judge(whole))
    }

    fn progress(&self, bytes: u64) -> Progress<'static> {
        Progress {
            collection: self.name(),
            documents: self.documents,
            bytes,
        }
    }
}

/// Documents of one collection that are brought in one unit of work.
#[derive(Default)]
struct Batch {
    open: Open,
    documents: Vec<Whole>,
    bytes: usize,
}

impl Batch {
    fn takes(&mut self, whole: Whole, bytes: usize) {
        self.documents.push(whole);
        self.bytes += bytes;
    }

    fn is_full(&self) -> bool {
        self.documents.len() >= MOST_DOCUMENTS || self.bytes >= MOST_BYTES
    }
}

impl Backups {
    /// Fails where the store is newer than this server, or has been used: a look at it as it is,
    /// before it is brought up to date.
    pub async fn refuse_used(&self) -> Result<(), BackupError> {
        self.store.refuse_newer().await?;
        let has = self.has().await?;
        if self.is_unfinished(&has).await? {
            return Ok(());
        }
        self.store
            .read(async |tx| self.refuse_filled(tx, &has).await)
            .await
    }

    /// Brings a judged archive back into an empty store, or goes on where the same archive was left;
    /// how many of its documents were there already. The store is brought up to date before.
    pub async fn restore(
        &self,
        archive: impl BufRead,
        judged: &Judged,
        now: Timestamp,
        told: &mut dyn FnMut(Progress<'_>),
    ) -> Result<u64, BackupError> {
        let known = self.begin(judged, now).await?;
        let (_, mut reader) = Reader::open(archive)?;
        let (mut there, mut batch) = (0, Batch::default());
        loop {
            match reader.next()? {
                Item::Begins(name) => batch.open = Open::of(self.judge.schema(&name)?),
                Item::Document(text) => {
                    batch.open.documents += 1;
                    if there + (batch.documents.len() as u64) < known {
                        there += 1;
                        continue;
                    }
                    batch.takes(Whole::parse(&text)?, text.len());
                    if batch.is_full() {
                        there = self.bring(judged, there, &mut batch).await?;
                        told(batch.open.progress(reader.bytes()));
                    }
                }
                Item::Ends(_) => {
                    there = self.bring(judged, there, &mut batch).await?;
                    told(batch.open.progress(reader.bytes()));
                }
                Item::Sum(sum) if sum == judged.sum => {
                    self.end(judged).await?;
                    return Ok(known);
                }
                Item::Sum(_) => return Err(BackupError::AnotherBackup),
            }
        }
    }

    /// Marks the store as one that is being filled; how many documents there are already.
    async fn begin(&self, judged: &Judged, now: Timestamp) -> Result<u64, BackupError> {
        self.store
            .write(async |tx| {
                if let Some(begun) = repo::begun(tx).await? {
                    if begun.archive != judged.sum.sha256 {
                        return Err(BackupError::AnotherBackup);
                    }
                    return Ok(u64::try_from(begun.documents).unwrap_or_default());
                }
                self.refuse_filled(tx, |_| true).await?;
                let restore = Restore {
                    id: ID.to_owned(),
                    archive: judged.sum.sha256.clone(),
                    documents: 0,
                    started_at: now,
                };
                repo::begin(tx, &restore).await?;
                Ok(0)
            })
            .await
    }

    async fn refuse_filled(
        &self,
        tx: &mut Tx<'_>,
        has: impl Fn(&str) -> bool,
    ) -> Result<(), BackupError> {
        let mut every = tx.across_tenants("a backup is brought into a store that nobody has used");
        for schema in self.judge.carried().filter(|it| has(it.collection())) {
            if !every.whole(schema, "", 1).await?.is_empty() {
                return Err(BackupError::NotEmpty(schema.collection()));
            }
        }
        Ok(())
    }

    /// Adds a batch, and counts it, at once; how many documents are there then.
    async fn bring(
        &self,
        judged: &Judged,
        there: u64,
        batch: &mut Batch,
    ) -> Result<u64, BackupError> {
        let documents = std::mem::take(&mut batch.documents);
        batch.bytes = 0;
        let Some(schema) = batch.open.schema.filter(|_| !documents.is_empty()) else {
            return Ok(there);
        };
        let then = there + documents.len() as u64;
        let brought = self
            .store
            .write(async |tx| {
                let step = (signed(there), signed(then));
                if !repo::advance(tx, &judged.sum.sha256, step).await? {
                    return Err(BackupError::NotAlone);
                }
                let mut every = tx.across_tenants("a backup brings every tenant back");
                Ok(every.bring(schema, &documents).await?)
            })
            .await;
        match brought {
            Ok(()) => Ok(then),
            // What is brought was judged, and there was nothing before it.
            Err(BackupError::Store(StoreError::Duplicate(_))) => Err(BackupError::NotAlone),
            Err(why) => Err(why),
        }
    }

    async fn end(&self, judged: &Judged) -> Result<(), BackupError> {
        let sum = &judged.sum;
        self.store
            .write(async |tx| {
                if !repo::end(tx, &sum.sha256, signed(sum.documents)).await? {
                    return Err(BackupError::NotAlone);
                }
                Ok(())
            })
            .await
    }
}

fn signed(documents: u64) -> i64 {
    i64::try_from(documents).unwrap_or(i64::MAX)
}
