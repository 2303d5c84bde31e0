//! Roles: who gives and takes them, and what becomes of tokens that carried others.

use std::future::IntoFuture;

use authsome::events::Name;
use futures_util::future::{join, join_all};
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::persona::{Administers, PASSWORD};
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn a_new_role_counts_from_the_next_token_on_and_the_old_one_is_dead(app: TestApp) {
        let admin = app.admin().await;
        let mia = app.person("mia@example.org").await;
        mia.get("/v1/admin/users").await.refuses(403, "forbidden");

        let told = admin.assigns(&mia.id, &["ADMIN"]).await.told(200);

        assert_eq!(told["roles"], json!(["ADMIN", "USER"]));
        mia.me().await.refuses(401, "invalid_token");
        let refreshed = mia.refreshes().await.told(200);
        assert_eq!(refreshed["user"]["roles"], json!(["ADMIN", "USER"]));
        mia.get("/v1/admin/users").await.told(200);
    }

    async fn a_role_that_is_taken_is_gone_at_once_and_after_refreshing(app: TestApp) {
        let admin = app.admin().await;
        let mia = app.person("mia@example.org").await;
        let _ = admin.assigns(&mia.id, &["ADMIN"]).await.expect(200);
        let _ = mia.refreshes().await.expect(200);

        let told = admin.assigns(&mia.id, &[]).await.told(200);

        assert_eq!(told["roles"], json!(["USER"]));
        mia.get("/v1/admin/users").await.refuses(401, "invalid_token");
        let _ = mia.refreshes().await.expect(200);
        mia.get("/v1/admin/users").await.refuses(403, "forbidden");
    }

    async fn a_change_that_changes_nothing_ends_no_token(app: TestApp) {
        let admin = app.admin().await;
        let mia = app.person("mia@example.org").await;

        for same in [&["USER"][..], &[], &["USER", "USER"]] {
            let told = admin.assigns(&mia.id, same).await.told(200);
            assert_eq!(told["roles"], json!(["USER"]));
        }

        mia.me().await.told(200);
        assert_eq!(app.events(&mia.door, Name::UserRolesChanged).await.len(), 1);
    }

    async fn no_app_has_an_owner_and_no_role_but_those_there_are(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let unknown = [
            "OWNER", "owner", "admin", "Admin", "ADMIN ", " ADMIN", "role:ADMIN", "platform:OWNER",
            "platform-admin", "super_admin", "*", "", "ADMIN,USER", "p, role:USER, users, *", "g2",
            "ADMIN\n", "g, role:USER, role:ADMIN", "\"ADMIN\"", "АDMIN", "ADMIN\0",
            "r.sub == p.sub",
            "ausr_01h2xcejqtf2nbrexx3vqjhp41", "/*", "keyMatch", "$ne",
        ];

        for role in unknown {
            let reply = app.key().assigns(&mia.id, &["USER", role]).await;
            assert_eq!(reply.outcome(), "400 unknown_role", "{role:?}");
        }

        assert_eq!(mia.me().await.told(200)["roles"], json!(["USER"]));
    }

    async fn a_list_of_roles_is_a_list_of_texts(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let path = format!("/v1/admin/users/{}/roles", mia.id);

        for (roles, pointer) in [
            (json!({}), "/roles"), (json!({"roles": null}), "/roles"),
            (json!({"roles": "ADMIN"}), "/roles"),
            (json!({"roles": {"0": "ADMIN"}}), "/roles"),
            (json!({"roles": ["USER", 1]}), "/roles/1"),
            (json!({"roles": [["ADMIN"]]}), "/roles/0"), (json!({"roles": [null]}), "/roles/0"),
        ] {
            let refusal = app.key().post(&path).json(roles).await.refuses(400, "invalid_body");
            assert_eq!(refusal["errors"][0]["pointer"], pointer);
        }
        let body = json!({"roles": ["USER"], "role": "ADMIN"});
        app.key().post(&path).json(body).await.refuses(400, "unknown_field");
    }

    async fn only_administrators_give_roles(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let max = app.person("max@example.org").await;

        mia.assigns(&mia.id, &["ADMIN"]).await.refuses(403, "forbidden");
        mia.assigns(&max.id, &["ADMIN"]).await.refuses(403, "forbidden");
        app.assigns(&mia.id, &["ADMIN"]).await.refuses(401, "unauthenticated");

        assert_eq!(mia.me().await.told(200)["roles"], json!(["USER"]));
    }

    async fn the_last_administrator_cannot_go_by_anybody_s_hand(app: TestApp) {
        let admin = app.admin().await;

        admin.assigns(&admin.id, &[]).await.refuses(409, "last_admin");
        app.key().assigns(&admin.id, &["USER"]).await.refuses(409, "last_admin");
        let elsewhere = format!("/v1/admin/users/{}/roles{}", admin.id, admin.door.query());
        let by_operator = app.operator().await.post(&elsewhere).json(json!({"roles": []}));
        by_operator.await.refuses(409, "last_admin");

        admin.get("/v1/admin/users").await.told(200);
    }

    async fn with_two_administrators_either_can_go_but_not_both(app: TestApp) {
        let admin = app.admin().await;
        let mia = app.person("mia@example.org").await;
        let _ = admin.assigns(&mia.id, &["ADMIN"]).await.expect(200);

        let _ = admin.assigns(&admin.id, &[]).await.expect(200);

        app.key().assigns(&mia.id, &[]).await.refuses(409, "last_admin");
    }

    /// Each demotion sees the other administrator still there; only what both change stops one.
    async fn of_two_demotions_at_once_one_is_refused(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let max = app.person("max@example.org").await;
        let key = app.key();

        for round in 0..20 {
            for id in [&mia.id, &max.id] {
                let _ = key.assigns(id, &["ADMIN"]).await.expect(200);
            }
            let demote = |id| key.assigns(id, &[]).into_future();
            let (one, other) = join(demote(&mia.id), demote(&max.id)).await;
            let mut outcomes = [one.outcome(), other.outcome()];
            outcomes.sort();
            assert_eq!(outcomes, ["200", "409 last_admin"], "round {round}");
        }
    }

    async fn whoever_races_the_count_of_administrators_stays_true(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let admin = app.admin().await;
        let key = app.key();

        let racers = (0..40).map(|number| {
            let roles: &[&str] = if number % 2 == 0 { &["ADMIN"] } else { &[] };
            key.assigns(&mia.id, roles).into_future()
        });
        let replies = join_all(racers).await;

        assert!(replies.iter().all(|reply| reply.status == 200));
        let roles = key.get(&format!("/v1/users/{}", mia.id)).await.told(200)["roles"].clone();
        let holders = if roles == json!(["USER"]) { 1 } else { 2 };
        assert_eq!(app.guardians(&app.own.development).await, holders);
        let _ = key.assigns(&mia.id, &[]).await.expect(200);
        key.assigns(&admin.id, &[]).await.refuses(409, "last_admin");
    }

    async fn nobody_gives_or_takes_what_he_does_not_hold(app: TestApp) {
        let platform_admin = app.colleague("pia@example.org", &["ADMIN"]).await;
        let colleague = app.colleague("pit@example.org", &[]).await;

        platform_admin.assigns(&platform_admin.id, &["OWNER"]).await.refuses(403, "role_not_held");
        platform_admin.assigns(&colleague.id, &["OWNER"]).await.refuses(403, "role_not_held");
        platform_admin.assigns(&app.operator.user_id, &[]).await.refuses(403, "role_not_held");
        platform_admin.assigns(&colleague.id, &["ADMIN"]).await.told(200);

        let owner = app.operator().await.me().await.told(200);
        assert_eq!(owner["roles"], json!(["OWNER", "USER"]));
    }

    async fn the_last_owner_of_the_platform_cannot_go(app: TestApp) {
        let operator = app.operator().await;
        operator.assigns(&operator.id, &["ADMIN"]).await.refuses(409, "last_admin");
        let second = app.colleague("pia@example.org", &["OWNER"]).await;

        let _ = second.assigns(&operator.id, &[]).await.expect(200);

        second.assigns(&second.id, &[]).await.refuses(409, "last_admin");
        operator.get("/v1/environments").await.refuses(401, "invalid_token");
    }

    async fn an_operator_gives_roles_in_another_app(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let path = format!("/v1/admin/users/{}/roles{}", mia.id, mia.door.query());

        let told = app.operator().await.post(&path).json(json!({"roles": ["ADMIN"]})).await;

        assert_eq!(told.told(200)["roles"], json!(["ADMIN", "USER"]));
        let _ = mia.refreshes().await.expect(200);
        mia.get("/v1/admin/users").await.told(200);
    }

    async fn a_change_is_told_once_with_both_parties(app: TestApp) {
        let admin = app.admin().await;
        let mia = app.person("mia@example.org").await;
        let _ = admin.assigns(&mia.id, &["ADMIN"]).await.expect(200);
        admin.assigns(&mia.id, &["OWNER"]).await.refuses(400, "unknown_role");

        let told = app.events(&mia.door, Name::UserRolesChanged).await;

        let by_key = told.iter().filter(|event| event.actor.kind == "key").count();
        let by_admin: Vec<_> = told.iter().filter(|event| event.actor.kind == "user").collect();
        assert_eq!((by_key, by_admin.len()), (1, 1));
        assert_eq!(by_admin[0].actor.id.as_ref(), Some(&admin.id));
        assert_eq!(by_admin[0].target.as_ref().and_then(|it| it.id.as_ref()), Some(&mia.id));
        assert_eq!(by_admin[0].details["roles"], json!(["ADMIN", "USER"]));
    }

    async fn roles_are_the_app_s_and_reach_its_every_environment(app: TestApp) {
        app.trusts_addresses(&app.own.production).await;
        let mia = app.person("mia@example.org").await;
        let elsewhere = mia.enters(&app.own.production).await;

        let _ = app.key().assigns(&mia.id, &["ADMIN"]).await.expect(200);

        elsewhere.me().await.refuses(401, "invalid_token");
        let _ = elsewhere.refreshes().await.expect(200);
        elsewhere.get("/v1/admin/users").await.told(200);
        mia.visitor().signs_in(&mia.email, PASSWORD).await.told(200);
    }
}
