//! A secret in a file of its own: one line, mode 0600, written whole or not at all.
//!
//! Unix only: who may read a file is asked and set by its mode.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use crate::kernel::{entropy::Entropy, secret::SecretString};

use super::fault::Fault;

const OWNER_ONLY: u32 = 0o600;
/// Any right of the group or of others.
const ANYBODY_ELSE: u32 = 0o077;

/// The secret in this file; `None` where there is no file. A file that others may read is refused.
pub(super) fn read(path: &Path) -> Result<Option<SecretString>, Fault> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(unreadable(path, cause)),
    };
    let about = file.metadata().map_err(|cause| unreadable(path, cause))?;
    let mode = about.permissions().mode() & 0o777;
    if mode & ANYBODY_ELSE != 0 {
        return Err(Fault::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = String::new();
    file.read_to_string(&mut text)
        .map_err(|cause| unreadable(path, cause))?;
    Ok(Some(SecretString::from(
        text.trim_end_matches(['\r', '\n']),
    )))
}

/// Makes the file with this text, unless somebody else makes it first; the secret is what is in
/// the file afterwards. Of any number of processes at once, all get the same.
pub(super) fn make(path: &Path, text: &str, entropy: &Entropy) -> Result<SecretString, Fault> {
    let not_made = |cause| Fault::NotMade {
        path: path.to_owned(),
        cause,
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = path.with_file_name(format!(".{name}.{}", entropy.token()));
    write(&draft, text).map_err(not_made)?;
    // A link appears whole and never replaces: the first one wins, the others read it.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft).map_err(not_made)?;
    match linked {
        Ok(()) => persist_name(path).map_err(not_made)?,
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
        Err(cause) => return Err(not_made(cause)),
    }
    read(path)?.ok_or_else(|| not_made(io::ErrorKind::NotFound.into()))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// Makes the new name survive a power cut: a name belongs to its folder.
fn persist_name(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn unreadable(path: &Path, cause: io::Error) -> Fault {
    Fault::Unreadable {
        path: path.to_owned(),
        cause,
    }
}
