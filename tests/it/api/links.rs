//! Links of every purpose alike: each is followed once, wherever, and none can be guessed at.

use std::future::IntoFuture;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{Guarded, TestApp};
use crate::support::client::{Asks, Reply};
use crate::support::persona::{PASSWORD, Person, Visitor};
use crate::support::stores::{Backend, on_both_stores};

const MIA: &str = "mia@example.org";
const NEW: &str = "mia@example.net";
const WRONG: &str = "another long password";
const MINUTE: Duration = Duration::from_mins(1);

/// Whatever asks for a letter.
const ASKED_FOR: [&str; 3] = [
    "/v1/forgot-password",
    "/v1/verify-email/resend",
    "/v1/magic-link/send",
];

/// Wherever a link is followed.
const FOLLOWED: [&str; 4] = [
    "/v1/verify-email",
    "/v1/magic-link/verify",
    "/v1/me/change-email/confirm",
    "/v1/reset-password",
];

/// A server with the rates of links and letters that it has by default.
struct Limited(TestApp);

impl Limited {
    async fn on(backend: Backend) -> Self {
        let defaults = [("LIMITS__CODE", "10/1m"), ("LIMITS__RECOVERY", "5/10m")];
        Self(TestApp::with(backend, &defaults).await)
    }
}

impl Visitor {
    async fn follows(&self, path: &str, token: &str) -> Reply {
        let mut body = json!({"token": token});
        if path == FOLLOWED[3] {
            body["new_password"] = Value::from("a short loud brook, 43");
        }
        self.post(path).json(body).await
    }

    async fn asks_at(&self, path: &str, email: &str) -> Reply {
        self.post(path).json(json!({"email": email})).await
    }
}

impl TestApp {
    /// The token of a new letter to Mia, or to her new address, that is followed at this path.
    async fn link_of(&self, mia: &Person, path: &str) -> String {
        let to = match path {
            "/v1/me/change-email/confirm" => NEW,
            _ => MIA,
        };
        let letters = self.letters_to(to).into_iter();
        let before: Vec<String> = letters.map(|letter| letter.raw).collect();
        // Of two links of one instant, nobody knows which is the newer one.
        self.clock.advance(Duration::from_secs(1));
        let asked = match path {
            "/v1/verify-email" => mia.visitor().asks_at(ASKED_FOR[1], MIA).await,
            "/v1/magic-link/verify" => mia.visitor().asks_at(ASKED_FOR[2], MIA).await,
            "/v1/reset-password" => mia.visitor().asks_at(ASKED_FOR[0], MIA).await,
            _ => {
                let change = json!({"email": NEW, "password": PASSWORD});
                mia.post("/v1/me/change-email").json(change).await
            }
        };
        assert!(asked.status < 300, "{}", asked.text());
        let _ = self.nth_letter_to(to, before.len() + 1).await;
        // Two letters of one instant are in no order: the new one is the one that was not there.
        let mut letters = self.letters_to(to).into_iter();
        let new = letters.find(|letter| !before.contains(&letter.raw));
        new.expect("a new letter").token()
    }
}

on_both_stores! {
    /// OT-01, on two nodes: they know nothing of each other, and one of twenty gets through.
    async fn of_twenty_who_follow_a_link_at_two_nodes_one_gets_through(app: TestApp) {
        let node = app.another_node(&[]).await;
        for (nth, path) in FOLLOWED.into_iter().enumerate() {
            let shop = app.founds(&format!("Shop {nth}")).await;
            let here = app.visitor(&shop.development);
            let there = here.by(node.client());
            let mia = here.becomes(MIA, json!({})).await;
            app.delivers_everything(&mia.door).await;
            let token = app.link_of(&mia, path).await;

            let racers = (0..20).map(async |nth: usize| match nth % 2 {
                0 => here.follows(path, &token).await.outcome(),
                _ => there.follows(path, &token).await.outcome(),
            });
            let outcomes = join_all(racers).await;

            let through = outcomes.iter().filter(|it| *it == "200").count();
            let refused = outcomes.iter().filter(|it| *it == "400 invalid_link").count();
            assert_eq!((through, refused), (1, 19), "{path}: {outcomes:?}");
        }
    }

    async fn the_eleventh_link_of_a_minute_is_not_looked_at_wherever_it_leads(app: Limited) {
        let app = app.0;
        let visitor = app.visitor(&app.own.development);
        for path in FOLLOWED {
            for _ in 0..10 {
                visitor.follows(path, "no token").await.refuses(400, "invalid_link");
            }

            for path in FOLLOWED {
                waits(visitor.follows(path, "no token").await, "6");
            }
            let code = json!({"email": MIA, "code": "123456"});
            waits(visitor.post("/v1/verify-email").json(code).await, "6");

            app.clock.advance(MINUTE);
        }
    }

    /// A link that was not looked at is as good as before.
    async fn who_has_to_wait_loses_no_link(app: Limited) {
        let app = app.0;
        let mia = app.person(MIA).await;
        let token = app.letter_to(MIA).await.token();
        let visitor = mia.visitor();
        for _ in 0..10 {
            visitor.follows("/v1/verify-email", "no token").await.refuses(400, "invalid_link");
        }
        waits(visitor.follows("/v1/verify-email", &token).await, "6");

        app.clock.advance(MINUTE);

        let _ = visitor.follows("/v1/verify-email", &token).await.expect(200);
    }

    async fn the_sixth_letter_in_ten_minutes_is_not_asked_for_whatever_it_is(app: Limited) {
        let app = app.0;
        let visitor = app.visitor(&app.own.development);
        for path in ASKED_FOR {
            for nth in 0..5 {
                let asked = visitor.asks_at(path, &format!("mia{nth}@example.org")).await;
                assert!(asked.status < 300, "{}", asked.text());
            }

            for path in ASKED_FOR {
                waits(visitor.asks_at(path, NEW).await, "120");
            }

            app.clock.advance(10 * MINUTE);
        }
        app.stays_at(NEW, 0).await;
    }

    /// LG-16: a lock is of passwords. What is no guess at one goes on: sessions, and links by letter.
    async fn a_lock_keeps_nobody_from_his_session_or_from_a_link(app: Guarded) {
        let app = app.0;
        let mia = app.proven_person(MIA).await;
        for _ in 0..5 {
            mia.visitor().signs_in(MIA, WRONG).await.refuses(401, "invalid_credentials");
        }
        waits(mia.visitor().signs_in(MIA, PASSWORD).await, "60");

        let _ = mia.refreshes().await.expect(200);
        let token = app.link_of(&mia, "/v1/magic-link/verify").await;
        let entered = mia.visitor().follows("/v1/magic-link/verify", &token).await.told(200);

        let access = entered["access_token"].as_str().expect("a token");
        let _ = app.get("/v1/me").bearer(access).await.expect(200);
        // Neither has opened the lock, of which a second is over.
        waits(mia.visitor().signs_in(MIA, PASSWORD).await, "59");
    }

    /// LG-16: who has chosen a new password by letter has nothing to be locked out of.
    async fn a_reset_ends_a_lock(app: Guarded) {
        let app = app.0;
        let mia = app.proven_person(MIA).await;
        for _ in 0..5 {
            mia.visitor().signs_in(MIA, WRONG).await.refuses(401, "invalid_credentials");
        }
        let token = app.link_of(&mia, "/v1/reset-password").await;

        let _ = mia.visitor().follows("/v1/reset-password", &token).await.expect(200);

        let new = mia.visitor().signs_in(MIA, "a short loud brook, 43").await;
        let _ = new.expect(200);
    }

    /// EM-17.
    async fn of_a_change_and_sign_ups_with_its_address_one_has_it(app: TestApp) {
        let door = &app.own.development;
        for round in 0..5 {
            let (old, new) = (format!("mia{round}@example.org"), format!("mia{round}@example.net"));
            let mia = app.person(&old).await;
            let change = json!({"email": new, "password": PASSWORD});
            let _ = mia.post("/v1/me/change-email").json(change).await.expect(202);
            let token = app.letter_to(&new).await.token();
            let (visitor, before) = (app.visitor(door), app.user_count(door).await);

            let confirmed = visitor.follows("/v1/me/change-email/confirm", &token);
            let sign_ups = (0..5).map(|_| visitor.signs_up(&new, PASSWORD).into_future());
            let (confirmed, sign_ups) = tokio::join!(confirmed, join_all(sign_ups));

            let accounts = sign_ups.iter().filter(|it| it.status == 201).count();
            let refused = sign_ups.iter().filter(|it| it.outcome() == "409 email_taken").count();
            let expected = match accounts {
                0 => "200",
                _ => "409 email_taken",
            };
            assert_eq!((confirmed.outcome().as_str(), accounts + refused), (expected, 5));
            assert_eq!(app.user_count(door).await, before + accounts);
        }
    }
}

fn waits(reply: Reply, seconds: &str) {
    let told = reply.header("retry-after").map(str::to_owned);
    assert_eq!(told.as_deref(), Some(seconds), "{}", reply.text());
    reply.refuses(429, "too_many_attempts");
}
