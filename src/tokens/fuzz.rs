//! Tokens as strangers bend them: see [`crate::kernel::fuzz`].

use tokio::runtime::{Builder, Runtime};

use super::world::{NOON, World, b64, world};
use super::{LinkTokens, Purpose, RefreshTokens, Refused};
use crate::kernel::algorithm::Algorithm;
use crate::kernel::entropy::Entropy;
use crate::kernel::fuzz::{altered, always, one_of, texts};
use crate::kernel::id::SessionId;
use crate::kernel::secret::{ExposeSecret, MacKey, SecretString};

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

async fn three(world: &World) -> [String; 3] {
    [
        world.token().await,
        world.token().await,
        world.token().await,
    ]
}

/// Nothing but the very text is a token, by whichever algorithm: no other spelling of the same
/// signature either.
#[test]
fn an_access_token_that_is_altered_is_none() {
    let runtime = runtime();
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let world = runtime.block_on(world(algorithm));
        let tokens = runtime.block_on(three(&world));
        always(altered(tokens.clone()), |(_, text)| {
            let judged = runtime.block_on(world.tokens.verify(&text));
            assert_eq!(judged.is_ok(), tokens.contains(&text), "{text}");
        });
    }
}

/// Of a header that is well signed, only ours in its one form is read.
#[test]
fn a_header_that_says_anything_else_is_refused_though_it_is_signed() {
    let (runtime, algorithm) = (runtime(), Algorithm::EdDsa);
    let world = runtime.block_on(world(algorithm));
    let header = runtime.block_on(world.header(serde_json::json!({})));
    let bent = [
        header.clone(),
        header.replace("EdDSA", "none"),
        header.replacen('{', r#"{"jku":"https://evil.example","#, 1),
        header.replacen('{', r#"{"alg":"EdDSA","#, 1),
    ];
    always(texts(bent), |text| {
        let token = runtime.block_on(world.with_header(&text));
        let read: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let own: serde_json::Value = serde_json::from_str(&header).expect("JSON");
        if runtime.block_on(world.tokens.verify(&token)).is_ok() {
            assert_eq!(read, Some(own), "{text}");
            assert_eq!(text.matches(':').count(), 3, "{text}");
        }
    });
}

/// Claims that are well signed but not ours are refused, and never more than that.
#[test]
fn claims_of_any_shape_are_judged() {
    let runtime = runtime();
    let world = runtime.block_on(world(Algorithm::EdDsa));
    let claims = serde_json::to_string(&world.claims()).expect("JSON");
    always(
        texts([
            claims.clone(),
            claims.replace("USER", "OWNER"),
            "{}".into(),
            "[]".into(),
        ]),
        |text| {
            let token = runtime.block_on(world.with_payload(&text));
            match runtime.block_on(world.tokens.verify(&token)) {
                Ok(read) => {
                    assert_eq!(
                        (read.app_id, read.iss.as_str()),
                        (world.tenant.app_id, &*world.settings.issuer)
                    );
                    assert!(read.exp > NOON.as_secs() - 60, "{text}");
                }
                Err(Refused::Keys(_) | Refused::Store(_)) => {
                    panic!("nothing was asked of the store")
                }
                Err(_) => {}
            }
        },
    );
}

#[test]
fn a_refresh_token_that_is_altered_is_none() {
    let tokens = RefreshTokens::new(&SecretString::from("a secret of at least 32 characters"));
    let entropy = Entropy::seeded(1);
    let seeds = [0, 7, 41, i64::MAX].map(|generation| {
        let session = SessionId::new(NOON, &entropy);
        let (token, digest) = tokens.issue(session, generation, &entropy);
        (token.expose_secret().to_owned(), digest)
    });
    let known = seeds.clone().map(|(text, _)| text);
    always(altered(known), |(_, text)| {
        let issued = seeds.iter().find(|(known, _)| *known == text);
        let presented = tokens.parse(&text);
        assert_eq!(
            presented.ok().map(|it| it.digest),
            issued.map(|(_, digest)| digest.clone())
        );
    });
}

#[test]
fn a_code_of_a_letter_is_six_digits_and_no_other_text() {
    let links = LinkTokens::new(MacKey::new(b"a key of the tests"));
    let codes = Purpose::ALL.map(|it| links.code(it, "x").expose_secret().to_owned());
    always(
        (texts(codes.clone()), one_of(&Purpose::ALL)),
        |(given, purpose)| {
            let code = links.code(purpose, "x");
            assert_eq!(
                links.is_code(purpose, "x", &given),
                given == code.expose_secret()
            );
        },
    );
    always(texts(["avrf_01h2xcejqtf2nbrexx3vqjhp41", "a", ""]), |id| {
        let [one, other] =
            [Purpose::VerifyEmail, Purpose::MagicLink].map(|it| links.token(it, &id));
        assert_ne!(one.expose_secret(), other.expose_secret());
        assert_eq!(one.expose_secret().len(), b64(&[0; 32]).len());
        let code = links.code(Purpose::VerifyEmail, &id);
        assert!(
            code.expose_secret().len() == 6
                && code.expose_secret().bytes().all(|b| b.is_ascii_digit())
        );
    });
}
