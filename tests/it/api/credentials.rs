//! Credentials: what counts as one, where it is looked for, and what two of them mean.

use authsome::api_keys::ApiKey;
use base64::prelude::{BASE64_STANDARD, Engine};

use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::raw;
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn a_secret_key_is_sent_as_a_header_or_as_a_bearer(app: TestApp) {
        let key = &app.own.development.secret_key;

        app.get("/v1/admin/users").api_key(key).await.told(200);
        app.get("/v1/admin/users").bearer(key).await.told(200);
        app.get("/v1/admin/users").header("authorization", format!("bEaReR {key}")).await.told(200);
        app.get("/v1/admin/users").api_key(key).bearer(key).await.told(200);
    }

    async fn nothing_but_the_whole_key_is_a_key(app: TestApp) {
        let key = &app.own.development.secret_key;
        let last = if key.ends_with('A') { "B" } else { "A" };
        let others = [
            key[..key.len() - 1].to_owned(), format!("{}{last}", &key[..key.len() - 1]),
            format!("{key}A"), format!("{key}="), key.to_uppercase(),
            key[..key.len() / 2].to_owned(),
            "sk_".to_owned(), "sk_test_".to_owned(), format!("sk_test_{}", "A".repeat(43)),
            format!("sk_{}", "A".repeat(5_000)), app.own.development.publishable_key.clone(),
            key.replace("sk_test", "sk_live"), app.platform.app_id.clone(), "null".to_owned(),
        ];

        for other in others {
            let by_header = app.get("/v1/admin/users").api_key(&other).await;
            assert_eq!(by_header.outcome(), "401 invalid_token", "{other:.60}");
            let by_bearer = app.get("/v1/admin/users").bearer(&other).await;
            assert_eq!(by_bearer.tells(), by_header.tells());
        }
    }

    async fn a_publishable_key_opens_nothing(app: TestApp) {
        let door = &app.own.development;
        for path in ["/v1/me", "/v1/sessions", "/v1/admin/users", "/v1/environments"] {
            app.visitor(door).get(path).await.refuses(401, "unauthenticated");
            app.get(path).bearer(&door.publishable_key).await.refuses(401, "invalid_token");
            app.get(path).api_key(&door.publishable_key).await.refuses(401, "invalid_token");
        }
    }

    async fn a_key_counts_nowhere_else_in_a_request(app: TestApp) {
        let key = &app.own.development.secret_key;
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{key}:")));
        let users = || app.get("/v1/admin/users");

        let in_query = format!("/v1/admin/users?api_key={key}&access_token={key}");
        app.get(&in_query).await.refuses(401, "unauthenticated");
        let cookie = format!("access_token={key}; api_key={key}");
        users().header("cookie", cookie).await.refuses(401, "unauthenticated");
        users().header("authorization", basic).await.refuses(401, "invalid_token");
        users().header("x-publishable-key", key).await.refuses(401, "invalid_publishable_key");
    }

    async fn a_malformed_credential_is_a_wrong_one(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let token = mia.access_token();
        let malformed = [
            "Bearer", "Bearer ", "Bearer  ", "Basic %%%", "Digest x", "", " ", "Bearer a b", "x",
            "Bearer,", "Bearer \t", "Bearer ==", &format!("Bearer {token} {token}"), &token,
            &format!("Bearer {token},{token}"), &format!("Bearer {}", "a".repeat(12_000)),
            &format!("Bearer\u{a0}{token}"), &format!("Bearer {token}\u{e9}"),
            &format!("Token {token}"),
        ].map(|text| text.as_bytes().to_vec());

        for header in malformed.into_iter().chain([b"Bearer \xff\xfe".to_vec()]) {
            let reply = app.get("/v1/me").header("authorization", &header).await;
            let shown = String::from_utf8_lossy(&header).into_owned();
            assert_eq!(reply.outcome(), "401 invalid_token", "{shown:.60}");
        }
    }

    /// A credential that is there but wrong never makes room for another one.
    async fn two_credentials_are_none(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let max = app.person("max@example.org").await;
        let key = &app.own.development.secret_key;
        let users = || app.get("/v1/admin/users");

        for two in [
            mia.me().api_key(key), users().bearer("wrong").api_key(key),
            users().api_key("wrong").api_key(key),
            users().api_key(key).header("authorization", "Basic eDp5"),
            mia.me().bearer(&max.access_token()), mia.me().bearer(&mia.access_token()),
        ] {
            two.await.refuses(400, "ambiguous_credentials");
        }
    }

    /// Above what a header may hold there is no request, and so no problem document.
    async fn an_endless_credential_ends_the_connection_and_nothing_else(app: TestApp) {
        let line = format!("Authorization: Bearer {}", "a".repeat(200_000));
        let request = raw::request("GET /v1/me", &[line], b"");

        let reply = raw::exchange(app.client().address(), &request);

        assert!([400, 431].contains(&reply.status) && reply.closed, "{reply:?}");
        app.get("/livez").await.told(200);
    }

    async fn a_key_is_kept_as_a_digest_and_a_few_first_characters(app: TestApp) {
        let door = &app.own.development;

        let kept = app.of_environment::<ApiKey>(door).await;

        let [key] = &kept[..] else { panic!("{kept:?}") };
        assert!(door.secret_key.starts_with(&key.key_prefix) && key.key_prefix.len() < 20);
        assert!(!serde_json::to_string(key).unwrap().contains(&door.secret_key[..30]));
        assert_eq!(key.key_hash.len(), 43);
    }

    async fn refusals_say_what_kind_of_credential_is_wanted(app: TestApp) {
        let none = app.get("/v1/me").await;
        let wrong = app.get("/v1/me").bearer("wrong").await;

        assert_eq!(none.header("www-authenticate"), Some("Bearer"));
        assert_eq!(wrong.header("www-authenticate"), Some(r#"Bearer error="invalid_token""#));
    }
}
