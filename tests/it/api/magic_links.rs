//! Signing in by letter.

use std::time::Duration;

use authsome::events::Name;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::client::{Asks, Reply, assert_has};
use crate::support::persona::{Administers, PASSWORD, Visitor};
use crate::support::stores::on_both_stores;

const MIA: &str = "mia@example.org";

impl Visitor {
    async fn wants_a_link(&self, email: &str) -> Reply {
        let whose = json!({"email": email});
        self.post("/v1/magic-link/send").json(whose).await
    }
}

impl TestApp {
    async fn enters_by(&self, token: &str) -> Reply {
        let token = json!({"token": token});
        self.post("/v1/magic-link/verify").json(token).await
    }

    async fn token_of_link(&self, nth: usize) -> String {
        self.nth_letter_to(MIA, nth).await.token()
    }
}

on_both_stores! {
    async fn a_link_signs_in_once(app: TestApp) {
        let mia = app.person(MIA).await;
        let token = json!({"token": app.letter_to(MIA).await.token()});
        let _ = app.post("/v1/verify-email").json(token).await.expect(200);

        let told = mia.visitor().wants_a_link(MIA).await.told(202);
        assert_eq!(told, json!({"status": "accepted"}));
        let token = app.token_of_link(2).await;
        let signed_in = app.enters_by(&token).await.told(200);

        assert_has(&signed_in["user"], json!({"id": mia.id, "email_verified": true}));
        let access = signed_in["access_token"].as_str().expect("a token");
        let _ = app.get("/v1/me").bearer(access).await.expect(200);
        let sessions = app.get("/v1/sessions").bearer(access).await.told(200);
        let sessions = sessions["sessions"].as_array().expect("a list");
        let this = sessions.iter().find(|it| it["current"] == true).expect("this one");
        assert_eq!(this["amr"], json!(["otp"]));
        app.enters_by(&token).await.refuses(400, "invalid_link");
        // The password is still his.
        let _ = mia.visitor().signs_in(MIA, PASSWORD).await.expect(200);
        let _ = mia.me().await.expect(200);
        assert_eq!(app.events(&mia.door, Name::MagicLinkRequested).await.len(), 1);
    }

    async fn of_fifty_who_follow_one_link_one_signs_in(app: TestApp) {
        let mia = app.person(MIA).await;
        let _ = mia.visitor().wants_a_link(MIA).await.expect(202);
        let token = app.token_of_link(2).await;

        let replies = join_all((0..50).map(|_| app.enters_by(&token))).await;

        assert_eq!(replies.iter().filter(|it| it.status == 200).count(), 1);
    }

    async fn a_link_is_good_for_ten_minutes(app: TestApp) {
        let mia = app.person(MIA).await;
        let _ = mia.visitor().wants_a_link(MIA).await.expect(202);
        let token = app.token_of_link(2).await;
        app.clock.advance(Duration::from_mins(10));

        app.enters_by(&token).await.refuses(400, "link_expired");
    }

    /// EM-21: nobody gets an account by asking for a link.
    async fn a_link_makes_no_account_and_tells_of_none(app: TestApp) {
        let mia = app.person(MIA).await;
        let users = app.user_count(&mia.door).await;

        let known = mia.visitor().wants_a_link(MIA).await;
        let unknown = mia.visitor().wants_a_link("nobody@example.org").await;

        assert_eq!(known.tells(), unknown.tells());
        let _ = app.token_of_link(2).await;
        app.stays_at("nobody@example.org", 0).await;
        assert_eq!(app.user_count(&mia.door).await, users);
    }

    async fn a_banned_user_s_link_is_void_and_he_gets_no_other(app: TestApp) {
        let mia = app.person(MIA).await;
        let _ = mia.visitor().wants_a_link(MIA).await.expect(202);
        let token = app.token_of_link(2).await;

        let _ = app.key().bans(&mia.id, json!({})).await.expect(200);

        app.enters_by(&token).await.refuses(400, "invalid_link");
        let _ = mia.visitor().wants_a_link(MIA).await.expect(202);
        app.stays_at(MIA, 2).await;
    }

    /// Pre-hijacking: the password of whoever made the account is none any more.
    async fn who_follows_a_link_to_an_unproven_account_has_it_for_himself(app: TestApp) {
        let thief = app.person_with(MIA, json!({"username": "trojan"})).await;
        let _ = thief.visitor().wants_a_link(MIA).await.expect(202);
        let token = app.token_of_link(2).await;

        let signed_in = app.enters_by(&token).await.told(200);

        let access = signed_in["access_token"].as_str().expect("a token");
        let me = app.get("/v1/me").bearer(access).await.told(200);
        assert_eq!((&me["email_verified"], me.get("username")), (&json!(true), None::<&Value>));
        thief.me().await.refuses(401, "invalid_token");
        thief.refreshes().await.refuses(401, "invalid_refresh_token");
        thief.visitor().signs_in(MIA, PASSWORD).await.refuses(401, "invalid_credentials");
        // Without a password, a session that has just begun may set one.
        let new = json!({"new_password": "a short loud brook, 43"});
        let _ = app.post("/v1/change-password").bearer(access).json(new).await.expect(200);
        let _ = thief.visitor().signs_in(MIA, "a short loud brook, 43").await.expect(200);
    }

    async fn a_link_lets_in_where_addresses_must_be_verified(app: TestApp) {
        let visitor = app.visitor(&app.own.production);
        let _ = visitor.signs_up(MIA, PASSWORD).await.expect(202);
        let _ = visitor.wants_a_link(MIA).await.expect(202);
        let token = app.token_of_link(2).await;

        let told = app.enters_by(&token).await.told(200);

        assert_eq!(told["user"]["email_verified"], true);
    }

    async fn a_link_of_one_environment_is_none_in_another(app: TestApp) {
        let mia = app.person(MIA).await;
        let _ = mia.visitor().wants_a_link(MIA).await.expect(202);
        let token = app.token_of_link(2).await;
        let body = json!({"token": token});

        let production = app.visitor(&app.own.production);
        production.post("/v1/magic-link/verify").json(body).await.refuses(400, "invalid_link");
        let _ = app.enters_by(&token).await.expect(200);
    }
}
