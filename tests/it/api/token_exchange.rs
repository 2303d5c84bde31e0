//! Keys exchanged for access tokens: what these say, what they are good for here, and their end.

use std::time::Duration;

use authsome::events::Name;
use serde_json::json;

use crate::support::acme::Acme;
use crate::support::app::TestApp;
use crate::support::client::{Asks, assert_has};
use crate::support::machines::{Key, keyed};
use crate::support::orgs::claims;
use crate::support::persona::Administers;
use crate::support::stores::on_both_stores;

const FORM: &str = "application/x-www-form-urlencoded";

on_both_stores! {
    async fn a_token_says_whose_key_it_is_and_what_it_is_good_for(acme: Acme) {
        let app = &acme.app;
        let (id, account) = app.account(&["ADMIN"], &["users:list"]).await;
        let (_, whole) = app.account(&["ADMIN"], &["*:*"]).await;
        let own = app.key_of(&acme.owner, keyed("Own", &["members:read"])).await;
        let of_org = json!({"name": "Sync", "scopes": ["members:*"], "org_id": acme.org.id});
        let of_org = app.key_of(&acme.owner, of_org).await;

        let told = account.exchanges().await.told(200);
        assert_has(&told, json!({"token_type": "Bearer", "expires_in": 900, "scope": "users:list"}));
        assert_eq!(told.get("refresh_token"), None);
        let said = claims(told["access_token"].as_str().unwrap());
        let known = json!({
            "sub": id, "client_id": account.id, "scope": "users:list", "roles": [],
            "env_id": acme.owner.door.env_id, "aud": acme.owner.door.app_id,
        });
        assert_has(&said, known);
        assert_eq!(said.get("email"), None);
        assert_has(&claims(&whole.token().await), json!({"roles": ["ADMIN"], "scope": "*:*"}));
        assert_has(&claims(&own.token().await), json!({"sub": acme.owner.id, "roles": []}));
        let said = claims(&of_org.token().await);
        assert_has(&said, json!({"sub": of_org.id, "org_id": acme.org.id, "org_slug": "acme"}));
        let mut permissions = vec!["members:read", "members:add", "members:update", "members:remove"];
        permissions.sort_unstable();
        let mut told: Vec<_> = said["permissions"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
        told.sort_unstable();
        assert_eq!(told, permissions);
        assert_eq!(app.events(&acme.owner.door, Name::TokenExchanged).await.len(), 4);
    }

    async fn here_a_token_is_good_for_exactly_what_the_key_is(acme: Acme) {
        let app = &acme.app;
        let key = app.key_of(&acme.owner, keyed("Own", &["members:read", "me:read"])).await;
        let token = key.token().await;
        let ask = |path: &str| app.get(path).bearer(&token);

        assert_has(&ask("/v1/me").await.told(200), json!({"id": acme.owner.id}));
        ask(&acme.at("/members")).await.told(200);
        ask(&acme.at("/teams")).await.refuses(403, "forbidden");
        ask("/v1/sessions").await.refuses(403, "forbidden");
        // Nobody has signed in by it, and it is no key.
        app.post("/v1/signout").bearer(&token).await.refuses(403, "forbidden");
        app.post("/v1/token/exchange").bearer(&token).await.refuses(401, "invalid_token");
        app.get("/v1/me").api_key(&token).await.refuses(401, "invalid_token");
        app.clock.advance(Duration::from_mins(15) + Duration::from_secs(30));
        ask("/v1/me").await.refuses(401, "invalid_token");
    }

    async fn a_token_ends_with_its_key_its_secret_and_its_user(acme: Acme) {
        let (app, node) = (&acme.app, acme.app.another_node(&[]).await);
        let mia = acme.joined("mia@example.org", &["admin"]).await.person;
        let is_refused = async |token: &str| {
            for client in [app.client(), node.client()] {
                client.get("/v1/me").bearer(token).await.refuses(401, "invalid_token");
            }
        };
        let made = async |name: &str| {
            let key = app.key_of(&mia, keyed(name, &["me:read"])).await;
            let token = key.token().await;
            node.client().get("/v1/me").bearer(&token).await.told(200);
            (key, token)
        };

        let (revoked, token) = made("Revoked").await;
        let _ = mia.delete(&revoked.path()).await.expect(204);
        is_refused(&token).await;
        // Whoever verifies offline hears of it as of a session.
        let feed = app.key().get("/v1/revocations").await.told(200).to_string();
        assert!(feed.contains(claims(&token)["sid"].as_str().unwrap()), "{feed}");

        let (rotated, token) = made("Rotated").await;
        let rotate = mia.post(&format!("{}/rotate", rotated.path())).json(json!({})).await;
        let next = Key::of(app.client(), &rotate.told(200));
        is_refused(&token).await;
        app.get("/v1/me").bearer(&next.token().await).await.told(200);

        let (narrowed, token) = made("Narrowed").await;
        let narrow = json!({"scopes": ["me:organizations"]});
        mia.patch(&narrowed.path()).json(narrow).await.told(200);
        is_refused(&token).await;
        let again = narrowed.token().await;
        app.get("/v1/me/orgs").bearer(&again).await.told(200);

        let (_, token) = made("Of who is banned").await;
        let _ = app.key().bans(&mia.id, json!({})).await.expect(200);
        is_refused(&token).await;
    }

    async fn a_token_lives_no_longer_than_the_secret_it_is_for(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let new = json!({"name": "Brief", "scopes": ["me:read"], "expires_in": 60});
        let brief = app.key_of(&mia, new).await;
        let usual = app.key_of(&mia, keyed("Usual", &["me:read"])).await;
        let rotate = mia.post(&format!("{}/rotate", usual.path()));
        rotate.json(json!({"grace_seconds": 120})).await.told(200);

        assert_eq!(brief.exchanges().await.told(200)["expires_in"], 60);
        assert_eq!(usual.exchanges().await.told(200)["expires_in"], 120);
        let token = usual.token().await;
        app.clock.advance(Duration::from_mins(2));
        app.get("/v1/me").bearer(&token).await.refuses(401, "invalid_token");
    }

    async fn a_form_is_answered_in_the_words_of_its_standard(app: TestApp) {
        let (id, key) = app.account(&["ADMIN"], &["users:list"]).await;
        let form = |text: &str| app.post("/v1/token/exchange").body(FORM, text.to_owned());

        let granted = key.grants(&format!("grant_type=client_credentials&client_id={id}&scope=")).await;
        let token = granted.told(200)["access_token"].as_str().unwrap().to_owned();
        app.get("/v1/admin/users").bearer(&token).await.told(200);
        key.grants("grant_type=client_credentials&unknown=1").await.told(200);
        let by_header = app.post("/v1/token/exchange").api_key(&key.secret);
        by_header.body(FORM, "grant_type=client_credentials").await.told(200);

        let secret = &key.secret;
        for (text, status, error) in [
            (String::new() + "client_id=x", 400, "invalid_request"),
            ("grant_type=password&username=a".to_owned(), 400, "unsupported_grant_type"),
            ("grant_type=client_credentials".to_owned(), 401, "invalid_client"),
            ("grant_type=client_credentials&client_secret=sk_test_x".to_owned(), 401, "invalid_client"),
            (format!("grant_type=client_credentials&client_id=svc_x&client_secret={secret}"), 401, "invalid_client"),
            (format!("grant_type=client_credentials&client_secret={secret}&client_secret={secret}"), 400, "invalid_request"),
            (format!("grant_type=client_credentials&client_secret={secret}&scope=x"), 400, "invalid_scope"),
            (format!("grant_type=client_credentials&client_secret={secret}&scope=users:list+users:read"), 400, "invalid_scope"),
            (format!("grant_type=client_credentials&client_secret={}", app.own.development.publishable_key), 401, "invalid_client"),
        ] {
            let refused = form(&text).await.told(status);
            assert_eq!(refused["error"], error, "{text}");
        }
        let elsewhere = key.grants("grant_type=client_credentials").at(&app.own.production).await;
        assert_eq!(elsewhere.told(401)["error"], "invalid_client");
    }

    /// What a token says it is for, it is for, here as elsewhere.
    async fn a_token_can_be_asked_for_less_than_its_key_is_for(app: TestApp) {
        let machine = app.key();
        let mia = app.person("mia@example.org").await;
        let (_, wide) = app.account(&["ADMIN"], &["users:*", "api_keys:own"]).await;
        let asks = |key: &Key, scope: &str| key.exchanges().json(json!({"scope": scope}));
        let granted = asks(&wide, "users:read users:list").await.told(200);
        let token = granted["access_token"].as_str().unwrap();

        assert_eq!(granted["scope"], "users:list users:read");
        assert_has(&claims(token), json!({"scope": "users:list users:read", "roles": []}));
        app.get("/v1/admin/users").bearer(token).await.told(200);
        let ban = format!("/v1/admin/users/{}/ban", mia.id);
        app.post(&ban).bearer(token).json(json!({})).await.refuses(403, "forbidden");
        let key = json!({"name": "More", "scopes": ["users:list"]});
        app.post("/v1/keys").bearer(token).json(key).await.refuses(403, "forbidden");
        let told = machine.post("/v1/introspect").json(json!({"token": token})).await.told(200);
        assert_eq!(told["scope"], "users:list users:read");
        app.post(&ban).bearer(&wide.token().await).json(json!({})).await.told(200);

        // An account with every right, and all of it named: the roles are told.
        let (_, whole) = app.account(&["ADMIN"], &["*:*"]).await;
        let said = asks(&whole, "*:*").await.told(200);
        assert_has(&claims(said["access_token"].as_str().unwrap()), json!({"roles": ["ADMIN"], "scope": "*:*"}));
        let of_env = asks(&Key::of(app.client(), &json!({"id": "", "key": app.own.development.secret_key})), "users:list");
        let of_env = of_env.await.told(200)["access_token"].as_str().unwrap().to_owned();
        app.get("/v1/admin/users").bearer(&of_env).await.told(200);
        app.get("/v1/environments").bearer(&of_env).await.refuses(403, "forbidden");
    }

    async fn the_permissions_of_an_organisations_token_shrink_with_its_scope(acme: Acme) {
        let new = json!({"name": "Sync", "scopes": ["members:*", "teams:read"], "org_id": acme.org.id});
        let key = acme.app.key_of(&acme.owner, new).await;

        let granted = key.grants("grant_type=client_credentials&scope=members:read").await.told(200);

        let token = granted["access_token"].as_str().unwrap();
        assert_eq!(granted["scope"], "members:read");
        assert_has(&claims(token), json!({"permissions": ["members:read"], "org_id": acme.org.id}));
        acme.app.get(&acme.at("/members")).bearer(token).await.told(200);
        acme.app.get(&acme.at("/teams")).bearer(token).await.refuses(403, "forbidden");
    }

    /// Wider, unknown, malformed: each is refused, and nothing is given instead.
    async fn nobody_is_given_a_scope_that_his_key_does_not_have(app: TestApp) {
        let (_, key) = app.account(&["ADMIN"], &["users:*"]).await;
        let (_, all) = app.account(&["ADMIN"], &["*:*"]).await;

        for (key, scopes) in [
            (&key, ["*:*", "users:list environments:read", "api_keys:own", "users:list  users:read"]),
            (&all, ["no_such:thing", "users:fly", "api_keys:own", "users"]),
        ] {
            for scope in scopes {
                let body = json!({"scope": scope});
                let refusal = key.exchanges().json(body).await.refuses(403, "scope_not_held");
                assert_eq!(refusal["errors"][0]["pointer"], "/scope");
                let form = format!("grant_type=client_credentials&scope={}", scope.replace(' ', "+"));
                assert_eq!(key.grants(&form).await.told(400)["error"], "invalid_scope", "{scope}");
            }
        }
        assert_eq!(app.events(&app.own.development, Name::TokenExchanged).await.len(), 0);
    }

    async fn a_key_whose_uses_are_counted_is_not_exchanged(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let new = json!({"name": "Ten", "scopes": ["me:read"], "remaining_uses": 10});
        let key = app.key_of(&mia, new).await;

        key.exchanges().await.refuses(403, "key_not_exchangeable");
        let refused = key.grants("grant_type=client_credentials").await.told(400);
        assert_eq!(refused["error"], "unauthorized_client");
    }

    async fn only_a_key_is_exchanged(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        app.post("/v1/token/exchange").await.refuses(401, "unauthenticated");
        mia.post("/v1/token/exchange").await.refuses(401, "invalid_token");
        let old = app.key().post("/v1/token/exchange").json(json!({})).await.told(200);
        assert_eq!(old["scope"], "*:*");
        let token = old["access_token"].as_str().unwrap();
        app.get("/v1/admin/users").bearer(token).await.told(200);
        app.post("/v1/token/exchange").body("text/plain", "x").await.refuses(415, "unsupported_media_type");
    }
}
