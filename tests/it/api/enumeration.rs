//! Who has an account here? Nothing tells by the work it takes to answer (ASVS 6.3.8): calls of the
//! store are counted, which is the same on every machine, and not time.

use std::time::Duration;

use mongodb::Client;
use mongodb::bson::{DateTime, doc};
use serde_json::{Value, json};

use authsome::store::Location;

use crate::support::app::{NEW_YEAR, TestApp, eventually};
use crate::support::client::Asks;
use crate::support::log;
use crate::support::persona::{Administers, PASSWORD, Visitor};
use crate::support::stores::{Backend, on_both_stores, run};

const WRONG: &str = "another long password";
const NOBODY: &str = "nobody@example.org";
/// Whatever asks for a letter.
const LETTERS: [&str; 3] = [
    "/v1/forgot-password",
    "/v1/verify-email/resend",
    "/v1/magic-link/send",
];

/// Somebody of every kind, in an environment whose addresses must be verified.
const VERIFIED: &str = "verified@example.org";
const UNVERIFIED: &str = "unverified@example.org";
const BANNED: &str = "banned@example.org";
const WITHOUT_PASSWORD: &str = "without.password@example.org";
const KINDS: [&str; 4] = [VERIFIED, UNVERIFIED, BANNED, WITHOUT_PASSWORD];

impl TestApp {
    async fn has_users_of_every_kind(&self) -> Visitor {
        let door = &self.own.production;
        let visitor = self.visitor(door);
        self.appoints(door, VERIFIED, PASSWORD).await;
        let banned = self.appoints(door, BANNED, PASSWORD).await.to_string();
        let ban = self.machine(door).bans(&banned, json!({}));
        let _ = ban.await.expect(200);
        for email in [UNVERIFIED, WITHOUT_PASSWORD] {
            let _ = visitor.signs_up(email, PASSWORD).await.expect(202);
            let _ = self.letter_to(email).await;
        }
        // Who follows a link to an account that was never proven has it without its password.
        let _ = asks(&visitor, "/v1/magic-link/send", WITHOUT_PASSWORD).await;
        let token = self.nth_letter_to(WITHOUT_PASSWORD, 2).await.token();
        let follow = visitor.post("/v1/magic-link/verify");
        let _ = follow.json(json!({"token": token})).await.expect(200);
        visitor
    }
}

/// A request for a letter; everything of the answer that can be told from another.
async fn asks(visitor: &Visitor, path: &str, email: &str) -> (u16, Vec<String>, Value) {
    let reply = visitor.post(path).json(json!({"email": email})).await;
    assert!(reply.status < 300, "{path}: {}", reply.text());
    reply.tells()
}

/// A server from which an address gets few letters.
struct Sparing(TestApp);

impl Sparing {
    async fn on(backend: Backend) -> Self {
        Self(TestApp::with(backend, &[("LIMITS__LETTERS", "2/1d")]).await)
    }
}

on_both_stores! {
    /// LG-01.
    async fn a_wrong_password_costs_the_same_whoever_has_the_account_or_nobody(app: TestApp) {
        let visitor = app.has_users_of_every_kind().await;
        let wrong = async |email: &str| {
            let ask = async || {
                let _ = visitor.signs_in(email, WRONG).await.expect(401);
            };
            let told = visitor.signs_in(email, WRONG).await.tells();
            (app.calls_for(ask).await, told)
        };

        let unknown = wrong(NOBODY).await;

        for known in KINDS {
            assert_eq!(wrong(known).await, unknown, "{known}");
        }
    }

    /// EM-09. The letter that each makes is not sent meanwhile, and not counted.
    async fn a_sign_up_costs_the_same_with_a_known_address_as_with_a_new_one(app: TestApp) {
        let visitor = app.has_users_of_every_kind().await;
        app.falls_silent().await;
        let costs = async |email: &dyn Fn(usize) -> String| {
            let mut fewest = u64::MAX;
            for nth in 0..10 {
                let before = app.store().calls();
                let reply = visitor.signs_up(&email(nth), PASSWORD).await;
                fewest = fewest.min(app.store().calls() - before);
                assert_eq!(reply.told(202), json!({"status": "verification_required"}));
            }
            fewest
        };

        let new = costs(&|nth| format!("new-{nth}@example.org")).await;

        for known in KINDS {
            assert_eq!(costs(&|_| known.to_owned()).await, new, "{known}");
        }
    }

    /// LG-02. Addresses that get no letter any more are not looked up at all: what is left is all
    /// that is asked of the store beside the letter.
    async fn beside_its_letter_a_request_for_one_asks_nothing_about_its_address(app: Sparing) {
        let app = app.0;
        let visitor = app.has_users_of_every_kind().await;
        for (path, email) in pairs() {
            asks(&visitor, path, email).await;
        }

        for (path, email) in pairs() {
            // The count of the client's letters is two calls, the look at the recipient's one. The
            // node has calls of its own meanwhile, but not as many as one a request.
            let (before, requests) = (app.store().calls(), 50);
            for _ in 0..requests {
                asks(&visitor, path, email).await;
            }
            let calls = || app.store().calls() - before;
            eventually(async || calls() >= 3 * requests).await;
            assert_eq!(calls() / requests, 3, "{path} {email}");
        }
    }
}

/// The letter that this request asked for could not be counted, which the store says after seconds.
fn is_given_up(request_id: &str) -> bool {
    let lines = log::lines_with(request_id);
    lines
        .iter()
        .any(|line| line.contains("a letter was not queued"))
}

/// Every way to ask for a letter, for everybody and for nobody.
fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    let everybody = || KINDS.into_iter().chain([NOBODY]);
    LETTERS
        .into_iter()
        .flat_map(move |path| everybody().map(move |email| (path, email)))
}

/// LG-02: everything about a letter comes after the answer. Its first step, the count of the
/// recipient's letters, cannot be taken here, and the answers come nevertheless.
#[test]
fn the_answer_to_a_request_for_a_letter_waits_for_nothing_about_its_address() {
    run(async {
        let week = Duration::from_hours(7 * 24);
        let settings = [("LIMITS__LETTERS", "1000000/7d")];
        let app = TestApp::with(Backend::Mongo, &settings).await;
        let visitor = app.has_users_of_every_kind().await;
        for email in KINDS.into_iter().chain([NOBODY]) {
            asks(&visitor, LETTERS[0], email).await;
        }
        let Location::Mongo(url) = app.location() else {
            unreachable!("a place on MongoDB")
        };
        let client = Client::with_uri_str(url)
            .await
            .expect("the test server answers");
        let database = client.default_database().expect("the URL names a database");
        let counters = database.collection::<mongodb::bson::Document>("authsome_rate_counters");
        let of_letters =
            doc! {"expires_at": DateTime::from_millis(NEW_YEAR.plus(week).as_millis())};
        eventually(async || {
            let found = counters.count_documents(of_letters.clone()).await;
            found.expect("a count") == 5
        })
        .await;

        let mut holding = client.start_session().await.expect("a session");
        holding.start_transaction().await.expect("a transaction");
        let held = counters.update_many(of_letters, doc! {"$set": {"held": true}});
        let held = held.session(&mut holding).await.expect("they can be held");
        assert_eq!(held.modified_count, 5);

        let mut ids = Vec::new();
        for path in LETTERS {
            let mut told = Vec::new();
            for email in KINDS.into_iter().chain([NOBODY]) {
                let reply = visitor.post(path).json(json!({"email": email})).await;
                let id = reply.header("x-request-id").expect("every reply has one");
                assert!(!is_given_up(id), "{path} waits for its letter");
                ids.push(id.to_owned());
                told.push(reply.tells());
            }
            assert!(told.iter().all(|it| *it == told[0]), "{told:?}");
        }
        eventually(async || is_given_up(&ids[0])).await;
        holding.abort_transaction().await.expect("they are let go");
    });
}
