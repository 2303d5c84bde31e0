//! Environments: their settings, and what a sign-in page may know of them.

use std::future::IntoFuture;

use authsome::events::Name;
use futures_util::future::join;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::client::{Asks, assert_has};
use crate::support::persona::{Administers, PASSWORD};
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn an_app_begins_with_two_that_differ_in_what_they_trust(app: TestApp) {
        let admin = app.admin().await;

        let told = admin.get("/v1/environments").await.told(200);

        let named = |slug: &str| {
            let all = told["environments"].as_array().unwrap();
            assert_eq!(all.len(), 2);
            all.iter().find(|one| one["slug"] == slug).unwrap()
        };
        let (production, development) = (named("production"), named("development"));
        assert_has(production, json!({"type": "production", "is_default": false}));
        assert_has(development, json!({"type": "development", "is_default": true}));
        assert_eq!(production["settings"]["require_verification"], true);
        assert_eq!(development["settings"]["require_verification"], false);
        assert_eq!(production["publishable_key"], app.own.production.publishable_key);
        assert!(app.own.production.publishable_key.starts_with("pk_live_"));
        assert!(app.own.development.secret_key.starts_with("sk_test_"));
    }

    async fn environments_are_administrators_business(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let path = format!("/v1/environments/{}/settings", mia.door.env_id);

        mia.get("/v1/environments").await.refuses(403, "forbidden");
        mia.get(&path).await.refuses(403, "forbidden");
        mia.sets(&mia.door, json!({"signup_open": false})).await.refuses(403, "forbidden");
        app.get(&path).await.refuses(401, "unauthenticated");
        app.sets(&mia.door, json!({})).await.refuses(401, "unauthenticated");
        assert_eq!(app.key().get(&path).await.told(200)["signup_open"], true);
    }

    async fn what_a_change_names_is_changed_and_nothing_else(app: TestApp) {
        let door = &app.own.development;
        let origins = json!(["https://app.example.com", "http://localhost:5173"]);

        let first = app.key().sets(door, json!({"allowed_origins": origins})).await.told(200);
        let change = json!({"signup_open": false, "require_verification": null});
        let second = app.key().sets(door, change).await.told(200);

        let kept = |signup_open: bool| json!({
            "signup_open": signup_open, "require_verification": false, "allowed_origins": origins,
            "default_language": "en", "invitation_ttl_seconds": 604_800,
        });
        assert_eq!((first, &second), (kept(true), &kept(false)));
        let path = format!("/v1/environments/{}/settings", door.env_id);
        assert_eq!(app.key().get(&path).await.told(200), second);
        assert_eq!(app.key().sets(door, json!({})).await.told(200), second);
    }

    async fn invitations_have_a_page_and_a_life_of_an_hour_to_thirty_days(app: TestApp) {
        let door = &app.own.development;
        for life in [3_600, 2_592_000] {
            let set = app.key().sets(door, json!({"invitation_ttl_seconds": life})).await;
            assert_eq!(set.told(200)["invitation_ttl_seconds"], life);
        }
        for life in [json!(3_599), json!(2_592_001), json!(-1), json!(7_200.5)] {
            let refused = app.key().sets(door, json!({"invitation_ttl_seconds": life})).await;
            let problem = refused.refuses(400, "invalid_body");
            assert_eq!(problem["errors"][0]["pointer"], "/invitation_ttl_seconds");
            assert_eq!(problem["errors"][0]["type"], "invalid_invitation_ttl_seconds");
        }
        let page = "https://app.example.com/join";
        let set = app.key().sets(door, json!({"invitation_url": page})).await.told(200);
        assert_eq!((&set["invitation_url"], &set["invitation_ttl_seconds"]), (&json!(page), &json!(2_592_000)));
        let cleared = app.key().sets(door, json!({"invitation_url": null})).await.told(200);
        assert_eq!(cleared.get("invitation_url"), None::<&Value>);
    }

    async fn a_change_counts_from_the_next_request_on(app: TestApp) {
        let door = &app.own.development;
        let visitor = app.visitor(door);
        visitor.signs_up("mia@example.org", PASSWORD).await.told(201);

        let _ = app.key().sets(door, json!({"require_verification": true})).await.expect(200);
        visitor.signs_up("max@example.org", PASSWORD).await.told(202);
        visitor.signs_in("mia@example.org", PASSWORD).await.refuses(403, "email_not_verified");
        let _ = app.key().sets(door, json!({"signup_open": false})).await.expect(200);

        visitor.signs_up("pia@example.org", PASSWORD).await.refuses(403, "signup_closed");
    }

    async fn settings_that_mean_nothing_are_refused_by_their_pointer(app: TestApp) {
        let door = &app.own.development;
        let many: Vec<_> = (0..51).map(|number| format!("https://a{number}.example")).collect();
        let path = format!("/v1/environments/{}/settings", door.env_id);
        let before = app.key().get(&path).await.told(200);

        for (name, wish) in [
            ("signup_open", json!("false")), ("signup_open", json!(0)),
            ("signup_open", json!([true])),
            ("require_verification", json!("no")), ("allowed_origins", json!("https://a.example")),
            ("allowed_origins", json!({})), ("allowed_origins", json!(many)),
        ] {
            let refusal = app.key().sets(door, json!({name: wish})).await.expect(400).json();
            assert_eq!(refusal["errors"][0]["pointer"], format!("/{name}"), "{refusal}");
        }
        for other in ["name", "slug", "publishable_key", "app_id", "allowedOrigins", "is_default"] {
            app.key().sets(door, json!({other: "x"})).await.refuses(400, "unknown_field");
        }
        assert_eq!(app.key().get(&path).await.told(200), before);
    }

    async fn only_exact_origins_can_be_allowed(app: TestApp) {
        let door = &app.own.development;

        for origin in [
            "*", "null", "https://*.example.com", "https://", "app.example.com", "ftp://a.example",
            "",
            "https://a.example/", "https://a.example/x", "https://u:p@a.example",
            "https://a.example?x",
            "https://a.example#x", "javascript:alert(1)", "https://a.example, https://b.example",
            "https://a.example\n", "https://a.example:99999", "//a.example", "file:///x",
            "https://a b",
        ] {
            let body = json!({"allowed_origins": ["https://good.example", origin]});
            let refusal = app.key().sets(door, body).await.told(400);
            assert_eq!(refusal["errors"][0]["pointer"], "/allowed_origins/1", "{origin}");
        }
    }

    async fn two_changes_at_once_are_both_kept(app: TestApp) {
        let door = &app.own.development;
        let (machine, admin) = (app.key(), app.admin().await);
        let origins = [json!(["https://app.example.com"]), json!([])];

        for round in 0..10 {
            let (open, origins) = (json!(round % 2 == 0), origins[round % 2].clone());
            let one = machine.sets(door, json!({"signup_open": open})).into_future();
            let other = admin.sets(door, json!({"allowed_origins": origins})).into_future();
            let (one, other) = join(one, other).await;
            one.told(200);
            other.told(200);
            let path = format!("/v1/environments/{}/settings", door.env_id);
            let kept = machine.get(&path).await.told(200);
            assert_has(&kept, json!({"signup_open": open, "allowed_origins": origins}));
        }
    }

    async fn every_change_is_told_once(app: TestApp) {
        let door = &app.own.development;
        let admin = app.admin().await;
        admin.sets(door, json!({"signup_open": false})).await.told(200);
        admin.sets(door, json!({"signup_open": 1})).await.refuses(400, "invalid_body");

        let told = app.events(door, Name::EnvironmentUpdated).await;

        assert_eq!((told.len(), told[0].actor.id.as_ref()), (1, Some(&admin.id)));
        assert_eq!(told[0].target.as_ref().and_then(|it| it.id.as_ref()), Some(&door.env_id));
    }

    async fn a_sign_in_page_is_told_what_it_needs_by_header_or_query(app: TestApp) {
        for door in [&app.own.development, &app.own.production, &app.platform] {
            let by_header = app.visitor(door).get("/v1/client-config").await.told(200);
            let by_query = format!("/v1/client-config?key={}", door.publishable_key);
            assert_eq!(app.get(&by_query).await.told(200), by_header);
            assert_eq!(app.visitor(door).get(&by_query).await.told(200), by_header);
            assert_has(&by_header, json!({"app_id": door.app_id, "env_id": door.env_id}));
            assert_has(&by_header, json!({"methods": ["password", "magic_link"]}));
        }
        let config = app.visitor(&app.own.production).get("/v1/client-config").await.told(200);
        assert_has(&config, json!({"require_verification": true, "app_name": "default"}));
        let platform = app.visitor(&app.platform).get("/v1/client-config").await.told(200);
        assert_eq!(platform["signup_open"], false);
        let asked = ["email", "password", "first_name", "last_name", "username", "phone"];
        assert_eq!(field_names(&config), asked);
    }

    async fn a_sign_in_page_must_name_one_environment_that_is_there(app: TestApp) {
        let (development, production) = (&app.own.development, &app.own.production);
        let by_query = format!("/v1/client-config?key={}", production.publishable_key);

        app.get("/v1/client-config").await.refuses(400, "app_context_required");
        app.get("/v1/client-config?key=").await.refuses(401, "invalid_publishable_key");
        app.get("/v1/client-config?key=pk_test_x").await.refuses(401, "invalid_publishable_key");
        app.visitor(development).get(&by_query).await.refuses(401, "tenant_mismatch");
        app.get(&format!("{by_query}&callback=x")).await.refuses(400, "invalid_query");
        let secret = format!("/v1/client-config?key={}", development.secret_key);
        app.get(&secret).await.refuses(401, "invalid_publishable_key");
    }

    async fn a_secret_is_never_shown_again(app: TestApp) {
        let machine = app.key();
        let seen = [
            machine.get("/v1/environments").await.expect(200).text(),
            app.visitor(&machine.door).get("/v1/client-config").await.expect(200).text(),
        ];

        assert!(seen.iter().all(|text| !text.contains("sk_")));
    }
}

fn field_names(config: &Value) -> Vec<&str> {
    let fields = config["signup_fields"].as_array().expect("fields").iter();
    fields
        .map(|field| field["name"].as_str().expect("a name"))
        .collect()
}
