//! Taking a backup: every collection, as all of them are at one instant.

use std::io::Write;

use super::archive::{Header, Marks, Section, Sum, Writer, header};
use super::{BackupError, Backups, Judge, Progress};
use crate::kernel::time::Timestamp;
use crate::setup::{self, SecretMark};
use crate::store::{AcrossTenants, Entity, Schema, Tx};
use crate::tokens::SigningKey;

/// Documents read at a time.
const PAGE: u32 = 500;
/// The version of a store that has no mark: there was none then.
const UNMARKED: i64 = 1;

/// A backup that was taken.
#[derive(Debug)]
pub struct Taken {
    pub header: Header,
    pub sections: Vec<Section>,
    pub sum: Sum,
}

impl Backups {
    /// Writes everything that the store holds at one instant to `out`, which is flushed and given
    /// back. Servers read and write on meanwhile. Nothing in the store is changed, also not where
    /// it is of an older version.
    ///
    /// The instant is a read transaction on SQLite and a snapshot session on MongoDB, which
    /// remembers an instant for five minutes unless it is told otherwise; where it has forgotten
    /// it, [`crate::store::StoreError::Unsuitable`] says so.
    pub async fn take<W: Write>(
        &self,
        out: W,
        now: Timestamp,
        told: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(Taken, W), BackupError> {
        self.refuse_unfit().await?;
        self.refuse_unknown().await?;
        let has = self.has().await?;
        let schema = self.store.version().await?.unwrap_or(UNMARKED);
        let header = header(self.store.kind(), schema, now, self.judge.own_marks());
        let mut writer = Writer::new(out, &header).map_err(BackupError::Unwritten)?;
        let sections = self
            .store
            .read(async |tx| {
                let mut every = tx.across_tenants("a backup is of everything");
                let mut sections = Vec::new();
                for schema in self.judge.carried() {
                    sections.push(if has(schema.collection()) {
                        self.section(&mut every, schema, &mut writer, told).await?
                    } else {
                        nothing(schema, &mut writer)?
                    });
                }
                Ok::<_, BackupError>(sections)
            })
            .await?;
        let (sum, out) = writer.finishes().map_err(BackupError::Unwritten)?;
        let taken = Taken {
            header,
            sections,
            sum,
        };
        Ok((taken, out))
    }

    /// Fails where the store is newer than this server, not whole, or of other secrets.
    pub async fn refuse_unfit(&self) -> Result<(), BackupError> {
        self.store.refuse_newer().await?;
        let has = self.has().await?;
        if self.is_unfinished(&has).await? {
            return Err(BackupError::NotWhole);
        }
        if !has(SecretMark::COLLECTION) {
            return Ok(());
        }
        for (name, mark) in &self.judge.marks {
            if setup::is_other(&self.store, name, mark).await? {
                return Err(BackupError::OtherSecret(name));
            }
        }
        Ok(())
    }

    /// Fails where something would be left out: a new collection does not raise the version.
    async fn refuse_unknown(&self) -> Result<(), BackupError> {
        let there = self.store.collections().await?;
        let unknown = there.into_iter().find(|it| self.judge.is_unknown(it));
        unknown.map_or(Ok(()), |name| Err(BackupError::Lacking(name)))
    }

    async fn section(
        &self,
        every: &mut Tx<'_, AcrossTenants>,
        schema: &Schema,
        writer: &mut Writer<impl Write>,
        told: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Section, BackupError> {
        let collection = schema.collection();
        let (mut after, mut documents, mut unopened) = (String::new(), 0, 0);
        writer.begins(collection).map_err(BackupError::Unwritten)?;
        loop {
            let page = every.whole(schema, &after, PAGE).await?;
            let Some(last) = page.last() else {
                break;
            };
            last.id().clone_into(&mut after);
            for document in &page {
                schema
                    .judge(document)
                    .map_err(|why| BackupError::Unreadable {
                        collection,
                        id: document.id().to_owned(),
                        why,
                    })?;
                let text = document.to_string();
                let opens = (self.judge.opens)(&self.judge.ring, collection, &text);
                unopened += u64::from(!opens);
                writer.document(&text).map_err(BackupError::Unwritten)?;
            }
            documents += page.len() as u64;
            told(Progress {
                collection,
                documents,
                bytes: 0,
            });
        }
        // All of a signing key is sealed, and every installation has one.
        if collection == SigningKey::COLLECTION && documents > 0 && unopened == documents {
            return Err(BackupError::OtherSecret("encryption key"));
        }
        writer
            .ends(collection, unopened)
            .map_err(BackupError::Unwritten)
    }
}

/// A collection that an older version did not have.
fn nothing(schema: &Schema, writer: &mut Writer<impl Write>) -> Result<Section, BackupError> {
    let begun = writer.begins(schema.collection());
    begun
        .and_then(|()| writer.ends(schema.collection(), 0))
        .map_err(BackupError::Unwritten)
}

impl Judge {
    fn own_marks(&self) -> Marks {
        let [(_, pepper), (_, refresh_secret)] = self.marks.clone();
        Marks {
            encryption: self.ring.mark(),
            pepper,
            refresh_secret,
        }
    }
}
