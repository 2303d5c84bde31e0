//! Refreshing: one token for the next, and the end of the session for one that was copied.

use std::collections::HashSet;
use std::time::Duration;

use authsome::events::Name;
use futures_util::future::join_all;
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::orgs::claims;
use crate::support::persona::PASSWORD;
use crate::support::raw;
use crate::support::stores::on_both_stores;

const DAY: Duration = Duration::from_hours(24);

on_both_stores! {
    async fn a_refresh_gives_the_next_pair_of_the_same_session(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let before = mia.tokens();
        app.clock.advance(Duration::from_mins(10));

        let told = mia.refreshes().await.told(200);

        let after = mia.tokens();
        assert_eq!(after.session_id, before.session_id);
        assert_ne!((&after.access, &after.refresh), (&before.access, &before.refresh));
        assert_eq!((&told["user"]["id"], &told["expires_in"]), (&json!(mia.id), &json!(900)));
        assert_eq!(told["expires_at"], "2040-01-01T00:25:00.000Z");
        mia.me().await.told(200);
    }

    async fn a_refresh_keeps_how_and_when_its_owner_signed_in(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let before = claims(&mia.access_token());
        app.clock.advance(Duration::from_hours(1));

        let _ = mia.refreshes().await.expect(200);

        let after = claims(&mia.access_token());
        for name in ["iss", "sub", "aud", "sid", "app_id", "env_id", "roles", "amr", "auth_time"] {
            assert_eq!(after[name], before[name], "{name}");
        }
        assert_ne!(after["jti"], before["jti"]);
    }

    async fn the_environment_need_not_be_named_but_must_be_right(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let body = || json!({"refresh_token": mia.refresh_token()});

        let elsewhere = app.visitor(&app.own.production).post("/v1/refresh").json(body());
        elsewhere.await.refuses(401, "tenant_mismatch");

        app.post("/v1/refresh").json(body()).await.told(200);
    }

    /// The second use of a refresh token means that somebody has a copy.
    async fn a_replay_ends_its_session_and_no_other(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let sibling = mia.on_another_device().await;
        let first = mia.tokens();
        let _ = mia.refreshes().await.expect(200);
        let second = mia.tokens();
        let _ = mia.refreshes().await.expect(200);

        mia.presents(&first.refresh).await.refuses(401, "refresh_token_reused");

        mia.presents(&mia.refresh_token()).await.refuses(401, "invalid_refresh_token");
        for access in [&first.access, &second.access, &mia.access_token()] {
            app.get("/v1/me").bearer(access).await.refuses(401, "invalid_token");
        }
        sibling.me().await.told(200);
        sibling.refreshes().await.told(200);
    }

    async fn a_replay_is_told_once_however_often_it_is_tried(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let spent = mia.refresh_token();
        let _ = mia.refreshes().await.expect(200);

        for _ in 0..100 {
            mia.presents(&spent).await.refuses(401, "refresh_token_reused");
        }

        let told = app.events(&mia.door, Name::RefreshReuseDetected).await;
        let [event] = &told[..] else { panic!("{told:?}") };
        assert_eq!(event.target.as_ref().and_then(|it| it.id.clone()), Some(mia.session_id()));
        assert_eq!(event.details["user_id"], mia.id);
    }

    /// The clock stands still here: every token is of one millisecond.
    async fn a_token_of_the_same_instant_is_as_spent_as_any(app: TestApp) {
        for back in 0..3 {
            let mia = app.person(&format!("mia{back}@example.org")).await;
            let mut spent = Vec::new();
            for _ in 0..3 {
                spent.push(mia.refresh_token());
                let _ = mia.refreshes().await.expect(200);
            }
            mia.presents(&spent[back]).await.refuses(401, "refresh_token_reused");
            mia.refreshes().await.refuses(401, "invalid_refresh_token");
        }
    }

    async fn of_fifty_with_one_token_one_gets_the_next_and_the_session_is_dead(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (before, token) = (mia.tokens(), mia.refresh_token());

        let replies = join_all((0..50).map(async |_| mia.presents(&token).await)).await;

        let (won, lost): (Vec<_>, Vec<_>) = replies.into_iter().partition(|it| it.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 49));
        for reply in lost {
            reply.refuses(401, "refresh_token_reused");
        }
        let next = won[0].json();
        let next = next["refresh_token"].as_str().unwrap();
        mia.presents(next).await.refuses(401, "invalid_refresh_token");
        app.get("/v1/me").bearer(&before.access).await.refuses(401, "invalid_token");
        assert_eq!(app.events(&mia.door, Name::RefreshReuseDetected).await.len(), 1);
    }

    /// No grace: a client that loses the answer signs in again, and never gets a second child.
    async fn who_loses_the_answer_cannot_ask_again(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let body = json!({"refresh_token": mia.refresh_token()}).to_string();
        let lines = ["Content-Type: application/json".to_owned()];
        let request = raw::request("POST /v1/refresh", &lines, body.as_bytes());

        raw::exchange(app.client().address(), &request);

        mia.refreshes().await.refuses(401, "refresh_token_reused");
    }

    async fn what_is_not_exactly_a_token_is_refused_and_costs_the_store_nothing(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let token = mia.refresh_token();
        let (session, rest) = token.split_once('.').unwrap();
        let other = app.person("max@example.org").await.session_id();
        let forged = [
            String::new(), "x".into(), token[1..].into(), token[..token.len() - 1].into(),
            format!("{token}="), format!("{token}\0"), format!(" {token}"), format!("{token}\n"),
            token.to_uppercase(), token.replace('.', "%2E"), format!("{token}.x"), "....".into(),
            format!("{session}.0.{}.{}", "A".repeat(43), "A".repeat(43)), mia.access_token(),
            format!("{other}.{rest}"), token.replacen(".0.", ".1.", 1), "x".repeat(60_000),
        ];

        for text in &forged {
            let calls = app.calls_for(async || {
                mia.presents(text).await.refuses(401, "invalid_refresh_token");
            });
            assert_eq!(calls.await, 0, "{text:.60}");
        }
        mia.refreshes().await.told(200);
    }

    async fn a_body_without_a_token_is_told_so(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        for body in [json!({}), json!({"refresh_token": null}), json!({"refresh_token": ["x"]})] {
            visitor.post("/v1/refresh").json(body).await.refuses(400, "invalid_body");
        }
        let body = json!({"refresh_token": "x", "scope": "admin"});
        visitor.post("/v1/refresh").json(body).await.refuses(400, "unknown_field");
    }

    async fn no_refresh_outlives_the_session(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        for _ in 0..29 {
            app.clock.advance(DAY);
            let _ = mia.refreshes().await.expect(200);
        }
        let _ = mia.refreshes().await.expect(200);

        app.clock.advance(DAY);

        mia.refreshes().await.refuses(401, "invalid_refresh_token");
        mia.me().await.refuses(401, "invalid_token");
    }

    async fn who_signed_out_or_is_banned_refreshes_nothing(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let max = app.person("max@example.org").await;
        let _ = mia.signs_out().await.expect(204);
        app.bans_by_hand(&max.door, &max.id).await;

        mia.refreshes().await.refuses(401, "invalid_refresh_token");
        max.refreshes().await.refuses(401, "invalid_refresh_token");
    }

    async fn two_hundred_tokens_are_all_different(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let mut seen = HashSet::from([mia.refresh_token()]);

        for _ in 0..100 {
            let _ = mia.refreshes().await.expect(200);
            assert!(seen.insert(mia.refresh_token()) && seen.insert(mia.access_token()));
        }

        let randoms: HashSet<_> = seen.iter().filter_map(|token| token.split('.').nth(2)).collect();
        assert_eq!(randoms.len(), 201);
        mia.visitor().signs_in(&mia.email, PASSWORD).await.told(200);
    }
}
