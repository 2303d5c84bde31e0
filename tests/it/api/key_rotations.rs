//! Keys that are given other secrets and other ends, and what becomes of the tokens of those before.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::client::{Asks, assert_has};
use crate::support::machines::{Key, keyed};
use crate::support::orgs::{claims, text};
use crate::support::persona::Person;
use crate::support::stores::on_both_stores;

/// Whether backends are told to refuse a token by its `sid`.
async fn is_revoked(app: &TestApp, token: &str) -> bool {
    let feed = app.key().get("/v1/revocations?limit=100").await.told(200);
    feed.to_string().contains(&text(&claims(token)["sid"]))
}

async fn rotated(app: &TestApp, (key, by): (&Key, &Person), how: Value) -> Key {
    Key::of(app.client(), &key.rotated_by(by, how).await.told(200))
}

/// Of an exchange, for how many seconds its token is good.
async fn term(key: &Key) -> Value {
    key.exchanges().await.told(200)["expires_in"].clone()
}

on_both_stores! {
    async fn a_secret_that_is_dropped_takes_its_tokens_along(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let first = app.key_of(&mia, keyed("Laptop", &["me:read"])).await;
        let of_first = first.token().await;
        let an_hour = || json!({"grace_seconds": 3600});

        let second = rotated(&app, (&first, &mia), an_hour()).await;
        assert!(!is_revoked(&app, &of_first).await);
        app.get("/v1/me").bearer(&of_first).await.told(200);
        let of_second = second.token().await;
        let third = rotated(&app, (&second, &mia), an_hour()).await;

        assert!(is_revoked(&app, &of_first).await);
        app.get("/v1/me").bearer(&of_first).await.refuses(401, "invalid_token");
        first.get("/v1/me").await.refuses(401, "invalid_token");
        assert!(!is_revoked(&app, &of_second).await);
        app.get("/v1/me").bearer(&of_second).await.told(200);
        let of_third = third.token().await;
        let _ = mia.delete(&first.path()).await.expect(204);
        assert!(is_revoked(&app, &of_second).await && is_revoked(&app, &of_third).await);
    }

    async fn an_account_that_is_disabled_leaves_no_token_of_any_secret(app: TestApp) {
        let admin = app.admin().await;
        let (id, first) = app.account(&["ADMIN"], &["users:list"]).await;
        let mut key = first;
        let mut tokens = vec![key.token().await];
        for _ in 0..3 {
            key = rotated(&app, (&key, &admin), json!({"grace_seconds": 3600})).await;
            tokens.push(key.token().await);
        }

        let disabled = json!({"disabled": true});
        app.key().patch(&format!("/v1/admin/service-accounts/{id}")).json(disabled).await.told(200);

        for token in &tokens {
            assert!(is_revoked(&app, token).await);
        }
    }

    async fn no_token_outlives_a_key_whose_end_is_made_earlier(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let old = app.key_of(&mia, keyed("Laptop", &["me:read"])).await;
        let new = rotated(&app, (&old, &mia), json!({"grace_seconds": 3600})).await;
        let end = text(&mia.get(&old.path()).await.told(200)["created_at"]);
        let end = end.replace("00:00:00", "00:00:08");

        let told = mia.patch(&old.path()).json(json!({"expires_at": end})).await.told(200);

        assert_has(&told, json!({"expires_at": end, "previous_until": end}));
        assert_eq!((term(&old).await, term(&new).await), (json!(8), json!(8)));
        let asked = json!({"token": old.secret});
        let known = app.key().post("/v1/introspect").json(asked).await.told(200);
        assert_eq!(known["exp"], 2_208_988_808_i64);
    }

    async fn no_token_outlives_a_secret_that_a_rotation_ends_sooner(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let made = async |name: &str| {
            let key = app.key_of(&mia, keyed(name, &["me:read"])).await;
            let token = key.token().await;
            (key, token)
        };

        let (brief, token) = made("Brief").await;
        let how = json!({"grace_seconds": 3600, "expires_in": 8});
        let next = rotated(&app, (&brief, &mia), how).await;
        assert!(is_revoked(&app, &token).await);
        app.get("/v1/me").bearer(&token).await.refuses(401, "invalid_token");
        assert_eq!((term(&brief).await, term(&next).await), (json!(8), json!(8)));
        let token = brief.token().await;
        app.get("/v1/me").bearer(&token).await.told(200);

        // A token is good for 15 minutes at most.
        let (short, of_short) = made("Short").await;
        rotated(&app, (&short, &mia), json!({"grace_seconds": 899})).await;
        let (long, of_long) = made("Long").await;
        rotated(&app, (&long, &mia), json!({"grace_seconds": 900})).await;
        assert!(is_revoked(&app, &of_short).await && !is_revoked(&app, &of_long).await);
        assert_eq!((term(&short).await, term(&long).await), (json!(899), json!(900)));
        let _ = mia.delete(&brief.path()).await.expect(204);
        assert!(is_revoked(&app, &token).await);
    }

    async fn a_key_that_has_ended_is_rotated_with_another_end_or_not_at_all(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let new = json!({"name": "Brief", "scopes": ["me:read"], "expires_in": 60});
        let old = app.key_of(&mia, new).await;
        app.clock.advance(Duration::from_mins(1));

        old.rotated_by(&mia, json!({})).await.refuses(409, "key_over");
        old.rotated_by(&mia, json!({"grace_seconds": 60})).await.refuses(409, "key_over");
        let how = json!({"grace_seconds": 3600, "expires_in": 60});
        let next = rotated(&app, (&old, &mia), how).await;

        next.get("/v1/me").await.told(200);
        old.get("/v1/me").await.refuses(401, "invalid_token");
    }

    async fn a_key_that_is_used_up_is_not_rotated(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let new = json!({"name": "One", "scopes": ["me:read"], "remaining_uses": 1});
        let key = app.key_of(&mia, new).await;
        key.get("/v1/me").await.told(200);

        key.rotated_by(&mia, json!({})).await.refuses(409, "key_over");
        key.rotated_by(&mia, json!({"expires_in": 60})).await.refuses(409, "key_over");
        mia.get(&key.path()).await.told(200);
    }
}
