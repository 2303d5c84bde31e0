//! Letters as files: one `.eml` each, for machines without a mail server.

use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::{DirBuilder, OpenOptions, rename};
use tokio::io::AsyncWriteExt;

use super::refusal::Refusal;

/// Writes `<id>.eml` into `folder`, whole or not at all. A letter that is sent again replaces
/// itself. Whoever can read the file can use its links: it is its owner's only.
pub(super) async fn put(folder: &Path, id: &str, message: &[u8]) -> Result<(), Refusal> {
    let written = write(folder, id, message).await;
    written.map_err(|error| Refusal::for_now(format!("folder: {}", error.kind())))
}

async fn write(folder: &Path, id: &str, message: &[u8]) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .await?;
    let draft: PathBuf = folder.join(format!(".{id}.draft"));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)
        .await?;
    file.write_all(message).await?;
    file.sync_all().await?;
    rename(&draft, folder.join(format!("{id}.eml"))).await
}
