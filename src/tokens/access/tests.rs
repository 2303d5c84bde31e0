//! What an access token is good for, and how long.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::{Header, LONGEST_TEXT, Refused, header};
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
    let organization = world.organization();
    let grant = Grant {
        organization: Some(organization.clone()),
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
    let of_organization = json!({
        "org_id": organization.id, "org_slug": "acme", "org_ver": 5, "app_ver": 2,
        "org_roles": ["owner"], "teams": [], "permissions": ["members:read"],
    });
    for (name, value) in of_organization.as_object().unwrap() {
        assert_eq!(said[name], *value, "{name}");
    }
    assert_eq!(said.get("permissions_ref"), None);
    assert_eq!(said["act"], json!({ "sub": operator }));
    let bare = serde_json::to_value(world.claims()).unwrap();
    let names = of_organization.as_object().unwrap().keys();
    let names = names.map(String::as_str).chain(["permissions_ref", "act"]);
    assert_eq!(names.filter(|name| bare.get(name).is_some()).count(), 0);
}

/// A list of one name whose JSON has this many bytes.
fn list_of(bytes: usize) -> Vec<String> {
    vec!["x".repeat(bytes - 4)]
}

#[tokio::test]
async fn lists_of_an_organization_are_left_out_where_they_are_over_a_kibibyte() {
    let world = world(Algorithm::Es256).await;
    for (bytes, stays) in [(4, true), (1_024, true), (1_025, false), (60_000, false)] {
        let claims = world.claims_in(&ActiveOrganization {
            roles: list_of(bytes),
            teams: list_of(bytes),
            permissions: list_of(bytes),
            ..world.organization()
        });

        for list in [&claims.org_roles, &claims.teams, &claims.permissions] {
            assert_eq!(list.is_some(), stays, "{bytes}");
        }
        let elsewhere = (!stays).then_some("https://auth.example.com/v1/permissions/check");
        assert_eq!(claims.permissions_ref.as_deref(), elsewhere);
        let token = world.tokens.sign(&claims).await.unwrap();
        assert_eq!(*world.tokens.verify(&token).await.unwrap(), claims);
    }
}

/// RB-08: with the longest of everything, and the longest signature.
#[tokio::test]
async fn no_token_is_longer_than_eight_kibibytes() {
    let world = world(Algorithm::Rs256).await;
    let organization = ActiveOrganization {
        slug: "s".repeat(64),
        roles: list_of(1_024),
        teams: list_of(1_024),
        permissions: list_of(1_024),
        version: i64::MAX,
        app_version: i64::MAX,
        ..world.organization()
    };
    let grant = Grant {
        organization: Some(organization),
        roles: vec!["PLATFORM_OWNER".to_owned(); 8],
        email: format!("{}@{}.example", "m".repeat(64), "x".repeat(181)),
        amr: vec!["otp".to_owned(); 8],
        impersonated_by: Some(UserId::new(NOON, &world.entropy)),
        ..world.grant()
    };

    let claims = world.tokens.claims(grant, None, NOON);
    let token = world.tokens.sign(&claims).await.unwrap();

    assert!(token.len() <= LONGEST_TEXT, "{}", token.len());
    assert!(world.tokens.verify(&token).await.is_ok());
}

#[tokio::test]
async fn what_is_said_of_an_organization_is_said_whole_or_not_at_all() {
    let world = world(Algorithm::Es256).await;
    let (bare, within) = (world.claims(), world.claims_in(&world.organization()));
    let somewhere = "https://auth.example.com/v1/permissions/check";
    for (claims, changes, accepted) in [
        (&within, json!({}), true),
        (&within, json!({ "org_roles": null, "teams": null }), true),
        (
            &within,
            json!({ "permissions": null, "permissions_ref": somewhere }),
            true,
        ),
        (&within, json!({ "org_id": null }), false),
        (&within, json!({ "org_ver": null }), false),
        (&within, json!({ "app_ver": null }), false),
        (&within, json!({ "org_slug": null }), false),
        (&within, json!({ "permissions": null }), false),
        (&within, json!({ "permissions_ref": somewhere }), false),
        (&bare, json!({ "org_id": within.org_id }), false),
        (&bare, json!({ "org_slug": "acme" }), false),
        (&bare, json!({ "org_ver": 5 }), false),
        (&bare, json!({ "app_ver": 2 }), false),
        (&bare, json!({ "org_ver": 5, "app_ver": 2 }), false),
        (&bare, json!({ "org_roles": [] }), false),
        (&bare, json!({ "teams": [] }), false),
        (&bare, json!({ "permissions": [] }), false),
        (&bare, json!({ "permissions_ref": somewhere }), false),
    ] {
        let token = world.with_changes(claims, changes.clone()).await;

        let judged = world.tokens.verify(&token).await;

        let is_foreign = matches!(judged, Err(Refused::Foreign));
        assert_eq!(
            (judged.is_ok(), is_foreign),
            (accepted, !accepted),
            "{changes}"
        );
    }
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
