//! What a life leaves behind: of every secret that was used in it, nothing, in the database, in the
//! outbox or in the log at its most talkative; of an address, only where accounts and links are.

use std::collections::BTreeMap;

use authsome::store::Location;
use serde_json::{Value, json};

use super::life::{NEW, OLD, a_life};
use super::server::{Home, PASSWORD, Server, eventually, text};
use super::stage::{Expected, Stage};
use crate::support::client::Asks;
use crate::support::dump::{self, collections, everything};
use crate::support::stores::{Backend, on_both_stores};

const ZOE: &str = "zoe.careless@example.com";
/// The mail server refuses them, and names them in its answers.
const REFUSED: [&str; 2] = ["unknown.ida@example.com", "spam.ivo@example.com"];
const NOBODY: &str = "nobody.nowhere@example.com";
const NEVER: &str = "zoe.never@example.com";
const WRONG: &str = "a-wrong-password-7715";
const TYPO: &str = "typo-in-a-password-9920";
const LATER: &str = "eleven-shy-lynxes-6604";
const EVERYTHING: &str = "the whole database";
/// Where an address belongs.
const OF_ADDRESSES: [&str; 4] = [
    EVERYTHING,
    "authsome_users",
    "authsome_verifications",
    "authsome_password_resets",
];

/// A stage whose servers tell all they can.
struct Talkative(Stage);

impl Talkative {
    async fn on(backend: Backend) -> Self {
        let home = Home::on(backend).await;
        let home = home.with("LOG__LEVEL", "trace").with("LOG__FORMAT", "json");
        Self(Stage::raised(backend, home).await)
    }
}

on_both_stores! {
    async fn no_secret_is_left_behind_and_no_address_but_where_it_belongs(talkative: Talkative) {
        let Talkative(stage) = talkative;
        a_life(&stage).await;
        a_careless_life(&stage).await;
        letters_nobody_takes(&stage).await;

        let left = Left::by(&stage).await;
        left.is_all_there_is(&stage);
        for (what, secret) in stage.used().iter() {
            for form in forms(what, secret) {
                left.lacks(what, &form, &[]);
            }
        }
        for address in [NEW, ZOE, REFUSED[0], REFUSED[1]] {
            left.lacks("an address", address, &OF_ADDRESSES);
        }
        for gone in [OLD, NOBODY, NEVER] {
            left.lacks("the address of nobody", gone, &[]);
        }
    }
}

/// Everything that is said in the wrong place, refused, listed or taken along.
async fn a_careless_life(stage: &Stage) {
    let (first, second) = (stage.first(), stage.second());
    let link = signs_up(stage, ZOE).await;
    for path in [
        format!("/pages/verify-email?token={link}"),
        format!("/nowhere/{link}"),
    ] {
        let opened = first.get(&path).await;
        assert!([200, 404].contains(&opened.status), "{path}");
    }
    let resend = stage.asks(second, "/v1/verify-email/resend", json!({"email": ZOE}));
    let _ = resend.await.expect(202);
    let link = reads_link(stage, "Confirm your email address for Shop", "verify-email").await;
    let _ = first
        .post("/v1/verify-email")
        .json(json!({"token": link}))
        .await
        .expect(200);
    let signed_in = stage.signs_in(first, ZOE, PASSWORD).await.json();
    for (what, pointer) in [
        ("an access token", "/access_token"),
        ("a refresh token", "/refresh_token"),
    ] {
        stage.uses(what, text(&signed_in, pointer));
    }
    what_is_refused(stage).await;
    what_is_misplaced(stage, &signed_in).await;
    what_is_shown(stage, &signed_in).await;

    let path = format!(
        "/v1/admin/users/{}/reset-password",
        text(&signed_in, "/user/id")
    );
    let _ = second
        .post(&path)
        .api_key(&stage.secret_key)
        .await
        .expect(202);
    let link = reads_link(stage, "Choose a new password for Shop", "reset-password").await;
    let new = json!({"token": link, "new_password": LATER});
    let _ = first.post("/v1/reset-password").json(new).await.expect(200);
    let after = stage.signs_in(second, ZOE, LATER).await;
    stage.token_of(after);
}

async fn signs_up(stage: &Stage, email: &str) -> String {
    let account = json!({"email": email, "password": PASSWORD});
    let _ = stage
        .asks(stage.first(), "/v1/signup", account)
        .await
        .expect(202);
    reads_link(stage, "Confirm your email address for Shop", "verify-email").await
}

/// The token of Zoe's next letter.
async fn reads_link(stage: &Stage, subject: &str, page: &str) -> String {
    let expected = Expected {
        to: ZOE,
        subject,
        says: "",
        page: Some(page),
    };
    stage.reads(expected).await.token()
}

async fn what_is_refused(stage: &Stage) {
    let (first, second) = (stage.first(), stage.second());
    for (email, password) in [(ZOE, WRONG), (NOBODY, PASSWORD)] {
        let refused = stage.signs_in(first, email, password).await;
        refused.refuses(401, "invalid_credentials");
    }
    stage.uses("a mistyped password", TYPO);
    let fields = json!({"email": ZOE, "password": TYPO, "nickname": TYPO});
    let unknown = stage.asks(second, "/v1/signin", fields).await;
    unknown.refuses(400, "unknown_field");
    let cut = format!("{{\"email\":\"{ZOE}\",\"password\":\"{TYPO}\"x");
    let cut = stage
        .asks(first, "/v1/signin", Value::Null)
        .body("application/json", cut);
    assert_eq!(cut.await.status, 400);
    for path in [
        "/v1/forgot-password",
        "/v1/magic-link/send",
        "/v1/verify-email/resend",
    ] {
        let asked = stage.asks(second, path, json!({"email": NOBODY})).await;
        assert!(asked.status < 300, "{path}");
    }
    for path in [
        "/v1/reset-password",
        "/v1/verify-email",
        "/v1/magic-link/verify",
    ] {
        let body = json!({"token": TYPO, "new_password": WRONG});
        assert_eq!(first.post(path).json(body).await.status, 400, "{path}");
    }
}

/// What is good, in places where it is not taken.
async fn what_is_misplaced(stage: &Stage, signed_in: &Value) {
    let (first, second) = (stage.first(), stage.second());
    let access = text(signed_in, "/access_token");
    let in_the_query = format!("/v1/me?access_token={access}&api_key={}", stage.secret_key);
    second
        .get(&in_the_query)
        .await
        .refuses(401, "unauthenticated");
    second
        .me(&format!("{access}x"))
        .await
        .refuses(401, "invalid_token");
    second
        .me(&text(signed_in, "/refresh_token"))
        .await
        .refuses(401, "invalid_token");
    let change = json!({"email": NEVER, "password": WRONG});
    let change = first
        .post("/v1/me/change-email")
        .bearer(&access)
        .json(change);
    change.await.refuses(401, "invalid_credentials");
    let leave = first
        .delete("/v1/me")
        .bearer(&access)
        .json(json!({"password": WRONG}));
    leave.await.refuses(401, "invalid_credentials");
}

async fn what_is_shown(stage: &Stage, signed_in: &Value) {
    let (first, second) = (stage.first(), stage.second());
    let access = text(signed_in, "/access_token");
    for path in ["/v1/me/export", "/v1/sessions", "/v1/devices"] {
        let _ = second.get(path).bearer(&access).await.expect(200);
    }
    let devices = first.get("/v1/devices").bearer(&access).await.told(200);
    let device = format!("/v1/devices/{}", text(&devices, "/devices/0/id"));
    let named = first
        .patch(&device)
        .bearer(&access)
        .json(json!({"name": "Old laptop"}));
    let _ = named.await.expect(200);
    let listed = [
        "/v1/admin/security-events",
        "/v1/admin/notifications",
        "/v1/revocations",
    ];
    for path in listed {
        let _ = first.get(path).api_key(&stage.secret_key).await.expect(200);
    }
    let refresh = json!({"refresh_token": text(signed_in, "/refresh_token")});
    let fresh = second.post("/v1/refresh").json(refresh.clone()).await;
    stage.token_of(fresh);
    let reused = first.post("/v1/refresh").json(refresh).await;
    assert!([200, 401].contains(&reused.status), "{}", reused.text());
}

/// The server refuses the recipient in words that name him.
async fn letters_nobody_takes(stage: &Stage) {
    for email in REFUSED {
        let account = json!({"email": email, "password": PASSWORD});
        let _ = stage
            .asks(stage.second(), "/v1/signup", account)
            .await
            .expect(202);
    }
    eventually("both letters are given up", async || {
        (failed(stage.first(), &stage.secret_key).await == REFUSED.len()).then_some(())
    })
    .await;
}

async fn failed(node: &Server, key: &str) -> usize {
    let listed = node
        .get("/v1/admin/notifications?status=failed")
        .api_key(key)
        .await;
    let listed = listed.told(200);
    listed["notifications"]
        .as_array()
        .expect("a list of letters")
        .len()
}

/// As what a secret would be found.
fn forms(what: &str, secret: &str) -> Vec<String> {
    if what == "a code" {
        // Six digits are in many numbers: as a text of its own, in JSON, BSON or a line.
        return vec![
            format!("\"{secret}\""),
            format!("\0{secret}\0"),
            format!("={secret}"),
            format!(" {secret}"),
        ];
    }
    // A token is as good without its last part: what is kept of it can be cut anywhere.
    let parts = secret.split('.').skip(1).filter(|part| part.len() > 20);
    let mut forms: Vec<_> = parts.map(str::to_owned).collect();
    forms.push(secret.to_owned());
    forms
}

/// Everything that can be searched, by where it is.
struct Left(BTreeMap<String, String>);

impl Left {
    async fn by(stage: &Stage) -> Self {
        let file = stage.home.folder().join("authsome-data/authsome.db");
        let location = match stage.home.setting("STORE__URL") {
            Some(url) => Location::Mongo(url.to_owned()),
            None => Location::Sqlite(file),
        };
        let kept = collections(&location).await.into_iter();
        let mut all: BTreeMap<_, _> = kept
            .map(|(place, documents)| (place, dump::text(&documents)))
            .collect();
        let bytes = everything(&location).await;
        let all_bytes = String::from_utf8_lossy(&bytes).into_owned();
        all.insert(EVERYTHING.to_owned(), all_bytes);
        for (at, node) in stage.nodes().iter().enumerate() {
            let said = [node.process.log(), node.process.said()].concat();
            all.insert(format!("log {at}"), said);
        }
        Self(all)
    }

    /// What is looked into is what was written to, and what is looked for is what was used.
    fn is_all_there_is(&self, stage: &Stage) {
        for (place, text) in [
            ("authsome_users", ZOE),
            ("authsome_verifications", ZOE),
            ("authsome_credentials", "ausr_"),
            ("authsome_events", "user.deleted"),
            ("authsome_notifications", "account_deleted"),
            ("authsome_devices", "ausr_"),
            ("authsome_sessions", "ausr_"),
            ("authsome_rate_counters", "tat"),
            ("log 0", "/v1/reset-password"),
            ("log 0", "TRACE"),
        ] {
            assert!(self.0[place].contains(text), "no {text} in {place}");
        }
        let wire = stage.mail.wire();
        for (what, secret) in stage.used().iter() {
            if *what == "the login at the mail server" {
                assert!(wire.contains(secret), "the login is another");
            }
        }
    }

    /// The text is nowhere but in these places.
    fn lacks(&self, what: &str, text: &str, but: &[&str]) {
        for (place, contents) in &self.0 {
            let Some(at) = contents.find(text).filter(|_| !but.contains(&&**place)) else {
                continue;
            };
            let begins = contents.floor_char_boundary(at.saturating_sub(300));
            let ends = contents.floor_char_boundary(at + 100);
            panic!("{what}, {text}, is in {place}: {}", &contents[begins..ends]);
        }
    }
}
