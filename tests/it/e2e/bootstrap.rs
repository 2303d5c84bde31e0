//! `authsome bootstrap`: what a first start makes, without serving.

use serde_json::{Value, json};

use super::server::{Home, PASSWORD, text};
use crate::support::client::Asks;
use crate::support::stores::{on_both_stores, run};

/// The names of an object's members, in order.
fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<_> = object
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| &**name)
        .collect();
    names.sort_unstable();
    names
}

fn environments(told: &Value) -> impl Iterator<Item = &Value> {
    told["environments"].as_array().expect("a list").iter()
}

on_both_stores! {
    async fn it_tells_keys_and_secrets_once_and_afterwards_the_same_keys(home: Home) {
        let first = home.bootstrap(&[]);
        let second = home.bootstrap(&[]);

        let all = [
            "admin", "app_id", "env_id", "environments", "platform", "publishable_key",
            "secret_key",
        ];
        assert_eq!(members(&first), all);
        assert_eq!(members(&first["admin"]), ["email", "password", "user_id"]);
        assert_eq!(members(&first["platform"]), ["app_id", "env_id", "publishable_key"]);
        let slugs: Vec<_> = environments(&first).map(|one| text(one, "/slug")).collect();
        assert_eq!(slugs, ["production", "development"]);
        for environment in environments(&first) {
            assert_eq!(members(environment), ["id", "publishable_key", "secret_key", "slug"]);
            assert!(text(environment, "/publishable_key").starts_with("pk_"));
            assert!(text(environment, "/secret_key").starts_with("sk_"));
        }
        let development = &first["environments"][1];
        assert_eq!(development["id"], first["env_id"]);
        assert_eq!(development["publishable_key"], first["publishable_key"]);
        assert_eq!(development["secret_key"], first["secret_key"]);

        assert_eq!(second, without_secrets(first));
    }

    async fn another_app_is_made_once_and_found_by_any_spelling_of_its_name(home: Home) {
        let default = home.bootstrap(&[]);

        let shop = home.bootstrap(&["--app", "The Shop"]);
        let again = home.bootstrap(&["--app", "the shop"]);

        assert_ne!(shop["app_id"], default["app_id"]);
        assert_eq!(shop["platform"], default["platform"]);
        assert_eq!(shop["admin"]["user_id"], default["admin"]["user_id"]);
        assert_eq!(again, without_secrets(shop));
    }

    async fn a_running_server_knows_at_once_what_the_command_makes(home: Home) {
        let server = home.serve().await;
        let unknown = server.get("/v1/client-config?key=pk_nothing").await;
        unknown.refuses(401, "invalid_publishable_key");

        let shop = home.bootstrap(&["--app", "Shop"]);

        let key = text(&shop, "/publishable_key");
        let tokens = server.sign_up(&key, "mia@example.org").await;
        assert_eq!(tokens["user"]["app_id"], shop["app_id"]);
        let secret = text(&shop, "/secret_key");
        let users = server.get("/v1/admin/users").api_key(&secret).await.told(200);
        assert_eq!(users["users"][0]["id"], tokens["user"]["id"]);
    }

    async fn the_operator_is_who_was_asked_for_and_acts_on_other_apps(home: Home) {
        let arguments = ["--admin-email", "Olga@Example.org", "--admin-password", PASSWORD];
        let told = home.bootstrap(&arguments);
        let server = home.serve().await;
        let platform = text(&told, "/platform/publishable_key");

        let tokens = server.sign_in(&platform, "olga@example.org", PASSWORD).await;

        assert_eq!(told["admin"]["email"], "olga@example.org");
        assert_eq!(tokens["user"]["id"], told["admin"]["user_id"]);
        let users = format!("/v1/admin/users?app_id={}", text(&told, "/app_id"));
        let listed = server.get(&users).bearer(&text(&tokens, "/access_token")).await;
        assert_eq!(listed.told(200)["users"], json!([]));
    }
}

/// The same without what is told only once.
fn without_secrets(mut told: Value) -> Value {
    let objects = told.as_object_mut().expect("an object");
    objects.remove("secret_key");
    told["admin"]
        .as_object_mut()
        .expect("an object")
        .remove("password");
    for environment in told["environments"].as_array_mut().expect("a list") {
        environment
            .as_object_mut()
            .expect("an object")
            .remove("secret_key");
    }
    told
}

#[test]
fn nobody_becomes_operator_by_signing_up_first() {
    run(async {
        let home = Home::embedded();
        let told = home.bootstrap(&[]);
        let server = home.serve().await;
        let platform = text(&told, "/platform/publishable_key");

        let body = json!({"email": "mallory@example.org", "password": PASSWORD});
        let refused = server.post_at(&platform, "/v1/signup", body).await;

        refused.refuses(403, "signup_closed");
    });
}

#[test]
fn a_weak_password_makes_no_operator() {
    let home = Home::embedded();

    let ran = home.run(&["bootstrap", "--admin-password", "password1"]);

    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.err.contains("password") && !ran.err.contains("password1"),
        "{}",
        ran.err
    );
}

#[test]
fn the_platform_is_no_name_for_an_app() {
    let home = Home::embedded();

    let ran = home.run(&["bootstrap", "--app", "Platform"]);

    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("choose another name"), "{}", ran.err);
}
