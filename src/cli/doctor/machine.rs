//! The machine: the folder that everything is kept in, and the room that is left for it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{Access, access, statvfs};

use super::finding::Finding;
use crate::config::{Config, StoreUrl};

const CHECK: &str = "data directory";

/// What others than the owner may do.
const OF_OTHERS: u32 = 0o077;

/// Below this nothing can be written soon.
const TOO_LITTLE: u64 = 100 << 20;
const LITTLE: u64 = 1 << 30;

/// Nothing, where everything is kept elsewhere.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let StoreUrl::File(database) = &config.store.url else {
        return Vec::new();
    };
    let parent = database.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new("."));
    let Ok(about) = fs::metadata(folder) else {
        let detail = format!("{} is not there yet", folder.display());
        return vec![Finding::ok(
            CHECK,
            format!("{detail}; the first start makes it"),
        )];
    };
    let mode = about.permissions().mode() & 0o777;
    let findings: Vec<_> = [writable(folder), private(folder, mode), room(folder)]
        .into_iter()
        .flatten()
        .collect();
    if findings.is_empty() {
        let detail = format!("{} can be written, by nobody else", folder.display());
        return vec![Finding::ok(CHECK, detail)];
    }
    findings
}

fn writable(folder: &Path) -> Option<Finding> {
    let needed = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    let why = access(folder, needed).err()?;
    let detail = format!("{} cannot be written: {why}", folder.display());
    let advice = "give it to the user that the server runs as (chown)";
    Some(Finding::fail(CHECK, detail, advice))
}

fn private(folder: &Path, mode: u32) -> Option<Finding> {
    if mode & OF_OTHERS == 0 {
        return None;
    }
    let detail = format!(
        "{} is open to other users of this machine (its mode is {mode:03o})",
        folder.display()
    );
    let advice = format!("chmod 700 {}", folder.display());
    Some(Finding::warn(CHECK, detail, advice))
}

fn room(folder: &Path) -> Option<Finding> {
    let space = statvfs(folder).ok()?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    judged(folder, free)
}

fn judged(folder: &Path, free: u64) -> Option<Finding> {
    let detail = format!("{} MiB are free in {}", free >> 20, folder.display());
    let advice = "make room, or move it to a larger volume; a full one refuses every write";
    if free < TOO_LITTLE {
        return Some(Finding::fail(CHECK, detail, advice));
    }
    (free < LITTLE).then(|| Finding::warn(CHECK, detail, advice))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Health;

    #[test]
    fn room_is_short_below_a_gibibyte_and_too_short_below_a_tenth() {
        let judged = |free| judged(Path::new("data"), free).map(|it| it.health);

        assert_eq!(judged(TOO_LITTLE - 1), Some(Health::Fail));
        assert_eq!(judged(TOO_LITTLE), Some(Health::Warn));
        assert_eq!(judged(LITTLE - 1), Some(Health::Warn));
        assert_eq!(judged(LITTLE), None);
    }
}
