//! The encryption key: nodes with several of them, sealing anew, and what does not open.

use std::collections::{BTreeSet, HashSet};

use authsome::app::SEALED;
use authsome::kernel::secret::KeyRing;
use authsome::store::{Field, Location, Stored, by_id};
use authsome::tokens::{self, SigningKey};
use serde_json::{Value, json};

use crate::support::app::{Door, TestApp};
use crate::support::client::{Asks, Client};
use crate::support::dump;
use crate::support::node::Node;
use crate::support::persona::{PASSWORD, Visitor};
use crate::support::stores::{Backend, on_both_stores};

const RING: &str = "SECURITY__ENCRYPTION_KEY";
const OLD: &str = "old:x3Bnc8QDqVtq7S5R0zYJm2fA9uHkLwPiTeXoNbGvC1s";
const NEW: &str = "new:Zk9yQ4hWvJ7cTn1bRxEoP6mDg0LsAiUfHuYtK2qB8w4";

const PRIVATE_KEY: Field<SigningKey, String> = Field::at("private_key");

/// A server that has the old key.
struct Old(TestApp);

impl Old {
    async fn on(backend: Backend) -> Self {
        Self(TestApp::with(backend, &[(RING, OLD)]).await)
    }

    async fn node(&self, ring: &str) -> Node {
        self.0.another_node(&[(RING, ring)]).await
    }

    async fn changing(&self) -> Node {
        self.node(&format!("{NEW},{OLD}")).await
    }

    fn doors(&self) -> [&Door; 3] {
        let own = &self.0.own;
        [&own.development, &own.production, &self.0.platform]
    }

    /// The encryption keys that signing keys are sealed under.
    async fn sealed_under(&self) -> HashSet<String> {
        let mut all = HashSet::new();
        for door in self.doors() {
            let keys: Vec<SigningKey> = self.0.of_environment(door).await;
            let names = keys
                .iter()
                .map(|key| key.private_key.split_once('.').unwrap().0);
            all.extend(names.map(str::to_owned));
        }
        all
    }

    /// The newest signing key of an environment.
    async fn key_of(&self, door: &Door) -> SigningKey {
        let keys: Vec<SigningKey> = self.0.of_environment(door).await;
        keys.into_iter().max_by_key(|key| key.generation).unwrap()
    }

    async fn writes(&self, door: &Door, key: &SigningKey, sealed: &str) {
        let mut once = self.0.store().once();
        let update = PRIVATE_KEY.set(sealed.to_owned());
        let written = once
            .within(door.tenant())
            .update_one(by_id(key.id), update)
            .await;
        assert!(written.unwrap().is_some());
    }

    fn visitor(&self, node: &Node) -> Visitor {
        self.0.visitor(&self.0.own.development).by(node.client())
    }
}

/// The collections with a text that is sealed under this key.
async fn sealed_under(key: &str, location: &Location) -> BTreeSet<String> {
    let prefix = format!("{key}.");
    let all = dump::collections(location).await.into_iter();
    let holds = |documents: &[Value]| documents.iter().any(|it| has_text(it, &prefix));
    all.filter(|(_, documents)| holds(documents))
        .map(|(name, _)| name)
        .collect()
}

fn has_text(value: &Value, prefix: &str) -> bool {
    match value {
        Value::String(text) => text.starts_with(prefix),
        Value::Array(items) => items.iter().any(|it| has_text(it, prefix)),
        Value::Object(members) => members.values().any(|it| has_text(it, prefix)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

on_both_stores! {
    async fn nodes_with_the_old_key_and_with_both_serve_together(old: Old) {
        let mia = old.0.person("mia@example.org").await;
        let node = old.changing().await;
        // As a rolling deployment would have it before: old seals, new opens.
        let before = old.node(&format!("{OLD},{NEW}")).await;

        for node in [&node, &before] {
            let there = old.visitor(node).enters(&mia.email, PASSWORD).await;

            old.0.get("/v1/me").bearer(&there.access_token()).await.told(200);
            node.client().get("/v1/me").bearer(&mia.access_token()).await.told(200);
        }
        assert_eq!(old.sealed_under().await, HashSet::from(["old".to_owned()]));
    }

    async fn what_is_sealed_from_now_on_is_sealed_under_the_first_key(old: Old) {
        let mia = old.0.person("mia@example.org").await;
        let changing = old.changing().await;
        let (door, now) = (&old.0.own.development, old.0.clock.now());
        let keys = &changing.foundation().keys;
        let prepared = keys.prepare(door.tenant(), None, now).await.unwrap();

        let published: Stored<SigningKey> = old
            .0
            .store()
            .write(async |tx| tokens::publish(&mut tx.within(door.tenant()), &prepared, now).await)
            .await;

        assert!(published.unwrap().private_key.starts_with("new."));
        let both = HashSet::from(["old".to_owned(), "new".to_owned()]);
        assert_eq!(old.sealed_under().await, both);
        let node = old.node(&format!("{OLD},{NEW}")).await;
        let there = old.visitor(&node).enters(&mia.email, PASSWORD).await;
        changing.client().get("/v1/me").bearer(&there.access_token()).await.told(200);
    }

    async fn after_sealing_anew_the_new_key_alone_is_enough(old: Old) {
        let mia = old.0.person("mia@example.org").await;
        let changing = old.changing().await;

        let done = changing.foundation().reseal().await.unwrap();

        // Three signing keys, and the address of the letter to Mia.
        assert_eq!((done.anew, done.already, done.unopened.len()), (4, 0, 0));
        assert_eq!(old.sealed_under().await, HashSet::from(["new".to_owned()]));
        let again = changing.foundation().reseal().await.unwrap();
        assert_eq!((again.anew, again.already, again.unopened.len()), (0, 4, 0));
        let node = old.node(NEW).await;
        let there = old.visitor(&node).enters(&mia.email, PASSWORD).await;
        for node in [&node, &changing] {
            node.client().get("/v1/me").bearer(&there.access_token()).await.told(200);
            node.client().get("/v1/me").bearer(&mia.access_token()).await.told(200);
        }
        let _ = there.refreshes().await.expect(200);
        old.0.get("/v1/me").bearer(&there.access_token()).await.told(200);
    }

    /// Of every kind one: no collection is forgotten that has something sealed in it.
    async fn whatever_is_sealed_is_sealed_anew(old: Old) {
        let (app, key) = (&old.0, old.0.key());
        let mia = app.person("mia@example.org").await;
        let choice = "/v1/admin/settings/signup_code?level=app";
        key.request("PUT", choice).json(json!({"value": "sesame, open"})).await.told(200);
        let hook = json!({"url": "https://receiver.example/hook", "events": ["*"]});
        key.post("/v1/webhooks").json(hook).await.told(201);
        let founds = |client: &Client| {
            let asked = client.post("/v1/orgs").bearer(&mia.access_token());
            asked.json(json!({"name": "Acme"})).header("idempotency-key", "k-1")
        };
        let founded = founds(app.client()).await.told(201);
        let before = sealed_under("old", app.location()).await;
        let changing = old.changing().await;

        let done = changing.foundation().reseal().await.unwrap();

        assert_eq!(before, SEALED.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<_>>());
        assert!(done.unopened.is_empty(), "{done:?}");
        assert_eq!(sealed_under("old", app.location()).await, BTreeSet::new());
        assert_eq!(sealed_under("new", app.location()).await, before);
        // The new key alone opens what was sealed under the old one.
        let node = old.node(NEW).await;
        let again = founds(node.client()).await;
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.told(201), founded);
    }

    /// Each document is written once, however many seal at once and whoever is killed in between.
    async fn several_may_seal_at_once(old: Old) {
        let changing = old.changing().await;

        let runs = (0..5).map(|_| changing.foundation().reseal());
        let done = futures_util::future::join_all(runs).await;

        let anew: u64 = done.iter().map(|done| done.as_ref().unwrap().anew).sum();
        assert_eq!(anew, 3, "{done:?}");
        assert_eq!(old.sealed_under().await, HashSet::from(["new".to_owned()]));
    }

    async fn a_run_that_was_interrupted_is_made_again(old: Old) {
        let ring = KeyRing::parse(&format!("{NEW},{OLD}")).unwrap();
        let changing = old.changing().await;
        let door = &old.0.own.development;
        let key = old.key_of(door).await;
        let place = format!("authsome_signing_keys|{}|{}", key.env_id, key.id);
        let half = ring.reseal(&key.private_key, &place).unwrap().unwrap();
        old.writes(door, &key, &half).await;

        let done = changing.foundation().reseal().await.unwrap();

        assert_eq!((done.anew, done.already), (2, 1));
        assert_eq!(old.key_of(door).await.private_key, half);
    }

    async fn what_does_not_open_is_named_and_left_and_the_rest_is_sealed(old: Old) {
        let door = &old.0.own.development;
        let key = old.key_of(door).await;
        let strange = key.private_key.replacen("old.", "lost.", 1);
        old.writes(door, &key, &strange).await;
        // A node that has it in memory goes on; a new one would not start.
        let foundation = old.0.foundation();

        let done = foundation.reseal().await.unwrap();

        assert_eq!((done.anew, done.already, done.unopened.len()), (0, 2, 1));
        let told = &done.unopened[0];
        assert!(told.contains(&key.id.to_string()) && told.contains("key lost,"), "{told}");
        assert_eq!(old.key_of(door).await.private_key, strange);
        let refused = foundation.raise().await.unwrap_err().to_string();
        assert!(refused.contains(&key.id.to_string()) && refused.contains("lost"), "{refused}");
    }

    /// Who can write to the database cannot make one environment sign with another one's key.
    async fn a_sealed_text_that_is_moved_opens_nothing(old: Old) {
        let mia = old.0.person("mia@example.org").await;
        let own = &old.0.own;
        let stolen = old.key_of(&own.production).await;
        let key = old.key_of(&own.development).await;
        old.writes(&own.development, &key, &stolen.private_key).await;

        let node = old.node(OLD).await;

        let visitor = old.visitor(&node);
        let asked = visitor.signs_in(&mia.email, PASSWORD).that_may_be(500);
        asked.await.refuses(500, "internal");
        let (operator, platform) = (&old.0.operator, old.0.visitor(&old.0.platform));
        platform.by(node.client()).enters(&operator.email, &operator.password).await;
        let done = node.foundation().reseal().await.unwrap();
        // The other signing keys, and the address of the letter to Mia.
        assert_eq!((done.anew, done.already, done.unopened.len()), (0, 3, 1));
        assert!(done.unopened[0].contains(&key.id.to_string()), "{done:?}");
    }
}
