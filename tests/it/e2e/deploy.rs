//! What `deploy/` and the lock file hold, judged by the tools of those who will run it.
//!
//! Each test is a check of `tests/e2e/deploy.py`, which says what it looks at. What a file says of the
//! server (settings, metrics, paths, indexes, how long it takes to stop) is compared with the binary.

use std::process::Command;

use tempfile::TempDir;

use super::{provided, script, succeeds};

/// A check, in an empty folder.
fn passes(check: &str) {
    let folder = TempDir::new().expect("a folder to run in");
    let mut checking = Command::new(provided("E2E_PYTHON"));
    checking
        .arg(script("deploy.py"))
        .args([check, env!("CARGO_BIN_EXE_authsome")])
        .current_dir(folder.path());
    succeeds(&mut checking);
}

#[test]
fn the_image_is_built_of_what_reaches_the_builder_and_runs_without_root() {
    passes("image");
}

#[test]
fn the_nodes_of_the_compose_file_take_its_settings_and_the_secrets_that_it_makes() {
    passes("cluster");
}

#[test]
fn a_node_needs_the_rights_that_the_cluster_gives_it_and_no_others() {
    provided("MONGOD");
    passes("database");
}

#[test]
fn pods_are_restricted_and_take_real_secrets_and_none_of_the_examples() {
    passes("pods");
}

#[test]
fn systemd_understands_the_unit_and_finds_little_exposed() {
    passes("unit");
}

#[test]
fn the_dashboard_and_the_alerts_ask_for_metrics_that_a_server_tells() {
    provided("E2E_PROMTOOL");
    passes("watching");
}

#[test]
fn each_unique_index_begins_with_the_shard_key_that_its_collection_is_said_to_take() {
    passes("sharding");
}

#[test]
fn crates_have_a_licence_that_we_take_and_come_from_one_registry_and_are_all_in_the_bill() {
    passes("supply");
}

#[test]
fn every_yaml_file_keeps_the_rules() {
    passes("yaml_files");
}
