//! Signing keys: what verifiers elsewhere are given, and how one key follows another.

use std::collections::HashSet;
use std::time::Duration;

use authsome::kernel::time::Timestamp;
use authsome::store::Stored;
use authsome::tokens::{self, SigningKey};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use crate::support::app::{Door, TestApp, eventually};
use crate::support::client::{Asks, Reply, assert_has};
use crate::support::forge::Token;
use crate::support::stores::{Backend, on_both_stores};

const AHEAD: Duration = Duration::from_hours(24);

/// A server whose keys are of another algorithm than the default.
macro_rules! signing_with {
    ($($Name:ident $algorithm:literal)+) => {$(
        struct $Name(TestApp);

        impl $Name {
            async fn on(backend: Backend) -> Self {
                Self(TestApp::with(backend, &[("TOKENS__ALGORITHM", $algorithm)]).await)
            }
        }
    )+};
}

signing_with! { WithEdDsa "EdDSA" WithRsa "RS256" WithSharedSecret "HS256" }

on_both_stores! {
    async fn a_token_is_verified_elsewhere_by_the_published_key(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        let keys = app.visitor(&mia.door).get("/.well-known/jwks.json").await.expect(200);

        assert_eq!(verified(&keys, &mia.access_token(), &mia.door)["sub"], mia.id);
        assert_eq!(keys.header("cache-control"), Some("public, max-age=600"));
    }

    async fn an_edwards_key_is_verified_elsewhere_as_well(app: WithEdDsa) {
        is_verified_elsewhere(&app.0, "OKP").await;
    }

    async fn an_rsa_key_is_verified_elsewhere_as_well(app: WithRsa) {
        is_verified_elsewhere(&app.0, "RSA").await;
    }

    async fn a_shared_secret_is_good_here_and_published_nowhere(app: WithSharedSecret) {
        let mia = app.0.person("mia@example.org").await;

        let keys = app.0.get("/.well-known/jwks.json").await.told(200);

        assert_eq!(Token::of(&mia.access_token()).header["alg"], "HS256");
        assert_eq!(keys, json!({"keys": []}));
        mia.me().await.told(200);
    }

    async fn only_public_halves_are_published(app: TestApp) {
        let keys = app.get("/.well-known/jwks.json").await.told(200);

        // Production and development of the app, and the platform.
        assert_eq!(keys["keys"].as_array().unwrap().len(), 3);
        for key in keys["keys"].as_array().unwrap() {
            let names: HashSet<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(names, HashSet::from(["kid", "alg", "use", "kty", "crv", "x", "y"]));
            assert_has(key, json!({"alg": "ES256", "use": "sig", "kty": "EC", "crv": "P-256"}));
            assert!(["x", "y"].iter().all(|name| key[*name].as_str().unwrap().len() == 43));
        }
    }

    async fn an_environment_s_keys_are_asked_for_by_its_publishable_key(app: TestApp) {
        let all = kids(&app.get("/.well-known/jwks.json").await.told(200));
        let mut each = Vec::new();

        for door in [&app.own.production, &app.own.development, &app.platform] {
            each.extend(kids(&app.visitor(door).get("/.well-known/jwks.json").await.told(200)));
        }

        assert_eq!(HashSet::<&String>::from_iter(&each), HashSet::from_iter(&all));
        let unknown = app.get("/.well-known/jwks.json?publishable_key=pk_test_x");
        unknown.await.refuses(401, "invalid_publishable_key");
    }

    async fn a_new_key_is_published_before_it_signs_and_the_old_one_after(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let old = kid(&mia.access_token());

        let new = publishes(&app, &mia.door, AHEAD).await;

        assert_eq!(published(&app, &mia.door).await, [old.clone(), new.clone()]);
        let _ = mia.refreshes().await.expect(200);
        assert_eq!(kid(&mia.access_token()), old);
        app.clock.advance(AHEAD.saturating_sub(Duration::from_mins(1)));
        let _ = mia.refreshes().await.expect(200);
        let before = mia.tokens();
        app.clock.advance(Duration::from_mins(1));
        let _ = mia.refreshes().await.expect(200);
        assert_eq!((kid(&before.access), kid(&mia.access_token())), (old, new));
        app.get("/v1/me").bearer(&before.access).await.told(200);
        mia.me().await.told(200);
    }

    async fn a_key_is_gone_when_no_token_of_it_can_be_alive(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let new = publishes(&app, &mia.door, Duration::ZERO).await;
        assert_eq!(published(&app, &mia.door).await.len(), 2);

        app.clock.advance(Duration::from_hours(2));

        assert_eq!(published(&app, &mia.door).await, [new]);
    }

    async fn two_rotations_in_a_row_leave_every_token_good(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let first = mia.access_token();
        publishes(&app, &mia.door, Duration::ZERO).await;
        let _ = mia.refreshes().await.expect(200);
        let second = mia.access_token();

        publishes(&app, &mia.door, Duration::ZERO).await;

        let _ = mia.refreshes().await.expect(200);
        for token in [&first, &second, &mia.access_token()] {
            app.get("/v1/me").bearer(token).await.told(200);
        }
        assert_eq!(HashSet::from([kid(&first), kid(&second), kid(&mia.access_token())]).len(), 3);
    }

    /// A backend that fetches the key set no more often than it has to never meets a key that it
    /// does not know, through two rotations in a row and their activation (JW-10).
    async fn who_caches_the_key_set_verifies_every_token_across_rotations(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (max_age, step) = (Duration::from_mins(10), Duration::from_secs(9 * 60 + 59));
        publishes(&app, &mia.door, AHEAD).await;
        let last = publishes(&app, &mia.door, AHEAD + Duration::from_mins(1)).await;
        let mut cached = (published(&app, &mia.door).await, app.clock.now());
        let mut signed = HashSet::new();

        for _ in 0..160 {
            app.clock.advance(step);
            let (before, _) = (mia.access_token(), mia.refreshes().await.expect(200));
            if app.clock.now().since(cached.1) >= max_age {
                cached = (published(&app, &mia.door).await, app.clock.now());
            }
            for token in [before, mia.access_token()] {
                assert!(cached.0.contains(&kid(&token)), "{} in {:?}", kid(&token), cached.0);
                app.get("/v1/me").bearer(&token).await.told(200);
            }
            signed.insert(kid(&mia.access_token()));
        }

        assert!(signed.len() >= 2 && signed.contains(&last), "{signed:?}");
        assert_eq!(published(&app, &mia.door).await, [last]);
    }

    async fn the_tokens_of_a_withdrawn_key_are_dead_and_sessions_go_on(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let stolen = kid(&mia.access_token());

        withdraws(&app, &mia.door, &stolen).await;

        eventually(async || mia.me().await.status == 401).await;
        assert!(!published(&app, &mia.door).await.contains(&stolen));
        let _ = mia.refreshes().await.expect(200);
        mia.me().await.told(200);
    }

    async fn another_algorithm_counts_from_the_next_key_on(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let old = mia.access_token();
        let node = app.another_node(&[("TOKENS__ALGORITHM", "EdDSA")]).await;
        let elsewhere = mia.visitor().by(node.client());

        let same = elsewhere.enters(&mia.email, &mia.password).await;

        assert_eq!(Token::of(&same.access_token()).header["alg"], "ES256");
        elsewhere.get("/v1/me").bearer(&old).await.told(200);
    }
}

async fn is_verified_elsewhere(app: &TestApp, kty: &str) {
    let mia = app.person("mia@example.org").await;

    let keys = app.get("/.well-known/jwks.json").await.expect(200);

    assert_eq!(
        verified(&keys, &mia.access_token(), &mia.door)["sub"],
        mia.id
    );
    assert!(
        keys.json()["keys"]
            .as_array()
            .unwrap()
            .iter()
            .all(|key| key["kty"] == kty)
    );
    mia.me().await.told(200);
}

/// The claims, by the judgement of a library that has nothing but the published keys. It reads the
/// machine's clock, and ours is in 2040: no token of ours is over for it.
fn verified(keys: &Reply, token: &str, door: &Door) -> Value {
    let set: JwkSet = serde_json::from_slice(&keys.body).expect("a key set");
    let header = decode_header(token).expect("a header");
    let kid = header.kid.expect("a key is named");
    let key: &Jwk = set.find(&kid).expect("it is published");
    let mut rules = Validation::new(header.alg);
    rules.set_audience(&[&door.app_id]);
    let key = DecodingKey::from_jwk(key).expect("a key");
    decode(token, &key, &rules)
        .expect("a token that is verified")
        .claims
}

fn kid(token: &str) -> String {
    Token::of(token).header["kid"]
        .as_str()
        .expect("a key is named")
        .to_owned()
}

fn kids(keys: &Value) -> Vec<String> {
    let keys = keys["keys"].as_array().expect("a key set").iter();
    keys.map(|key| key["kid"].as_str().expect("a name").to_owned())
        .collect()
}

async fn published(app: &TestApp, door: &Door) -> Vec<String> {
    kids(
        &app.visitor(door)
            .get("/.well-known/jwks.json")
            .await
            .told(200),
    )
}

/// What `authsome keys rotate` does; the name of the new key.
async fn publishes(app: &TestApp, door: &Door, ahead: Duration) -> String {
    let (foundation, now) = (app.foundation(), app.clock.now());
    let prepared = foundation
        .keys
        .prepare(door.tenant(), None, now)
        .await
        .expect("a key");
    let from: Timestamp = now.plus(ahead);
    let written: Stored<SigningKey> = app
        .store()
        .write(async |tx| tokens::publish(&mut tx.within(door.tenant()), &prepared, from).await)
        .await;
    foundation.keys.forget(door.tenant());
    written.expect("the store answers").id.to_string()
}

/// What `authsome keys withdraw` does; a node follows within a second.
async fn withdraws(app: &TestApp, door: &Door, id: &str) {
    let (foundation, now) = (app.foundation(), app.clock.now());
    let successor = foundation
        .keys
        .prepare(door.tenant(), None, now)
        .await
        .expect("a key");
    let id = id.parse().expect("the name of a key");
    let withdrawn: Stored<_> = app
        .store()
        .write(async |tx| {
            let mut tx = tx.within(door.tenant());
            tokens::withdraw(&mut tx, id, &successor, now, &foundation.world.entropy).await
        })
        .await;
    foundation.keys.forget(door.tenant());
    let _ = withdrawn
        .expect("the store answers")
        .expect("there is such a key");
}
