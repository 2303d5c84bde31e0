//! Tenancy: what is an app's or an environment's is nobody else's.

use authsome::users::User;
use serde_json::json;

use crate::support::app::{Door, TestApp};
use crate::support::client::{Asks, Request};
use crate::support::persona::{Administers, PASSWORD, Person};
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn a_token_and_the_key_of_another_environment_disagree(app: TestApp) {
        app.trusts_addresses(&app.own.production).await;
        let other = app.founds("Other").await.development;
        let mia = app.person("mia@example.org").await;
        let in_production = mia.enters(&app.own.production).await;

        mia.get("/v1/me").at(&app.own.development).await.told(200);
        for elsewhere in [&app.own.production, &other, &app.platform] {
            mia.get("/v1/me").at(elsewhere).await.refuses(401, "tenant_mismatch");
        }
        in_production.get("/v1/me").at(&app.own.development).await.refuses(401, "tenant_mismatch");
    }

    async fn a_secret_key_and_the_key_of_another_environment_disagree(app: TestApp) {
        let other = app.founds("Other").await.development;
        let (development, production) = (&app.own.development, &app.own.production);

        let pairs = [(development, production), (production, development), (&other, development)];
        for (own, elsewhere) in pairs {
            let users = || app.machine(own).get("/v1/admin/users");
            users().at(own).await.told(200);
            users().at(elsewhere).await.refuses(401, "tenant_mismatch");
            let by_query = format!("/v1/admin/users?publishable_key={}", elsewhere.publishable_key);
            app.machine(own).get(&by_query).await.refuses(401, "tenant_mismatch");
        }
    }

    async fn what_is_another_app_s_is_as_unknown_as_what_never_was(app: TestApp) {
        let other = app.founds("Other").await.development;
        let admin = app.admin().await;
        let victim = app.visitor(&other).becomes("mia@example.org", json!({})).await;
        let before = victim.me().await.told(200);

        let by_person = foreign_and_unknown(&admin, &victim, &other);
        let by_machine = foreign_and_unknown(&app.key(), &victim, &other);
        for (foreign, unknown) in by_person.into_iter().chain(by_machine) {
            let (foreign, unknown) = (foreign.await, unknown.await);
            assert!(["404 not_found", "403 forbidden"].contains(&&*unknown.outcome()));
            assert_eq!(foreign.tells(), unknown.tells());
        }

        assert_eq!(victim.me().await.told(200), before);
        assert_eq!(victim.sessions().await.told(200)["sessions"].as_array().unwrap().len(), 1);
    }

    /// A leaked key of a development environment must not open production.
    async fn the_settings_of_another_environment_are_unknown_in_this_one(app: TestApp) {
        let (development, production) = (&app.own.development, &app.own.production);
        let admin = app.admin().await;
        let path = format!("/v1/environments/{}/settings", production.env_id);
        let before = app.machine(production).get(&path).await.told(200);

        admin.get(&path).await.refuses(404, "not_found");
        app.machine(development).get(&path).await.refuses(404, "not_found");
        let change = json!({"require_verification": false});
        admin.sets(production, change.clone()).await.refuses(404, "not_found");
        app.machine(development).sets(production, change).await.refuses(404, "not_found");

        assert_eq!(app.machine(production).get(&path).await.told(200), before);
    }

    async fn lists_show_one_s_own_app_alone(app: TestApp) {
        let other = app.founds("Other").await.development;
        app.person("mia@example.org").await;
        app.visitor(&other).becomes("max@example.org", json!({})).await;

        let own = [(&app.own.development, "mia@example.org"), (&other, "max@example.org")];
        for (door, email) in own {
            let seen = app.machine(door).get("/v1/admin/users?include=total").await.told(200);
            assert_eq!((&seen["total"], &seen["users"][0]["email"]), (&json!(1), &json!(email)));
            let numbered = app.machine(door).get("/v1/admin/users?page=1").await.told(200);
            assert_eq!(numbered["total_count"], 1);
            let seen = app.machine(door).get("/v1/environments").await.told(200);
            let apps = seen["environments"].as_array().unwrap().iter().map(|it| &it["app_id"]);
            assert!(apps.clone().count() == 2 && apps.clone().all(|id| *id == door.app_id));
        }
    }

    async fn an_operator_acts_on_any_app_that_he_names(app: TestApp) {
        let other = app.founds("Other").await;
        app.visitor(&other.development).becomes("max@example.org", json!({})).await;
        let operator = app.operator().await;

        let first = async |query: &str| {
            let users = operator.get(&format!("/v1/admin/users{query}")).await.told(200);
            users["users"][0]["email"].clone()
        };
        let in_default = format!("?app_id={}", other.development.app_id);

        assert_eq!(first(&other.development.query()).await, "max@example.org");
        assert_eq!(first(&in_default).await, "max@example.org");
        assert_eq!(first("").await, app.operator.email);
        let settings = format!("/v1/environments/{}/settings", other.production.env_id);
        let named = format!("{settings}{}", other.production.query());
        operator.patch(&named).json(json!({"signup_open": false})).await.told(200);
        operator.get(&settings).await.refuses(404, "not_found");
    }

    async fn an_operator_is_nobody_s_user_but_the_platform_s(app: TestApp) {
        let operator = app.operator().await;
        for path in ["/v1/me", "/v1/sessions"] {
            let elsewhere = format!("{path}{}", app.own.development.query());
            operator.get(&elsewhere).await.refuses(403, "forbidden");
        }
        let elsewhere = format!("/v1/signout{}", app.own.development.query());
        operator.post(&elsewhere).await.refuses(403, "forbidden");
        operator.me().await.told(200);
    }

    async fn who_is_no_operator_can_name_no_app_but_his_own(app: TestApp) {
        let other = app.founds("Other").await.development;
        let admin = app.admin().await;
        let unknown = "?app_id=aapp_01h2xcejqtf2nbrexx3vqjhp41";
        let unknown = admin.get(&format!("/v1/admin/users{unknown}")).await.expect(404);

        admin.get(&format!("/v1/admin/users{}", admin.door.query())).await.told(200);
        for query in [
            other.query(), app.platform.query(), format!("?app_id={}", other.app_id),
            app.own.production.query(), "?app_id=*".into(), "?app_id=".into(),
            format!("?app_id={}&env_id=x", admin.door.app_id), "?app_id=%00".into(),
        ] {
            let reply = admin.get(&format!("/v1/admin/users{query}")).await;
            assert_eq!(reply.tells(), unknown.tells(), "{query}");
            let reply = app.key().get(&format!("/v1/admin/users{query}")).await;
            assert_eq!(reply.tells(), unknown.tells(), "{query}");
        }
        let two = format!("/v1/admin/users?app_id={}&app_id={}", admin.door.app_id, other.app_id);
        admin.get(&two).await.refuses(400, "ambiguous_credentials");
    }

    async fn the_administrator_of_an_app_has_nothing_to_say_on_the_platform(app: TestApp) {
        let admin = app.admin().await;
        let users = || app.of_app::<User>(&app.platform);
        let before = serde_json::to_value(users().await).unwrap();

        let operator = format!("/v1/admin/users/{}", app.operator.user_id);
        admin.get(&operator).await.refuses(404, "not_found");
        let named = format!("{operator}{}", app.platform.query());
        admin.get(&named).await.refuses(404, "not_found");
        admin.assigns(&app.operator.user_id, &[]).await.refuses(404, "not_found");
        admin.sets(&app.platform, json!({"signup_open": true})).await.refuses(404, "not_found");
        admin.assigns(&admin.id, &["OWNER"]).await.refuses(400, "unknown_role");

        assert_eq!(serde_json::to_value(users().await).unwrap(), before);
        let platform = app.visitor(&app.platform);
        platform.signs_up("eve@example.org", PASSWORD).await.refuses(403, "signup_closed");
    }
}

/// For every operation with an identifier: with one of another app, and with one of nobody.
fn foreign_and_unknown(by: &impl Asks, victim: &Person, door: &Door) -> Vec<(Request, Request)> {
    let pair = |ask: &dyn Fn(&str) -> Request, foreign: &str| {
        let (prefix, _) = foreign.split_once('_').expect("an identifier has a prefix");
        (
            ask(foreign),
            ask(&format!("{prefix}_01h2xcejqtf2nbrexx3vqjhp41")),
        )
    };
    let settings = |id: &str| format!("/v1/environments/{id}/settings");
    let mut asked = vec![
        pair(&|id| by.get(&format!("/v1/users/{id}")), &victim.id),
        pair(&|id| by.get(&format!("/v1/admin/users/{id}")), &victim.id),
        pair(&|id| by.assigns(id, &["ADMIN"]), &victim.id),
        pair(&|id| by.get(&settings(id)), &door.env_id),
        pair(
            &|id| by.patch(&settings(id)).json(json!({"signup_open": false})),
            &door.env_id,
        ),
    ];
    let session = victim.session_id();
    asked.push(pair(
        &|id| by.delete(&format!("/v1/sessions/{id}")),
        &session,
    ));
    asked
}
