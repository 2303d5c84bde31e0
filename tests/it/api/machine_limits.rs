//! Limits of machines: how often a key is exchanged and asks, and whom that holds up.

use std::future::IntoFuture;
use std::time::Duration;

use authsome::events::Name;
use futures_util::future::join_all;
use serde_json::json;

use crate::api::limits::{CLIENT, waits};
use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::machines::Key;
use crate::support::stores::{Backend, on_both_stores};

/// A server with little patience for machines.
struct Machines(TestApp);

impl Machines {
    async fn on(backend: Backend) -> Self {
        let rates = [
            ("LIMITS__EXCHANGES", "3/1m"),
            ("LIMITS__FAILED_EXCHANGES", "3/1m"),
            ("LIMITS__INTROSPECTIONS", "3/1m"),
        ];
        Self(TestApp::with(backend, &rates).await)
    }
}

on_both_stores! {
    /// Each key has a budget of its own, and so has whoever has none.
    async fn a_key_is_exchanged_and_asks_as_often_as_is_set_and_no_other_is_held_up(app: Machines) {
        let app = app.0;
        let (_, one) = app.account(&["ADMIN"], &["*:*"]).await;
        let (_, other) = app.account(&["ADMIN"], &["*:*"]).await;
        let looks = |key: &Key| key.post("/v1/introspect").json(json!({"token": "x"}));
        for _ in 0..3 {
            one.exchanges().await.told(200);
            looks(&one).await.told(200);
        }

        waits(one.exchanges().await, "20");
        waits(one.grants("grant_type=client_credentials").await, "20");
        waits(looks(&one).await, "20");

        other.exchanges().await.told(200);
        looks(&other).await.told(200);
        let told = app.events(&app.own.development, Name::RateLimitExceeded).await;
        let mut told: Vec<_> = told.iter().map(|it| (it.details["rule"].clone(), it.actor.id.clone())).collect();
        told.sort_by_key(|(rule, _)| rule.to_string());
        let by_one = |rule: &str| (json!(rule), Some(one.id.clone()));
        assert_eq!(told, [by_one("exchanges"), by_one("introspections")]);
        app.clock.advance(Duration::from_secs(20));
        one.exchanges().await.told(200);
        looks(&one).await.told(200);
    }

    async fn of_twenty_exchanges_at_once_three_are_admitted(app: Machines) {
        let (_, key) = app.0.account(&["ADMIN"], &["*:*"]).await;

        let replies = join_all((0..20).map(|_| key.exchanges().into_future())).await;

        let count = |status: u16| replies.iter().filter(|reply| reply.status == status).count();
        assert_eq!((count(200), count(429)), (3, 17));
    }

    /// Whoever guesses is slowed down; a key that is good is not, from the same address.
    async fn what_is_no_key_is_tried_so_often_and_holds_up_no_key(app: Machines) {
        let app = app.0;
        let (_, key) = app.account(&["ADMIN"], &["*:*"]).await;
        let wrong = "grant_type=client_credentials&client_secret=sk_test_x";
        let guesses = || app.post("/v1/token/exchange").body("application/x-www-form-urlencoded", wrong);
        for _ in 0..2 {
            assert_eq!(guesses().await.told(401)["error"], "invalid_client");
        }
        app.post("/v1/token/exchange").api_key("sk_test_x").await.refuses(401, "invalid_token");

        waits(guesses().await, "20");
        waits(app.post("/v1/token/exchange").api_key("sk_test_x").await, "20");

        key.exchanges().await.told(200);
        key.grants("grant_type=client_credentials").await.told(200);
        let elsewhere = guesses().header(CLIENT, "203.0.113.5").header("x-api-key", &app.own.development.secret_key);
        assert_ne!(elsewhere.await.status, 429);
    }
}
