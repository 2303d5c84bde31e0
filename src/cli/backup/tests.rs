use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

fn in_a_folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let name = folder.path().join("shop.backup");
    (folder, name)
}

fn entries(folder: &TempDir) -> usize {
    fs::read_dir(folder.path()).unwrap().count()
}

#[test]
fn a_draft_that_is_kept_is_there_under_its_name_alone() {
    let (folder, name) = in_a_folder();
    let draft = Draft::of(&name).unwrap();
    fs::write(&draft.path, "a backup").unwrap();

    draft.keep().unwrap();

    assert_eq!(fs::read_to_string(&name).unwrap(), "a backup");
    assert_eq!(entries(&folder), 1);
}

#[test]
fn a_draft_that_is_not_kept_goes() {
    let (folder, name) = in_a_folder();
    let draft = Draft::of(&name).unwrap();
    assert_eq!(entries(&folder), 1);

    drop(draft);

    assert_eq!(entries(&folder), 0);
}

/// RACE: somebody makes such a file while the backup is taken; here one that leads nowhere yet.
#[test]
fn what_has_come_to_the_name_meanwhile_stays_as_it_is() {
    let (folder, name) = in_a_folder();
    let draft = Draft::of(&name).unwrap();
    symlink("nowhere", &name).unwrap();

    let refused = draft.keep().unwrap_err().to_string();

    assert!(refused.contains("there already"), "{refused}");
    assert_eq!(fs::read_link(&name).unwrap(), Path::new("nowhere"));
    assert_eq!(entries(&folder), 1, "the draft is gone");
}

#[test]
fn a_draft_that_somebody_holds_stays_and_is_kept() {
    let (_folder, name) = in_a_folder();
    let first = Draft::of(&name).unwrap();
    fs::write(&first.path, "the first").unwrap();

    let second = format!("{:#}", Draft::of(&name).unwrap_err());

    assert!(second.contains("written by somebody else"), "{second}");
    first.keep().unwrap();
    assert_eq!(fs::read_to_string(&name).unwrap(), "the first");
}

/// RACE: a draft was removed, and made anew by somebody else, who loses nothing by it.
#[test]
fn a_draft_that_goes_leaves_the_one_that_somebody_made_since() {
    let (folder, name) = in_a_folder();
    let draft = Draft::of(&name).unwrap();
    fs::remove_file(&draft.path).unwrap();
    let other = Draft::of(&name).unwrap();

    drop(draft);

    assert_eq!(entries(&folder), 1);
    other.keep().unwrap();
}
