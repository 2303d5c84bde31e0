//! Discovery and health: what is told to everybody.

use authsome::http::ProblemKind;
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn the_manifest_says_where_everything_is(app: TestApp) {
        let manifest = app.get("/.well-known/authsome/manifest").await.told(200);

        assert_eq!(manifest["issuer"], app.client().url());
        let addresses = manifest.as_object().unwrap().iter();
        for (name, url) in addresses.filter(|(name, _)| name.ends_with("_uri")) {
            let path = url.as_str().unwrap().strip_prefix(&app.client().url()).unwrap();
            assert_ne!(app.get(path).await.status, 404, "{name}");
        }
    }

    /// RFC 8414 §3.3, and §2: nothing is said of what there is not.
    async fn whoever_knows_the_issuer_finds_its_keys(app: TestApp) {
        let issuer = app.client().url();
        let at = |path: &str| format!("{issuer}{path}");
        let key = app.key();

        let told = app.get("/.well-known/openid-configuration").await.told(200);

        assert_eq!(told, json!({
            "issuer": issuer,
            "jwks_uri": at("/.well-known/jwks.json"),
            "token_endpoint": at("/v1/token/exchange"),
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "introspection_endpoint": at("/v1/introspect"),
            "introspection_endpoint_auth_methods_supported": ["Bearer"],
            "response_types_supported": [],
            "subject_types_supported": ["public"],
            "service_documentation": at("/docs/"),
        }));
        assert_eq!(app.get("/.well-known/oauth-authorization-server").await.told(200), told);
        let granted = key.post("/v1/token/exchange").json(json!({"grant_type": "client_credentials"}));
        let token = granted.await.told(200);
        let secret = &app.own.development.secret_key;
        let asked = app.post("/v1/introspect").bearer(secret).json(json!({"token": token["access_token"]}));
        let found = asked.await.told(200);
        assert_eq!((&found["active"], &found["iss"]), (&json!(true), &told["issuer"]));
        let _ = app.get("/docs/").await.expect(200);
    }

    async fn the_document_that_is_served_is_the_one_of_the_code(app: TestApp) {
        let served = app.get("/.well-known/authsome/openapi").await.told(200);

        assert_eq!(served, authsome::app::document());
    }

    async fn every_refusal_is_explained_at_its_address(app: TestApp) {
        for kind in ProblemKind::ALL {
            let page = app.get(&format!("/problems/{}", kind.slug())).await.told(200);
            let (status, documentation) = (kind.status().as_u16(), kind.documentation());
            assert_eq!(page, json!({
                "type": kind.slug(), "title": kind.title(), "status": status,
                "documentation": documentation,
            }));
        }
        for unknown in ["x", "EMAIL_TAKEN", "%00", "..%2fdocs", "email_taken%20"] {
            app.get(&format!("/problems/{unknown}")).await.refuses(404, "not_found");
        }
    }

    async fn whoever_has_a_document_is_told_that_it_is_the_same(app: TestApp) {
        app.person("mia@example.org").await;
        for path in [
            "/.well-known/jwks.json", "/.well-known/openid-configuration",
            "/.well-known/oauth-authorization-server",
        ] {
            let asks = || app.get(path);
            let first = asks().await.expect(200);
            let tag = first.header("etag").expect("a tag").to_owned();
            assert_eq!(first.header("cache-control"), Some("public, max-age=600"));

            let again = asks().header("if-none-match", &tag).await.expect(304);

            assert!(again.body.is_empty());
            assert_eq!(again.header("etag"), Some(&*tag));
            assert_eq!(again.header("cache-control"), Some("public, max-age=600"));
            let several = asks().header("if-none-match", format!("\"x\", W/{tag}")).await;
            let _ = several.expect(304);
            let _ = asks().header("if-none-match", "\"x\"").await.expect(200);
            let _ = asks().header("if-none-match", "nonsense").await.expect(200);
        }
    }

    async fn the_documentation_loads_nothing_from_elsewhere(app: TestApp) {
        let _ = app.get("/docs").await.expect(308);
        let page = app.get("/docs/").await.expect(200);
        let text = page.text();

        assert!(page.header("content-type").is_some_and(|it| it.starts_with("text/html")));
        let elsewhere = ["http://", "https://", "src=\"//"];
        assert!(elsewhere.iter().all(|it| !text.contains(it)), "{text}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        for file in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
            assert!(text.contains(file), "{file}");
            let _ = app.get(&format!("/docs/{file}")).await.expect(200);
        }
        for file in ["../Cargo.toml", "%2e%2e%2fCargo.toml", "x.js", "..%5cx", "%00"] {
            app.get(&format!("/docs/{file}")).await.refuses(404, "not_found");
        }
    }

    async fn a_node_that_serves_is_alive_and_ready(app: TestApp) {
        for path in ["/livez", "/readyz", "/v1/health"] {
            assert_eq!(app.get(path).await.told(200), json!({"status": "ok"}));
            let verbose = app.get(&format!("{path}?verbose")).await;
            assert_eq!(verbose.told(200), json!({"status": "ok"}));
            app.get(path).bearer("wrong").header("x-publishable-key", "pk_x").await.told(200);
        }
    }

    async fn whoever_is_alive_says_so_without_the_store(app: TestApp) {
        let calls = app.calls_for(async || {
            app.get("/livez").await.told(200);
        });

        assert_eq!(calls.await, 0);
    }
}
