//! The built binary from outside, as its operators and clients have it.
//!
//! Each test has a [`server::Home`] of its own: an empty folder to run in, a port, a database.
//! Other languages have their say by the scripts of `tests/e2e`; `tests/run` provides what they
//! need.

mod backups;
mod bootstrap;
mod clients;
mod commands;
mod connections;
mod deploy;
mod discovering;
mod docs;
mod doctor;
mod first_start;
mod fuzzing;
mod idempotency;
mod jobs;
mod journey;
mod keys;
mod letters;
mod life;
mod pages;
mod readme;
mod reseal;
mod secrecy;
pub mod server;
mod silence;
mod stage;
mod starting;
mod stopping;
mod traces;
mod transfers;
mod verifiers;
mod webhooks;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use self::server::Home;

/// What `tests/run` provides under this name.
fn provided(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run the tests by tests/run, which provides it")
    })
}

/// Files in a folder that goes with them.
fn in_folder(files: &[(&str, String)]) -> TempDir {
    let folder = TempDir::new().expect("a folder for the verifier");
    for (name, content) in files {
        fs::write(folder.path().join(name), content).expect("a file of ours");
    }
    folder
}

/// With the packages of Node.
fn with_modules(files: &[(&str, String)]) -> TempDir {
    let folder = in_folder(files);
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/node_modules");
    let link = folder.path().join("node_modules");
    std::os::unix::fs::symlink(modules, link).expect("a link of ours");
    folder
}

/// A file of `tests/e2e`.
fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/e2e")
        .join(name)
}

/// What `bootstrap --json` printed, in a file for the scripts.
fn in_a_file(home: &Home, bootstrapped: &Value) -> PathBuf {
    let file = home.folder().join("bootstrap.json");
    fs::write(&file, bootstrapped.to_string()).expect("a file in a folder of ours");
    file
}

/// Runs a command that must succeed; what it wrote to standard output.
fn succeeds(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|why| panic!("{command:?} cannot be run: {why}"));
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{command:?}: {}\n{out}\n{err}",
        output.status
    );
    out.into_owned()
}
