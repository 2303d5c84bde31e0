//! Keys over their life: made once, published ahead, superseded, withdrawn.

use std::sync::Arc;
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use jsonwebtoken::{Validation, decode};
use serde_json::Value;

use crate::kernel::algorithm::Algorithm;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{EnvId, SigningKeyId};
use crate::kernel::secret::{ExposeSecret, KeyRing};
use crate::kernel::time::Timestamp;
use crate::store::{Sealed, Stored};
use crate::tokens::chain::{Chain, Key};
use crate::tokens::keys::KeyError;
use crate::tokens::keys::in_jsonwebtoken;
use crate::tokens::material::Material;
use crate::tokens::world::{MINUTE, NOON, World, ring, tenant, world};
use crate::tokens::{LONGEST_LIFE, PreparedKey, Refused, SigningKey, publish, withdraw};

#[tokio::test]
async fn two_nodes_on_an_empty_store_make_one_key() {
    let world = world(Algorithm::Es256).await;
    let nodes = [world.node(), world.node(), world.node(), world.node()];
    let (a, b, c, d) = (
        world.claims(),
        world.claims(),
        world.claims(),
        world.claims(),
    );

    let tokens = futures_util::future::join_all(
        nodes
            .iter()
            .zip([&a, &b, &c, &d])
            .map(|(node, claims)| node.tokens.sign(claims)),
    )
    .await;

    assert_eq!(world.stored_keys().await.len(), 1);
    for token in tokens {
        assert!(world.tokens.verify(&token.unwrap()).await.is_ok());
    }
}

#[tokio::test]
async fn a_new_key_is_published_at_once_and_signs_later() {
    let world = world(Algorithm::Es256).await;
    let keys = &world.keys;
    let signed_by = async |at| keys.signing(world.tenant, at).await.unwrap().id;
    let first = signed_by(NOON).await;
    let node = world.node();
    node.keys.ensure(world.tenant, NOON).await.unwrap();

    let prepared = keys
        .prepare(world.tenant, Some(Algorithm::EdDsa), NOON)
        .await
        .unwrap();
    let activation = keys.activation(NOON);
    let second = rotated(&world, &prepared, activation).await;

    assert_eq!(second.generation, 2);
    let published = keys.published(Some(world.tenant), NOON).await.unwrap();
    assert_eq!(
        published.keys.iter().map(|key| key.kid).collect::<Vec<_>>(),
        [first, second.id]
    );
    assert_eq!(*keys.published(None, NOON).await.unwrap(), *published);
    assert_eq!(signed_by(NOON).await, first);
    assert_eq!(
        signed_by(activation.minus(Duration::from_millis(1))).await,
        first
    );
    assert_eq!(signed_by(activation).await, second.id);
    // The first still counts while a token of it can be alive, and then no longer.
    let end = activation.plus(LONGEST_LIFE).plus(MINUTE);
    let just_before = end.minus(Duration::from_millis(1));
    assert!(keys.accepted(first, just_before).await.unwrap().is_some());
    assert!(keys.accepted(first, end).await.unwrap().is_none());
    assert_eq!(
        keys.published(Some(world.tenant), end)
            .await
            .unwrap()
            .keys
            .len(),
        1
    );
    assert_eq!(keys.published(None, end).await.unwrap().keys.len(), 1);
    // A node that read its chain before the rotation meets the new key in a token.
    world.clock.advance(24 * 60 * MINUTE);
    assert!(node.tokens.verify(&world.token().await).await.is_ok());
}

async fn rotated(world: &World, prepared: &PreparedKey, activates_at: Timestamp) -> SigningKey {
    let published: Stored<_> = world
        .store
        .write(async |tx| publish(&mut tx.within(world.tenant), prepared, activates_at).await)
        .await;
    world.keys.forget(world.tenant);
    published.unwrap()
}

#[tokio::test]
async fn a_key_that_signs_at_once_is_known_to_every_node_by_its_first_token() {
    let world = world(Algorithm::Es256).await;
    let node = world.node();
    node.tokens.verify(&world.token().await).await.unwrap();

    let prepared = world.keys.prepare(world.tenant, None, NOON).await.unwrap();
    let second = rotated(&world, &prepared, NOON).await;
    let token = world.token().await;

    assert_eq!(
        world.keys.signing(world.tenant, NOON).await.unwrap().id,
        second.id
    );
    assert!(node.tokens.verify(&token).await.is_ok());
}

#[tokio::test]
async fn generations_that_cannot_be_met_any_more_are_swept_by_the_next() {
    let world = world(Algorithm::Es256).await;
    let keys = &world.keys;
    keys.ensure(world.tenant, NOON).await.unwrap();
    let second = keys.prepare(world.tenant, None, NOON).await.unwrap();
    rotated(&world, &second, NOON).await;

    let later = NOON.plus(2 * LONGEST_LIFE);
    let third = keys.prepare(world.tenant, None, later).await.unwrap();
    rotated(&world, &third, later).await;

    let left: Vec<_> = world
        .stored_keys()
        .await
        .iter()
        .map(|key| key.generation)
        .collect();
    assert_eq!(left, [2, 3]);
}

#[tokio::test]
async fn a_withdrawn_key_takes_its_tokens_along_on_every_node() {
    let world = world(Algorithm::Es256).await;
    let token = world.token().await;
    let node = world.node();
    for each in [&world.tokens, &node.tokens] {
        each.verify(&token).await.unwrap();
        each.sign(&world.claims()).await.unwrap();
    }
    let id = world.stored_keys().await[0].id;
    let successor = world.keys.prepare(world.tenant, None, NOON).await.unwrap();

    let withdrawn: Stored<_> = world
        .store
        .write(async |tx| {
            withdraw(
                &mut tx.within(world.tenant),
                id,
                &successor,
                NOON,
                &world.entropy,
            )
            .await
        })
        .await;
    let revocation = withdrawn.unwrap().unwrap();
    world.keys.forget(world.tenant);
    world.revocations.apply(&revocation);
    node.revocations.catch_up(NOON).await.unwrap();

    for each in [&world.tokens, &node.tokens, &world.node().tokens] {
        assert!(matches!(
            each.verify(&token).await,
            Err(Refused::Revoked | Refused::Unsigned)
        ));
        let fresh = each.sign(&world.claims()).await.unwrap();
        assert!(world.tokens.verify(&fresh).await.is_ok());
    }
    let set = world
        .keys
        .published(Some(world.tenant), NOON)
        .await
        .unwrap();
    assert!(set.keys.len() == 1 && set.keys[0].kid != id);
}

#[tokio::test]
async fn a_key_opens_only_where_it_was_sealed() {
    let world = world(Algorithm::Es256).await;
    world.token().await;
    let stored = world.stored_keys().await.remove(0);
    let other = KeyRing::parse(&"70".repeat(32)).unwrap();
    let elsewhere = SigningKey {
        env_id: EnvId::new(NOON, &world.entropy),
        ..stored.clone()
    };
    let mut bent = stored.clone();
    bent.public_jwk.as_mut().unwrap().x = bent.public_jwk.as_ref().unwrap().y.clone();
    let relabelled = SigningKey {
        algorithm: Algorithm::EdDsa,
        ..stored.clone()
    };

    assert!(matches!(
        Key::open(&stored, &other),
        Err(KeyError::NoEncryptionKey(id, _)) if id == stored.id
    ));
    assert!(matches!(
        Key::open(&elsewhere, &world.ring),
        Err(KeyError::Sealed(_))
    ));
    assert!(matches!(
        Key::open(&bent, &world.ring),
        Err(KeyError::Damaged(_))
    ));
    assert!(matches!(
        Key::open(&relabelled, &world.ring),
        Err(KeyError::Damaged(_))
    ));
    assert!(Key::open(&stored, &world.ring).is_ok());
    assert!(!format!("{stored:?}").contains(&stored.private_key));
}

#[tokio::test]
async fn what_is_published_is_public() {
    for (algorithm, members) in [
        (
            Algorithm::Es256,
            vec!["alg", "crv", "kid", "kty", "use", "x", "y"],
        ),
        (
            Algorithm::EdDsa,
            vec!["alg", "crv", "kid", "kty", "use", "x"],
        ),
        (Algorithm::Rs256, vec!["alg", "e", "kid", "kty", "n", "use"]),
    ] {
        let world = world(algorithm).await;
        world.token().await;
        for tenant in [Some(world.tenant), None] {
            let set = world.keys.published(tenant, NOON).await.unwrap();
            let said = serde_json::to_value(&*set).unwrap();
            let mut names: Vec<_> = said["keys"][0]
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect();
            names.sort();
            assert_eq!(names, members);
            let jwk: jsonwebtoken::jwk::Jwk =
                serde_json::from_value(said["keys"][0].clone()).unwrap();
            let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
            let mut validation = Validation::new(in_jsonwebtoken(algorithm));
            validation.set_audience(&[world.tenant.app_id]);
            assert!(
                decode::<Value>(world.token().await, &key, &validation).is_ok(),
                "{algorithm}"
            );
        }
    }
    let secret = world(Algorithm::Hs256).await;
    secret.token().await;
    assert!(
        secret
            .keys
            .published(None, NOON)
            .await
            .unwrap()
            .keys
            .is_empty()
    );
    assert!(secret.stored_keys().await[0].public_jwk.is_none());
}

#[test]
fn coordinates_keep_their_leading_zeros() {
    let entropy = Entropy::seeded(1);
    let kid = SigningKeyId::new(NOON, &entropy);
    let mut zeros = 0;
    for _ in 0..2_000 {
        let private = Material::generate(Algorithm::Es256, &entropy).unwrap();
        let material = Material::parse(Algorithm::Es256, &private).unwrap();
        let jwk = material.public(kid).unwrap();
        for coordinate in [jwk.x.unwrap(), jwk.y.unwrap()] {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(&coordinate).unwrap();
            assert_eq!(bytes.len(), 32, "{coordinate}");
            zeros += usize::from(bytes[0] == 0);
        }
    }
    assert!(zeros > 0, "one in 256 begins with a zero");
}

#[test]
fn the_oldest_key_signs_where_a_clock_went_backwards() {
    let (entropy, ring) = (Entropy::seeded(1), ring());
    let tenant = tenant(&entropy);
    let key = |generation| {
        let private = Material::generate(Algorithm::Hs256, &entropy).unwrap();
        let id = SigningKeyId::new(NOON, &entropy);
        let place = SigningKey::place(tenant.env_id, id);
        let private_key = ring.seal(private.expose_secret(), &place);
        let stored = SigningKey {
            id,
            app_id: tenant.app_id,
            env_id: tenant.env_id,
            algorithm: Algorithm::Hs256,
            public_jwk: None,
            private_key,
            generation,
            activates_at: NOON,
            created_at: NOON,
        };
        Arc::new(Key::open(&stored, &ring).unwrap())
    };
    let (first, second) = (key(1), key(2));
    let chain = Chain::new(vec![second.clone(), first.clone()]);

    assert_eq!(chain.signing(NOON).unwrap().id, second.id);
    assert_eq!(chain.signing(NOON.minus(MINUTE)).unwrap().id, first.id);
}
