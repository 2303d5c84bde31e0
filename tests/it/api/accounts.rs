//! Accounts that administrators make for others, and change.

use authsome::events::Name;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{TestApp, eventually};
use crate::support::client::{Asks, Request, assert_has};
use crate::support::persona::PASSWORD;
use crate::support::stores::on_both_stores;

const CREATE: &str = "/v1/admin/users/create";

fn makes(asks: &impl Asks, account: Value) -> Request {
    asks.post(CREATE).json(account)
}

fn changes(asks: &impl Asks, id: &str, changes: Value) -> Request {
    asks.patch(&format!("/v1/admin/users/{id}")).json(changes)
}

on_both_stores! {
    async fn an_account_is_made_with_a_password_or_with_an_invitation_to_set_one(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        let whole = json!({
            "email": "Mia@example.org", "password": PASSWORD, "email_verified": true,
            "first_name": "Mia", "last_name": "Kowalska", "username": "mia", "phone": "+4930123456",
            "roles": ["ADMIN"], "metadata": {"plan": "pro"},
        });

        let mia = makes(&app.key(), whole).await.told(201);

        assert_has(&mia, json!({
            "email": "mia@example.org", "email_verified": true, "first_name": "Mia",
            "username": "mia", "phone": "+4930123456", "roles": ["ADMIN", "USER"],
            "metadata": {"plan": "pro"}, "status": "active",
        }));
        visitor.enters("mia@example.org", PASSWORD).await;
        assert_eq!(app.guardians(&app.own.development).await, 1);

        let max = json!({"email": "max@example.org", "invite": true});
        makes(&app.key(), max).await.told(201);
        visitor.signs_in("max@example.org", PASSWORD).await.refuses(401, "invalid_credentials");
        let token = app.letter_to("max@example.org").await.token();
        let set = json!({"token": token, "new_password": PASSWORD});
        let _ = visitor.post("/v1/reset-password").json(set).await.expect(200);
        visitor.enters("max@example.org", PASSWORD).await;
        let told = app.events(&app.own.development, Name::UserCreated).await;
        let invited: Vec<_> = told.iter().map(|it| it.details["invited"] == true).collect();
        assert_eq!(invited.iter().filter(|it| **it).count(), 1);
        assert_eq!(told.len(), 2);
        let admins = told.iter().filter(|it| it.details["roles"] == json!(["ADMIN", "USER"]));
        let users = told.iter().filter(|it| it.details["roles"] == json!(["USER"]));
        assert_eq!((admins.count(), users.count()), (1, 1));
    }

    async fn an_account_is_made_where_nobody_can_sign_up(app: TestApp) {
        let operator = app.operator().await;

        let made = makes(&operator, json!({"email": "olga@example.org", "password": PASSWORD, "roles": ["ADMIN"]})).await;

        assert_eq!(made.told(201)["roles"], json!(["ADMIN", "USER"]));
        let olga = app.visitor(&app.platform).enters("olga@example.org", PASSWORD).await;
        olga.get("/v1/admin/users").await.told(200);
    }

    async fn what_is_another_s_is_refused_and_nothing_is_made(app: TestApp) {
        app.person_with("mia@example.org", json!({"username": "mia", "phone": "+4930123456"})).await;
        for (more, kind) in [
            (json!({"email": "mia@example.org"}), "email_taken"),
            (json!({"username": "MIA"}), "username_taken"),
            (json!({"phone": "+49 30 123456"}), "phone_taken"),
        ] {
            let mut account = json!({"email": "max@example.org"});
            for (name, value) in more.as_object().into_iter().flatten() {
                account[name] = value.clone();
            }
            makes(&app.key(), account).await.refuses(409, kind);
        }
        for (account, kind) in [
            (json!({"email": "max@example.org", "password": "12345678"}), "weak_password"),
            (json!({"email": "max@example.org", "roles": ["BOSS"]}), "unknown_role"),
            (json!({"email": "max@example.org", "roles": ["OWNER"]}), "unknown_role"),
            (json!({"email": "max"}), "invalid_email"),
            (json!({"email": "max@example.org", "password_hash": "x"}), "unknown_field"),
        ] {
            makes(&app.key(), account).await.refuses(400, kind);
        }
        assert_eq!(app.user_count(&app.own.development).await, 1);
        assert!(app.events(&app.own.development, Name::UserCreated).await.is_empty());
    }

    async fn nobody_makes_or_changes_whom_he_does_not_reach(app: TestApp) {
        let (mia, admin) = (app.person("mia@example.org").await, app.admin().await);
        let account = || json!({"email": "max@example.org"});
        makes(&mia, account()).await.refuses(403, "forbidden");
        makes(&app, account()).await.refuses(401, "unauthenticated");
        changes(&mia, &mia.id, json!({"first_name": "M"})).await.refuses(403, "forbidden");
        let shop = app.founds("Shop").await;
        let foreign = app.machine(&shop.development);
        changes(&foreign, &mia.id, json!({"first_name": "M"})).await.refuses(404, "not_found");
        changes(&admin, &mia.id, json!({"first_name": "M"})).await.told(200);

        let colleague = app.colleague("olaf@example.org", &["ADMIN"]).await;
        let boss = json!({"email": "boss@example.org", "roles": ["OWNER"]});
        makes(&colleague, boss).await.refuses(403, "role_not_held");
        let change = changes(&colleague, &app.operator.user_id, json!({"email": "mine@example.org"}));
        change.await.refuses(403, "role_not_held");
    }

    async fn an_administrator_changes_everything_that_is_said_of_a_user(app: TestApp) {
        let mia = app.person_with("mia@example.org", json!({"username": "mia", "phone": "+4930123456"})).await;
        let all = json!({
            "first_name": "Mia", "last_name": "Kowalska", "username": "mia2",
            "display_username": "Mia K", "phone": "+4930123457", "phone_verified": true,
            "image": "https://cdn.example.com/mia.png", "metadata": {"plan": "pro"},
            "email_verified": true,
        });

        let changed = changes(&app.key(), &mia.id, all.clone()).await.told(200);

        assert_has(&changed, all);
        let cleared = changes(&app.key(), &mia.id, json!({"phone": null, "username": null, "metadata": {}})).await.told(200);
        assert_eq!((cleared.get("phone"), cleared.get("username")), (None, None));
        assert_has(&cleared, json!({"phone_verified": false, "metadata": {}, "first_name": "Mia"}));
        for refused in ["password", "roles", "banned", "id", "app_id", "created_at"] {
            let change = json!({refused: "x"});
            changes(&app.key(), &mia.id, change).await.refuses(400, "unknown_field");
        }
        let told = app.events(&mia.door, Name::UserUpdated).await;
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|it| it.actor.kind == "key"));
    }

    async fn another_address_is_not_verified_and_the_old_one_leads_nowhere(app: TestApp) {
        let mia = app.proven_person("mia@example.org").await;
        let node = app.another_node(&[]).await;
        let _ = mia.visitor().post("/v1/forgot-password").json(json!({"email": "mia@example.org"})).await.expect(200);
        let token = app.nth_letter_to("mia@example.org", 2).await.token();

        let changed = changes(&app.key(), &mia.id, json!({"email": "new@example.org"})).await.told(200);

        assert_has(&changed, json!({"email": "new@example.org", "email_verified": false}));
        mia.me().await.refuses(401, "invalid_token");
        eventually(async || {
            node.client().get("/v1/me").bearer(&mia.access_token()).await.status == 401
        }).await;
        assert_eq!(mia.refreshes().await.told(200)["user"]["email"], "new@example.org");
        let set = json!({"token": token, "new_password": PASSWORD});
        app.post("/v1/reset-password").json(set).await.refuses(400, "invalid_link");
        let notice = app.nth_letter_to("mia@example.org", 3).await;
        assert!(notice.links().iter().all(String::is_empty), "{notice:?}");
        mia.visitor().signs_in("mia@example.org", PASSWORD).await.refuses(401, "invalid_credentials");

        let both = json!({"email": "newer@example.org", "email_verified": true});
        let changed = changes(&app.key(), &mia.id, both).await.told(200);
        assert_eq!(changed["email_verified"], true);
    }

    /// A change that says nothing new takes nothing away.
    async fn the_same_address_and_number_again_change_nothing(app: TestApp) {
        let mia = app.person_with("mia@example.org", json!({"phone": "+4930123456"})).await;
        changes(&app.key(), &mia.id, json!({"phone_verified": true})).await.told(200);

        let same = json!({"email": "MIA@example.org", "phone": "+4930123456", "email_verified": false});
        let changed = changes(&app.key(), &mia.id, same).await.told(200);

        assert_has(&changed, json!({"email": "mia@example.org", "phone_verified": true}));
        mia.me().await.told(200);
    }

    async fn where_there_is_no_number_none_is_verified(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        for change in [json!({"phone_verified": true}), json!({"phone": null, "phone_verified": true})] {
            let changed = changes(&app.key(), &mia.id, change).await.told(200);
            assert_eq!(changed["phone_verified"], false);
        }
        let both = json!({"phone": "+4930123456", "phone_verified": true});
        assert_eq!(changes(&app.key(), &mia.id, both).await.told(200)["phone_verified"], true);
    }

    async fn of_twenty_who_take_one_name_one_gets_it(app: TestApp) {
        let mut people = Vec::new();
        for number in 0..20 {
            people.push(app.person(&format!("user{number}@example.org")).await);
        }
        let key = app.key();
        for taken in [json!({"username": "mia"}), json!({"email": "mia@example.org"})] {
            let ask = |id: &str| changes(&key, id, taken.clone());
            let replies = join_all(people.iter().map(|it| async { ask(&it.id).await.status })).await;
            let won = replies.iter().filter(|it| **it == 200).count();
            assert_eq!(won, 1, "{replies:?}");
            assert!(replies.iter().all(|it| [200, 409].contains(it)), "{replies:?}");
        }
    }

    async fn users_are_found_by_any_name_and_by_when_they_came(app: TestApp) {
        app.person_with("mia@example.org", json!({"first_name": "Mia", "last_name": "Kowalska"})).await;
        app.clock.advance(std::time::Duration::from_mins(10));
        app.person_with("x@example.org", json!({"first_name": "Änne", "username": "miau"})).await;
        app.person_with("y@example.org", json!({"phone": "+4930123456"})).await;
        let found = async |query: &str| {
            let page = app.key().get(&format!("/v1/admin/users?{query}")).await.told(200);
            let all = page["users"].as_array().expect("users").iter();
            let mut all: Vec<_> = all.map(|it| it["email"].as_str().expect("one").to_owned()).collect();
            all.sort();
            all
        };

        assert_eq!(found("search=mia").await, ["mia@example.org", "x@example.org"]);
        assert_eq!(found("search=kowal").await, ["mia@example.org"]);
        assert_eq!(found("search=Kowalska").await, ["mia@example.org"]);
        assert_eq!(found("search=%C3%A4nne").await, ["x@example.org"]);
        assert_eq!(found("search=%2B4930").await, ["y@example.org"]);
        for pattern in [".*", "%25", "_ia", "m.a", "(mi)", "%5Bm%5D", "%24ne", "owalska"] {
            assert!(found(&format!("search={pattern}")).await.is_empty(), "{pattern}");
        }
        assert_eq!(found("created_to=2040-01-01T00:10:00Z").await, ["mia@example.org"]);
        assert_eq!(found("created_from=2040-01-01T00:10:00Z").await.len(), 2);
        assert_eq!(found("created_from=2040-01-01T00:10:00Z&search=mia").await, ["x@example.org"]);
        for bad in ["search=", "created_from=yesterday", "created_to=1"] {
            app.key().get(&format!("/v1/admin/users?{bad}")).await.refuses(400, "invalid_query");
        }
    }
}
