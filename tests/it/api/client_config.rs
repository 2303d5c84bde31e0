//! The client configuration of an app: which ways in are open, and what its pages are told.

use authsome::client_config::ClientConfig;
use authsome::events::{Name, Outcome};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::acme::Acme;
use crate::support::app::{Door, TestApp, eventually};
use crate::support::client::{Asks, Request, assert_has};
use crate::support::invitations::joins;
use crate::support::persona::PASSWORD;
use crate::support::stores::on_both_stores;

const MIA: &str = "mia@example.org";

fn path(door: &Door) -> String {
    format!("/v1/admin/apps/{}/client-config", door.app_id)
}

fn sets(asks: &impl Asks, door: &Door, body: Value) -> Request {
    asks.request("PUT", &path(door)).json(body)
}

/// Has the app of development offer this.
async fn offered(app: &TestApp, body: Value) {
    sets(&app.key(), &app.own.development, body).await.told(200);
}

async fn shown(app: &TestApp, door: &Door) -> Value {
    app.visitor(door).get("/v1/client-config").await.told(200)
}

fn by_name(name: &Value) -> Value {
    let mut body = name.clone();
    body["password"] = json!(PASSWORD);
    body
}

fn names() -> [(&'static str, Value); 3] {
    [
        ("email", json!({"email": MIA})),
        ("username", json!({"username": "mia"})),
        ("phone", json!({"phone": "+4930123456"})),
    ]
}

on_both_stores! {
    async fn what_is_set_holds_and_the_rest_is_open(app: TestApp) {
        let door = &app.own.development;
        let every = json!({
            "methods": ["password", "magic_link"], "sign_in_names": ["email", "username", "phone"],
            "signup_enabled": true,
        });
        let before = app.key().get(&path(door)).await.told(200);
        assert_eq!(before, json!({"app_id": door.app_id, "set": {}, "effective": every}));
        let whole = json!({
            "methods": ["password"], "sign_in_names": ["email"], "signup_enabled": false,
            "redirect_url": "https://app.example.com/home", "terms_url": "https://app.example.com/terms",
            "privacy_url": "https://app.example.com/privacy", "support_email": "help@example.com",
            "languages": ["de"],
        });

        let set = sets(&app.key(), door, whole.clone()).await.told(200);

        assert_eq!(set["set"], whole);
        assert_has(&set["effective"], json!({"methods": ["password"], "signup_enabled": false}));
        assert_eq!(app.key().get(&path(door)).await.told(200), set);
        let config = shown(&app, door).await;
        for (name, value) in whole.as_object().expect("members") {
            if name != "signup_enabled" {
                assert_eq!(&config[name], value, "{name}");
            }
        }
        assert_eq!(config["signup_open"], false);
        let replaced = sets(&app.key(), door, json!({"languages": ["en"]})).await.told(200);
        assert_eq!(replaced["set"], json!({"languages": ["en"]}));
        for _ in 0..2 {
            let _ = app.key().delete(&path(door)).await.expect(204);
        }
        assert_eq!(app.key().get(&path(door)).await.told(200), before);
        assert_eq!(app.events(door, Name::ClientConfigUpdated).await.len(), 3);
    }

    async fn a_page_is_told_what_it_needs_and_nothing_secret(app: TestApp) {
        let door = &app.own.development;
        let field = json!({"name": "company", "type": "text", "label": "Company", "required": true, "max": 40});
        let form = format!("/v1/admin/apps/{}/form-configs/signup", door.app_id);
        let body = json!({"fields": [field]});
        app.key().request("PUT", &form).json(body).await.told(200);

        let config = shown(&app, door).await;

        assert_has(&config, json!({
            "methods": ["password", "magic_link"], "sign_in_names": ["email", "username", "phone"],
            "password": {"min_length": 8, "max_length": 128}, "languages": ["en", "de"],
            "signup_open": true, "require_verification": false, "signup_form_version": 1,
        }));
        let fields = config["signup_fields"].as_array().expect("a list");
        assert_eq!(fields.len(), 7);
        assert_eq!(fields[0], json!({"name": "email", "type": "email", "required": true, "in_metadata": false}));
        assert_eq!(fields[6], json!({
            "name": "company", "type": "text", "required": true, "in_metadata": true, "label": "Company", "max": 40.0,
        }));
        let _ = app.key().delete(&form).await.expect(204);
        let config = shown(&app, door).await;
        assert_eq!(config.get("signup_form_version"), None);
        assert_eq!(config["signup_fields"].as_array().map(Vec::len), Some(6));
    }

    async fn the_languages_of_pages_begin_with_that_of_the_environment(app: TestApp) {
        let door = &app.own.development;
        let german = json!({"default_language": "de"});
        let settings = format!("/v1/environments/{}/settings", door.env_id);
        app.key().patch(&settings).json(german).await.told(200);

        assert_eq!(shown(&app, door).await["languages"], json!(["de", "en"]));
    }

    async fn what_a_page_has_already_is_not_sent_again(app: TestApp) {
        let door = &app.own.development;
        let ask = || app.visitor(door).get("/v1/client-config");
        let reply = ask().await.expect(200);
        let header = |name: &str| reply.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
        let tag = header("etag");
        assert_eq!(header("cache-control"), "private, max-age=10");
        let vary: Vec<_> = reply.headers.get_all("vary").iter().filter_map(|it| it.to_str().ok()).collect();
        assert!(vary.join(", ").contains("X-Publishable-Key"));

        assert!(ask().header("if-none-match", &tag).await.expect(304).body.is_empty());
        let _ = ask().header("if-none-match", "\"another\"").await.expect(200);
        let other = app.visitor(&app.own.production).get("/v1/client-config");
        let _ = other.header("if-none-match", &tag).await.expect(200);

        offered(&app, json!({"languages": ["de"]})).await;
        let changed = ask().header("if-none-match", &tag).await.expect(200);
        assert_ne!(changed.headers.get("etag").and_then(|it| it.to_str().ok()), Some(&*tag));
        app.get("/v1/client-config?key=pk_test_x").header("if-none-match", "*").await.refuses(401, "invalid_publishable_key");
    }

    async fn passwords_do_not_sign_in_where_they_are_switched_off(app: TestApp) {
        let shop = app.founds("Shop").await;
        let mia = app.person(MIA).await;
        let max = app.visitor(&shop.development).becomes(MIA, json!({})).await;
        offered(&app, json!({"methods": ["magic_link"]})).await;
        let enters = |email: &str, password: &str| mia.visitor().signs_in(email, password);

        // Whether there is such an account, and whose password it is, makes no difference.
        for (email, password) in [(MIA, PASSWORD), (MIA, "another long password"), ("no@example.org", PASSWORD)] {
            enters(email, password).await.refuses(403, "method_disabled");
        }

        // What has begun goes on, and his password still proves that it is he.
        mia.me().await.told(200);
        let _ = mia.refreshes().await.expect(200);
        let _ = max.signs_in().await.expect(200);
        let told = app.events(&mia.door, Name::SessionDenied).await;
        assert_eq!(told.len(), 3);
        assert!(told.iter().all(|it| it.outcome == Outcome::Denied && it.details["reason"] == "method_disabled"));
        assert_eq!(shown(&app, &mia.door).await["methods"], json!(["magic_link"]));
        let _ = app.visitor(&app.own.development).signs_up("new@example.org", PASSWORD).await.expect(201);
        let _ = mia.leaves(PASSWORD).await.expect(204);
    }

    async fn a_switch_locks_nobody_out_for_later(app: TestApp) {
        let mia = app.person(MIA).await;
        offered(&app, json!({"methods": ["magic_link"]})).await;
        for _ in 0..20 {
            mia.visitor().signs_in(MIA, "another long password").await.refuses(403, "method_disabled");
        }

        offered(&app, json!({})).await;

        mia.visitor().signs_in(MIA, PASSWORD).await.told(200);
    }

    async fn only_names_that_are_switched_on_sign_in(app: TestApp) {
        let said = json!({"username": "mia", "phone": "+4930123456"});
        let mia = app.person_with(MIA, said).await;
        let enters = |name: &Value| mia.visitor().post("/v1/signin").json(by_name(name));

        for (open, _) in names() {
            offered(&app, json!({"sign_in_names": [open]})).await;
            assert_eq!(shown(&app, &mia.door).await["sign_in_names"], json!([open]));
            for (kind, name) in names() {
                let reply = enters(&name).await;
                if kind == open {
                    reply.told(200);
                } else {
                    reply.refuses(403, "method_disabled");
                }
            }
        }
        offered(&app, json!({})).await;
        for (_, name) in names() {
            enters(&name).await.told(200);
        }
    }

    async fn magic_links_are_neither_sent_nor_followed_where_they_are_switched_off(app: TestApp) {
        let mia = app.proven_person(MIA).await;
        let wants = || mia.visitor().post("/v1/magic-link/send").json(json!({"email": MIA}));
        let _ = wants().await.expect(202);
        let token = app.nth_letter_to(MIA, 2).await.token();
        let follows = || app.post("/v1/magic-link/verify").json(json!({"token": token}));

        offered(&app, json!({"methods": ["password"]})).await;
        wants().await.refuses(403, "method_disabled");
        follows().await.refuses(403, "method_disabled");
        assert_eq!(shown(&app, &mia.door).await["methods"], json!(["password"]));
        mia.visitor().signs_in(MIA, PASSWORD).await.told(200);

        // The link is not spent.
        offered(&app, json!({})).await;
        follows().await.told(200);
        let letters = app.letters_to(MIA);
        assert_eq!(letters.iter().filter(|it| it.links().iter().any(|link| link.contains("magic"))).count(), 1);
    }

    async fn nobody_makes_an_account_where_sign_up_is_switched_off(acme: Acme) {
        let app = &acme.app;
        let (development, production) = (&app.own.development, &app.own.production);
        let shop = app.founds("Shop").await;
        let invitation = acme.invited(MIA, &["member"]).await;
        offered(app, json!({"signup_enabled": false})).await;

        for door in [development, production] {
            let signs_up = app.visitor(door).signs_up("zoe@example.org", PASSWORD);
            signs_up.await.refuses(403, "method_disabled");
            assert_eq!(shown(app, door).await["signup_open"], false);
        }

        // Whoever is invited does not come by himself.
        joins(app, &acme.token_of(&invitation)).await.told(201);
        app.visitor(&shop.development).signs_up("zoe@example.org", PASSWORD).await.told(201);
        offered(app, json!({})).await;
        app.visitor(development).signs_up("zoe@example.org", PASSWORD).await.told(201);
    }

    async fn another_node_closes_a_way_within_a_second(app: TestApp) {
        let node = app.another_node(&[]).await;
        let mia = app.person(MIA).await;
        let there = mia.visitor().by(node.client());
        there.signs_in(MIA, PASSWORD).await.told(200);

        offered(&app, json!({"methods": ["magic_link"]})).await;

        eventually(async || there.signs_in(MIA, PASSWORD).await.status == 403).await;
    }

    async fn what_cannot_hold_is_refused(app: TestApp) {
        let door = &app.own.development;
        for (body, wanted) in [
            (json!({"methods": []}), "/methods"),
            (json!({"methods": ["password", "password"]}), "/methods/1"),
            (json!({"methods": ["passkey"]}), "/methods/0"),
            (json!({"methods": "password"}), "/methods"),
            (json!({"sign_in_names": []}), "/sign_in_names"),
            (json!({"sign_in_names": ["id"]}), "/sign_in_names/0"),
            (json!({"languages": []}), "/languages"),
            (json!({"languages": ["xx"]}), "/languages/0"),
            (json!({"signup_enabled": "no"}), "/signup_enabled"),
            (json!({"redirect_url": "//evil.example"}), "/redirect_url"),
            (json!({"redirect_url": "http://evil.example/"}), "/redirect_url"),
            (json!({"terms_url": "javascript:alert(1)"}), "/terms_url"),
            (json!({"privacy_url": "https://u:p@x.example/"}), "/privacy_url"),
            (json!({"support_email": "help"}), "/support_email"),
        ] {
            let reply = sets(&app.key(), door, body.clone()).await;
            assert_eq!(reply.status, 400, "{body}");
            assert_eq!(reply.json()["errors"][0]["pointer"], wanted, "{body}");
        }
        sets(&app.key(), door, json!({"mfa": true})).await.refuses(400, "unknown_field");
        assert_eq!(app.key().get(&path(door)).await.told(200)["set"], json!({}));
    }

    async fn it_is_made_by_administrators_of_that_app(app: TestApp) {
        let (mia, admin) = (app.person(MIA).await, app.admin().await);
        let shop = app.founds("Shop").await;
        let (own, other) = (&app.own.development, &shop.development);
        let body = || json!({"methods": ["password"]});

        mia.get(&path(own)).await.refuses(403, "forbidden");
        sets(&mia, own, body()).await.refuses(403, "forbidden");
        mia.delete(&path(own)).await.refuses(403, "forbidden");
        admin.get(&path(other)).await.refuses(404, "not_found");
        sets(&admin, other, body()).await.refuses(404, "not_found");
        admin.delete(&path(other)).await.refuses(404, "not_found");

        sets(&admin, own, body()).await.told(200);
        let operator = app.operator().await;
        let elsewhere = format!("{}{}", path(other), other.query());
        operator.request("PUT", &elsewhere).json(body()).await.told(200);
        assert_eq!(shown(&app, other).await["methods"], json!(["password"]));
    }

    async fn of_twenty_first_times_at_once_one_document_is_left(app: TestApp) {
        let (key, door) = (app.key(), &app.own.development);
        let ask = async |_| sets(&key, door, json!({"signup_enabled": true})).await;

        for reply in join_all((0..20).map(ask)).await {
            reply.told(200);
        }

        assert_eq!(app.of_app::<ClientConfig>(door).await.len(), 1);
    }

    /// Form and configuration are asked for once a second at most.
    async fn a_page_costs_one_look_at_its_app(app: TestApp) {
        offered(&app, json!({"methods": ["password"]})).await;

        let calls = app.calls_for(async || {
            let _ = shown(&app, &app.own.development).await;
        });

        assert_eq!(calls.await, 1);
    }
}
