//! Old databases: what an earlier version wrote is served by this one, with everything in it; what a
//! newer one wrote is refused in words.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::client::{Asks, Client, Request};
use crate::support::dump::collections;
use crate::support::house::{House, entry};
use crate::support::stores::{Backend, on_both_stores};

/// A database of 21 November 2026, and what was told there.
struct Old {
    house: House,
    told: Value,
}

impl Old {
    async fn on(backend: Backend) -> Self {
        let (house, told) = House::of_old(backend).await;
        Self { house, told }
    }

    /// At the door of the people there.
    fn at(&self, client: &Client, path: &str, body: Value) -> Request {
        let key = text(&self.told["development"]["publishable_key"]);
        client
            .post(path)
            .header("x-publishable-key", key)
            .json(body)
    }

    /// With the secret key.
    async fn seen_by_the_backend(&self, client: &Client, path: &str) -> Value {
        let key = text(&self.told["development"]["secret_key"]);
        client.get(path).header("x-api-key", key).await.told(200)
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// What stands in a database: collection and identifier of each document.
async fn standing(house: &House) -> BTreeSet<(String, String)> {
    let all = collections(house.location()).await;
    let named = all.into_iter().flat_map(|(collection, documents)| {
        let named = documents.into_iter();
        named.map(move |it| (collection.clone(), text(&it["_id"]).to_owned()))
    });
    named.collect()
}

/// Nothing but what is over by itself may go: an earlier lease, and the marks of guessing.
fn may_go((collection, _): &(String, String)) -> bool {
    ["authsome_leases", "authsome_rate_counters"].contains(&&**collection)
}

on_both_stores! {
    async fn a_database_of_old_is_served_with_everything_in_it(old: Old) {
        let before = standing(&old.house).await;
        let node = old.house.serves().await;
        let client = node.client();

        let entered = old.at(client, "/v1/signin", entry(&old.told["tia"])).await.told(200);
        let refreshed = client.post("/v1/refresh");
        let presented = json!({"refresh_token": old.told["noah"]["refresh_token"]});
        let refreshed = refreshed.json(presented.clone()).await.told(200);
        let org = text(&old.told["org"]["id"]);
        let inside = json!({
            "email": old.told["noah"]["email"], "password": old.told["noah"]["password"], "org_id": org,
        });
        let inside = old.at(client, "/v1/signin", inside).await.told(200);

        assert_eq!(entered["user"]["id"], old.told["tia"]["id"]);
        let me = client.get("/v1/me").bearer(text(&refreshed["access_token"])).await.told(200);
        assert_eq!(me["id"], old.told["noah"]["id"]);
        let spent = client.post("/v1/refresh").json(presented).await;
        assert_eq!(spent.status, 401, "a refresh token is good once, also one of old");
        let token = text(&inside["access_token"]);
        let own = client.get(&format!("/v1/orgs/{org}")).bearer(token).await.told(200);
        assert_eq!(own["slug"], old.told["org"]["slug"]);
        let members = old.seen_by_the_backend(client, &format!("/v1/orgs/{org}/members")).await;
        let roles: BTreeSet<_> = members["members"].as_array().unwrap().iter()
            .map(|it| (text(&it["user_id"]), text(&it["roles"][0]))).collect();
        let wanted = [(text(&old.told["tia"]["id"]), "owner"), (text(&old.told["noah"]["id"]), "admin")];
        assert_eq!(roles, BTreeSet::from(wanted));
        let users = old.seen_by_the_backend(client, "/v1/admin/users?include=total").await;
        assert_eq!(users["total"], 3);
        let letters = old.seen_by_the_backend(client, "/v1/admin/notifications").await;
        assert!(letters["notifications"].as_array().unwrap().len() > 3, "{letters}");
        drop(node);
        let after = standing(&old.house).await;
        let gone: Vec<_> = before.difference(&after).filter(|it| !may_go(it)).collect();
        assert!(gone.is_empty(), "{gone:?}");
        assert!(after.contains(&("authsome_schema".to_owned(), "version".to_owned())));
    }

    /// On the way of an upgrade: a backup is taken before anything is changed, and by the new server.
    async fn a_database_of_old_moves_house_as_it_is(old: Old) {
        let before = standing(&old.house).await;

        let (taken, archive) = old.house.taken().await.unwrap();

        assert_eq!(standing(&old.house).await, before, "taking a backup changes nothing");
        assert_eq!(taken.sum.documents, before.iter().filter(|it| it.0 != "authsome_migrations").count() as u64);
        for backend in [Backend::Sqlite, Backend::Mongo] {
            let elsewhere = old.house.likewise(backend);
            assert_eq!(elsewhere.takes_in(&archive).await.unwrap(), 0);
            let node = elsewhere.serves().await;
            let entered = old.at(node.client(), "/v1/signin", entry(&old.told["tia"])).await;
            assert_eq!(entered.told(200)["user"]["id"], old.told["tia"]["id"]);
        }
    }

    async fn a_database_that_is_newer_is_refused_in_words(old: Old) {
        old.house.up_to_date().await.unwrap();
        old.house.is_of_version(2).await;

        let start = old.house.refuses_to_serve().await.to_string();
        let backup = old.house.taken().await.unwrap_err().to_string();

        for refused in [start, backup] {
            for words in ["newer version of the server", "its schema is 2", "this one knows 1"] {
                assert!(refused.contains(words), "{refused}");
            }
        }
        let flaws = old.house.as_it_is().await.store.examine(&[]).await.unwrap();
        assert!(flaws[0].contains("newer version"), "{flaws:?}");
        old.house.is_of_version(1).await;
        drop(old.house.serves().await);
    }
}
