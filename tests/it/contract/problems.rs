//! Problems: every `type` that an answer can have is explained where it says, and documented.

use std::collections::BTreeSet;

use authsome::http::ProblemKind;

use super::{DOCUMENT, operations};
use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::stores::{Backend, run};

#[test]
fn every_type_has_a_page() {
    run(async {
        let app = TestApp::on(Backend::Sqlite).await;
        for kind in ProblemKind::ALL {
            let page = app
                .get(&format!("/problems/{}", kind.slug()))
                .await
                .told(200);

            assert_eq!(page["type"], kind.slug());
            assert_eq!(page["title"], kind.title());
            assert_eq!(page["status"], kind.status().as_u16());
            assert_eq!(page["documentation"], kind.documentation());
        }
    });
}

#[test]
fn what_is_no_type_has_none() {
    run(async {
        let app = TestApp::on(Backend::Sqlite).await;
        for slug in [
            "nothing",
            "EMAIL_TAKEN",
            "email_taken%20",
            "email_taken%00",
            "*",
        ] {
            app.get(&format!("/problems/{slug}"))
                .await
                .refuses(404, "not_found");
        }
    });
}

#[test]
fn every_type_is_an_answer_of_some_operation() {
    let responses = operations()
        .into_iter()
        .map(|it| it.document["responses"].clone());
    let responses: Vec<_> = responses.collect();
    let named: BTreeSet<&str> = responses
        .iter()
        .flat_map(|it| it.as_object().expect("responses are an object").values())
        .flat_map(|it| it["x-problems"].as_array().into_iter().flatten())
        .filter_map(|it| it.as_str())
        .collect();

    let idle = ProblemKind::ALL
        .iter()
        .filter(|kind| !named.contains(kind.slug()));

    // Of lines of an import, which are told each for itself.
    assert_eq!(idle.collect::<Vec<_>>(), [&ProblemKind::UnknownHash]);
    assert!(DOCUMENT["components"]["schemas"]["Problem"].is_object());
}
