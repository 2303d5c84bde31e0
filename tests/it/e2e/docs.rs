//! The documentation page, in a browser.

use std::process::Command;

use super::server::Home;
use super::{provided, script, succeeds};
use crate::support::stores::run;

#[test]
fn the_page_shows_every_operation_and_loads_nothing_from_elsewhere() {
    run(async {
        let browser = provided("E2E_CHROMIUM");
        let home = Home::embedded();
        let server = home.serve().await;
        let picture = home.folder().join("docs.png");

        let mut visit = Command::new("node");
        visit
            .arg(script("docs_page.mjs"))
            .arg(&server.url)
            .arg(&picture);
        let told = succeeds(visit.env("E2E_CHROMIUM", browser));

        assert!(told.contains("asked nobody else"), "{told}");
        assert!(picture.exists());
    });
}

/// Relative links must hold below a base path too.
#[test]
fn the_page_is_whole_below_a_base_path() {
    run(async {
        let browser = provided("E2E_CHROMIUM");
        let home = Home::embedded().with("SERVER__BASE_PATH", "/auth");
        let server = home.serve().await;
        let picture = home.folder().join("docs.png");

        let mut visit = Command::new("node");
        visit
            .arg(script("docs_page.mjs"))
            .arg(format!("{}/auth", server.url))
            .arg(&picture);
        succeeds(visit.env("E2E_CHROMIUM", browser));
    });
}
