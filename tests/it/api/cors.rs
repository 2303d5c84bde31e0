//! Pages of other origins: an app's own may call, named exactly, and nobody else's.

use serde_json::json;

use crate::support::app::{Door, TestApp};
use crate::support::client::{Asks, Reply, Request};
use crate::support::persona::Administers;
use crate::support::stores::on_both_stores;

const OWN: &str = "https://app.example.com";

on_both_stores! {
    async fn a_page_of_a_listed_origin_may_read_the_answer(app: TestApp) {
        let door = &app.own.development;
        allows(&app, door, &[OWN, "http://localhost:5173"]).await;
        let mia = app.person("mia@example.org").await;

        for origin in [OWN, "http://localhost:5173"] {
            let visitor = app.visitor(door);
            let asked = [
                (mia.me(), 200), (visitor.signs_in(&mia.email, &mia.password), 200),
                (visitor.signs_in(&mia.email, "another long password"), 401),
                (visitor.get("/nowhere"), 404),
            ];
            for (request, status) in asked {
                let answer = request.header("origin", origin).await.expect(status);
                assert_eq!(allowed(&answer), Some(origin));
                assert_eq!(answer.header("access-control-allow-credentials"), None);
                let exposed = answer.header("access-control-expose-headers").unwrap_or_default();
                assert!(exposed.contains("X-Request-Id"), "{exposed}");
            }
        }
    }

    async fn whatever_only_resembles_it_may_not(app: TestApp) {
        allows(&app, &app.own.development, &[OWN]).await;
        let mia = app.person("mia@example.org").await;

        for origin in [
            "null", "*", "", "https://evil.example", "http://app.example.com",
            "https://app.example.com:444",
            "https://app.example.com:443", "https://app.example.com/", "HTTPS://APP.EXAMPLE.COM",
            "https://APP.example.com",
            "https://app.example.com.evil.example", "https://evilapp.example.com",
            "https://evil.example/https://app.example.com",
            "https://app.example.com@evil.example", "https://app_example.com", "app.example.com",
            "https://app.example.com,https://x.example",
        ] {
            let answer = mia.me().header("origin", origin).await.expect(200);
            assert_eq!(allowed(&answer), None, "{origin}");
            assert_eq!(allowed(&preflight(&app, origin).await), None, "{origin}");
        }
        let two = mia.me().header("origin", OWN).header("origin", "https://evil.example").await;
        assert_eq!(allowed(&two), None);
    }

    async fn one_app_s_origin_is_nothing_to_another(app: TestApp) {
        let other = app.founds("Other").await.development;
        allows(&app, &app.own.development, &[OWN]).await;
        let victim = app.visitor(&other).becomes("mia@example.org", json!({})).await;
        app.trusts_addresses(&app.own.production).await;
        let mia = app.person("mia@example.org").await;
        let in_production = mia.enters(&app.own.production).await;

        let elsewhere = victim.me().header("origin", OWN).await.expect(200);
        let other_environment = in_production.me().header("origin", OWN).await.expect(200);
        let own = mia.me().header("origin", OWN).await.expect(200);

        assert_eq!((allowed(&elsewhere), allowed(&other_environment)), (None, None));
        assert_eq!(allowed(&own), Some(OWN));
    }

    async fn a_preflight_is_answered_for_origins_that_some_app_lists(app: TestApp) {
        assert_eq!(allowed(&preflight(&app, OWN).await), None);

        allows(&app, &app.own.development, &[OWN]).await;

        let answer = preflight(&app, OWN).await;
        assert_eq!((answer.status, allowed(&answer)), (204, Some(OWN)));
        let methods = answer.header("access-control-allow-methods").unwrap();
        assert!(["GET", "POST", "PATCH", "DELETE"].iter().all(|it| methods.contains(it)));
        let headers = answer.header("access-control-allow-headers").unwrap().to_lowercase();
        let needed = ["authorization", "content-type", "x-publishable-key"];
        assert!(needed.iter().all(|it| headers.contains(it)), "{headers}");
        assert!(!headers.contains('*') && !headers.contains("x-evil"));
        assert_eq!(answer.header("access-control-max-age"), Some("600"));
    }

    async fn an_origin_that_is_struck_off_is_refused_from_the_next_request_on(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        allows(&app, &mia.door, &[OWN]).await;
        assert_eq!(allowed(&mia.me().header("origin", OWN).await), Some(OWN));

        allows(&app, &mia.door, &[]).await;

        assert_eq!(allowed(&mia.me().header("origin", OWN).await), None);
        assert_eq!(allowed(&preflight(&app, OWN).await), None);
    }

    /// A page of another origin can only send what needs no preflight; none of that is JSON.
    async fn what_a_foreign_form_can_send_is_refused(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let body = json!({"email": mia.email, "password": mia.password}).to_string();

        let path = format!("/v1/signin?publishable_key={}", mia.door.publishable_key);
        for declared in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
            let form = app.post(&path).body(declared, body.clone());
            let form = form.header("origin", "https://evil.example");
            let form = form.header("sec-fetch-site", "cross-site").await;
            form.refuses(415, "unsupported_media_type");
        }
    }
}

async fn allows(app: &TestApp, door: &Door, origins: &[&str]) {
    let _ = app
        .machine(door)
        .sets(door, json!({"allowed_origins": origins}))
        .await
        .expect(200);
}

fn preflight(app: &TestApp, origin: &str) -> Request {
    let asked = app
        .request("OPTIONS", "/v1/signin")
        .header("origin", origin);
    asked
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,x-evil")
}

fn allowed(reply: &Reply) -> Option<&str> {
    reply.header("access-control-allow-origin")
}
