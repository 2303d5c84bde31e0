//! Service accounts: machines with roles.

use authsome::api_keys::{ApiKey, ServiceAccount};
use authsome::events::Name;
use futures_util::future::join_all;
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::client::{Asks, assert_has};
use crate::support::machines::{EVERYTHING, Key, keyed};
use crate::support::orgs::text;
use crate::support::stores::on_both_stores;

const AT: &str = "/v1/admin/service-accounts";

on_both_stores! {
    async fn an_account_may_what_its_roles_and_the_scopes_of_its_key_say(app: TestApp) {
        let (id, key) = app.account(&["ADMIN"], &["users:*", "members:read"]).await;

        key.get("/v1/admin/users").await.told(200);
        key.get("/v1/environments").await.refuses(403, "forbidden");
        key.get("/v1/me").await.refuses(403, "forbidden");
        let acme = app.org("acme", &app.person("olga@example.org").await).await;
        key.get(&acme.path("/members")).await.told(200);
        key.get(&acme.path("/teams")).await.refuses(403, "forbidden");
        let told = app.key().get(&format!("{AT}/{id}")).await.told(200);
        assert_has(&told, json!({"name": "Nightly import", "roles": ["ADMIN"], "disabled": false}));
        let told = app.key().get(&key.path()).await.told(200);
        assert_has(&told, json!({"owner": "service_account", "service_account_id": id}));
    }

    async fn whoever_is_disabled_or_deleted_is_refused_everywhere_at_once(app: TestApp) {
        let node = app.another_node(&[]).await;
        let (id, key) = app.account(&["ADMIN"], &["users:*"]).await;
        let (path, machine, there) = (format!("{AT}/{id}"), app.key(), key.at(node.client()));
        let token = key.token().await;
        let by_token = async |status: u16| {
            let reply = node.client().get("/v1/admin/users").bearer(&token).await;
            assert_eq!(reply.status, status);
        };
        by_token(200).await;

        machine.patch(&path).json(json!({"disabled": true})).await.told(200);
        key.get("/v1/admin/users").await.refuses(401, "invalid_token");
        there.get("/v1/admin/users").await.refuses(401, "invalid_token");
        by_token(401).await;
        machine.patch(&path).json(json!({"disabled": false})).await.told(200);
        there.get("/v1/admin/users").await.told(200);
        by_token(401).await;
        app.get("/v1/admin/users").bearer(&key.token().await).await.told(200);
        machine.patch(&path).json(json!({"roles": ["USER"]})).await.told(200);
        there.get("/v1/admin/users").await.refuses(403, "forbidden");

        let all = join_all((0..20).map(|_| async { machine.delete(&path).await })).await;
        assert_eq!(all.iter().filter(|it| it.status == 204).count(), 1);
        there.get("/v1/admin/users").await.refuses(401, "invalid_token");
        let left: Vec<ApiKey> = app.of_environment(&app.own.development).await;
        assert!(left.iter().all(|it| it.service_account_id.is_none()));
        let left: Vec<ServiceAccount> = app.of_environment(&app.own.development).await;
        assert!(left.is_empty());
        for (name, times) in [
            (Name::ServiceAccountCreated, 1),
            (Name::ServiceAccountUpdated, 3),
            (Name::ServiceAccountDeleted, 1),
        ] {
            assert_eq!(app.events(&app.own.development, name).await.len(), times, "{name:?}");
        }
    }

    async fn nobody_makes_or_changes_an_account_that_is_more_than_he_is(app: TestApp) {
        let (id, whole) = app.account(&["ADMIN"], &EVERYTHING).await;
        let (_, star) = app.account(&["ADMIN"], &["*:*", "service_accounts:manage"]).await;
        let limited = ["users:list", "service_accounts:manage", "service_accounts:read"];
        let (_, limited) = app.account(&["ADMIN"], &limited).await;
        let (path, admin) = (format!("{AT}/{id}"), json!({"name": "Heir", "roles": ["ADMIN"]}));

        limited.post(AT).json(admin.clone()).await.refuses(403, "role_not_held");
        star.post(AT).json(admin.clone()).await.refuses(403, "role_not_held");
        limited.patch(&path).json(json!({"name": "Mine"})).await.refuses(403, "role_not_held");
        limited.delete(&path).await.refuses(403, "role_not_held");
        let keys = format!("{path}/api-keys");
        let new = keyed("Mine", &["users:list"]);
        limited.post(&keys).json(new).await.refuses(403, "role_not_held");
        limited.post(AT).json(json!({"name": "Nobody"})).await.told(201);
        let heir = whole.post(AT).json(admin).await.told(201);
        let of_heir = format!("{AT}/{}/api-keys", text(&heir["id"]));
        let made = whole.post(&of_heir).json(keyed("First", &["users:list"])).await;
        Key::of(app.client(), &made.told(201)).get("/v1/admin/users").await.told(200);
        whole.post(AT).json(json!({"name": "X", "roles": ["OWNER"]})).await.refuses(400, "unknown_role");
    }

    async fn a_key_of_an_account_has_no_scope_beyond_its_roles(app: TestApp) {
        let machine = app.key();
        let new = json!({"name": "Reader", "roles": ["USER"]});
        let id = text(&machine.post(AT).json(new).await.told(201)["id"]);
        let keys = format!("{AT}/{id}/api-keys");

        machine.post(&keys).json(keyed("X", &["users:list"])).await.refuses(403, "scope_not_held");
        machine.post(&keys).json(keyed("X", &["permissions:read"])).await.told(201);
    }

    async fn an_account_of_one_environment_is_none_in_another(app: TestApp) {
        let (id, key) = app.account(&["ADMIN"], &["users:*"]).await;
        let production = app.machine(&app.own.production);

        production.get(&format!("{AT}/{id}")).await.refuses(404, "not_found");
        production.get(&key.path()).await.refuses(404, "not_found");
        let asked = key.get("/v1/admin/users").at(&app.own.production);
        asked.await.refuses(401, "tenant_mismatch");
        app.person("mia@example.org").await.get(AT).await.refuses(403, "forbidden");
    }

    async fn accounts_are_listed_newest_first(app: TestApp) {
        let machine = app.key();
        for name in ["One", "Two", "Three"] {
            app.clock.advance(std::time::Duration::from_millis(1));
            machine.post(AT).json(json!({"name": name})).await.told(201);
        }

        let first = machine.get(&format!("{AT}?limit=2")).await.told(200);
        let next = text(&first["next_cursor"]);
        let rest = machine.get(&format!("{AT}?limit=2&cursor={next}")).await.told(200);

        assert_eq!(first["service_accounts"][0]["name"], "Three");
        assert_eq!(rest["service_accounts"][0]["name"], "One");
        assert_eq!(rest["has_more"], false);
    }
}
