//! Signing in: who is let in, and what those learn who are not.

use std::time::Duration;

use authsome::events::{Name, Outcome};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::persona::{Administers, PASSWORD};
use crate::support::stores::on_both_stores;

const WRONG: &str = "another long password";

on_both_stores! {
    async fn address_username_and_number_all_lead_in(app: TestApp) {
        let more = json!({"username": "mia.k", "phone": "+491701234567"});
        let mia = app.person_with("mia@example.org", more).await;

        for (name, text) in [
            ("email", "mia@example.org"), ("email", " MIA@example.org"), ("username", "mia.k"),
            ("username", "Mia.K"), ("phone", "+491701234567"), ("phone", "+49 (170) 123-4567"),
        ] {
            let body = json!({name: text, "password": PASSWORD});
            let told = mia.visitor().post("/v1/signin").json(body).await.told(200);
            assert_eq!(told["user"]["id"], mia.id, "{name} {text}");
        }
    }

    async fn every_sign_in_is_a_session_of_its_own(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        let again = mia.on_another_device().await;

        assert_ne!(again.session_id(), mia.session_id());
        assert_ne!(again.refresh_token(), mia.refresh_token());
        mia.me().await.told(200);
        again.me().await.told(200);
    }

    async fn a_wrong_password_and_an_unknown_account_are_one_answer(app: TestApp) {
        let mia = app.person_with("mia@example.org", json!({"username": "mia"})).await;
        let max = app.person("max@example.org").await;
        let _ = app.key().bans(&max.id, json!({})).await.expect(200);
        app.visitor(&app.own.production).signs_up("una@example.org", PASSWORD).await.told(202);

        let mut answers = Vec::new();
        for (name, text) in [
            ("email", "mia@example.org"), ("email", "nobody@example.org"), ("username", "mia"),
            ("username", "nobody"), ("phone", "+4917099999"), ("email", "max@example.org"),
            ("email", "una@example.org"),
        ] {
            let body = json!({name: text, "password": WRONG});
            answers.push(mia.visitor().post("/v1/signin").json(body).await);
        }

        for answer in &answers {
            assert_eq!(answer.outcome(), "401 invalid_credentials");
            assert_eq!(answer.tells(), answers[0].tells());
        }
    }

    async fn what_is_wrong_with_an_account_is_told_to_its_owner_alone(app: TestApp) {
        let max = app.person("max@example.org").await;
        let _ = app.key().bans(&max.id, json!({})).await.expect(200);
        let production = app.visitor(&app.own.production);
        production.signs_up("una@example.org", PASSWORD).await.told(202);

        max.signs_in().await.refuses(403, "account_disabled");
        production.signs_in("una@example.org", PASSWORD).await.refuses(403, "email_not_verified");
        max.visitor().signs_in(&max.email, WRONG).await.refuses(401, "invalid_credentials");
        production.signs_in("una@example.org", WRONG).await.refuses(401, "invalid_credentials");
        app.visitor(&app.own.development).enters("una@example.org", PASSWORD).await;
    }

    async fn exactly_one_account_must_be_named(app: TestApp) {
        let mia = app.person_with("mia@example.org", json!({"username": "mia"})).await;

        for named in [
            json!({"password": PASSWORD}),
            json!({"email": "mia@example.org", "username": "mia", "password": PASSWORD}),
            json!({"email": null, "username": null, "phone": null, "password": PASSWORD}),
            json!({"email": "mia@example.org", "phone": "+4917012345", "password": PASSWORD}),
        ] {
            let reply = mia.visitor().post("/v1/signin").json(named).await;
            reply.refuses(400, "invalid_body");
        }
    }

    async fn what_is_no_text_is_refused_before_the_store_is_asked(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        for other in [
            json!(0), json!([]), json!({}), json!(true), json!(["mia@example.org"]),
            json!({"$ne": ""}),
        ] {
            for name in ["email", "username", "phone", "password"] {
                let mut body = json!({"email": mia.email, "password": PASSWORD});
                body[name] = other.clone();
                let reply = mia.visitor().post("/v1/signin").json(body).await;
                let refusal = reply.refuses(400, "invalid_body");
                let told = refusal["errors"].as_array().unwrap();
                assert!(told.iter().any(|it| it["pointer"] == format!("/{name}")), "{refusal}");
            }
        }
        let body = json!({"email": mia.email, "password": null});
        mia.visitor().post("/v1/signin").json(body).await.refuses(400, "invalid_body");
    }

    async fn what_is_no_address_is_told_so(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        for text in ["mia", "mia@localhost", "a@evil.io,v@corp.com", "=?utf-8?q?=61?=@corp.com"] {
            visitor.signs_in(text, PASSWORD).await.refuses(400, "invalid_email");
        }
        let body = json!({"username": "a b", "password": PASSWORD});
        visitor.post("/v1/signin").json(body).await.refuses(400, "invalid_body");
    }

    async fn credentials_count_in_the_body_alone(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let query = "/v1/signin?email=mia@example.org&password=a%20long%20quiet%20river,%2042";

        mia.visitor().get(query).await.refuses(405, "method_not_allowed");
        mia.visitor().post(query).json(json!({})).await.refuses(400, "invalid_body");
        let form = mia.visitor().post("/v1/signin");
        let form = form.body("application/x-www-form-urlencoded", "email=mia%40example.org");
        form.await.refuses(415, "unsupported_media_type");
        let body = json!({"email": "nobody@example.org", "password": PASSWORD});
        mia.visitor().post(query).json(body).await.refuses(401, "invalid_credentials");
    }

    async fn a_field_that_is_named_twice_is_nobody_s(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let body = r#"{"email":"mia@example.org","password":"x","\u0065mail":"max@example.org"}"#;

        let reply = mia.visitor().post("/v1/signin").body("application/json", body).await;

        assert_eq!(reply.refuses(400, "duplicate_field")["errors"][0]["pointer"], "/email");
    }

    async fn unknown_fields_are_told_by_their_pointers(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let body = json!({"email": mia.email, "password": PASSWORD, "roles": [], "remember": true});

        let refusal = mia.visitor().post("/v1/signin").json(body).await;

        let refusal = refusal.refuses(400, "unknown_field");
        let told = refusal["errors"].as_array().unwrap().iter();
        assert_eq!(told.map(|it| &it["pointer"]).collect::<Vec<_>>(), ["/remember", "/roles"]);
    }

    async fn the_app_of_the_body_must_be_the_app_of_the_key(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let other = app.founds("Other").await.development;
        let sign_in = |app_id: &str| {
            let body = json!({"email": mia.email, "password": PASSWORD, "app_id": app_id});
            mia.visitor().post("/v1/signin").json(body)
        };

        sign_in(&mia.door.app_id).await.told(200);
        sign_in(&other.app_id).await.refuses(401, "tenant_mismatch");
        sign_in("aapp_x").await.refuses(400, "invalid_body");
    }

    async fn thirty_right_sign_ins_at_once_all_succeed(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        let racers = (0..30).map(async |_| mia.on_another_device().await);
        let devices = join_all(racers).await;

        for device in &devices {
            device.me().await.told(200);
        }
        assert_eq!(app.events(&mia.door, Name::SessionDenied).await.len(), 0);
    }

    async fn every_refusal_is_told_once_with_its_reason_and_no_address(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        for email in ["mia@example.org", "nobody@example.org"] {
            app.clock.advance(Duration::from_millis(1));
            mia.visitor().signs_in(email, WRONG).await.refuses(401, "invalid_credentials");
        }

        let told = app.events(&mia.door, Name::SessionDenied).await;

        let [known, unknown] = &told[..] else { panic!("{told:?}") };
        assert_eq!(known.target.as_ref().and_then(|it| it.id.as_ref()), Some(&mia.id));
        assert_eq!(unknown.target, None);
        for event in &told {
            assert_eq!((event.outcome, &*event.actor.kind), (Outcome::Denied, "anonymous"));
            assert_eq!(event.details["reason"], "invalid_credentials");
            assert!(!serde_json::to_string(event).unwrap().contains('@'));
        }
    }

    async fn a_backend_signs_people_in_by_its_secret_key(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let body = json!({"email": mia.email, "password": PASSWORD});

        let told = app.key().post("/v1/signin").json(body).await.told(200);

        assert_eq!(told["user"]["id"], mia.id);
    }
}
