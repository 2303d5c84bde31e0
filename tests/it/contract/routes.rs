//! Registering a route is documenting it: the document's paths are served, and nothing else.

use std::collections::BTreeSet;

use super::{METHODS, Operation, operations};
use crate::support::app::TestApp;
use crate::support::client::{Asks, Reply};
use crate::support::raw;
use crate::support::spec::fits;
use crate::support::stores::{Backend, run};

/// Paths that exist in many servers, in our own plans, or nearly.
const ELSEWHERE: &[&str] = &[
    "/",
    "/v1",
    "/v1/",
    "/v2/me",
    "/V1/me",
    "/v1/me/",
    "/v1//me",
    "/v1/me/me",
    "/me",
    "/signup",
    "/v1/signups",
    "/v1/sign-up",
    "/v1/register",
    "/v1/login",
    "/v1/token",
    "/v1/users",
    "/v1/users/",
    "/v1/admin",
    "/v1/admin/",
    "/v1/admin/users/",
    "/v1/admin/statistics",
    "/v1/apps",
    "/v1/environments/",
    "/v1/org",
    "/v1/organizations",
    "/v1/debug",
    "/v1/config",
    "/v1/bootstrap",
    "/admin",
    "/health",
    "/healthz",
    "/status",
    "/debug/pprof",
    "/openapi.json",
    "/swagger-ui",
    "/api-docs",
    "/graphql",
    "/problems",
    "/problems/",
    "/.env",
    "/.git/config",
    "/authsome.toml",
    "/favicon.ico",
    "/robots.txt",
    "/.well-known",
    "/.well-known/jwks",
    "/.well-known/authsome",
    "/v1/me%2f",
    "/v1/me;a=b",
];

/// To these a token that is none of ours names nothing, which looks like a path that is not served; a
/// key that is none is refused before.
const OF_LINKS: [&str; 2] = ["orgs.invitations.accept", "orgs.invitations.decline"];

/// Whether something answers here, and be it only to refuse.
fn is_served(reply: &Reply) -> bool {
    !matches!(
        (reply.status, &*reply.kind()),
        (404, "not_found") | (405, "method_not_allowed")
    )
}

#[test]
fn every_documented_operation_is_served_and_also_below_the_base_path() {
    run(async {
        let app = TestApp::with(Backend::Sqlite, &[("SERVER__BASE_PATH", "/auth")]).await;
        for operation in operations() {
            let path = operation.path_of_nothing();
            for base_path in ["", "/auth"] {
                let asked = operation.request(&app, &path).below(base_path);
                let asked = if OF_LINKS.contains(&&*operation.id) {
                    asked.header("x-publishable-key", "pk_no_such_key")
                } else {
                    asked
                };
                let reply = asked.await;
                assert!(
                    is_served(&reply),
                    "{} {base_path}{path}: {}",
                    operation.method,
                    reply.text()
                );
            }
        }
    });
}

#[test]
fn every_other_method_is_refused_with_those_that_are_not() {
    run(async {
        let app = TestApp::on(Backend::Sqlite).await;
        let all = operations();
        for path in all.iter().map(|it| &it.path).collect::<BTreeSet<_>>() {
            // Of a path whose last segment could be anybody's name, the other methods may be known; it
            // speaks of its own.
            let here: Vec<&Operation> = all.iter().filter(|it| fits(&it.path, path)).collect();
            let own = here
                .iter()
                .find(|it| it.path == *path)
                .expect("it is documented");
            let known: BTreeSet<&str> = here.iter().map(|it| it.method).collect();
            let of_path = here.iter().filter(|it| it.path == *path);
            let own_methods: BTreeSet<&str> = of_path.map(|it| it.method).collect();
            for method in METHODS.into_iter().filter(|method| !known.contains(method)) {
                let reply = app.request(method, &own.path_of_nothing()).await;
                let reply = reply.expect(405);
                let allow = reply
                    .header("allow")
                    .expect("examined")
                    .split(", ")
                    .collect();
                assert_eq!(own_methods, allow, "{method} {path}");
                assert_eq!(reply.kind(), "method_not_allowed");
            }
        }
    });
}

#[test]
fn what_is_not_documented_is_not_there() {
    run(async {
        let app = TestApp::on(Backend::Sqlite).await;
        let secret = app.key();
        for path in ELSEWHERE {
            for method in METHODS {
                app.request(method, path).await.refuses(404, "not_found");
            }
            // Nor does a credential open what is not there.
            secret.get(path).await.refuses(404, "not_found");
        }
    });
}

/// No client library would send these: they are not tidied up into what they resemble.
#[test]
fn a_path_is_taken_as_it_is_written() {
    run(async {
        let app = TestApp::on(Backend::Sqlite).await;
        for path in [
            "/v1/../v1/me",
            "/v1/./me",
            "//v1/me",
            "/v1//me",
            "/v1/%2e%2e/v1/me",
            "/v1%2fme",
        ] {
            let reply = raw::examined(
                app.client().address(),
                &raw::request(&format!("GET {path}"), &[], b""),
            );
            assert_eq!(reply.status, 404, "{path}");
        }
    });
}

/// Pages for people are no part of the API.
#[test]
fn the_pages_are_reading_matter_only() {
    run(async {
        let app = TestApp::on(Backend::Sqlite).await;

        let to_docs = app.get("/docs").await.expect(308);
        assert_eq!(to_docs.header("location"), Some("docs/"));
        let page = app.get("/docs/").await.expect(200);
        assert!(
            page.header("content-type")
                .is_some_and(|it| it.starts_with("text/html"))
        );
        for elsewhere in [
            "/docs/nothing.js",
            "/docs/../v1/me",
            "/docs/%2e%2e/Cargo.toml",
        ] {
            let reply = app.get(elsewhere).await;
            assert!(reply.status >= 400, "{elsewhere}: {}", reply.status);
        }
    });
}
