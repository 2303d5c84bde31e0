//! Another address: asked for with the password, confirmed by its holder, told to the old one.

use std::time::Duration;

use authsome::events::{Name, Outcome};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::app::{LimitedLetters, TestApp, eventually};
use crate::support::client::{Asks, Reply};
use crate::support::persona::{Administers, PASSWORD, Person};
use crate::support::stores::on_both_stores;

const MIA: &str = "mia@example.org";
const NEW: &str = "mia@example.net";

impl Person {
    async fn wants(&self, email: &str) -> Reply {
        let change = json!({"email": email, "password": PASSWORD});
        self.post("/v1/me/change-email").json(change).await
    }
}

impl TestApp {
    async fn confirms(&self, token: &str) -> Reply {
        let token = json!({"token": token});
        self.post("/v1/me/change-email/confirm").json(token).await
    }
}

on_both_stores! {
    async fn an_address_changes_when_the_new_one_confirms(app: TestApp) {
        let mia = app.person(MIA).await;

        assert_eq!(mia.wants(NEW).await.told(202), json!({"status": "accepted"}));
        let token = app.letter_to(NEW).await.token();
        assert_eq!(mia.me().await.told(200)["email"], MIA);
        assert_eq!(app.confirms(&token).await.told(200), json!({"status": "changed"}));

        // The token names the old address; the session goes on.
        mia.me().await.refuses(401, "invalid_token");
        let _ = mia.refreshes().await.expect(200);
        let me = mia.me().await.told(200);
        assert_eq!((&me["email"], &me["email_verified"]), (&json!(NEW), &json!(true)));
        mia.visitor().signs_in(MIA, PASSWORD).await.refuses(401, "invalid_credentials");
        let _ = mia.visitor().signs_in(NEW, PASSWORD).await.expect(200);
        // Sign-up, the request, and what has become of it.
        let _ = app.nth_letter_to(MIA, 3).await;
        app.confirms(&token).await.refuses(400, "invalid_link");
        assert_eq!(app.events(&mia.door, Name::EmailChanged).await.len(), 1);
        // The address that is free again is anybody's.
        let _ = app.person(MIA).await;
    }

    async fn a_change_needs_the_password(app: TestApp) {
        let mia = app.person(MIA).await;
        let with = |password| json!({"email": NEW, "password": password});

        let wrong = mia.post("/v1/me/change-email").json(with("another long password")).await;
        wrong.refuses(401, "invalid_credentials");
        let without = mia.post("/v1/me/change-email").json(json!({"email": NEW})).await;
        without.refuses(403, "reauth_required");
        mia.wants(MIA).await.refuses(400, "invalid_body");
        mia.wants("not an address").await.refuses(400, "invalid_email");
        app.stays_at(NEW, 0).await;
    }

    async fn a_taken_address_looks_like_a_free_one_and_its_holder_is_told(app: TestApp) {
        let mia = app.person(MIA).await;
        let _ = app.person("zoe@example.org").await;

        let taken = mia.wants("zoe@example.org").await;
        let free = mia.wants(NEW).await;

        assert_eq!(taken.tells(), free.tells());
        let letter = app.nth_letter_to("zoe@example.org", 2).await;
        assert!(letter.links().iter().all(|link| !link.contains("token=")), "{}", letter.text);
    }

    async fn who_comes_second_to_an_address_does_not_get_it(app: TestApp) {
        let mia = app.person(MIA).await;
        let zoe = app.person("zoe@example.org").await;
        let _ = mia.wants(NEW).await.expect(202);
        let first = app.letter_to(NEW).await.token();
        let _ = zoe.wants(NEW).await.expect(202);
        let second = app.nth_letter_to(NEW, 2).await.token();

        let replies = join_all([&first, &second].map(|token| app.confirms(token))).await;

        let mut outcomes: Vec<_> = replies.iter().map(Reply::outcome).collect();
        outcomes.sort();
        assert_eq!(outcomes, ["200", "409 email_taken"]);
    }

    async fn of_fifty_who_confirm_with_one_link_one_gets_through(app: TestApp) {
        let mia = app.person(MIA).await;
        let _ = mia.wants(NEW).await.expect(202);
        let token = app.letter_to(NEW).await.token();

        let replies = join_all((0..50).map(|_| app.confirms(&token))).await;

        assert_eq!(replies.iter().filter(|it| it.status == 200).count(), 1);
    }

    /// EM-14: a change that was begun before a reset is none after it.
    async fn a_reset_makes_a_begun_change_void(app: TestApp) {
        let mia = app.person(MIA).await;
        let _ = mia.wants("thief@example.org").await.expect(202);
        let change = app.letter_to("thief@example.org").await.token();
        let letters = 2;
        let _ = app.nth_letter_to(MIA, letters).await;
        let whose = json!({"email": MIA});
        let _ = mia.visitor().post("/v1/forgot-password").json(whose).await.expect(200);
        let reset = app.nth_letter_to(MIA, letters + 1).await.token();
        let new = json!({"token": reset, "new_password": "a short loud brook, 43"});
        let _ = app.post("/v1/reset-password").json(new).await.expect(200);

        app.confirms(&change).await.refuses(400, "invalid_link");

        let _ = mia.visitor().signs_in(MIA, "a short loud brook, 43").await.expect(200);
        eventually(async || {
            let told = app.events(&mia.door, Name::EmailChangeRejected).await;
            told.len() == 1 && told[0].outcome == Outcome::Denied
        })
        .await;
    }

    /// EM-14: nor is one that a stranger with the old password begins while the reset is under way.
    async fn a_change_stands_by_the_password_that_it_was_begun_with(app: TestApp) {
        let mia = app.person(MIA).await;
        let thief = mia.on_another_device().await;
        let whose = json!({"email": MIA});
        let _ = mia.visitor().post("/v1/forgot-password").json(whose).await.expect(200);
        let reset = app.nth_letter_to(MIA, 2).await.token();
        let new = json!({"token": reset, "new_password": "a short loud brook, 43"});

        let reset = app.post("/v1/reset-password").json(new);
        let begun = (0..10).map(|nth| {
            let email = format!("thief-{nth}@example.org");
            let change = json!({"email": email, "password": PASSWORD});
            thief.post("/v1/me/change-email").json(change).into_future()
        });
        let (reset, _) = tokio::join!(reset.into_future(), join_all(begun));
        let _ = reset.expect(200);

        let mut tokens = Vec::new();
        for nth in 0..10 {
            let letters = app.letters_to(&format!("thief-{nth}@example.org"));
            tokens.extend(letters.iter().map(crate::support::mail::Letter::token));
        }
        for token in tokens {
            app.confirms(&token).await.refuses(400, "invalid_link");
        }
        let _ = mia.visitor().signs_in(MIA, "a short loud brook, 43").await.expect(200);
    }

    /// Letters to any number of strangers are not to be had by changing one's address.
    async fn a_user_begins_as_many_changes_as_strangers_may_write_to_him(limited: LimitedLetters) {
        let app = limited.0;
        let mia = app.person(MIA).await;
        for nth in 0..3 {
            let _ = mia.wants(&format!("stranger-{nth}@example.org")).await.expect(202);
        }

        mia.wants("stranger-3@example.org").await.refuses(429, "too_many_attempts");

        app.stays_at("stranger-3@example.org", 0).await;
        app.clock.advance(Duration::from_mins(10));
        let _ = mia.wants(NEW).await.expect(202);
    }

    async fn a_begun_change_is_over_after_an_hour(app: TestApp) {
        let mia = app.person(MIA).await;
        let _ = mia.wants(NEW).await.expect(202);
        let token = app.letter_to(NEW).await.token();
        app.clock.advance(Duration::from_hours(1));

        app.confirms(&token).await.refuses(400, "link_expired");
    }

    async fn a_deleted_user_s_links_lead_nowhere(app: TestApp) {
        let mia = app.person(MIA).await;
        let _ = mia.wants(NEW).await.expect(202);
        let token = app.letter_to(NEW).await.token();

        let _ = app.key().deletes(&mia.id).await.expect(204);

        app.confirms(&token).await.refuses(400, "invalid_link");
    }
}
