//! Signing up: what makes an account, and what a sign-up cannot choose.

use std::time::Duration;

use authsome::events::{Name, Outcome};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::client::{Asks, assert_has};
use crate::support::persona::{Administers, PASSWORD};
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn a_new_account_is_signed_in_at_once(app: TestApp) {
        let visitor = app.visitor(&app.own.development);

        let told = visitor.signs_up("mia@example.org", PASSWORD).await.told(201);

        assert_eq!(told["session_token"], told["access_token"]);
        assert_has(&told, json!({"token_type": "Bearer", "expires_in": 900}));
        assert_has(&told, json!({"expires_at": "2040-01-01T00:15:00.000Z"}));
        let user = &told["user"];
        assert_has(user, json!({"email": "mia@example.org", "email_verified": false}));
        assert_has(user, json!({"roles": ["USER"], "status": "active"}));
        assert_has(user, json!({"app_id": app.own.development.app_id}));
        app.get("/v1/me").bearer(told["access_token"].as_str().unwrap()).await.told(200);
    }

    async fn what_a_person_says_of_himself_is_kept_in_its_one_spelling(app: TestApp) {
        let said = json!({
            "first_name": "  Zoe\u{308} ", "last_name": "O'Brien-Łukasz", "username": "Zoe.K",
            "phone": "+49 (170) 123-4567", "metadata": {"plan": "pro", "seats": [1, 2.5, null]},
        });

        let zoe = app.person_with("zoe@example.org", said).await;

        let me = zoe.me().await.told(200);
        assert_has(&me, json!({"first_name": "Zoë", "last_name": "O'Brien-Łukasz"}));
        assert_has(&me, json!({"username": "zoe.k", "phone": "+491701234567"}));
        assert_has(&me, json!({"metadata": {"plan": "pro", "seats": [1, 2.5, null]}}));
        assert_has(&me, json!({"phone_verified": false}));
    }

    async fn a_sign_up_chooses_neither_role_nor_identity_nor_standing(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        let wishes = [
            ("role", json!("ADMIN")), ("roles", json!(["ADMIN"])), ("is_admin", json!(true)),
            ("id", json!("ausr_01h2xcejqtf2nbrexx3vqjhp41")), ("_id", json!("x")),
            ("user_id", json!("ausr_01h2xcejqtf2nbrexx3vqjhp41")), ("status", json!("active")),
            ("email_verified", json!(true)), ("phone_verified", json!(true)),
            ("verified", json!(true)), ("rights_version", json!(9)), ("permissions", json!(["*"])),
            ("env_id", json!(app.own.production.env_id)), ("tenant", json!({})),
            ("password_hash", json!("x")), ("created_at", json!("2000-01-01T00:00:00.000Z")),
            ("mfa_enabled", json!(false)), ("session_id", json!("x")), ("is_platform", json!(true)),
            ("emailVerified", json!(true)), ("Email", json!("b@example.org")), ("$set", json!({})),
        ];

        for (name, wish) in wishes {
            let body = json!({"email": "mia@example.org", "password": PASSWORD, name: wish});
            let refusal = visitor.post("/v1/signup").json(body).await.refuses(400, "unknown_field");
            assert_eq!(refusal["errors"][0]["pointer"], format!("/{name}"));
        }

        assert_eq!(app.user_count(&app.own.development).await, 0);
    }

    async fn every_bad_and_every_unknown_field_is_told_at_once(app: TestApp) {
        let body = json!({
            "email": "nobody", "password": "short", "first_name": "a\u{202e}b", "last_name": "\n",
            "username": "-x", "phone": "12", "metadata": [], "app_id": "aapp_x", "role": "ADMIN",
            "a/b~c": 1,
        });

        let visitor = app.visitor(&app.own.development);
        let refusal = visitor.post("/v1/signup").json(body).await.refuses(400, "invalid_body");

        assert_eq!(told_of(&refusal), [
            "/app_id invalid_app_id", "/a~1b~0c unknown_field", "/email invalid_email",
            "/first_name invalid_first_name", "/last_name invalid_last_name",
            "/metadata wrong_type", "/password weak_password", "/phone invalid_phone",
            "/role unknown_field", "/username invalid_username",
        ]);
    }

    async fn what_is_missing_or_no_text_is_told_by_name(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        let missing = visitor.post("/v1/signup").json(json!({})).await.refuses(400, "invalid_body");
        assert_eq!(told_of(&missing), ["/email required", "/password required"]);

        for other in [json!(null), json!(0), json!([]), json!({}), json!(true), json!(["a@b.io"])] {
            let body = json!({"email": other, "password": other, "username": 7});
            let refusal = visitor.post("/v1/signup").json(body).await.refuses(400, "invalid_body");
            let told = ["/email wrong_type", "/password wrong_type", "/username wrong_type"];
            assert_eq!(told_of(&refusal), told, "{other}");
        }
    }

    async fn a_username_and_a_telephone_number_belong_to_one_person(app: TestApp) {
        let names = json!({"username": "mia", "phone": "+4917012345"});
        app.person_with("mia@example.org", names).await;
        let visitor = app.visitor(&app.own.development);

        for (name, text, refusal) in [
            ("username", "mia", "username_taken"), ("username", "MIA", "username_taken"),
            ("phone", "+4917012345", "phone_taken"), ("phone", "+49 170-12345", "phone_taken"),
        ] {
            let body = json!({"email": "max@example.org", "password": PASSWORD, name: text});
            visitor.post("/v1/signup").json(body).await.refuses(409, refusal);
        }

        assert_eq!(app.user_count(&app.own.development).await, 1);
    }

    /// An index over an optional field must not see those who have none (MongoDB would).
    async fn people_without_a_username_or_a_number_do_not_collide(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        let people = (0..22).map(|number| format!("mia{number}@example.org"));

        let replies = join_all(people.map(async |email| visitor.signs_up(&email, PASSWORD).await));

        for reply in replies.await {
            assert_eq!(reply.outcome(), "201");
        }
        assert_eq!(app.user_count(&app.own.development).await, 22);
    }

    async fn production_tells_a_known_address_from_a_new_one_by_nothing(app: TestApp) {
        let visitor = app.visitor(&app.own.production);
        let new = visitor.signs_up("mia@example.org", PASSWORD).await.expect(202);

        let known = visitor.signs_up("Mia@Example.org", "another long password").await.expect(202);

        assert_eq!(new.json(), json!({"status": "verification_required"}));
        assert_eq!(new.tells(), known.tells());
        assert_eq!(app.user_count(&app.own.production).await, 1);
        visitor.signs_in("mia@example.org", PASSWORD).await.refuses(403, "email_not_verified");
        let other = visitor.signs_in("mia@example.org", "another long password").await;
        other.refuses(401, "invalid_credentials");
    }

    async fn a_closed_sign_up_refuses_known_and_new_alike(app: TestApp) {
        let door = &app.own.development;
        app.person("mia@example.org").await;
        let _ = app.key().sets(door, json!({"signup_open": false})).await.expect(200);

        for (door, known) in [(door, "mia@example.org"), (&app.platform, &*app.operator.email)] {
            let before = app.user_count(door).await;
            let known = app.visitor(door).signs_up(known, PASSWORD).await;
            let new = app.visitor(door).signs_up("new@example.org", PASSWORD).await;
            assert_eq!((known.outcome(), known.tells()), ("403 signup_closed".into(), new.tells()));
            assert_eq!(app.user_count(door).await, before);
        }
    }

    /// "The first user becomes the owner" is how installations are taken over.
    async fn nobody_becomes_an_operator_by_being_first(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        let racers = (0..20).map(|number| format!("mia{number}@example.org"));

        let replies = join_all(racers.map(async |email| visitor.signs_up(&email, PASSWORD).await));

        for told in replies.await.into_iter().map(|reply| reply.told(201)) {
            assert_eq!(told["user"]["roles"], json!(["USER"]));
        }
        assert_eq!(app.user_count(&app.platform).await, 1);
    }

    async fn an_app_must_be_named_and_named_once(app: TestApp) {
        let account = json!({"email": "mia@example.org", "password": PASSWORD});
        let other = app.founds("Other").await.development;
        let (pk, sign_up) = ("x-publishable-key", || app.post("/v1/signup").json(account.clone()));

        sign_up().await.refuses(400, "app_context_required");
        for unknown in ["pk_test_x", "x", "", &"pk_".repeat(90), &app.own.development.secret_key] {
            sign_up().header(pk, unknown).await.refuses(401, "invalid_publishable_key");
        }
        let two = sign_up().at(&app.own.development).at(&other).await;
        two.refuses(400, "ambiguous_credentials");
        let mut named = account.clone();
        named["app_id"] = json!(other.app_id);
        let visitor = app.visitor(&app.own.development);
        visitor.post("/v1/signup").json(named.clone()).await.refuses(401, "tenant_mismatch");
        let in_query = format!("/v1/signup?publishable_key={}", other.publishable_key);
        app.post(&in_query).json(named).await.told(201);
    }

    async fn a_backend_signs_people_up_by_its_secret_key(app: TestApp) {
        let account = json!({"email": "mia@example.org", "password": PASSWORD});

        let told = app.key().post("/v1/signup").json(account).await.told(201);

        assert_eq!(told["user"]["app_id"], app.own.development.app_id);
    }

    async fn a_stale_token_in_a_browser_does_not_keep_its_owner_out(app: TestApp) {
        let account = json!({"email": "mia@example.org", "password": PASSWORD});
        let sign_up = || app.post("/v1/signup").json(account.clone()).bearer("stale");

        sign_up().await.refuses(401, "invalid_token");
        sign_up().at(&app.own.development).await.told(201);
    }

    async fn every_sign_up_is_told_once_by_identifiers_alone(app: TestApp) {
        let door = &app.own.development;
        let mia = app.person("mia@example.org").await;
        app.clock.advance(Duration::from_millis(1));
        app.visitor(door).signs_up("mia@example.org", PASSWORD).await.refuses(409, "email_taken");

        let told = app.events(door, Name::UserSignedUp).await;

        let [made, refused] = &told[..] else { panic!("{told:?}") };
        assert_eq!((made.outcome, refused.outcome), (Outcome::Success, Outcome::Denied));
        assert_eq!(made.actor.id.as_ref(), Some(&mia.id));
        for event in &told {
            assert_eq!(event.target.as_ref().and_then(|it| it.id.as_ref()), Some(&mia.id));
            assert_eq!(event.ip_address.as_deref(), Some("127.0.0.1"));
            assert_eq!(event.request_id.len(), 32);
            assert!(!serde_json::to_string(event).unwrap().contains("mia@"));
        }
        assert_eq!(app.events(door, Name::SessionCreated).await.len(), 1);
    }
}

/// Pointer and type of every field that is told, in order.
fn told_of(refusal: &Value) -> Vec<String> {
    let told = refusal["errors"]
        .as_array()
        .expect("fields are told")
        .iter();
    let text = |field: &Value, name: &str| field[name].as_str().unwrap_or_default().to_owned();
    let mut told: Vec<_> = told
        .map(|field| format!("{} {}", text(field, "pointer"), text(field, "type")))
        .collect();
    told.sort();
    told
}
