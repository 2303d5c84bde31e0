//! What an access token is good for, and how long.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::{Header, Refused, header};
use crate::kernel::algorithm::Algorithm;
use crate::kernel::id::UserId;
use crate::tokens::world::{MINUTE, NOON, tenant, world};
use crate::tokens::{ActiveOrganization, Grant};

#[tokio::test]
async fn what_is_signed_is_verified_with_every_algorithm() {
    for algorithm in [
        Algorithm::Es256,
        Algorithm::EdDsa,
        Algorithm::Rs256,
        Algorithm::Hs256,
    ] {
        let world = world(algorithm).await;
        let claims = world.claims();

        let token = world.tokens.sign(&claims).await.unwrap();

        assert_eq!(
            *world.tokens.verify(&token).await.unwrap(),
            claims,
            "{algorithm}"
        );
        assert_eq!(
            *world.node().tokens.verify(&token).await.unwrap(),
            claims,
            "{algorithm}"
        );
        assert!(matches!(header(&token), Ok(Header { alg, .. }) if alg == algorithm));
    }
}

#[tokio::test]
async fn a_token_says_what_its_grant_says() {
    let world = world(Algorithm::Es256).await;
    let operator = UserId::new(NOON, &world.entropy);
    let organization = ActiveOrganization {
        id: "aorg_1".to_owned(),
        slug: "acme".to_owned(),
        roles: vec!["owner".to_owned()],
        teams: vec![],
        permissions: vec!["members:read".to_owned()],
    };
    let grant = Grant {
        organization: Some(organization),
        impersonated_by: Some(operator),
        ..world.grant()
    };

    let claims = world
        .tokens
        .claims(grant.clone(), Some(100 * 60 * MINUTE), NOON);
    let said = serde_json::to_value(&claims).unwrap();

    assert_eq!(
        claims.exp - claims.iat,
        3_600,
        "no token lives longer than an hour"
    );
    assert_eq!(said["aud"], said["app_id"]);
    assert_eq!(said["sub"], json!(grant.user_id));
    assert_eq!(said["org_id"], "aorg_1");
    assert_eq!(said["org_slug"], "acme");
    assert_eq!(said["teams"], json!([]));
    assert_eq!(said["act"], json!({ "sub": operator }));
    let bare = serde_json::to_value(world.claims()).unwrap();
    assert!(
        ["org_id", "org_roles", "teams", "permissions", "act"]
            .iter()
            .all(|name| bare.get(name).is_none())
    );
}

#[tokio::test]
async fn logs_show_no_address() {
    let world = world(Algorithm::Es256).await;

    assert!(!format!("{:?}{:?}", world.claims(), world.grant()).contains("mia"));
}

#[tokio::test]
async fn a_token_counts_in_its_own_environment_only() {
    let world = world(Algorithm::Es256).await;
    let other = tenant(&world.entropy);
    for change in [
        json!({ "env_id": other.env_id }),
        json!({ "app_id": other.app_id }),
        json!({ "aud": other.app_id }),
        json!({ "aud": other.app_id, "app_id": other.app_id }),
        json!({ "aud": other.app_id, "app_id": other.app_id, "env_id": other.env_id }),
        json!({ "iss": "https://evil.example.com" }),
        json!({ "iss": "https://auth.example.com/" }),
    ] {
        let token = world.with_claims(change.clone()).await;
        assert!(
            matches!(world.refused(&token).await, Refused::Foreign),
            "{change}"
        );
    }
}

#[tokio::test]
async fn a_token_is_over_at_its_end_and_not_before() {
    for (millis_after_end, over) in [(0, false), (29_999, false), (30_000, true), (90_000, true)] {
        let world = world(Algorithm::Es256).await;
        let (seen, unseen) = (world.token().await, world.token().await);
        world.tokens.verify(&seen).await.unwrap();

        world
            .clock
            .advance(15 * MINUTE + Duration::from_millis(millis_after_end));

        for token in [seen, unseen] {
            let judged = world.tokens.verify(&token).await;
            assert_eq!(
                matches!(judged, Err(Refused::Over)),
                over,
                "{millis_after_end}"
            );
            assert_eq!(judged.is_ok(), !over, "{millis_after_end}");
        }
    }
}

#[tokio::test]
async fn a_token_is_not_issued_in_the_future_nor_for_longer_than_an_hour() {
    let world = world(Algorithm::Es256).await;
    let now = NOON.as_secs();
    for (iat, exp, accepted) in [
        (now, now + 60, true),
        (now + 29, now + 60, true),
        (now + 30, now + 60, true),
        (now + 31, now + 60, false),
        (now, now + 3_600, true),
        (now, now + 3_601, false),
        (0, now + 60, false),
        (now, now, false),
        (now, i64::MAX, false),
    ] {
        let token = world.with_claims(json!({ "iat": iat, "exp": exp })).await;
        assert_eq!(
            world.tokens.verify(&token).await.is_ok(),
            accepted,
            "{iat} {exp}"
        );
    }
}

#[tokio::test]
async fn a_token_seen_before_is_not_judged_again_but_still_asked_about() {
    let world = world(Algorithm::Es256).await;
    let token = world.token().await;
    let claims = world.tokens.verify(&token).await.unwrap();
    let before = world.store.calls();

    let again = world.tokens.verify(&token).await.unwrap();

    assert!(Arc::ptr_eq(&claims, &again));
    assert_eq!(world.store.calls(), before);
}
