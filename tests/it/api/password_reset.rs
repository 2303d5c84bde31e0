//! Passwords that are forgotten, changed, or taken out of a stranger's hand.

use std::time::Duration;

use authsome::events::{Name, Outcome};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{LimitedLetters, TestApp, eventually};
use crate::support::client::{Asks, Reply, Request, assert_has};
use crate::support::machines::keyed;
use crate::support::persona::{Administers, PASSWORD, Person, Visitor};
use crate::support::stores::on_both_stores;

const MIA: &str = "mia@example.org";
const NEW: &str = "a short loud brook, 43";

impl Visitor {
    async fn forgets(&self, email: &str) -> Reply {
        let whose = json!({"email": email});
        self.post("/v1/forgot-password").json(whose).await
    }
}

impl Person {
    fn changes(&self, current: &str, new: &str) -> Request {
        let both = json!({"current_password": current, "new_password": new});
        self.post("/v1/change-password").json(both)
    }
}

impl TestApp {
    async fn resets(&self, token: &str, new: &str) -> Reply {
        let body = json!({"token": token, "new_password": new});
        self.post("/v1/reset-password").json(body).await
    }

    /// The token of the `nth` letter to Mia; the first one came with her sign-up.
    async fn token_of_letter(&self, nth: usize) -> String {
        self.nth_letter_to(MIA, nth).await.token()
    }

    /// Mia has an account with a proven address.
    async fn mia(&self) -> Person {
        self.proven_person(MIA).await
    }
}

on_both_stores! {
    async fn a_letter_sets_a_new_password_and_ends_every_session(app: TestApp) {
        let mia = app.mia().await;
        let elsewhere = mia.on_another_device().await;
        let visitor = mia.visitor();

        assert_eq!(visitor.forgets(MIA).await.told(200), json!({"status": "accepted"}));
        let letters = app.letters_to(MIA).len();
        eventually(async || app.letters_to(MIA).iter().any(|it| it.text.contains("reset-password"))).await;
        let letter = app.letters_to(MIA).into_iter().rfind(|it| it.text.contains("reset-password"));
        let token = letter.expect("a letter").token();
        assert!(letters >= 1);
        assert_eq!(app.resets(&token, NEW).await.told(200), json!({"status": "reset"}));

        for person in [&mia, &elsewhere] {
            person.me().await.refuses(401, "invalid_token");
            person.refreshes().await.refuses(401, "invalid_refresh_token");
        }
        visitor.signs_in(MIA, PASSWORD).await.refuses(401, "invalid_credentials");
        let _ = visitor.signs_in(MIA, NEW).await.expect(200);
        app.resets(&token, NEW).await.refuses(400, "invalid_link");
        let told = app.events(&mia.door, Name::PasswordReset).await;
        let outcomes: Vec<_> = told.iter().map(|event| event.outcome).collect();
        assert_eq!(outcomes.len(), 2);
        assert!(outcomes.contains(&Outcome::Success) && outcomes.contains(&Outcome::Denied));
    }

    /// No deployment breaks because a person does the right thing.
    async fn a_user_s_keys_outlast_his_password_and_his_sessions(app: TestApp) {
        let mia = app.mia().await;
        let key = app.key_of(&mia, keyed("Laptop", &["me:read"])).await;
        let is_good = async |token: &str, status: u16| {
            key.get("/v1/me").await.told(200);
            assert_eq!(app.get("/v1/me").bearer(token).await.status, status);
        };

        let token = key.token().await;
        let _ = mia.changes(PASSWORD, "a tall quiet brook, 42").await.expect(200);
        is_good(&token, 200).await;
        let _ = mia.signs_out_everywhere().await.expect(204);
        is_good(&token, 401).await;

        let token = key.token().await;
        let _ = mia.visitor().forgets(MIA).await.expect(200);
        let resets = || app.letters_to(MIA).into_iter().rfind(|it| it.text.contains("reset-password"));
        eventually(async || resets().is_some()).await;
        let _ = app.resets(&resets().expect("a letter").token(), NEW).await.expect(200);
        is_good(&token, 401).await;
    }

    async fn of_fifty_who_follow_one_reset_link_one_gets_through(app: TestApp) {
        let mia = app.mia().await;
        let _ = mia.visitor().forgets(MIA).await.expect(200);
        let token = app.token_of_letter(2).await;

        let replies = join_all((0..50).map(|_| app.resets(&token, NEW))).await;

        assert_eq!(replies.iter().filter(|it| it.status == 200).count(), 1);
        for lost in replies.into_iter().filter(|it| it.status != 200) {
            lost.refuses(400, "invalid_link");
        }
        let _ = mia.visitor().signs_in(MIA, NEW).await.expect(200);
    }

    async fn a_reset_link_is_good_for_half_an_hour_and_only_the_newest(app: TestApp) {
        let mia = app.mia().await;
        let visitor = mia.visitor();
        let _ = visitor.forgets(MIA).await.expect(200);
        let first = app.token_of_letter(2).await;
        app.clock.advance(Duration::from_secs(1));
        let _ = visitor.forgets(MIA).await.expect(200);
        let second = app.token_of_letter(3).await;

        app.resets(&first, NEW).await.refuses(400, "invalid_link");
        app.clock.advance(Duration::from_mins(30));

        app.resets(&second, NEW).await.refuses(400, "link_expired");
        let _ = visitor.signs_in(MIA, PASSWORD).await.expect(200);
    }

    /// OT-15: guesses do not void the real one.
    async fn wrong_tokens_do_not_spoil_the_right_one(app: TestApp) {
        let mia = app.mia().await;
        let _ = mia.visitor().forgets(MIA).await.expect(200);
        let token = app.token_of_letter(2).await;
        for guess in 0..50 {
            let wrong = format!("{guess:0>43}");
            app.resets(&wrong, NEW).await.refuses(400, "invalid_link");
        }
        let _ = app.resets(&token, NEW).await.expect(200);
    }

    async fn a_refused_password_leaves_the_link_good(app: TestApp) {
        let mia = app.mia().await;
        let _ = mia.visitor().forgets(MIA).await.expect(200);
        let token = app.token_of_letter(2).await;
        for weak in ["short", "password123", MIA] {
            let told = app.resets(&token, weak).await;
            let told = told.told(400);
            assert_eq!(told["errors"][0]["pointer"], "/new_password", "{told}");
        }
        let _ = app.resets(&token, NEW).await.expect(200);
    }

    async fn nothing_tells_whether_an_address_has_an_account(app: TestApp) {
        let mia = app.mia().await;
        let max = app.person("max@example.org").await;
        let _ = app.key().bans(&max.id, json!({"reason": "spam"})).await.expect(200);
        let visitor = mia.visitor();

        let known = visitor.forgets(MIA).await;
        let banned = visitor.forgets("max@example.org").await;
        let unknown = visitor.forgets("nobody@example.org").await;

        assert_eq!(known.tells(), unknown.tells());
        assert_eq!(known.tells(), banned.tells());
        let _ = app.token_of_letter(2).await;
        app.stays_at("nobody@example.org", 0).await;
        // The one of his sign-up.
        app.stays_at("max@example.org", 1).await;
    }

    /// CVE-2023-7028: one address, or none at all.
    async fn an_address_is_one_text(app: TestApp) {
        let visitor = app.mia().await.visitor();
        for email in [json!([MIA, "evil@example.org"]), json!({"0": MIA}), json!(true), json!(null)] {
            for path in ["/v1/forgot-password", "/v1/magic-link/send", "/v1/verify-email/resend"] {
                let reply = visitor.post(path).json(json!({"email": email})).await;
                assert_eq!(reply.status, 400, "{path} {email}");
            }
        }
        let list = format!("{MIA},evil@example.org");
        visitor.forgets(&list).await.refuses(400, "invalid_email");
        let twice = format!("{{\"email\":\"{MIA}\",\"email\":\"evil@example.org\"}}");
        let reply = visitor.post("/v1/forgot-password").body("application/json", twice).await;
        reply.refuses(400, "duplicate_field");
        assert_eq!(app.letters().len(), 1);
    }

    /// Pre-hijacking: whoever made the account before its address was proven has no way back.
    async fn who_resets_an_unproven_account_has_it_for_himself(app: TestApp) {
        let names = json!({"username": "trojan", "phone": "+4915112345678"});
        let thief = app.person_with(MIA, names).await;
        let key = app.key_of(&thief, keyed("Back door", &["*:*"])).await;
        let exchanged = key.token().await;

        let _ = thief.visitor().forgets(MIA).await.expect(200);
        let token = app.token_of_letter(2).await;
        let _ = app.resets(&token, NEW).await.expect(200);

        thief.me().await.refuses(401, "invalid_token");
        key.get("/v1/me").await.refuses(401, "invalid_token");
        app.get("/v1/me").bearer(&exchanged).await.refuses(401, "invalid_token");
        let by_name = json!({"username": "trojan", "password": NEW});
        thief.visitor().post("/v1/signin").json(by_name).await.refuses(401, "invalid_credentials");
        let mia = thief.visitor().enters(MIA, NEW).await;
        let me = mia.me().await.told(200);
        assert_has(&me, json!({"email_verified": true}));
        assert_eq!((me.get("username"), me.get("phone")), (None::<&Value>, None::<&Value>));
    }

    /// Whoever made an account cannot write without end to whose address he gave.
    async fn an_unproven_address_is_told_of_changes_as_often_as_strangers_may_write_to_it(limited: LimitedLetters) {
        let app = limited.0;
        let thief = app.person(MIA).await;
        let (mut old, mut new) = (PASSWORD, NEW);
        for _ in 0..4 {
            let _ = thief.changes(old, new).await.expect(200);
            (old, new) = (new, old);
        }

        let _ = app.nth_letter_to(MIA, 3).await;
        app.stays_at(MIA, 3).await;
    }

    /// OT-05, and no purpose opens another.
    async fn a_reset_link_is_of_one_app_and_one_purpose(app: TestApp) {
        let mia = app.person(MIA).await;
        let verify = app.letter_to(MIA).await.token();
        let _ = mia.visitor().forgets(MIA).await.expect(200);
        let reset = app.token_of_letter(2).await;
        let other = app.founds("Other").await;

        let body = json!({"token": reset, "new_password": NEW});
        let elsewhere = app.visitor(&other.production).post("/v1/reset-password").json(body);
        elsewhere.await.refuses(400, "invalid_link");
        app.resets(&verify, NEW).await.refuses(400, "invalid_link");
        for path in ["/v1/verify-email", "/v1/magic-link/verify", "/v1/me/change-email/confirm"] {
            app.post(path).json(json!({"token": reset})).await.refuses(400, "invalid_link");
        }
        let _ = app.resets(&reset, NEW).await.expect(200);
    }

    async fn the_same_address_in_another_app_keeps_its_password(app: TestApp) {
        let _ = app.mia().await;
        let other = app.founds("Other").await;
        let elsewhere = app.visitor(&other.development).becomes(MIA, json!({})).await;
        let letters = app.letters_to(MIA).len();
        let _ = app.visitor(&app.own.development).forgets(MIA).await.expect(200);
        let token = app.nth_letter_to(MIA, letters.max(2) + 1).await.token();

        let _ = app.resets(&token, NEW).await.expect(200);

        let _ = elsewhere.me().await.expect(200);
        let _ = elsewhere.visitor().signs_in(MIA, PASSWORD).await.expect(200);
    }

    async fn an_administrator_starts_a_reset_and_never_learns_its_link(app: TestApp) {
        let mia = app.mia().await;
        let path = format!("/v1/admin/users/{}/reset-password", mia.id);

        let told = app.key().post(&path).await.told(202);

        assert_eq!(told, json!({"status": "accepted"}));
        let _ = mia.me().await.expect(200);
        let token = app.token_of_letter(2).await;
        let _ = app.resets(&token, NEW).await.expect(200);
        assert_eq!(app.events(&mia.door, Name::PasswordResetStarted).await.len(), 1);
        mia.visitor().enters(MIA, NEW).await.post(&path).await.refuses(403, "forbidden");
    }

    async fn a_changed_password_ends_the_other_sessions_and_not_this_one(app: TestApp) {
        let mia = app.mia().await;
        let elsewhere = mia.on_another_device().await;
        app.trusts_addresses(&app.own.production).await;
        let next_door = mia.enters(&app.own.production).await;

        let told = mia.changes(PASSWORD, NEW).await.told(200);

        assert_eq!(told, json!({"status": "changed"}));
        let _ = mia.me().await.expect(200);
        let _ = mia.refreshes().await.expect(200);
        for other in [&elsewhere, &next_door] {
            other.me().await.refuses(401, "invalid_token");
            other.refreshes().await.refuses(401, "invalid_refresh_token");
        }
        mia.visitor().signs_in(MIA, PASSWORD).await.refuses(401, "invalid_credentials");
        let _ = mia.visitor().signs_in(MIA, NEW).await.expect(200);
        eventually(async || {
            app.letters_to(MIA).iter().any(|letter| letter.subject.contains("password"))
        })
        .await;
    }

    async fn a_password_is_changed_only_by_who_knows_it(app: TestApp) {
        let mia = app.mia().await;

        mia.changes("another long password", NEW).await.refuses(401, "invalid_credentials");
        let without = json!({"new_password": NEW});
        mia.post("/v1/change-password").json(without).await.refuses(403, "reauth_required");
        let told = mia.changes(PASSWORD, "short").await.told(400);
        assert_eq!(told["errors"][0]["pointer"], "/new_password");
        mia.changes(PASSWORD, MIA).await.refuses(400, "weak_password");
        let key = json!({"current_password": PASSWORD, "new_password": NEW});
        let machine = app.key().post("/v1/change-password").json(key).await;
        machine.refuses(403, "forbidden");

        let _ = mia.visitor().signs_in(MIA, PASSWORD).await.expect(200);
    }

    async fn of_fifty_changes_at_once_one_is_the_password(app: TestApp) {
        let mia = app.mia().await;
        let wanted: Vec<String> = (0..20).map(|n| format!("a short loud brook, {n}")).collect();

        let replies = join_all(wanted.iter().map(async |new| mia.changes(PASSWORD, new).await)).await;

        let won: Vec<_> = replies.iter().zip(&wanted).filter(|(it, _)| it.status == 200).collect();
        assert_eq!(won.len(), 1, "{:?}", replies.iter().map(Reply::outcome).collect::<Vec<_>>());
        let _ = mia.visitor().signs_in(MIA, won[0].1).await.expect(200);
        let _ = mia.me().await.expect(200);
    }

    /// A sign-in with the old password that is under way ends with it, or does not begin.
    async fn no_session_of_the_old_password_outlives_its_change(app: TestApp) {
        let mia = app.mia().await;
        let visitor = mia.visitor();

        let signing_in = join_all((0..20).map(async |_| visitor.signs_in(MIA, PASSWORD).await));
        let (replies, changed) = futures_util::future::join(signing_in, async { mia.changes(PASSWORD, NEW).await }).await;

        let _ = changed.expect(200);
        for reply in replies.into_iter().filter(|reply| reply.status == 200) {
            let token = reply.json()["access_token"].as_str().map(str::to_owned);
            app.get("/v1/me").bearer(&token.unwrap_or_default()).await.refuses(401, "invalid_token");
        }
        let live = mia.sessions().await.told(200);
        assert_eq!(live["sessions"].as_array().map(Vec::len), Some(1), "{live}");
    }

    async fn a_changed_password_makes_every_letter_void(app: TestApp) {
        let mia = app.mia().await;
        let _ = mia.visitor().forgets(MIA).await.expect(200);
        let reset = app.token_of_letter(2).await;
        let link = json!({"email": MIA});
        let _ = mia.visitor().post("/v1/magic-link/send").json(link).await.expect(202);
        let magic = app.token_of_letter(3).await;

        let _ = mia.changes(PASSWORD, NEW).await.expect(200);

        app.resets(&reset, "yet another river").await.refuses(400, "invalid_link");
        let body = json!({"token": magic});
        app.post("/v1/magic-link/verify").json(body).await.refuses(400, "invalid_link");
    }
}
