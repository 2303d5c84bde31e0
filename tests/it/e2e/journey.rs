//! The main job, by clients that share nothing with the server.

use std::process::Command;

use tempfile::TempDir;

use super::server::Home;
use super::{in_a_file, provided, script, succeeds};
use crate::support::stores::{Backend, on_both_stores, run};

on_both_stores! {
    /// Sign-up, sign-in, offline verification by another JOSE library, refresh, replay, sign-out.
    async fn a_backend_in_python_trusts_tokens_it_verifies_offline(home: Home) {
        let file = in_a_file(&home, &home.bootstrap(&[]));
        let server = home.serve().await;

        let mut journey = Command::new(provided("E2E_PYTHON"));
        let told = succeeds(journey.arg(script("journey.py")).arg(&server.url).arg(file));

        assert!(told.contains("signed out"), "{told}");
    }
}

/// The client is what the committed document says; what the document lacks does not compile. It is
/// made once for both stores: that takes longest.
#[test]
fn a_typescript_client_generated_from_the_document_does_the_same_on_both_stores() {
    let client = TempDir::new().expect("a folder for the client");
    succeeds(Command::new(script("generate.sh")).arg(client.path()));
    for backend in [Backend::Sqlite, Backend::Mongo] {
        run(async {
            let home = Home::on(backend).await;
            let file = in_a_file(&home, &home.bootstrap(&[]));
            let server = home.serve().await;

            let mut journey = Command::new("node");
            journey.arg(client.path().join("client.js"));
            let told = succeeds(journey.arg(&server.url).arg(file));

            assert!(told.contains("signed out"), "{backend:?}: {told}");
        });
    }
}
