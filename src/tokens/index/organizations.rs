//! Rights that are taken away in an organisation: whose tokens end by it, and whose do not.

use std::time::Duration;

use super::RevocationIndex;
use crate::kernel::algorithm::Algorithm;
use crate::kernel::id::{AppId, EnvId, OrgId, UserId};
use crate::store::Stored;
use crate::tokens::world::{MINUTE, NOON, World, world};
use crate::tokens::{
    AccessClaims, LONGEST_LIFE, Revocation, revoke_app_roles, revoke_member, revoke_organization,
    revoke_user,
};

/// What may lower the rights of a token.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Organization(OrgId, i64),
    Member(OrgId, UserId, i64),
    AppRoles(i64),
    User(UserId, i64),
}

async fn revoked(world: &World, verb: Verb) -> Revocation {
    let written: Stored<_> = world
        .store
        .write(async |tx| {
            let (mut tx, entropy) = (tx.within(world.tenant), &world.entropy);
            match verb {
                Verb::Organization(org, below) => {
                    revoke_organization(&mut tx, org, below, NOON, entropy).await
                }
                Verb::Member(org, user, below) => {
                    revoke_member(&mut tx, (org, user), below, NOON, entropy).await
                }
                Verb::AppRoles(below) => revoke_app_roles(&mut tx, below, NOON, entropy).await,
                Verb::User(user, below) => revoke_user(&mut tx, user, below, NOON, entropy).await,
            }
        })
        .await;
    written.unwrap()
}

/// What a node that has heard of it says, and one that has to ask the store.
async fn stops(world: &World, revocation: &Revocation, claims: &AccessClaims) -> bool {
    let key = world.material().await.0;
    let told = RevocationIndex::trusted_for(world.store.clone(), LONGEST_LIFE);
    told.is_told(std::slice::from_ref(revocation), NOON);
    let blind = RevocationIndex::trusted_for(world.store.clone(), Duration::ZERO);

    let told = told.stops(claims, key, NOON).await.unwrap();
    assert_eq!(blind.stops(claims, key, NOON).await.unwrap(), told);
    told
}

/// Tokens of one organisation of version 5, where the roles of the app are of version 2, and others.
#[tokio::test]
async fn each_revocation_ends_what_it_names_and_nothing_else() {
    let mia = world(Algorithm::Es256).await;
    let acme = mia.organization();
    let held = mia.claims_in(&acme);
    let (org, user) = (acme.id, held.sub.user().unwrap());
    let of_nobody = AccessClaims {
        org_id: None,
        org_ver: None,
        app_ver: None,
        ..held.clone()
    };
    let of_somebody_else = AccessClaims {
        sub: UserId::new(NOON, &mia.entropy).into(),
        ..held.clone()
    };
    let elsewhere = AccessClaims {
        org_id: Some(OrgId::new(NOON, &mia.entropy)),
        ..held.clone()
    };
    let all = [&held, &of_somebody_else, &elsewhere, &of_nobody];

    for (verb, expected) in [
        (Verb::Organization(org, 5), [false, false, false, false]),
        (Verb::Organization(org, 6), [true, true, false, false]),
        (
            Verb::Organization(org, i64::MAX),
            [true, true, false, false],
        ),
        (Verb::Member(org, user, 5), [false, false, false, false]),
        (Verb::Member(org, user, 6), [true, false, false, false]),
        (
            Verb::Member(org, user, i64::MAX),
            [true, false, false, false],
        ),
        (Verb::AppRoles(2), [false, false, false, false]),
        (Verb::AppRoles(3), [true, true, true, false]),
        (Verb::User(user, 4), [true, false, true, true]),
    ] {
        let fresh = world(Algorithm::Es256).await;
        assert_eq!(fresh.tenant, mia.tenant, "worlds are alike");
        let revocation = revoked(&fresh, verb).await;

        for (claims, expected) in all.into_iter().zip(expected) {
            let stopped = stops(&fresh, &revocation, claims).await;
            assert_eq!(stopped, expected, "{verb:?} {claims:?}");
        }
    }
}

#[tokio::test]
async fn roles_of_the_app_are_revoked_in_every_environment_and_in_no_other_app() {
    let world = world(Algorithm::Es256).await;
    let held = world.claims_in(&world.organization());
    let next_door = AccessClaims {
        env_id: EnvId::new(NOON, &world.entropy),
        ..held.clone()
    };
    let foreign = AccessClaims {
        app_id: AppId::new(NOON, &world.entropy),
        ..held.clone()
    };

    let revocation = revoked(&world, Verb::AppRoles(3)).await;

    assert!(stops(&world, &revocation, &held).await);
    assert!(stops(&world, &revocation, &next_door).await);
    assert!(!stops(&world, &revocation, &foreign).await);
}

#[tokio::test]
async fn the_highest_version_counts_until_no_token_can_need_it() {
    let world = world(Algorithm::Es256).await;
    let held = world.claims_in(&world.organization());
    let (org, user) = (held.org_id.unwrap(), held.sub.user().unwrap());
    for of in [
        |_, _, below| Verb::AppRoles(below),
        |org, _, below| Verb::Organization(org, below),
        |org, user, below| Verb::Member(org, user, below),
    ] {
        let index = RevocationIndex::new(world.store.clone());
        let mut told = index.subscribe();
        for below in [7, 9, 8] {
            index.apply(&revoked(&world, of(org, user, below)).await);
        }

        assert_eq!(
            told.recv().await.unwrap().expires_at,
            NOON.plus(LONGEST_LIFE + MINUTE)
        );
        assert!(told.recv().await.is_ok());
        assert!(told.is_empty(), "the lower one said nothing new");
        for (ver, is_revoked) in [(8, true), (9, false)] {
            let (org_ver, app_ver) = (Some(ver), Some(ver));
            let claims = AccessClaims {
                org_ver,
                app_ver,
                ..held.clone()
            };
            assert_eq!(index.seen().is_revoked(&claims), is_revoked, "{ver}");
        }
        index.change().sweep(NOON.plus(LONGEST_LIFE + MINUTE));
        assert!(!index.seen().is_revoked(&held));
    }
}
