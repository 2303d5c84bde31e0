//! The document itself: it is the committed one, it is valid, and clients can be made from it.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::lint::faults;
use super::{DOCUMENT, operations};
use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::stores::{Backend, run};

#[test]
fn it_is_the_committed_one() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/authsome.json");
    let committed = fs::read_to_string(file).unwrap_or_default();
    let pretty = serde_json::to_string_pretty(&*DOCUMENT).expect("a document is JSON");

    let is_same = committed.trim_end() == pretty;

    assert!(
        is_same,
        "openapi/authsome.json is not what the code says: run `just update`"
    );
}

#[test]
fn it_is_what_the_server_serves() {
    run(async {
        let app = TestApp::on(Backend::Sqlite).await;

        let served = app.get("/.well-known/authsome/openapi").await.told(200);

        assert_eq!(served, *DOCUMENT);
    });
}

#[test]
fn it_has_everything_that_readers_and_generators_need() {
    let faults = faults(&DOCUMENT);

    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// The judgement of another implementation, `openapi-spec-validator`: whether it accepts.
fn is_valid(document: &Value) -> (bool, String) {
    let file = NamedTempFile::with_suffix(".json").expect("a file for the document");
    fs::write(file.path(), document.to_string()).expect("a file of ours");
    let python = std::env::var("E2E_PYTHON")
        .expect("E2E_PYTHON is not set: run the tests by tests/run, which provides it");
    let mut command = Command::new(python);
    let judged = command
        .args(["-m", "openapi_spec_validator", "--schema", "3.1"])
        .arg(file.path());
    let judged = judged.output().expect("python runs");
    let told = [judged.stdout, judged.stderr].concat();
    (
        judged.status.success(),
        String::from_utf8_lossy(&told).into_owned(),
    )
}

#[test]
fn it_is_valid_openapi_3_1() {
    assert!(
        DOCUMENT["openapi"]
            .as_str()
            .is_some_and(|it| it.starts_with("3.1."))
    );

    let (is_valid, told) = is_valid(&DOCUMENT);

    assert!(is_valid, "{told}");
}

/// What Redocly says of a document, by the rules of `tests/e2e/redocly.yaml`: errors and warnings.
fn lint(document: &Value) -> Vec<String> {
    let file = NamedTempFile::with_suffix(".json").expect("a file for the document");
    fs::write(file.path(), document.to_string()).expect("a file of ours");
    let e2e = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e");
    let mut redocly = Command::new(e2e.join("node_modules/.bin/redocly"));
    redocly
        .args(["lint", "--format=json", "--config"])
        .arg(e2e.join("redocly.yaml"));
    redocly
        .env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    let told = redocly
        .arg(file.path())
        .output()
        .expect("redocly runs: tests/run provides it");
    let told: Value = serde_json::from_slice(&told.stdout)
        .unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(&told.stderr)));
    let problems = told["problems"]
        .as_array()
        .expect("a list of problems")
        .iter();
    problems
        .map(|it| format!("{}: {}", it["ruleId"], it["message"]))
        .collect()
}

#[test]
fn it_lints_clean() {
    assert_eq!(lint(&DOCUMENT), [""; 0]);
}

#[test]
fn what_does_not_lint_is_told() {
    let mut document = DOCUMENT.clone();
    let path = &operations()[0].path;
    let _ = document["paths"][path]["get"]
        .as_object_mut()
        .expect("an operation")
        .remove("security");

    let told = lint(&document);

    assert!(
        told.iter().any(|it| it.contains("security-defined")),
        "{told:?}"
    );
}

#[test]
fn a_document_that_is_not_valid_is_told_apart() {
    let path = &operations()[0].path;
    for (place, spoilt) in [
        ("/openapi", json!("3.1")),
        ("/info", json!({})),
        (
            "/components/schemas/User/properties/id",
            json!({"type": "text"}),
        ),
    ] {
        let mut document = DOCUMENT.clone();
        *document
            .pointer_mut(place)
            .unwrap_or_else(|| panic!("nothing at {place}")) = spoilt;
        assert!(!is_valid(&document).0, "{place}");
    }
    let mut nameless = DOCUMENT.clone();
    nameless["paths"][path]["get"]["responses"]["200"] = json!({});
    assert!(!is_valid(&nameless).0, "a response without a description");
}
