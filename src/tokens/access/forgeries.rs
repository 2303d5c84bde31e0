//! Access tokens as an attacker would bend them, well signed where that is the point.

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use jsonwebtoken::{Validation, decode};
use serde_json::json;

use super::Refused;
use crate::kernel::algorithm::Algorithm;
use crate::kernel::id::UserId;
use crate::tokens::AccessClaims;
use crate::tokens::world::{NOON, b64, world};

fn with_signature(token: &str, signature: &[u8]) -> String {
    format!("{}.{}", token.rsplit_once('.').unwrap().0, b64(signature))
}

#[tokio::test]
async fn a_token_without_a_signature_is_none() {
    let world = world(Algorithm::Es256).await;
    let token = world.token().await;
    let (unsigned, _) = token.rsplit_once('.').unwrap();
    let payload = unsigned.split_once('.').unwrap().1.to_owned();

    for alg in [
        "none", "None", "NONE", "nOnE", "", "HS256", "ES384", "RS256", "PS256", "EdDSA", "es256",
    ] {
        let header = b64(world.header(json!({ "alg": alg })).await.as_bytes());
        for token in [
            format!("{header}.{payload}."),
            format!("{header}.{payload}"),
        ] {
            assert!(matches!(
                world.refused(&token).await,
                Refused::NotOne | Refused::Unsigned
            ));
        }
    }
    for token in [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        unsigned,
        &format!("{unsigned}."),
        &format!("{token}."),
    ] {
        assert!(
            matches!(
                world.refused(token).await,
                Refused::NotOne | Refused::Unsigned
            ),
            "{token}"
        );
    }
}

#[tokio::test]
async fn a_header_has_three_members_and_no_others() {
    let world = world(Algorithm::Es256).await;
    let jwk = json!({ "kty": "oct", "k": "AAAA" });
    for extra in [
        json!({ "jwk": jwk }),
        json!({ "jku": "http://127.0.0.1:9/jwks" }),
        json!({ "x5u": "http://127.0.0.1:9/x" }),
        json!({ "x5c": ["AAAA"] }),
        json!({ "x5t": "AAAA" }),
        json!({ "crit": [] }),
        json!({ "crit": ["exp"] }),
        json!({ "b64": false }),
        json!({ "zip": "DEF" }),
        json!({ "enc": "A256GCM" }),
        json!({ "cty": "JWT" }),
        json!({ "Alg": "none" }),
        json!({ "typ": "JWT" }),
        json!({ "typ": "at+JWT" }),
        json!({ "typ": "application/at+jwt" }),
        json!({ "typ": "logout+jwt" }),
        json!({ "typ": null }),
        json!({ "alg": null }),
        json!({ "alg": ["ES256"] }),
    ] {
        let token = world.with_header(&world.header(extra.clone()).await).await;
        assert!(
            matches!(world.refused(&token).await, Refused::NotOne),
            "{extra}"
        );
    }
    let plain = world.header(json!({})).await;
    let twice = plain.replacen('{', r#"{"alg":"ES256","#, 1);
    for header in [
        twice,
        format!("{plain} x"),
        format!("\u{feff}{plain}"),
        "[]".to_owned(),
        "{}".to_owned(),
    ] {
        assert!(matches!(
            world.refused(&world.with_header(&header).await).await,
            Refused::NotOne
        ));
    }
    assert!(
        world
            .tokens
            .verify(&world.with_header(&plain).await)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_key_identifier_is_one_of_ours_or_nothing() {
    let world = world(Algorithm::Es256).await;
    let long = "a".repeat(4_000);
    for kid in [
        json!("../../dev/null"),
        json!("' OR 1=1 --"),
        json!({ "$gt": "" }),
        json!(["a"]),
        json!(7),
        json!(null),
        json!(""),
        json!("\0"),
        json!(long),
        json!("ases_01h2xcejqtf2nbrexx3vqjhp41"),
        json!("ASKY_01H2XCEJQTF2NBREXX3VQJHP41"),
    ] {
        let token = world
            .with_header(&world.header(json!({ "kid": kid })).await)
            .await;
        let before = world.store.calls();
        assert!(
            matches!(world.refused(&token).await, Refused::NotOne),
            "{kid}"
        );
        assert_eq!(world.store.calls(), before, "{kid}");
    }
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_once() {
    let world = world(Algorithm::Es256).await;
    let header = world
        .header(json!({ "kid": "asky_01h2xcejqtf2nbrexx3vqjhp41" }))
        .await;
    let token = world.with_header(&header).await;
    let before = world.store.calls();

    for _ in 0..100 {
        assert!(matches!(world.refused(&token).await, Refused::Unsigned));
    }

    assert_eq!(world.store.calls(), before + 1);
}

#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let world = world(Algorithm::Es256).await;
    let published = world
        .keys
        .published(Some(world.tenant), NOON)
        .await
        .unwrap();
    world.token().await;
    let jwk = world.stored_keys().await[0].public_jwk.clone().unwrap();
    assert!(published.keys.is_empty(), "nothing is made by reading");
    let coordinate = |text: &Option<String>| {
        BASE64_URL_SAFE_NO_PAD
            .decode(text.as_ref().unwrap())
            .unwrap()
    };
    let point = [vec![4], coordinate(&jwk.x), coordinate(&jwk.y)].concat();
    let secrets = [
        point.clone(),
        b64(&point).into_bytes(),
        serde_json::to_vec(&jwk).unwrap(),
        jwk.x.clone().unwrap().into_bytes(),
        jwk.kid.to_string().into_bytes(),
        Vec::new(),
    ];
    for secret in secrets {
        for alg in ["HS256", "ES256"] {
            let header = world.header(json!({ "alg": alg })).await;
            let payload = serde_json::to_vec(&world.claims()).unwrap();
            let message = format!("{}.{}", b64(header.as_bytes()), b64(&payload));
            let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
            let token = format!(
                "{message}.{}",
                b64(hmac::sign(&key, message.as_bytes()).as_ref())
            );
            assert!(matches!(world.refused(&token).await, Refused::Unsigned));
        }
    }
}

#[tokio::test]
async fn the_algorithm_is_the_keys_own() {
    for (of_key, named) in [
        (Algorithm::Es256, "EdDSA"),
        (Algorithm::EdDsa, "ES256"),
        (Algorithm::Rs256, "HS256"),
        (Algorithm::Hs256, "RS256"),
    ] {
        let world = world(of_key).await;
        let token = world
            .with_header(&world.header(json!({ "alg": named })).await)
            .await;

        assert!(
            matches!(world.refused(&token).await, Refused::Unsigned),
            "{of_key} as {named}"
        );
    }
}

#[tokio::test]
async fn a_claim_is_said_once_in_its_one_spelling() {
    let world = world(Algorithm::Es256).await;
    let plain = serde_json::to_string(&world.claims()).unwrap();
    let sub = UserId::new(NOON, &world.entropy);
    for payload in [
        plain.replacen('{', &format!(r#"{{"sub":"{sub}","#), 1),
        plain.replacen('{', r#"{"aud":"x","#, 1),
        plain.replacen('{', r#"{"exp":99999999999,"#, 1),
        plain.replacen('{', r#"{"ver":9,"#, 1),
        plain.replacen('{', r#"{"Exp":1,"#, 1),
        plain.replacen('{', r#"{"nbf":1,"#, 1),
        plain.replacen("\"exp\"", "\"Exp\"", 1),
        plain.replacen("\"sid\"", "\"SID\"", 1),
        format!("\u{feff}{plain}"),
        format!("{plain}{plain}"),
        format!("{plain}\0"),
        format!("[{plain}]"),
        "null".to_owned(),
        "{}".to_owned(),
        "[".repeat(3_000),
    ] {
        let token = world.with_payload(&payload).await;
        assert!(
            matches!(world.refused(&token).await, Refused::NotOne),
            "{payload}"
        );
    }
    assert!(
        world
            .tokens
            .verify(&world.with_payload(&plain).await)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn claims_have_their_types() {
    let world = world(Algorithm::Es256).await;
    for (name, value) in [
        ("exp", json!("2208989700")),
        ("exp", json!(-1)),
        ("exp", json!(null)),
        ("exp", json!(1e300)),
        ("iat", json!(null)),
        ("ver", json!("9")),
        ("ver", json!(1.5)),
        ("sub", json!("asky_01h2xcejqtf2nbrexx3vqjhp41")),
        ("client_id", json!("svc_01h2xcejqtf2nbrexx3vqjhp41")),
        ("scope", json!(["users:list"])),
        ("sub", json!({ "$ne": null })),
        ("aud", json!([world.tenant.app_id])),
        ("iss", json!(["https://auth.example.com"])),
        ("roles", json!("ADMIN")),
        ("email_verified", json!("true")),
        ("org_id", json!("acme")),
        ("org_id", json!(world.tenant.app_id)),
        ("org_ver", json!("5")),
        ("app_ver", json!(2.5)),
        ("permissions_ref", json!(["x"])),
        (
            "act",
            json!({ "sub": UserId::new(NOON, &world.entropy), "x": 1 }),
        ),
    ] {
        let token = world.with_claims(json!({ name: value })).await;
        assert!(
            matches!(world.refused(&token).await, Refused::NotOne),
            "{name} {value}"
        );
    }
    for name in [
        "iss", "sub", "aud", "exp", "iat", "jti", "sid", "ver", "app_id", "env_id", "roles",
    ] {
        let mut claims = serde_json::to_value(world.claims()).unwrap();
        claims.as_object_mut().unwrap().remove(name);
        let token = world.with_payload(&claims.to_string()).await;
        assert!(
            matches!(world.refused(&token).await, Refused::NotOne),
            "{name}"
        );
    }
}

#[tokio::test]
async fn text_has_one_spelling() {
    let world = world(Algorithm::Es256).await;
    let token = world.token().await;
    world.tokens.verify(&token).await.unwrap();

    for other in [
        format!("{token}="),
        format!("{token} "),
        format!(" {token}"),
        format!("{token}\n"),
        format!("{token}\0"),
        token.replace('.', "%2E"),
        token.replacen('.', ".\n", 1),
        token.replacen('.', "=.", 1),
        token.to_uppercase(),
        token.to_lowercase(),
        format!("Bearer {token}"),
        format!("{token}{}", "A".repeat(9_000)),
    ] {
        world.refused(&other).await;
    }
    for end in 0..token.len() {
        world.refused(&token[..end]).await;
    }
}

#[tokio::test]
async fn every_flipped_bit_counts() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Hs256] {
        let world = world(algorithm).await;
        let token = world.token().await;
        for at in 0..token.len() {
            for bit in [1, 2, 32] {
                let mut changed = token.clone().into_bytes();
                changed[at] ^= bit;
                world.refused(&String::from_utf8(changed).unwrap()).await;
            }
        }
    }
}

#[tokio::test]
async fn a_signature_cannot_be_written_in_another_way() {
    let world = world(Algorithm::Es256).await;
    let token = world.token().await;
    let raw = BASE64_URL_SAFE_NO_PAD
        .decode(token.rsplit('.').next().unwrap())
        .unwrap();
    let high = {
        // The other signature of the same message: n - s, where n - s is what `lower` undoes.
        let mut s = raw.clone();
        let order = b"\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";
        let mut borrow = 0;
        for at in (0..32).rev() {
            let difference = i16::from(order[at]) - i16::from(raw[32 + at]) - borrow;
            borrow = i16::from(difference < 0);
            s[32 + at] = u8::try_from(difference.rem_euclid(256)).unwrap();
        }
        s
    };
    let der = [&[0x30, 0x44, 2, 32], &raw[..32], &[2, 32], &raw[32..]].concat();
    let long = [&raw[..32], &[0], &raw[32..]].concat();
    let zeros = vec![0; 64];
    let no_r = [&[0; 32], &raw[32..]].concat();
    let no_s = [&raw[..32], &[0; 32]].concat();

    for signature in [
        high.clone(),
        der,
        long,
        zeros,
        no_r,
        no_s,
        vec![0xff; 64],
        Vec::new(),
    ] {
        let other = with_signature(&token, &signature);
        assert!(
            matches!(world.refused(&other).await, Refused::Unsigned),
            "{signature:?}"
        );
    }

    // The high one is refused by us alone: the library would take it.
    let (_, material) = world.material().await;
    let mut validation = Validation::new(jsonwebtoken::Algorithm::ES256);
    validation.set_audience(&[world.tenant.app_id]);
    let other = with_signature(&token, &high);
    assert!(decode::<AccessClaims>(&other, &material.decoding(), &validation).is_ok());
}

/// A session of a person, or a key: a token is of one of them, and says all that belongs to it.
#[tokio::test]
async fn a_token_is_of_a_person_or_of_a_key() {
    let world = world(Algorithm::Es256).await;
    let (key, account) = (
        "akey_01h2xcejqtf2nbrexx3vqjhp41",
        "svc_01h2xcejqtf2nbrexx3vqjhp41",
    );
    for claims in [
        json!({ "sub": account }),
        json!({ "sub": key }),
        json!({ "client_id": key }),
        json!({ "scope": "users:list" }),
        json!({ "client_id": key, "scope": "users:list" }),
        json!({ "sub": account, "client_id": key, "scope": "*:*" }),
    ] {
        let token = world.with_claims(claims.clone()).await;

        assert!(
            matches!(world.refused(&token).await, Refused::Foreign),
            "{claims}"
        );
    }
    let mut claims = serde_json::to_value(world.claims()).unwrap();
    let members = claims.as_object_mut().unwrap();
    members.remove("email");
    let token = world.with_payload(&claims.to_string()).await;
    assert!(matches!(world.refused(&token).await, Refused::Foreign));
    let members = claims.as_object_mut().unwrap();
    members.remove("email_verified");
    members.insert("client_id".to_owned(), json!(key));
    members.insert("scope".to_owned(), json!("users:list"));
    let token = world.with_payload(&claims.to_string()).await;
    assert!(world.tokens.verify(&token).await.unwrap().is_of_key());
}
