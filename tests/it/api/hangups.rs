//! Clients who hang up after their last byte: what they asked for happens whole or not at all.

use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use authsome::credentials::Credential;
use authsome::events::{Name, Outcome};
use authsome::users::User;
use serde_json::json;

use crate::support::app::{TestApp, eventually};
use crate::support::client::Asks;
use crate::support::persona::{Administers, PASSWORD};
use crate::support::raw;
use crate::support::stores::{Backend, on_both_stores};

const MANY: usize = 200;

/// A server that hashes long enough for its client to leave meanwhile.
struct Deliberate(TestApp);

impl Deliberate {
    async fn on(backend: Backend) -> Self {
        Self(TestApp::with(backend, &[("SECURITY__BCRYPT_COST", "11")]).await)
    }
}

on_both_stores! {
    async fn a_sign_up_that_nobody_waits_for_is_whole(app: TestApp) {
        let door = &app.own.development;
        let lines = [
            "Content-Type: application/json".to_owned(),
            format!("X-Publishable-Key: {}", door.publishable_key),
        ];

        for number in 0..MANY {
            let email = format!("mia{number}@example.org");
            let account = json!({"email": email, "password": PASSWORD});
            let request = raw::request("POST /v1/signup", &lines, account.to_string().as_bytes());
            hangs_up(&app, number, &request);
        }

        // Who asks last is hashed last.
        let last = app.visitor(door);
        let last = async || last.signs_up("last@example.org", PASSWORD).that_may_be(503).await;
        eventually(async || last().await.status == 201).await;
        settled(&app, async || app.user_count(door).await).await;
        let users: HashSet<_> = app.of_app::<User>(door).await.iter().map(|it| it.id).collect();
        let passwords = app.of_app::<Credential>(door).await;
        let passwords: HashSet<_> = passwords.iter().map(|it| it.user_id).collect();
        let made = app.events(door, Name::UserSignedUp).await;
        let signed_in = app.events(door, Name::SessionCreated).await;
        assert_eq!(passwords, users);
        assert_eq!((made.len(), signed_in.len()), (users.len(), users.len()));
        app.person("healthy@example.org").await.me().await.told(200);
    }

    async fn a_role_change_that_nobody_waits_for_is_whole(app: TestApp) {
        let admin = app.admin().await;
        let mia = app.person("mia@example.org").await;
        let door = &app.own.development;
        let lines = [
            "Content-Type: application/json".to_owned(), format!("X-API-Key: {}", door.secret_key),
        ];
        let told = async || app.events(door, Name::UserRolesChanged).await.len();
        let before = told().await;

        for number in 0..MANY {
            let roles: &[&str] = if number % 2 == 0 { &["ADMIN"] } else { &[] };
            let roles = json!({"roles": roles});
            let line = format!("POST /v1/admin/users/{}/roles", mia.id);
            let request = raw::request(&line, &lines, roles.to_string().as_bytes());
            hangs_up(&app, number, &request);
        }

        settled(&app, told).await;
        let users = app.of_app::<User>(door).await;
        let changed = users.iter().find(|user| user.id.to_string() == mia.id).unwrap();
        // Every change is one version of the rights and one event.
        assert_eq!(usize::try_from(changed.rights_version - 1).unwrap(), told().await - before);
        let _ = app.key().assigns(&mia.id, &[]).await.expect(200);
        app.key().assigns(&admin.id, &[]).await.refuses(409, "last_admin");
    }

    /// Each is cut off in the middle of its work: when it has asked the store, and is being hashed.
    async fn who_hangs_up_while_he_is_judged_is_judged_all_the_same(app: Deliberate) {
        let app = app.0;
        let mia = app.person("mia@example.org").await;
        let lines = [
            "Content-Type: application/json".to_owned(),
            format!("X-Publishable-Key: {}", mia.door.publishable_key),
        ];
        let body = json!({"email": mia.email, "password": "another long password"}).to_string();
        let request = raw::request("POST /v1/signin", &lines, body.as_bytes());

        for number in 1..=10 {
            let before = app.store().calls();
            // Rate, account and lock take two each; one may be the node's, who asks once a second.
            let begun = || while app.store().calls() < before + 6 { thread::yield_now() };
            raw::sent_and_reset(app.client().address(), &request, begun);
            // Until then the store is still being called for this one.
            let told = async || app.events(&mia.door, Name::SessionDenied).await.len();
            eventually(async || told().await == number).await;
        }
    }

    async fn a_wrong_password_counts_whoever_stays_to_hear_so(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let lines = [
            "Content-Type: application/json".to_owned(),
            format!("X-Publishable-Key: {}", mia.door.publishable_key),
        ];
        let body = json!({"email": mia.email, "password": "another long password"}).to_string();
        let request = raw::request("POST /v1/signin", &lines, body.as_bytes());

        for _ in 0..50 {
            raw::sent_and_cut_off(app.client().address(), &request);
        }

        eventually(async || app.events(&mia.door, Name::SessionDenied).await.len() == 50).await;
        let told = app.events(&mia.door, Name::SessionDenied).await;
        assert!(told.iter().all(|event| event.outcome == Outcome::Denied));
    }

    async fn a_request_that_breaks_off_before_its_end_does_nothing(app: TestApp) {
        let door = &app.own.development;
        let lines = [
            "Content-Type: application/json".to_owned(),
            format!("X-Publishable-Key: {}", door.publishable_key),
        ];
        let account = json!({"email": "mia@example.org", "password": PASSWORD}).to_string();
        let request = raw::request("POST /v1/signup", &lines, account.as_bytes());

        for length in (1..request.len()).step_by(7) {
            raw::sent_and_cut_off(app.client().address(), &request[..length]);
        }

        app.get("/readyz").await.told(200);
        assert_eq!(app.user_count(door).await, 0);
        app.person("mia@example.org").await.me().await.told(200);
    }
}

/// At once, or a moment later, or a little more, and so that the server is told or is not.
fn hangs_up(app: &TestApp, number: usize, request: &[u8]) {
    let address = app.client().address();
    if number.is_multiple_of(4) {
        return raw::sent_and_cut_off(address, request);
    }
    let moment = Duration::from_micros(100 * (number as u64 % 23));
    raw::sent_and_reset(address, request, || thread::sleep(moment));
}

/// Waits until the server has nothing left to do: a count that stays, while requests are answered.
async fn settled(app: &TestApp, count: impl AsyncFn() -> usize) {
    let mut last = usize::MAX;
    let mut rounds = 0;
    while rounds < 5 {
        app.get("/readyz").await.told(200);
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = count().await;
        rounds = if now == last { rounds + 1 } else { 0 };
        last = now;
    }
}
