//! Clients that nobody here wrote: generated from the committed document, judged by the type checker
//! of their language, and each driven through the whole journey.
//!
//! ```text
//! openapi/authsome.json ─▶ generator ─▶ type checker ─▶ sign up ─ verify ─ found ─ invite ─ accept
//!                                                       ─ switch ─ check ─ revoke ─ be refused
//! ```

use std::path::{Path, PathBuf};
use std::process::Command;

use super::server::Home;
use super::{in_a_file, provided, script, succeeds};
use crate::support::stores::{Backend, run};

const STEPS: &str = "signed up and verified\ninvited and accepted\nswitched and checked\n\
    revoked and refused\n";

/// A client in a language, made anew.
fn generated(language: &str) -> PathBuf {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("clients/{language}"));
    let mut generate = Command::new(script("clients/generate.sh"));
    generate.env("E2E_PYTHON", provided("E2E_PYTHON"));
    succeeds(generate.arg(language).arg(&out));
    out
}

/// Drives a client against a server of its own.
async fn makes_the_journey(backend: Backend, client: &mut Command) {
    let home = Home::on(backend).await;
    let file = in_a_file(&home, &home.bootstrap(&[]));
    let server = home.serve().await;
    client.arg(&server.url).arg(file);
    client.arg(home.folder().join("authsome-data/mail"));

    let told = succeeds(client);

    assert_eq!(told, STEPS, "{backend:?}");
}

#[test]
fn openapi_fetch_and_hey_api_make_the_whole_journey() {
    let journeys = generated("typescript").join("journeys");
    run(async {
        for (backend, name) in [
            (Backend::Sqlite, "fetch.js"),
            (Backend::Mongo, "fetch.js"),
            (Backend::Sqlite, "hey.js"),
        ] {
            let mut client = Command::new("node");
            makes_the_journey(backend, client.arg(journeys.join(name))).await;
        }
    });
}

#[test]
fn openapi_python_client_makes_the_whole_journey() {
    let journey = generated("python").join("journey.py");
    run(async {
        let mut client = Command::new(provided("E2E_PYTHON"));
        makes_the_journey(Backend::Sqlite, client.arg(journey)).await;
    });
}

#[test]
fn openapi_generator_makes_the_whole_journey_in_rust() {
    let journey = generated("rust").join("journey");
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients/built");
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--locked", "--quiet"])
        .current_dir(journey);
    succeeds(cargo.env("CARGO_TARGET_DIR", &built));
    run(async {
        let mut client = Command::new(built.join("debug/journey"));
        makes_the_journey(Backend::Sqlite, &mut client).await;
    });
}
