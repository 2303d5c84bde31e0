//! Sessions: seeing them, ending one, ending all.

use std::collections::HashSet;
use std::time::Duration;

use authsome::events::Name;
use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::SessionId;
use serde_json::{Value, json};

use crate::support::app::{NEW_YEAR, TestApp};
use crate::support::client::{Asks, assert_has};
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn signing_out_ends_both_tokens_at_once(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        mia.me().await.told(200);

        let _ = mia.signs_out().await.expect(204);

        mia.me().await.refuses(401, "invalid_token");
        mia.signs_out().await.refuses(401, "invalid_token");
        mia.refreshes().await.refuses(401, "invalid_refresh_token");
    }

    async fn signing_out_here_leaves_other_devices_signed_in(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let phone = mia.on_another_device().await;

        let _ = mia.signs_out().await.expect(204);

        phone.me().await.told(200);
        phone.refreshes().await.told(200);
    }

    async fn an_older_token_of_an_ended_session_is_dead_as_well(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let older = mia.access_token();
        let _ = mia.refreshes().await.expect(200);

        let _ = mia.signs_out().await.expect(204);

        app.get("/v1/me").bearer(&older).await.refuses(401, "invalid_token");
    }

    async fn signing_out_everywhere_reaches_every_environment(app: TestApp) {
        app.trusts_addresses(&app.own.production).await;
        let mia = app.person("mia@example.org").await;
        let phone = mia.on_another_device().await;
        let elsewhere = mia.enters(&app.own.production).await;
        let max = app.person("max@example.org").await;

        let _ = mia.signs_out_everywhere().await.expect(204);

        for device in [&mia, &phone, &elsewhere] {
            device.me().await.refuses(401, "invalid_token");
            device.refreshes().await.refuses(401, "invalid_refresh_token");
        }
        max.me().await.told(200);
        mia.signs_in().await.told(200);
        mia.me().await.told(200);
    }

    async fn the_list_shows_the_live_ones_newest_first(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        app.person("max@example.org").await;
        let ended = mia.on_another_device().await;
        let _ = ended.signs_out().await.expect(204);
        app.clock.advance(Duration::from_secs(1));
        let phone = mia.on_another_device().await;

        let told = mia.sessions().await.told(200);

        let shown: Vec<_> = ids(&told);
        assert_eq!(shown, [phone.session_id(), mia.session_id()]);
        assert_has(&told["sessions"][0], json!({"current": false}));
        assert_has(&told["sessions"][1], json!({"current": true}));
        assert_eq!(told["has_more"], false);
    }

    async fn the_list_shows_where_from_and_nothing_of_a_token(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let tokens = mia.tokens();

        let reply = mia.get("/v1/sessions").header("user-agent", "Mia's\tphone").await.expect(200);

        let shown = &reply.json()["sessions"][0];
        let names: HashSet<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
        let public = [
            "id", "current", "amr", "auth_time", "ip_address", "created_at", "last_activity_at",
            "expires_at",
        ];
        assert_eq!(names, HashSet::from(public));
        assert_eq!(shown["expires_at"], "2040-01-31T00:00:00.000Z");
        for secret in tokens.refresh.split('.').skip(2).chain(tokens.access.split('.')) {
            assert!(!reply.text().contains(secret));
        }
    }

    async fn a_session_remembers_the_address_of_the_socket_whatever_is_claimed(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let long = format!("Mia's phone {}", "x".repeat(1_000));
        let claims = [
            ("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=203.0.113.9"),
            ("x-real-ip", "203.0.113.9"), ("true-client-ip", "203.0.113.9"),
            ("cf-connecting-ip", "203.0.113.9"), ("x-forwarded-for", "a"), ("user-agent", &*long),
        ];

        for (name, value) in claims {
            let body = json!({"email": mia.email, "password": mia.password});
            mia.visitor().post("/v1/signin").header(name, value).json(body).await.told(200);
        }

        let told = mia.sessions().await.told(200);
        for session in told["sessions"].as_array().unwrap() {
            assert_eq!(session["ip_address"], "127.0.0.1");
            assert!(session["user_agent"].as_str().unwrap_or_default().len() <= 256);
        }
    }

    async fn one_s_other_sessions_can_be_ended_one_by_one(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let phone = mia.on_another_device().await;
        let path = format!("/v1/sessions/{}", phone.session_id());

        let _ = mia.delete(&path).await.expect(204);

        phone.me().await.refuses(401, "invalid_token");
        phone.refreshes().await.refuses(401, "invalid_refresh_token");
        mia.me().await.told(200);
        mia.delete(&path).await.refuses(404, "not_found");
        assert_eq!(ids(&mia.sessions().await.told(200)), [mia.session_id()]);
    }

    async fn a_stranger_s_session_is_as_unknown_as_one_that_never_was(app: TestApp) {
        app.trusts_addresses(&app.own.production).await;
        let mia = app.person("mia@example.org").await;
        let max = app.person("max@example.org").await;
        let elsewhere = mia.enters(&app.own.production).await;
        let random = SessionId::new(NEW_YEAR, &Entropy::system()).to_string();
        let strange = mia.delete(&format!("/v1/sessions/{random}")).await.expect(404);

        let upper = mia.session_id().to_uppercase();
        for id in [
            &*max.session_id(), &elsewhere.session_id(), &mia.id, &upper, "x", "%00", "%2e%2e",
            "507f1f77bcf86cd799439011", "ases_", &"a".repeat(4_000),
        ] {
            let reply = mia.delete(&format!("/v1/sessions/{id}")).await;
            assert_eq!(reply.tells(), strange.tells(), "{id:.40}");
        }

        max.me().await.told(200);
        elsewhere.me().await.told(200);
        assert_eq!(ids(&mia.sessions().await.told(200)), [mia.session_id()]);
    }

    async fn the_list_comes_in_pages_that_lose_and_repeat_nothing(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        for _ in 0..24 {
            mia.on_another_device().await;
        }
        let (mut seen, mut query) = (Vec::new(), "?limit=10".to_owned());

        loop {
            let page = mia.get(&format!("/v1/sessions{query}")).await.told(200);
            seen.extend(ids(&page));
            // New ones arrive at the top, and what is being read is not moved by them.
            app.clock.advance(Duration::from_millis(1));
            mia.on_another_device().await;
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            query = format!("?limit=10&cursor={cursor}");
        }

        let distinct: HashSet<_> = seen.iter().collect();
        assert_eq!((seen.len(), distinct.len()), (25, 25));
    }

    async fn a_session_that_is_over_is_not_listed(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        app.clock.advance(Duration::from_hours(24 * 30));

        mia.signs_in().await.told(200);

        assert_eq!(ids(&mia.sessions().await.told(200)), [mia.session_id()]);
    }

    async fn a_page_must_be_asked_for_properly(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        for (query, refusal) in [
            ("limit=0", "invalid_query"), ("limit=-1", "invalid_query"),
            ("limit=x", "invalid_query"),
            ("limit=1&limit=2", "invalid_query"), ("include=total", "invalid_query"),
            ("user_id=x", "invalid_query"), ("cursor=", "bad_cursor"), ("cursor=x", "bad_cursor"),
        ] {
            mia.get(&format!("/v1/sessions?{query}")).await.refuses(400, refusal);
        }
        mia.get("/v1/sessions?limit=1000000000000").await.told(200);
    }

    async fn a_machine_has_no_sessions(app: TestApp) {
        let machine = app.key();
        machine.get("/v1/sessions").await.refuses(403, "forbidden");
        machine.post("/v1/signout").await.refuses(403, "forbidden");
        machine.post("/v1/signout/all").await.refuses(403, "forbidden");
        app.get("/v1/sessions").await.refuses(401, "unauthenticated");
        app.post("/v1/signout").await.refuses(401, "unauthenticated");
    }

    async fn every_end_is_told_once(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let phone = mia.on_another_device().await;
        let tablet = mia.on_another_device().await;
        let _ = phone.signs_out().await.expect(204);
        let path = format!("/v1/sessions/{}", tablet.session_id());
        let _ = mia.delete(&path).await.expect(204);
        let _ = mia.signs_out_everywhere().await.expect(204);

        let ended = app.events(&mia.door, Name::SessionRevoked).await;
        let all = app.events(&mia.door, Name::SessionsRevoked).await;

        let reasons = ended.iter().filter_map(|it| it.details["reason"].as_str());
        let mut reasons: Vec<_> = reasons.collect();
        reasons.sort_unstable();
        assert_eq!(reasons, ["revoked_by_user", "signed_out"]);
        assert_eq!((all.len(), &all[0].details["sessions"]), (1, &json!(1)));
        assert_eq!(all[0].actor.id.as_ref(), Some(&mia.id));
    }
}

fn ids(page: &Value) -> Vec<String> {
    let all = page["sessions"]
        .as_array()
        .expect("a list of sessions")
        .iter();
    all.map(|session| session["id"].as_str().expect("an identifier").to_owned())
        .collect()
}
