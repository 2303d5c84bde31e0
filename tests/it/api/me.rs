//! One's own account.

use std::future::IntoFuture;
use std::time::Duration;

use authsome::events::Name;
use futures_util::future::join;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::client::{Asks, assert_has};
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn a_user_reads_his_own_account(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        let me = mia.me().await.told(200);

        assert_has(&me, json!({"id": mia.id, "email": "mia@example.org"}));
        assert_has(&me, json!({"roles": ["USER"], "status": "active"}));
        assert_eq!(mia.get(&format!("/v1/users/{}", mia.id)).await.told(200), me);
    }

    async fn an_operator_and_an_administrator_have_accounts_as_well(app: TestApp) {
        let operator = app.operator().await.me().await.told(200);
        let admin = app.admin().await.me().await.told(200);

        assert_has(&operator, json!({"id": app.operator.user_id, "roles": ["OWNER", "USER"]}));
        assert_has(&admin, json!({"roles": ["ADMIN", "USER"]}));
    }

    async fn nobody_and_a_machine_have_none(app: TestApp) {
        app.get("/v1/me").await.refuses(401, "unauthenticated");
        app.visitor(&app.own.development).get("/v1/me").await.refuses(401, "unauthenticated");
        app.key().get("/v1/me").await.refuses(403, "forbidden");
        app.key().patch("/v1/me").json(json!({})).await.refuses(403, "forbidden");
    }

    async fn what_a_change_names_is_changed_and_nothing_else(app: TestApp) {
        let given = json!({"first_name": "Mia", "last_name": "K", "phone": "+4917012345"});
        let mia = app.person_with("mia@example.org", given).await;
        let before = mia.me().await.told(200);
        app.clock.advance(Duration::from_secs(1));
        let change = json!({
            "first_name": "Mia Maria", "last_name": null, "username": "Mia.M",
            "display_username": "Mia ♥", "image": "https://example.org/mia.png",
            "metadata": {"a": {"b": [1]}},
        });

        let after = mia.patch("/v1/me").json(change).await.told(200);

        let mut expected = before.clone();
        expected.as_object_mut().unwrap().remove("last_name");
        expected["first_name"] = json!("Mia Maria");
        expected["username"] = json!("mia.m");
        expected["display_username"] = json!("Mia ♥");
        expected["image"] = json!("https://example.org/mia.png");
        expected["metadata"] = json!({"a": {"b": [1]}});
        expected["updated_at"] = json!("2040-01-01T00:00:01.000Z");
        assert_eq!(after, expected);
        assert_eq!(mia.me().await.told(200), expected);
    }

    async fn an_empty_change_changes_nothing(app: TestApp) {
        let mia = app.person_with("mia@example.org", json!({"first_name": "Mia"})).await;
        let before = mia.me().await.told(200);

        let after = mia.patch("/v1/me").json(json!({})).await.told(200);

        assert_eq!(after, before);
    }

    async fn a_change_verifies_appoints_and_revives_nobody(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let before = mia.me().await.told(200);

        for (name, wish) in [
            ("email", json!("other@example.org")), ("email_verified", json!(true)),
            ("phone_verified", json!(true)), ("role", json!("ADMIN")), ("roles", json!(["ADMIN"])),
            ("status", json!("active")), ("mfa_enabled", json!(false)), ("org_id", json!("x")),
            ("id", json!(app.operator.user_id)), ("app_id", json!(app.platform.app_id)),
            ("password", json!("another long password")), ("rights_version", json!(0)),
            ("created_at", json!("2000-01-01T00:00:00.000Z")),
            ("$set", json!({"roles": ["ADMIN"]})),
            ("metadata.x", json!(1)),
        ] {
            let change = json!({"first_name": "Eve", name: wish});
            let refusal = mia.patch("/v1/me").json(change).await.refuses(400, "unknown_field");
            assert_eq!(refusal["errors"][0]["pointer"], format!("/{name}"));
        }

        assert_eq!(mia.me().await.told(200), before);
    }

    async fn what_cannot_be_kept_is_told_by_its_pointer(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let before = mia.me().await.told(200);
        let long = format!("https://example.org/{}", "a".repeat(2_048));

        for (name, wish) in [
            ("first_name", json!("")), ("first_name", json!("a\nb")), ("first_name", json!(7)),
            ("first_name", json!("\u{202e}aim")), ("last_name", json!("x".repeat(101))),
            ("username", json!("no")), ("username", json!("a b c")),
            ("username", json!("mia@example.org")),
            ("username", json!({"$gt": ""})), ("phone", json!("12")), ("phone", json!("+49 abc")),
            ("display_username", json!("\u{200b}")), ("image", json!("javascript:alert(1)")),
            ("image", json!("https://x.example\"onerror=\"x/")),
            ("image", json!(format!("https://x.example/{}", "é".repeat(1_000)))),
            ("image", json!("http://example.org/x.png")),
            ("image", json!("https://u:p@example.org/")),
            ("image", json!("//example.org/x")), ("image", json!(long)), ("metadata", json!([])),
            ("metadata", json!("x")), ("metadata", json!({"$where": "1"})),
            ("metadata", json!({"a.b": 1})),
            ("metadata", json!({"": 1})), ("metadata", json!({"a": {"\0": 1}})),
            ("metadata", json!({"a": 18_446_744_073_709_551_615_u64})),
        ] {
            let refusal = mia.patch("/v1/me").json(json!({name: wish})).await;
            let refusal = refusal.refuses(400, "invalid_body");
            assert_eq!(refusal["errors"][0]["pointer"], format!("/{name}"), "{wish:.60}");
        }

        assert_eq!(mia.me().await.told(200), before);
    }

    async fn metadata_comes_back_as_it_was_given(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let deep = (0..25).fold(json!("end"), |inner, _| json!({ "in": inner }));
        let kept = json!({
            "text": "<script>'\"; DROP TABLE users; --\u{1F427}\u{0001}", "null": null, "yes": true,
            "numbers": [0, -1, 1.5, i64::MAX, i64::MIN, 1e300, 1e73, -1.580_360_574_685_946e-142],
            "empty": {}, "none": [], "mixed": [[], {}, [null, {"x": []}]], "deep": deep,
            "date-like": "2040-01-01T00:00:00.000Z", "id": "x", "_id": "y", "ключ ключа": 1,
        });

        mia.patch("/v1/me").json(json!({"metadata": kept})).await.told(200);

        assert_eq!(mia.me().await.told(200)["metadata"], kept);
        let admin = app.admin().await;
        let seen = admin.get(&format!("/v1/admin/users/{}", mia.id)).await.told(200);
        assert_eq!(seen["metadata"], kept);
    }

    async fn a_name_that_is_another_s_is_told_so(app: TestApp) {
        let names = json!({"username": "max", "phone": "+4917012345"});
        app.person_with("max@example.org", names).await;
        let mia = app.person("mia@example.org").await;

        let change = json!({"username": "MAX", "first_name": "M"});
        let username = mia.patch("/v1/me").json(change).await;
        let phone = mia.patch("/v1/me").json(json!({"phone": "+49 170 12345"})).await;

        username.refuses(409, "username_taken");
        phone.refuses(409, "phone_taken");
        assert_eq!(mia.me().await.told(200)["first_name"], Value::Null);
    }

    async fn a_name_that_was_given_up_is_free_again(app: TestApp) {
        let max = app.person_with("max@example.org", json!({"username": "max"})).await;
        let mia = app.person("mia@example.org").await;

        max.patch("/v1/me").json(json!({"username": null})).await.told(200);

        mia.patch("/v1/me").json(json!({"username": "max"})).await.told(200);
    }

    async fn a_change_is_told_once(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        mia.patch("/v1/me").json(json!({"first_name": "Mia"})).await.told(200);
        mia.patch("/v1/me").json(json!({"username": "x"})).await.refuses(400, "invalid_body");

        let told = app.events(&mia.door, Name::UserUpdated).await;

        assert_eq!((told.len(), told[0].actor.id.as_ref()), (1, Some(&mia.id)));
    }

    /// The most asked of all questions: token, policy and account are all in memory.
    async fn who_was_just_asked_for_is_told_without_the_store(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        mia.me().await.told(200);

        let calls = app.calls_for(async || {
            for _ in 0..3 {
                mia.me().await.told(200);
            }
        });

        assert_eq!(calls.await, 0);
    }

    /// Who reads while another changes must not leave the old account in memory.
    async fn a_change_is_seen_at_once_whoever_was_reading(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let phone = mia.on_another_device().await;

        for round in 0..40 {
            let name = format!("Mia {round}");
            let change = mia.patch("/v1/me").json(json!({ "first_name": name }));
            let (changed, ()) = join(change.into_future(), async {
                for _ in 0..5 {
                    phone.me().await.told(200);
                }
            }).await;
            changed.told(200);
            assert_eq!(phone.me().await.told(200)["first_name"], name);
        }
    }

    async fn the_ways_in_are_told_that_are_open(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let told = async || mia.get("/v1/me/auth-methods").await.told(200)["methods"].clone();
        let by_link = json!({"type": "magic_link", "provider": "authsome", "label": "mia@example.org"});
        let by_password = json!({
            "type": "password", "provider": "authsome", "label": "Password",
            "linked_at": "2040-01-01T00:00:00.000Z",
        });
        assert_eq!(told().await, json!([by_password, by_link]));

        let config = format!("/v1/admin/apps/{}/client-config", mia.door.app_id);
        let links_alone = json!({"methods": ["magic_link"]});
        app.key().request("PUT", &config).json(links_alone).await.told(200);

        assert_eq!(told().await, json!([by_link]));
        app.get("/v1/me/auth-methods").await.refuses(401, "unauthenticated");
        app.key().get("/v1/me/auth-methods").await.refuses(403, "forbidden");
    }

    async fn other_users_are_unknown_to_a_user(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let max = app.person("max@example.org").await;
        let unknown = mia.get("/v1/users/ausr_01h2xcejqtf2nbrexx3vqjhp41").await.expect(404);

        let foreign = mia.get(&format!("/v1/users/{}", max.id)).await;

        assert_eq!(foreign.tells(), unknown.tells());
        let admin = app.admin().await;
        assert_eq!(admin.get(&format!("/v1/users/{}", max.id)).await.told(200)["id"], max.id);
        assert_eq!(app.key().get(&format!("/v1/users/{}", max.id)).await.told(200)["id"], max.id);
    }
}
