//! Revocations on the node that writes them, and on the others.

use std::time::Duration;

use super::RevocationIndex;
use crate::kernel::algorithm::Algorithm;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId, SigningKeyId, UserId};
use crate::kernel::tenant::Tenant;
use crate::store::Stored;
use crate::tokens::revocation::revoke_key;
use crate::tokens::world::{MINUTE, NOON, world};
use crate::tokens::{AccessClaims, LONGEST_LIFE, Refused, Revocation, revoke_session, revoke_user};

#[tokio::test]
async fn a_revoked_session_takes_its_tokens_along_and_no_others() {
    let world = world(Algorithm::Es256).await;
    let (claims, other) = (world.claims(), world.token().await);
    let token = world.tokens.sign(&claims).await.unwrap();
    world.tokens.verify(&token).await.unwrap();

    let revocation = world
        .store
        .write(async |tx| {
            revoke_session(
                &mut tx.within(world.tenant),
                claims.sid,
                NOON,
                &world.entropy,
            )
            .await
        })
        .await
        .unwrap();
    assert!(
        world.tokens.verify(&token).await.is_ok(),
        "not before it is applied"
    );
    world.revocations.apply(&revocation);

    assert!(matches!(world.refused(&token).await, Refused::Revoked));
    assert!(world.tokens.verify(&other).await.is_ok());
}

#[tokio::test]
async fn a_user_who_lost_rights_needs_a_token_of_the_new_version() {
    let world = world(Algorithm::Es256).await;
    let old = world.claims();
    let new = AccessClaims {
        ver: 4,
        ..old.clone()
    };
    let (old_token, new_token) = (
        world.tokens.sign(&old).await.unwrap(),
        world.tokens.sign(&new).await.unwrap(),
    );

    let revocation: Revocation = world
        .store
        .write(async |tx| {
            revoke_user(
                &mut tx.within(world.tenant),
                old.sub.user().unwrap(),
                4,
                NOON,
                &world.entropy,
            )
            .await
        })
        .await
        .unwrap();
    world.revocations.apply(&revocation);

    assert!(matches!(world.refused(&old_token).await, Refused::Revoked));
    assert!(world.tokens.verify(&new_token).await.is_ok());
}

#[tokio::test]
async fn another_node_hears_of_a_revocation() {
    let world = world(Algorithm::Es256).await;
    let claims = world.claims();
    let token = world.tokens.sign(&claims).await.unwrap();
    let node = world.node();
    node.revocations.catch_up(NOON).await.unwrap();
    node.tokens.verify(&token).await.unwrap();

    world.clock.advance(MINUTE);
    let written: Stored<_> = world
        .store
        .write(async |tx| {
            let now = world.clock.now();
            revoke_session(
                &mut tx.within(world.tenant),
                claims.sid,
                now,
                &world.entropy,
            )
            .await
        })
        .await;
    drop(written.unwrap());
    node.revocations.catch_up(world.clock.now()).await.unwrap();

    assert!(matches!(
        node.tokens.verify(&token).await,
        Err(Refused::Revoked)
    ));
    let restarted = world.node();
    restarted.revocations.load(world.clock.now()).await.unwrap();
    assert!(matches!(
        restarted.tokens.verify(&token).await,
        Err(Refused::Revoked)
    ));
}

fn of_user(tenant: Tenant, user_id: UserId, min_version: i64, entropy: &Entropy) -> Revocation {
    let blank = Revocation::blank(tenant, NOON, entropy);
    Revocation {
        user_id: Some(user_id),
        min_version: Some(min_version),
        ..blank
    }
}

#[tokio::test]
async fn the_highest_version_counts_in_whatever_order_they_arrive() {
    let world = world(Algorithm::Es256).await;
    let claims = world.claims();
    let index = RevocationIndex::new(world.store.clone());

    for version in [5, 9, 7] {
        index.apply(&of_user(
            world.tenant,
            claims.sub.user().unwrap(),
            version,
            &world.entropy,
        ));
    }

    for (ver, revoked) in [(4, true), (8, true), (9, false), (10, false)] {
        assert_eq!(
            index.seen().is_revoked(&AccessClaims {
                ver,
                ..claims.clone()
            }),
            revoked,
            "{ver}"
        );
    }
}

#[tokio::test]
async fn a_user_is_revoked_in_every_environment_of_the_app_and_in_no_other_app() {
    let world = world(Algorithm::Es256).await;
    let claims = world.claims();
    let index = RevocationIndex::new(world.store.clone());

    index.apply(&of_user(
        world.tenant,
        claims.sub.user().unwrap(),
        9,
        &world.entropy,
    ));

    let elsewhere = EnvId::new(NOON, &world.entropy);
    assert!(index.seen().is_revoked(&AccessClaims {
        env_id: elsewhere,
        ..claims.clone()
    }));
    let other = AppId::new(NOON, &world.entropy);
    assert!(!index.seen().is_revoked(&AccessClaims {
        app_id: other,
        ..claims
    }));
}

#[tokio::test]
async fn what_no_token_can_need_any_more_is_swept() {
    let world = world(Algorithm::Es256).await;
    let (first, second) = (world.claims(), world.claims());
    let index = RevocationIndex::new(world.store.clone());
    index.apply(&of_user(
        world.tenant,
        first.sub.user().unwrap(),
        9,
        &world.entropy,
    ));

    let later = NOON.plus(LONGEST_LIFE + MINUTE);
    let blank = Revocation::blank(world.tenant, later, &world.entropy);
    index.apply(&Revocation {
        session_id: Some(second.sid),
        ..blank
    });

    assert!(!index.seen().is_revoked(&first));
    assert!(index.seen().is_revoked(&second));
}

/// A clock that jumps ahead sweeps everything; when it comes back, tokens of before are alive again.
#[tokio::test]
async fn a_clock_that_jumps_ahead_and_back_forgets_no_revocation() {
    let world = world(Algorithm::Es256).await;
    let claims = world.claims();
    let written: Stored<_> = world
        .store
        .write(async |tx| {
            revoke_session(
                &mut tx.within(world.tenant),
                claims.sid,
                NOON,
                &world.entropy,
            )
            .await
        })
        .await;
    let index = RevocationIndex::new(world.store.clone());
    index.apply(&written.unwrap());
    let ten_years = 10 * 365 * 24 * LONGEST_LIFE;

    index.catch_up(NOON.plus(ten_years)).await.unwrap();
    assert!(!index.seen().is_revoked(&claims));
    index.catch_up(NOON.plus(MINUTE)).await.unwrap();

    assert!(index.seen().is_revoked(&claims));
}

/// Each kind of revocation, written by a node that this one has not heard of.
#[tokio::test]
async fn a_node_that_may_have_missed_something_asks_the_store() {
    let world = world(Algorithm::Es256).await;
    let (gone, demoted, well) = (world.claims(), world.claims(), world.claims());
    let (key, other) = (
        world.material().await.0,
        SigningKeyId::new(NOON, &world.entropy),
    );
    let entropy = &world.entropy;
    let written: Stored<_> = world
        .store
        .write(async |tx| {
            let mut tx = tx.within(world.tenant);
            let all = [
                revoke_session(&mut tx, gone.sid, NOON, entropy).await?,
                revoke_user(
                    &mut tx,
                    demoted.sub.user().unwrap(),
                    demoted.ver + 1,
                    NOON,
                    entropy,
                )
                .await?,
                revoke_key(&mut tx, other, NOON, entropy).await?,
            ];
            Ok(all)
        })
        .await;
    drop(written.unwrap());
    let blind = RevocationIndex::trusted_for(world.store.clone(), Duration::ZERO);
    let newer = AccessClaims {
        ver: demoted.ver + 1,
        ..demoted.clone()
    };

    for (claims, key, expected) in [
        (&gone, key, true),
        (&demoted, key, true),
        (&newer, key, false),
        (&well, key, false),
        (&well, other, true),
    ] {
        let stopped = blind.stops(claims, key, NOON).await.unwrap();
        assert_eq!(stopped, expected, "{claims:?}");
        let trusting = world.revocations.stops(claims, key, NOON).await;
        assert!(!trusting.unwrap(), "it has heard nothing and need not ask");
    }
    let over = NOON.plus(LONGEST_LIFE + MINUTE);
    let fresh = RevocationIndex::trusted_for(world.store.clone(), Duration::ZERO);
    assert!(!fresh.stops(&gone, key, over).await.unwrap());
}

#[tokio::test]
async fn a_subscriber_is_told_once_what_is_new() {
    let world = world(Algorithm::Es256).await;
    let (first, second) = (world.claims(), world.claims());
    let index = RevocationIndex::new(world.store.clone());
    let of = |claims: &AccessClaims| {
        of_user(world.tenant, claims.sub.user().unwrap(), 9, &world.entropy)
    };
    let (first, second) = (of(&first), of(&second));
    let mut told = index.subscribe();

    index.is_told(&[first.clone(), first.clone()], NOON);
    index.is_told(&[first.clone(), second.clone()], NOON.plus(MINUTE));

    assert_eq!(told.recv().await.unwrap().id, first.id);
    assert_eq!(told.recv().await.unwrap().id, second.id);
    assert!(told.is_empty());
    assert_eq!(index.read_at(), Some(NOON.plus(MINUTE)));
}
