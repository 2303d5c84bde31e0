//! Introspection: what a key or a token is good for, or that it is good for nothing (RFC 7662).

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::acme::Acme;
use crate::support::app::TestApp;
use crate::support::client::{Asks, assert_has};
use crate::support::machines::keyed;
use crate::support::persona::{Administers, Machine};
use crate::support::stores::on_both_stores;

async fn told(machine: &Machine, token: &str) -> Value {
    let asked = machine
        .post("/v1/introspect")
        .json(json!({"token": token}))
        .await;
    asked.told(200)
}

async fn is_nothing(machine: &Machine, token: &str) {
    let asked = machine
        .post("/v1/introspect")
        .json(json!({"token": token}))
        .await;
    assert_eq!(asked.expect(200).text(), r#"{"active":false}"#);
}

on_both_stores! {
    async fn what_is_good_is_told_with_what_it_is_good_for(acme: Acme) {
        let (app, owner, machine) = (&acme.app, &acme.owner, acme.app.key());
        let (app_id, env_id) = (&owner.door.app_id, &owner.door.env_id);

        let access = told(&machine, &owner.access_token()).await;
        assert_has(&access, json!({
            "active": true, "token_type": "Bearer", "sub": owner.id, "user_id": owner.id,
            "app_id": app_id, "env_id": env_id, "org_id": acme.org.id, "roles": ["USER"],
            "org_roles": ["owner"], "session_id": owner.session_id(), "aud": app_id,
            "iss": app.client().url(),
        }));
        let permissions = access["permissions"].as_array().expect("permissions");
        assert!(permissions.contains(&json!("members:read")));
        let refresh = told(&machine, &owner.refresh_token()).await;
        assert_has(&refresh, json!({
            "active": true, "token_type": "refresh_token", "user_id": owner.id,
            "session_id": owner.session_id(), "org_id": acme.org.id,
        }));
        let key = app.key_of(owner, keyed("Own", &["members:read"])).await;
        assert_has(&told(&machine, &key.secret).await, json!({
            "active": true, "token_type": "api_key", "sub": owner.id, "client_id": key.id,
            "scope": "members:read", "roles": [], "env_id": env_id,
        }));
        assert_has(&told(&machine, &key.token().await).await, json!({
            "active": true, "client_id": key.id, "scope": "members:read",
        }));
        let (id, account) = app.account(&["ADMIN"], &["*:*"]).await;
        let said = told(&machine, &account.secret).await;
        assert_has(&said, json!({"sub": id, "roles": ["ADMIN"], "scope": "*:*"}));
        assert_eq!(said.get("user_id"), None);
        // Asking uses nothing up.
        let _ = owner.refreshes().await.expect(200);
        let form = machine.post("/v1/introspect");
        let body = format!("token={}&token_type_hint=access_token", owner.access_token());
        let form = form.body("application/x-www-form-urlencoded", body).await;
        assert_eq!(form.told(200)["active"], true);
    }

    async fn what_is_over_revoked_replayed_or_nothing_looks_the_same(app: TestApp) {
        let machine = app.key();
        let mia = app.person("mia@example.org").await;
        let key = app.key_of(&mia, keyed("Own", &["me:read"])).await;
        let token = key.token().await;
        let spent = mia.refresh_token();
        let _ = mia.refreshes().await.expect(200);
        let new = json!({"name": "One", "scopes": ["me:read"], "remaining_uses": 1});
        let counted = app.key_of(&mia, new).await;
        assert_eq!(told(&machine, &counted.secret).await["active"], true);
        counted.get("/v1/me").await.told(200);

        is_nothing(&machine, &spent).await;
        is_nothing(&machine, &counted.secret).await;
        mia.me().await.told(200);
        for text in [
            "", " ", "x", "sk_test_x", "a.b.c", "a.b.c.d", &mia.door.publishable_key,
            &mia.access_token()[1..], &format!("{}x", key.secret), &"x".repeat(9000),
        ] {
            if text.is_empty() {
                continue;
            }
            is_nothing(&machine, text).await;
        }
        let _ = mia.delete(&key.path()).await.expect(204);
        is_nothing(&machine, &key.secret).await;
        is_nothing(&machine, &token).await;
        let (access, refresh) = (mia.access_token(), mia.refresh_token());
        let _ = mia.signs_out().await.expect(204);
        is_nothing(&machine, &access).await;
        is_nothing(&machine, &refresh).await;
        let _ = mia.signs_in().await.expect(200);
        let _ = machine.bans(&mia.id, json!({})).await.expect(200);
        is_nothing(&machine, &mia.access_token()).await;
        is_nothing(&machine, &mia.refresh_token()).await;
        let noah = app.person("noah@example.org").await;
        app.clock.advance(Duration::from_hours(24 * 31));
        is_nothing(&machine, &noah.access_token()).await;
        is_nothing(&machine, &noah.refresh_token()).await;
    }

    async fn of_another_environment_nothing_is_told(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let key = app.key_of(&mia, keyed("Own", &["me:read"])).await;
        let shop = app.founds("Shop").await;

        for door in [&app.own.production, &shop.development] {
            let machine = app.machine(door);
            for text in [&mia.access_token(), &mia.refresh_token(), &key.secret, &key.token().await] {
                is_nothing(&machine, text).await;
            }
            is_nothing(&machine, &app.own.development.secret_key).await;
        }
        assert_eq!(told(&app.key(), &mia.access_token()).await["active"], true);
    }

    async fn who_asks_has_a_key_of_the_environment(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let own = app.key_of(&mia, keyed("Own", &["*:*"])).await;
        let token = json!({"token": mia.access_token()});

        app.post("/v1/introspect").json(token.clone()).await.refuses(401, "unauthenticated");
        let public = app.visitor(&mia.door).post("/v1/introspect");
        public.json(token.clone()).await.refuses(401, "unauthenticated");
        let public = app.post("/v1/introspect").api_key(&mia.door.publishable_key);
        public.json(token.clone()).await.refuses(401, "invalid_token");
        mia.post("/v1/introspect").json(token.clone()).await.refuses(403, "forbidden");
        own.post("/v1/introspect").json(token).await.refuses(403, "forbidden");
        app.key().post("/v1/introspect").json(json!({})).await.refuses(400, "invalid_body");
        app.key().post("/v1/introspect").await.refuses(400, "invalid_body");
    }
}
