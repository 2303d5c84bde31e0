//! Many sessions that end at once.

use authsome::events::Name;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{TestApp, eventually};
use crate::support::client::{Asks, Request};
use crate::support::persona::{PASSWORD, Person};
use crate::support::stores::on_both_stores;

fn ends(asks: &impl Asks, whose: Value) -> Request {
    asks.delete("/v1/admin/bulk/sessions").json(whose)
}

async fn people(app: &TestApp, count: usize) -> Vec<Person> {
    let mut all = Vec::new();
    for number in 0..count {
        all.push(app.person(&format!("user{number}@example.org")).await);
    }
    all
}

on_both_stores! {
    async fn the_sessions_of_some_users_end_everywhere_and_nobody_else_s(app: TestApp) {
        app.trusts_addresses(&app.own.production).await;
        let people = people(&app, 3).await;
        let there = people[0].enters(&app.own.production).await;
        let node = app.another_node(&[]).await;

        let whose = json!({"user_ids": [people[0].id, people[1].id]});
        let ended = ends(&app.key(), whose).await.told(200);

        assert_eq!(ended, json!({"sessions": 3}));
        for person in [&people[0], &people[1], &there] {
            person.me().await.refuses(401, "invalid_token");
            person.refreshes().await.refuses(401, "invalid_refresh_token");
            eventually(async || {
                node.client().get("/v1/me").bearer(&person.access_token()).await.status == 401
            }).await;
        }
        people[2].me().await.told(200);
        people[0].visitor().enters(&people[0].email, PASSWORD).await.me().await.told(200);
        let told = app.events(&app.own.development, Name::SessionsRevokedTogether).await;
        assert_eq!((told.len(), &told[0].details["sessions"]), (1, &json!(3)));
    }

    async fn everybody_s_sessions_of_an_environment_end_and_no_other_s(app: TestApp) {
        app.trusts_addresses(&app.own.production).await;
        let people = people(&app, 3).await;
        let admin = app.admin().await;
        let there = people[0].enters(&app.own.production).await;
        let node = app.another_node(&[]).await;
        node.client().get("/v1/me").bearer(&people[1].access_token()).await.told(200);

        let ended = ends(&admin, json!({"everybody": true})).await.told(200);

        assert_eq!(ended, json!({"sessions": 4}));
        for person in people.iter().chain([&admin]) {
            person.me().await.refuses(401, "invalid_token");
            person.refreshes().await.refuses(401, "invalid_refresh_token");
            eventually(async || {
                node.client().get("/v1/me").bearer(&person.access_token()).await.status == 401
            }).await;
        }
        there.me().await.told(200);
        let again = people[0].visitor().enters(&people[0].email, PASSWORD).await;
        again.me().await.told(200);
        eventually(async || {
            node.client().get("/v1/me").bearer(&again.access_token()).await.status == 200
        }).await;
        assert_eq!(ends(&app.key(), json!({"everybody": true})).await.told(200)["sessions"], 1);
    }

    async fn all_end_or_none(app: TestApp) {
        let people = people(&app, 2).await;
        let unknown = "ausr_01h2xcejqtf2nbrexx3vqjhp41";

        ends(&app.key(), json!({"user_ids": [people[0].id, unknown]})).await.refuses(404, "not_found");
        let colleague = app.colleague("olaf@example.org", &["ADMIN"]).await;
        let boss = json!({"user_ids": [app.operator.user_id]});
        ends(&colleague, boss).await.refuses(403, "role_not_held");
        ends(&people[0], json!({"everybody": true})).await.refuses(403, "forbidden");
        for bad in [
            json!({}), json!({"everybody": false}), json!({"everybody": true, "user_ids": []}),
            json!({"user_ids": vec![unknown; 101]}), json!({"user_ids": ["x"]}),
        ] {
            assert_eq!(ends(&app.key(), bad.clone()).await.status, 400, "{bad}");
        }

        people[0].me().await.told(200);
        assert!(app.events(&app.own.development, Name::SessionsRevokedTogether).await.is_empty());
    }

    /// Among everybody is somebody who stands above who may end sessions and no more.
    async fn everybody_s_end_by_who_is_above_them_all(app: TestApp) {
        let admin = app.admin().await;
        let new = json!({
            "name": "Guard", "owner": "environment", "roles": ["ADMIN"], "scopes": ["users:sessions"],
        });
        let made = app.key().post("/v1/keys").json(new).await.told(201);
        let secret = made["key"].as_str().expect("a key").to_owned();
        let guard = |whose: Value| ends(&app, whose).api_key(&secret).into_future();

        guard(json!({"user_ids": [admin.id]})).await.refuses(403, "role_not_held");
        guard(json!({"everybody": true})).await.refuses(403, "role_not_held");

        admin.me().await.told(200);
        assert!(app.events(&app.own.development, Name::SessionsRevokedTogether).await.is_empty());
    }

    /// Whoever refreshes meanwhile is before or after, and has nothing that is good.
    async fn refreshing_meanwhile_saves_no_session(app: TestApp) {
        let people = people(&app, 10).await;
        let key = app.key();

        let refreshing = join_all(people.iter().map(|it| async { it.refreshes().await.status }));
        let ending = async { ends(&key, json!({"everybody": true})).await.told(200) };
        let (statuses, ended) = futures_util::future::join(refreshing, ending).await;

        assert_eq!(ended["sessions"], 10, "{statuses:?}");
        for person in &people {
            person.me().await.refuses(401, "invalid_token");
            person.refreshes().await.refuses(401, "invalid_refresh_token");
        }
    }
}
