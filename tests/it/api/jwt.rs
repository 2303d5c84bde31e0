//! Access tokens: whatever else looks like one is refused, in one way.

use std::net::TcpListener;
use std::time::Duration;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::client::Asks;
use crate::support::forge::{Forge, SPKI_OF_P256, Token, der, high, text};
use crate::support::stores::on_both_stores;

async fn all_are_refused(app: &TestApp, tokens: impl IntoIterator<Item = String>) {
    for token in tokens {
        let reply = app.get("/v1/me").bearer(&token).await;
        assert_eq!(reply.outcome(), "401 invalid_token", "{token:.400}");
    }
}

on_both_stores! {
    /// Without this, every refusal below could be for another reason than the one it is about.
    async fn a_token_that_is_signed_as_ours_are_is_accepted(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (forge, token) = (Forge::of(&app, &mia.door).await, Token::of(&mia.access_token()));

        let forged = forge.signs(&token.header.to_string(), &token.claims.to_string());

        app.get("/v1/me").bearer(&forged).await.told(200);
    }

    async fn no_algorithm_is_no_algorithm_in_any_spelling(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let token = Token::of(&mia.access_token());
        let claims = token.claims.to_string();
        let mut tokens = Vec::new();

        for alg in [
            json!("none"), json!("None"), json!("NONE"), json!("nOnE"), json!(""), json!(null),
            json!(0), json!(["ES256"]), json!({}), json!("es256"), json!("ES256 "),
            json!("ES256\0"),
        ] {
            let mut header = token.header.clone();
            header["alg"] = alg;
            let parts = format!("{}.{}", text(header.to_string()), text(&claims));
            tokens.push(token.rewritten(&header.to_string(), &claims));
            tokens.extend([format!("{parts}."), parts]);
        }
        let mut header = token.header.clone();
        header.as_object_mut().unwrap().remove("alg");
        tokens.push(token.rewritten(&header.to_string(), &claims));
        tokens.push(format!("{}.{}.", text(token.header.to_string()), text(&claims)));

        all_are_refused(&app, tokens).await;
    }

    /// A verifier that takes the algorithm from the token uses our public key as a shared secret.
    async fn a_public_key_is_no_shared_secret(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let token = Token::of(&mia.access_token());
        let jwk = jwk_of(&app, token.header["kid"].as_str().unwrap()).await;
        let point = [vec![4], bytes(&jwk["x"]), bytes(&jwk["y"])].concat();
        let der = [&SPKI_OF_P256[..], &point[..]].concat();
        let lines = BASE64_STANDARD.encode(&der);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n");
        let secrets = [
            der, pem.trim_end().as_bytes().to_vec(), pem.into_bytes(), jwk.to_string().into_bytes(),
            bytes(&jwk["x"]), bytes(&jwk["y"]), point[1..].to_vec(), point, bytes(&jwk["kid"]),
            Vec::new(),
        ];
        let mut tokens = Vec::new();

        for (name, algorithm) in [
            ("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384),
            ("HS512", hmac::HMAC_SHA512),
        ] {
            let mut header = token.header.clone();
            header["alg"] = json!(name);
            let (header, claims) = (header.to_string(), token.claims.to_string());
            let message = format!("{}.{}", text(header), text(claims));
            tokens.extend(secrets.iter().map(|secret| {
                let tag = hmac::sign(&hmac::Key::new(algorithm, secret), message.as_bytes());
                format!("{message}.{}", text(tag))
            }));
        }

        all_are_refused(&app, tokens).await;
    }

    async fn a_key_signs_by_its_own_algorithm_alone(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (forge, token) = (Forge::of(&app, &mia.door).await, Token::of(&mia.access_token()));

        let tokens = ["ES384", "ES512", "ES256K", "RS256", "PS256", "EdDSA", "HS256"].map(|alg| {
            let mut header = token.header.clone();
            header["alg"] = json!(alg);
            forge.signs(&header.to_string(), &token.claims.to_string())
        });

        all_are_refused(&app, tokens).await;
    }

    async fn a_header_that_brings_its_own_key_or_rules_is_refused_unasked(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (forge, token) = (Forge::of(&app, &mia.door).await, Token::of(&mia.access_token()));
        let trap = TcpListener::bind("127.0.0.1:0").unwrap();
        trap.set_nonblocking(true).unwrap();
        let url = format!("http://{}/jwks.json", trap.local_addr().unwrap());
        let jwk = jwk_of(&app, token.header["kid"].as_str().unwrap()).await;

        let tokens = [
            ("jku", json!(url)), ("x5u", json!(url)), ("jwk", jwk), ("x5c", json!(["MIIB"])),
            ("crit", json!(["exp"])), ("crit", json!([])), ("b64", json!(false)),
            ("zip", json!("DEF")),
            ("enc", json!("A256GCM")), ("cty", json!("JWT")), ("x5t", json!("x")),
            ("typ", json!("JWT")),
            ("typ", json!("AT+JWT")), ("typ", json!("application/at+jwt")), ("typ", json!(null)),
            ("iss", json!("x")),
        ].map(|(name, value)| {
            let mut header = token.header.clone();
            header[name] = value;
            forge.signs(&header.to_string(), &token.claims.to_string())
        });

        all_are_refused(&app, tokens).await;
        assert!(trap.accept().is_err(), "somebody asked the attacker for a key");
    }

    async fn a_key_identifier_names_a_key_and_nothing_else(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (forge, token) = (Forge::of(&app, &mia.door).await, Token::of(&mia.access_token()));
        let kids = [
            json!("../../dev/null"), json!("/dev/null"), json!("' OR 1=1 --"), json!({"$ne": null}),
            json!("a\0b"), json!(["asky"]), json!(1), json!(null), json!(""),
            json!("x".repeat(4_000)),
            json!("asky_01h2xcejqtf2nbrexx3vqjhp41"),
            json!(token.header["kid"].as_str().unwrap().to_uppercase()),
            json!(format!("{} ", token.header["kid"].as_str().unwrap())), json!(mia.id),
        ];

        let tokens = kids.map(|kid| {
            let mut header = token.header.clone();
            header["kid"] = kid;
            forge.signs(&header.to_string(), &token.claims.to_string())
        });

        all_are_refused(&app, tokens).await;
    }

    async fn an_unknown_key_is_looked_for_once(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (forge, token) = (Forge::of(&app, &mia.door).await, Token::of(&mia.access_token()));
        let mut header = token.header.clone();
        header["kid"] = json!("asky_01h2xcejqtf2nbrexx3vqjhp41");
        let unknown = forge.signs(&header.to_string(), &token.claims.to_string());
        app.get("/v1/me").bearer(&unknown).await.refuses(401, "invalid_token");

        let calls = app.calls_for(async || {
            for _ in 0..5 {
                app.get("/v1/me").bearer(&unknown).await.refuses(401, "invalid_token");
            }
        });

        assert_eq!(calls.await, 0);
    }

    async fn claims_of_another_kind_are_refused_however_well_they_are_signed(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let max = app.person("max@example.org").await;
        let (forge, token) = (Forge::of(&app, &mia.door).await, Token::of(&mia.access_token()));
        let production = &app.own.production.env_id;
        let wrong = [
            ("iss", json!("https://evil.example")), ("iss", json!(null)),
            ("aud", json!(app.platform.app_id)),
            ("aud", json!([mia.door.app_id])), ("aud", json!(null)),
            ("app_id", json!(app.platform.app_id)),
            ("env_id", json!(production)), ("env_id", json!(null)), ("sub", json!("x")),
            ("sub", json!(null)),
            ("sub", json!([mia.id])), ("sid", json!(mia.id)), ("exp", json!("2240611200")),
            ("exp", json!(null)),
            ("exp", json!(9e18)), ("exp", json!(-1)), ("exp", json!(0)), ("iat", json!(0)),
            ("jti", json!("x")),
            ("roles", json!("ADMIN")), ("roles", json!({})), ("roles", json!([1])),
            ("ver", json!("1")),
            ("admin", json!(true)), ("nbf", json!(0)), ("Exp", json!(0)), ("scope", json!("*")),
            ("act", json!("x")),
        ];

        let wrong = wrong.map(|(name, value)| {
            let mut claims = token.claims.clone();
            claims[name] = value;
            forge.signs(&token.header.to_string(), &claims.to_string())
        });
        let missing = NEEDED.map(|name| {
            let mut claims = token.claims.clone();
            claims.as_object_mut().unwrap().remove(name);
            forge.signs(&token.header.to_string(), &claims.to_string())
        });
        let mut swapped = token.clone();
        swapped.claims = Token::of(&max.access_token()).claims;
        let unsigned = [swapped.rewritten(&token.header.to_string(), &swapped.claims.to_string())];

        all_are_refused(&app, wrong.into_iter().chain(missing).chain(unsigned)).await;
    }

    /// What one parser reads first, another reads last.
    async fn a_claim_that_is_there_twice_is_refused(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (forge, token) = (Forge::of(&app, &mia.door).await, Token::of(&mia.access_token()));
        let claims = token.claims.to_string();
        let names: Vec<_> = token.claims.as_object().unwrap().keys().cloned().collect();

        let twice = names.iter().flat_map(|name| {
            let again = format!("{}:{}", json!(name), token.claims[name]);
            let (open, rest) = (&claims[..claims.len() - 1], &claims[1..]);
            [format!("{{{again},{rest}"), format!("{open},{again}}}")]
        });
        let header = token.header.to_string();
        let mut tokens: Vec<_> = twice.map(|claims| forge.signs(&header, &claims)).collect();
        let header = format!(r#"{{"alg":"none",{}"#, &header[1..]);
        tokens.push(forge.signs(&header, &claims));

        all_are_refused(&app, tokens).await;
    }

    async fn a_token_has_one_spelling(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (forge, token) = (Forge::of(&app, &mia.door).await, Token::of(&mia.access_token()));
        let (header, claims) = (token.header.to_string(), token.claims.to_string());
        let whole = mia.access_token();
        let parts: Vec<_> = whole.split('.').collect();
        let signed = |message: &str| format!("{message}.{}", text(forge.signature(message)));

        all_are_refused(&app, [
            format!("{whole}="), format!("{whole}."), format!(".{whole}"),
            format!("{whole}.{}", parts[2]),
            format!("{}.{}", parts[0], parts[1]), format!("{}..{}", parts[0], parts[2]),
            whole.replace('.', ".."),
            format!("{}=.{}.{}", parts[0], parts[1], parts[2]), whole.to_lowercase(),
            parts[1].to_owned(),
            signed(&format!("{}.{}", BASE64_STANDARD.encode(&header), text(&claims))),
            signed(&format!("{}.{}=", parts[0], parts[1])),
            forge.signs(&format!("\u{feff}{header}"), &claims),
            forge.signs(&header, &format!("\u{feff}{claims}")),
            forge.signs(&header, &format!("{claims}x")),
            forge.signs(&header, &format!("{claims}{claims}")),
            forge.signs(&header, &format!("[{claims}]")), forge.signs(&header, "null"),
            forge.signs(&header, ""),
            forge.signs(&header, &format!("{}{}", "[".repeat(3_000), "]".repeat(3_000))),
            forge.signs(&header, &format!("{}{claims}", " ".repeat(9_000))),
        ]).await;
    }

    async fn a_signature_has_one_spelling(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let token = Token::of(&mia.access_token());
        let whole = mia.access_token();
        let (message, _) = whole.rsplit_once('.').unwrap();
        let (r, s) = token.signature.split_at(32);
        let zero = [0; 32];
        let spellings = [
            [r, &high(s)].concat(), [&zero, s].concat(), [r, &zero].concat(), [zero, zero].concat(),
            der(r, s), [r, s, &[0]].concat(), [r, &s[..31]].concat(), Vec::new(), [s, r].concat(),
            [&[0][..], r, &[0], s].concat(), vec![0xff; 64],
        ];
        let flipped = (0..64).map(|at| {
            let mut flipped = token.signature.clone();
            flipped[at] ^= 1;
            flipped
        });

        let all = spellings.into_iter().chain(flipped);
        all_are_refused(&app, all.map(|it| format!("{message}.{}", text(it)))).await;

        mia.me().await.told(200);
    }

    async fn another_server_s_token_is_not_ours(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let token = Token::of(&mia.access_token());
        let (algorithm, chance) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let own = EcdsaKeyPair::generate_pkcs8(algorithm, &chance).unwrap();
        let (header, claims) = (token.header.to_string(), token.claims.to_string());

        let forged = Forge::with(own.as_ref()).signs(&header, &claims);

        all_are_refused(&app, [forged]).await;
    }

    async fn the_key_of_one_environment_signs_for_no_other(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let token = Token::of(&mia.access_token());
        let other = Forge::of(&app, &app.own.production).await;
        let mut header = token.header.clone();
        let keys = app.visitor(&app.own.production).get("/.well-known/jwks.json").await.told(200);
        header["kid"] = keys["keys"][0]["kid"].clone();

        let forged = other.signs(&header.to_string(), &token.claims.to_string());

        all_are_refused(&app, [forged]).await;
    }

    async fn a_token_is_over_half_a_minute_after_its_time(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        app.clock.advance(Duration::from_secs(900 + 29));
        mia.me().await.told(200);

        app.clock.advance(Duration::from_secs(1));

        mia.me().await.refuses(401, "invalid_token");
        mia.sessions().await.refuses(401, "invalid_token");
        let _ = mia.refreshes().await.expect(200);
        mia.me().await.told(200);
    }

    async fn a_token_from_the_future_is_believed_for_half_a_minute(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (forge, token) = (Forge::of(&app, &mia.door).await, Token::of(&mia.access_token()));
        let issued = token.claims["iat"].as_i64().unwrap();
        let ahead = |seconds: i64| {
            let mut claims = token.claims.clone();
            claims["iat"] = json!(issued + seconds);
            claims["exp"] = json!(issued + seconds + 60);
            forge.signs(&token.header.to_string(), &claims.to_string())
        };

        app.get("/v1/me").bearer(&ahead(30)).await.told(200);
        all_are_refused(&app, [ahead(31), ahead(90), ahead(86_400)]).await;
    }

    async fn no_token_lives_longer_than_any_of_ours(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (forge, token) = (Forge::of(&app, &mia.door).await, Token::of(&mia.access_token()));
        let living = |seconds: i64| {
            let mut claims = token.claims.clone();
            claims["exp"] = json!(claims["iat"].as_i64().unwrap() + seconds);
            forge.signs(&token.header.to_string(), &claims.to_string())
        };

        app.get("/v1/me").bearer(&living(3_600)).await.told(200);
        all_are_refused(&app, [3_601, 86_400, 0, -1, i64::MAX / 2].map(living)).await;
    }
}

/// Claims that no token can do without.
const NEEDED: [&str; 12] = [
    "iss", "sub", "aud", "exp", "iat", "jti", "sid", "ver", "app_id", "env_id", "roles", "amr",
];

async fn jwk_of(app: &TestApp, kid: &str) -> Value {
    let keys = app.get("/.well-known/jwks.json").await.told(200);
    let mut keys = keys["keys"].as_array().unwrap().clone().into_iter();
    keys.find(|key| key["kid"] == kid)
        .expect("the key is published")
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .unwrap_or_else(|_| text.as_bytes().to_vec())
}
