//! E-mail addresses: what is one, and what is another's.

use authsome::notifications::Notification;
use futures_util::future::join_all;
use serde_json::json;

use crate::support::app::TestApp;
use crate::support::client::{Asks, Reply};
use crate::support::persona::PASSWORD;
use crate::support::stores::on_both_stores;

#[rustfmt::skip]
const NO_ADDRESSES: &[&str] = &[
    "", " ", "@", "mia", "mia@", "@example.org", "mia.example.org",
    // Lists, display names and header injection.
    "a@evil.io,v@corp.com", "a@evil.io;v@corp.com", "a@evil.io v@corp.com", "<a@evil.io>v@corp.com",
    "\"a@evil.io,\"@corp.com", "Mia <mia@example.org>", "a@evil.io%0aCc:v@corp.com",
    "a@evil.io\nCc:v@corp.com", "a@evil.io\r\nBcc: v@corp.com", "a(x)@corp.com", "a@@corp.com",
    "a@b@corp.com", "a＠b@corp.com", "mailto:a@corp.com", "v%evil.io@corp.com", "evil.io!v@corp.com",
    // Encoded words, quotes, literals.
    "=?utf-8?q?=61=62?=@corp.com", "\"v@evil.io\"@corp.com", "\"mia\"@corp.com", "mia@[127.0.0.1]",
    "mia@[IPv6:::1]", "mia@127.0.0.1", "mia@corp.com.", "mia@xn--example-.org", "mia@localhost",
    ".mia@corp.com", "mia.@corp.com", "mi..a@corp.com", "mi a@corp.com", "mia@corp_x.com",
    // What does not show.
    "mi\u{200b}a@corp.com", "mia@co\u{ad}rp.com", "\u{feff}mia@corp.com", "mi\u{202e}a@corp.com",
    "mi\0a@corp.com", "mia@corp.com\n", "\tmia@corp.com",
];

on_both_stores! {
    async fn no_other_text_makes_an_account(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        let longest = format!("{}@example.org", "a".repeat(65));
        let long = format!("mia@{}.org", "a.".repeat(130));

        for text in NO_ADDRESSES.iter().copied().chain([&*longest, &long]) {
            let refusal = visitor.signs_up(text, PASSWORD).await.refuses(400, "invalid_email");
            assert_eq!(refusal["errors"][0]["pointer"], "/email", "{text:?}");
        }

        assert_eq!(app.user_count(&app.own.development).await, 0);
    }

    /// EM-06: nor is anybody written to.
    async fn no_other_text_becomes_an_address_by_a_change(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let letters = async || app.of_environment::<Notification>(&mia.door).await.len();
        let before = letters().await;

        for text in NO_ADDRESSES {
            let change = json!({"email": text, "password": PASSWORD});
            let reply = mia.post("/v1/me/change-email").json(change).await;
            let refusal = reply.refuses(400, "invalid_email");
            assert_eq!(refusal["errors"][0]["pointer"], "/email", "{text:?}");
        }

        assert_eq!(letters().await, before);
    }

    async fn an_address_has_one_spelling(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        for (typed, kept) in [
            (" Mia@EXAMPLE.org ", "mia@example.org"),
            ("zoe\u{308}@bücher.example", "zoë@xn--bcher-kva.example"),
            ("ｆｕｌｌ@example.org", "full@example.org"),
        ] {
            let told = visitor.signs_up(typed, PASSWORD).await.told(201);
            assert_eq!(told["user"]["email"], kept);
            visitor.signs_in(&kept.to_uppercase(), PASSWORD).await.told(200);
        }
    }

    async fn a_known_address_is_taken_in_every_spelling(app: TestApp) {
        app.person("mia@example.org").await;

        let visitor = app.visitor(&app.own.development);
        for typed in ["mia@example.org", "MIA@EXAMPLE.ORG", " mia@example.org", "ｍia@example.org"] {
            visitor.signs_up(typed, PASSWORD).await.refuses(409, "email_taken");
        }

        assert_eq!(app.user_count(&app.own.development).await, 1);
    }

    async fn tags_and_dots_make_other_addresses(app: TestApp) {
        for email in ["v@x.io", "v+1@x.io", "v+2@x.io", "v.v@x.io", "vv@x.io"] {
            app.person(email).await;
        }

        assert_eq!(app.user_count(&app.own.development).await, 5);
    }

    /// Looking first and inserting then lets two through; the index lets one.
    async fn of_fifty_who_sign_up_with_one_address_one_has_it(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        let spellings = ["mia@example.org", "Mia@example.org", "mia@EXAMPLE.org"];
        let racers = spellings.iter().cycle().take(50);

        let replies = join_all(racers.map(async |email| visitor.signs_up(email, PASSWORD).await));

        let mut outcomes: Vec<_> = replies.await.iter().map(Reply::outcome).collect();
        outcomes.sort();
        assert_eq!(outcomes[0], "201");
        assert!(outcomes[1..].iter().all(|outcome| outcome == "409 email_taken"), "{outcomes:?}");
        assert_eq!(app.user_count(&app.own.development).await, 1);
    }

    async fn of_fifty_in_production_all_are_told_the_same(app: TestApp) {
        let visitor = app.visitor(&app.own.production);
        let racers = ["mia@example.org", "MIA@example.org"].iter().cycle().take(50);

        let replies = join_all(racers.map(async |email| visitor.signs_up(email, PASSWORD).await));

        for reply in replies.await {
            assert_eq!(reply.told(202), json!({"status": "verification_required"}));
        }
        assert_eq!(app.user_count(&app.own.production).await, 1);
    }

    async fn the_same_address_in_two_apps_is_two_accounts(app: TestApp) {
        let other = app.founds("Other").await.development;
        let here = app.person("mia@example.org").await;

        let there = app.visitor(&other);
        there.signs_in(&here.email, PASSWORD).await.refuses(401, "invalid_credentials");
        let there = there.becomes("mia@example.org", json!({})).await;
        let _ = there.signs_out_everywhere().await.expect(204);

        here.me().await.told(200);
        there.me().await.refuses(401, "invalid_token");
        assert_ne!(here.id, there.id);
    }
}
