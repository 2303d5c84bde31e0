//! Letters as files: one `.eml` each, for machines without a mail server.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use tokio::fs::{DirBuilder, OpenOptions, rename};
use tokio::io::AsyncWriteExt;

use super::refusal::Refusal;

/// Writes `<id>.eml` into `folder`, whole or not at all. A letter that is sent again replaces
/// itself. Whoever can read the file can use its links: it is its owner's only.
pub(super) async fn put(folder: &Path, id: &str, message: &[u8]) -> Result<(), Refusal> {
    let written = write(folder, id, message).await;
    written.map_err(|error| Refusal::for_now(format!("folder: {}", error.kind())))
}

/// Whether the folder takes letters, or could be made where it is to be. Changes nothing.
pub(super) fn try_out(folder: &Path) -> Result<(), Refusal> {
    let here = |it| {
        if it == Path::new("") {
            Path::new(".")
        } else {
            it
        }
    };
    let mut above = folder.ancestors().map(here);
    let nearest = above.find(|it| it.exists()).unwrap_or(Path::new("/"));
    if !nearest.is_dir() {
        let why = format!("folder: {} is no folder", nearest.display());
        return Err(Refusal::for_now(why));
    }
    access(nearest, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| Refusal::for_now(format!("folder: {}: {error}", nearest.display())))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_takes_letters_where_it_is_or_can_be_made() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        std::fs::write(&file, "").unwrap();

        assert!(try_out(home.path()).is_ok());
        assert!(try_out(&home.path().join("mail/of/today")).is_ok());
        assert!(try_out(Path::new("not-there-yet")).is_ok());
        assert!(try_out(&file).is_err());
        assert!(try_out(&file.join("below")).is_err());
    }
}
