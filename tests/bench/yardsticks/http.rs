//! Handlers of actix that do one thing and answer a constant: nothing, or judge the token first.
//!
//! ```text
//! GET /bare     nothing
//! GET /hs256    verifies an HS256 token
//! GET /es256    verifies an ES256 token
//! GET /cached   the same, unless the whole token was verified before: what a cache can come to
//! ```

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;

use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{Data, ServiceConfig, get};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const SECRET: &[u8] = b"thirty-two bytes of a limit, all";
const AUDIENCE: &str = "aapp_01h2xcejqtf2nbrexx3vqjhp41";
/// As long as a list of the server's own claims is.
const CLAIMS: &str = r#"{"iss":"http://127.0.0.1:8080","sub":"ausr_01h2xcejqtf2nbrexx3vqjhp41",
    "aud":"aapp_01h2xcejqtf2nbrexx3vqjhp41","exp":4102444800,"iat":1700000000,"auth_time":1700000000,
    "jti":"aatk_01h2xcejqtf2nbrexx3vqjhp41","sid":"ases_01h2xcejqtf2nbrexx3vqjhp41","ver":1,
    "app_id":"aapp_01h2xcejqtf2nbrexx3vqjhp41","env_id":"aenv_01h2xcejqtf2nbrexx3vqjhp41",
    "roles":["MEMBER"],"email":"zoe@example.org","email_verified":false,"amr":["pwd"]}"#;

/// One of the handlers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handler {
    Bare,
    Hs256,
    Es256,
    Cached,
}

impl Handler {
    pub const fn path(self) -> &'static str {
        match self {
            Self::Bare => "/bare",
            Self::Hs256 => "/hs256",
            Self::Es256 => "/es256",
            Self::Cached => "/cached",
        }
    }
}

/// Where the handlers are, and tokens that they take.
#[derive(Debug, Serialize, Deserialize)]
pub struct Told {
    pub address: SocketAddr,
    pub hs256: String,
    pub es256: String,
}

/// How a worker judges tokens.
struct Judge {
    hs256: (DecodingKey, Validation),
    es256: (DecodingKey, Validation),
    verified: RefCell<HashMap<String, Rc<Value>>>,
}

/// Serves until the process is ended.
pub fn serve() {
    let random = SystemRandom::new();
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
    let private = made.expect("a key");
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private.as_ref());
    let public = pair.expect("a key").public_key().as_ref().to_vec();
    let claims: Value = serde_json::from_str(CLAIMS).expect("claims");
    let signed = |algorithm, key| encode(&Header::new(algorithm), &claims, &key).expect("a token");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let told = Told {
        address: listener.local_addr().expect("an address"),
        hs256: signed(Algorithm::HS256, EncodingKey::from_secret(SECRET)),
        es256: signed(Algorithm::ES256, EncodingKey::from_ec_der(private.as_ref())),
    };
    println!("{}", serde_json::to_string(&told).expect("JSON"));
    let server = HttpServer::new(move || {
        let judge = Data::new(Judge::by(&public));
        App::new().app_data(judge).configure(routes)
    });
    let serving = server.workers(1).listen(listener).expect("a listener");
    let ended = actix_web::rt::System::new().block_on(serving.run());
    ended.expect("it serves until it is ended");
}

fn routes(config: &mut ServiceConfig) {
    config
        .route(Handler::Bare.path(), get().to(async || constant()))
        .route(Handler::Hs256.path(), get().to(hs256))
        .route(Handler::Es256.path(), get().to(es256))
        .route(Handler::Cached.path(), get().to(cached));
}

async fn hs256(request: HttpRequest, judge: Data<Judge>) -> HttpResponse {
    judged(token(&request).and_then(|token| verified(token, &judge.hs256)))
}

async fn es256(request: HttpRequest, judge: Data<Judge>) -> HttpResponse {
    judged(token(&request).and_then(|token| verified(token, &judge.es256)))
}

async fn cached(request: HttpRequest, judge: Data<Judge>) -> HttpResponse {
    let Some(token) = token(&request) else {
        return judged(None::<()>);
    };
    let known = judge.verified.borrow().get(token).cloned();
    if known.is_some() {
        return judged(known);
    }
    let claims = verified(token, &judge.es256).map(Rc::new);
    if let Some(claims) = &claims {
        let mut all = judge.verified.borrow_mut();
        all.insert(token.to_owned(), claims.clone());
    }
    judged(claims)
}

fn token(request: &HttpRequest) -> Option<&str> {
    let line = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    line.strip_prefix("Bearer ")
}

fn verified(token: &str, (key, validation): &(DecodingKey, Validation)) -> Option<Value> {
    decode(token, key, validation).ok().map(|it| it.claims)
}

fn judged<T>(claims: Option<T>) -> HttpResponse {
    claims.map_or_else(|| HttpResponse::Unauthorized().finish(), |_| constant())
}

fn constant() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(r#"{"id":"ausr_01h2xcejqtf2nbrexx3vqjhp41","email":"zoe@example.org"}"#)
}

impl Judge {
    fn by(public: &[u8]) -> Self {
        let validation = |algorithm| {
            let mut validation = Validation::new(algorithm);
            validation.set_audience(&[AUDIENCE]);
            validation
        };
        Self {
            hs256: (
                DecodingKey::from_secret(SECRET),
                validation(Algorithm::HS256),
            ),
            es256: (
                DecodingKey::from_ec_der(public),
                validation(Algorithm::ES256),
            ),
            verified: RefCell::default(),
        }
    }
}
