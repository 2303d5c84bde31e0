//! Bans: who is kept out, from when, until when, and who may say so.

use std::future::IntoFuture;
use std::time::Duration;

use authsome::events::Name;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::app::{TestApp, eventually};
use crate::support::client::{Asks, assert_has};
use crate::support::persona::{Administers, PASSWORD};
use crate::support::stores::on_both_stores;

const HOUR: Duration = Duration::from_hours(1);
const IN_AN_HOUR: &str = "2040-01-01T01:00:00.000Z";

on_both_stores! {
    async fn a_ban_ends_everything_at_once_in_every_environment(app: TestApp) {
        app.trusts_addresses(&app.own.production).await;
        let mia = app.person("mia@example.org").await;
        let (phone, elsewhere) = (mia.on_another_device().await, mia.enters(&app.own.production).await);

        let told = app.key().bans(&mia.id, json!({"reason": "Sends spam"})).await.told(200);

        assert_has(&told, json!({"banned": true, "status": "banned", "ban_reason": "Sends spam"}));
        for device in [&mia, &phone, &elsewhere] {
            device.me().await.refuses(401, "invalid_token");
            device.refreshes().await.refuses(401, "invalid_refresh_token");
        }
        mia.signs_in().await.refuses(403, "account_disabled");
        elsewhere.signs_in().await.refuses(403, "account_disabled");
        let wrong = mia.visitor().signs_in(&mia.email, "another calm brook").await;
        wrong.refuses(401, "invalid_credentials");
    }

    async fn a_ban_counts_on_every_node(app: TestApp) {
        let node = app.another_node(&[]).await;
        let mia = app.person("mia@example.org").await;
        let there = || node.client().get("/v1/me").bearer(&mia.access_token());
        there().await.told(200);

        let _ = app.key().bans(&mia.id, json!({})).await.expect(200);

        let visitor = mia.visitor().by(node.client());
        visitor.presents(&mia.refresh_token()).await.refuses(401, "invalid_refresh_token");
        visitor.signs_in(&mia.email, PASSWORD).await.refuses(403, "account_disabled");
        eventually(async || there().await.status == 401).await;
    }

    async fn a_ban_with_a_term_ends_by_itself_and_to_the_millisecond(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let told = app.key().bans(&mia.id, json!({"expires_at": IN_AN_HOUR})).await.told(200);
        assert_eq!(told["ban_expires"], IN_AN_HOUR);

        app.clock.advance(Duration::from_millis(60 * 60 * 1_000 - 1));
        mia.signs_in().await.refuses(403, "account_disabled");
        app.clock.advance(Duration::from_millis(1));

        let told = mia.signs_in().await.told(200);
        assert_has(&told["user"], json!({"banned": false, "status": "active"}));
        assert_eq!(told["user"].get("ban_expires"), None);
        mia.refreshes().await.told(200);
        mia.me().await.told(200);
    }

    async fn what_was_ended_by_a_ban_stays_ended(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let _ = app.key().bans(&mia.id, json!({})).await.expect(200);

        let told = app.key().unbans(&mia.id).await.told(200);

        assert_has(&told, json!({"banned": false, "status": "active"}));
        mia.me().await.refuses(401, "invalid_token");
        mia.refreshes().await.refuses(401, "invalid_refresh_token");
        mia.signs_in().await.told(200);
        mia.me().await.told(200);
    }

    async fn a_second_ban_takes_the_place_of_the_first(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let first = json!({"reason": "Sends spam", "expires_at": IN_AN_HOUR});
        let _ = app.key().bans(&mia.id, first).await.expect(200);

        let told = app.key().bans(&mia.id, json!({"reason": "Sends much spam"})).await.told(200);

        assert_has(&told, json!({"banned": true, "ban_reason": "Sends much spam"}));
        assert_eq!(told.get("ban_expires"), None);
        app.clock.advance(2 * HOUR);
        mia.signs_in().await.refuses(403, "account_disabled");
        let told = app.key().bans(&mia.id, json!({})).await.told(200);
        assert_eq!(told.get("ban_reason"), None);
    }

    async fn lifting_what_is_not_there_changes_and_tells_nothing(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let before = mia.me().await.told(200);

        assert_eq!(app.key().unbans(&mia.id).await.told(200), before);

        mia.me().await.told(200);
        assert!(app.events(&mia.door, Name::UserUnbanned).await.is_empty());
    }

    async fn a_ban_must_be_asked_for_properly(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let past = ["2040-01-01T00:00:00.000Z", "2039-12-31T23:59:59Z", "1970-01-01T00:00:00Z"];

        for (ban, refusal) in [
            (json!({"expires_at": "tomorrow"}), "invalid_body"),
            (json!({"expires_at": 7}), "invalid_body"),
            (json!({"reason": ""}), "invalid_body"),
            (json!({"reason": "a\nb"}), "invalid_body"),
            (json!({"reason": "x".repeat(101)}), "invalid_body"),
            (json!({"until": IN_AN_HOUR}), "unknown_field"),
        ] {
            app.key().bans(&mia.id, ban).await.refuses(400, refusal);
        }
        for at in past {
            let refusal = app.key().bans(&mia.id, json!({"expires_at": at})).await;
            let refusal = refusal.refuses(400, "invalid_body");
            assert_eq!(refusal["errors"][0]["pointer"], "/expires_at");
        }

        mia.me().await.told(200);
    }

    async fn only_administrators_ban_and_never_themselves(app: TestApp) {
        let admin = app.admin().await;
        let (mia, max) = (app.person("mia@example.org").await, app.person("max@example.org").await);

        mia.bans(&max.id, json!({})).await.refuses(403, "forbidden");
        mia.unbans(&max.id).await.refuses(403, "forbidden");
        app.bans(&max.id, json!({})).await.refuses(401, "unauthenticated");
        admin.bans(&admin.id, json!({})).await.refuses(403, "forbidden");

        admin.bans(&max.id, json!({})).await.told(200);
        admin.me().await.told(200);
    }

    async fn nobody_bans_or_lets_back_who_has_a_role_that_he_has_not(app: TestApp) {
        let platform_admin = app.colleague("pia@example.org", &["ADMIN"]).await;
        let owner = app.operator().await;
        let second = app.colleague("pit@example.org", &["OWNER"]).await;

        platform_admin.bans(&second.id, json!({})).await.refuses(403, "role_not_held");
        second.me().await.told(200);
        owner.bans(&second.id, json!({})).await.told(200);
        platform_admin.unbans(&second.id).await.refuses(403, "role_not_held");

        second.signs_in().await.refuses(403, "account_disabled");
    }

    async fn an_operator_bans_in_another_app(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let path = format!("/v1/admin/users/{}/ban{}", mia.id, mia.door.query());

        app.operator().await.post(&path).json(json!({})).await.told(200);

        mia.me().await.refuses(401, "invalid_token");
    }

    async fn the_last_administrator_cannot_be_banned(app: TestApp) {
        let admin = app.admin().await;

        app.key().bans(&admin.id, json!({})).await.refuses(409, "last_admin");
        let term = json!({"expires_at": IN_AN_HOUR});
        app.key().bans(&admin.id, term).await.refuses(409, "last_admin");

        admin.me().await.told(200);
        admin.signs_in().await.told(200);
    }

    async fn a_banned_administrator_does_not_count_until_he_is_let_back(app: TestApp) {
        let admin = app.admin().await;
        let mia = app.person("mia@example.org").await;
        let _ = admin.assigns(&mia.id, &["ADMIN"]).await.expect(200);
        let _ = admin.bans(&mia.id, json!({})).await.expect(200);
        app.key().assigns(&admin.id, &[]).await.refuses(409, "last_admin");
        app.key().bans(&admin.id, json!({})).await.refuses(409, "last_admin");
        app.key().deletes(&admin.id).await.refuses(409, "last_admin");
        // A second ban counts nobody out a second time.
        let _ = admin.bans(&mia.id, json!({"reason": "again"})).await.expect(200);
        assert_eq!(app.guardians(&app.own.development).await, 1);

        let _ = admin.unbans(&mia.id).await.expect(200);

        assert_eq!(app.guardians(&app.own.development).await, 2);
        let _ = app.key().assigns(&admin.id, &[]).await.expect(200);
        app.key().assigns(&mia.id, &[]).await.refuses(409, "last_admin");
    }

    /// Whether an app has an administrator must not depend on what time it is.
    async fn an_administrator_whose_ban_has_run_out_counts_once_it_is_lifted(app: TestApp) {
        let admin = app.admin().await;
        let mia = app.person("mia@example.org").await;
        let _ = admin.assigns(&mia.id, &["ADMIN"]).await.expect(200);
        let _ = admin.bans(&mia.id, json!({"expires_at": IN_AN_HOUR})).await.expect(200);
        app.clock.advance(HOUR);
        let _ = mia.signs_in().await.expect(200);
        mia.get("/v1/admin/users").await.told(200);
        app.key().assigns(&admin.id, &[]).await.refuses(409, "last_admin");

        let _ = app.key().unbans(&mia.id).await.expect(200);

        mia.get("/v1/admin/users").await.told(200);
        let _ = app.key().assigns(&admin.id, &[]).await.expect(200);
        app.key().bans(&mia.id, json!({})).await.refuses(409, "last_admin");
    }

    async fn roles_that_change_under_a_ban_keep_the_count_true(app: TestApp) {
        let admin = app.admin().await;
        let (mia, max) = (app.person("mia@example.org").await, app.person("max@example.org").await);
        let _ = admin.assigns(&mia.id, &["ADMIN"]).await.expect(200);
        for id in [&mia.id, &max.id] {
            let _ = admin.bans(id, json!({})).await.expect(200);
        }

        let _ = admin.assigns(&mia.id, &[]).await.expect(200);
        let _ = admin.assigns(&max.id, &["ADMIN"]).await.expect(200);

        assert_eq!(app.guardians(&app.own.development).await, 1);
        for id in [&mia.id, &max.id] {
            let _ = admin.unbans(id).await.expect(200);
        }
        assert_eq!(app.guardians(&app.own.development).await, 2);
        let _ = app.key().bans(&max.id, json!({})).await.expect(200);
        let _ = app.key().deletes(&max.id).await.expect(204);
        assert_eq!(app.guardians(&app.own.development).await, 1);
    }

    /// Each ban sees the other administrator still there; only what both change stops one.
    async fn of_two_administrators_who_ban_each_other_at_once_one_stays(app: TestApp) {
        let (mia, max) = (app.person("mia@example.org").await, app.person("max@example.org").await);
        let key = app.key();

        for round in 0..20 {
            for person in [&mia, &max] {
                let _ = key.unbans(&person.id).await.expect(200);
                let _ = key.assigns(&person.id, &["ADMIN"]).await.expect(200);
                let _ = person.signs_in().await.expect(200);
            }
            let (one, other) = join(
                mia.bans(&max.id, json!({})).into_future(),
                max.bans(&mia.id, json!({})).into_future(),
            )
            .await;
            let outcomes = [one.outcome(), other.outcome()];
            let bans = outcomes.iter().filter(|it| *it == "200").count();
            assert_eq!(bans, 1, "round {round}: {outcomes:?}");
            assert_eq!(app.guardians(&app.own.development).await, 1, "round {round}");
        }
    }

    async fn nobody_is_in_after_a_ban_whoever_signed_in_meanwhile(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let (key, visitor) = (app.key(), mia.visitor());

        let enter = (0..20).map(|_| visitor.signs_in(&mia.email, PASSWORD).into_future());
        let (replies, ban) = join(join_all(enter), key.bans(&mia.id, json!({})).into_future()).await;

        assert_eq!(ban.status, 200);
        for reply in replies {
            if reply.status != 200 {
                reply.refuses(403, "account_disabled");
                continue;
            }
            let told = reply.json();
            let access = told["access_token"].as_str().unwrap();
            app.get("/v1/me").bearer(access).await.refuses(401, "invalid_token");
            let refresh = visitor.presents(told["refresh_token"].as_str().unwrap()).await;
            refresh.refuses(401, "invalid_refresh_token");
        }
        let path = format!("/v1/admin/users/{}/sessions", mia.id);
        assert_eq!(key.get(&path).await.told(200)["sessions"], json!([]));
    }

    async fn users_are_found_by_their_standing_as_it_is_now(app: TestApp) {
        let (mia, max) = (app.person("mia@example.org").await, app.person("max@example.org").await);
        app.person("noah@example.org").await;
        let _ = app.key().bans(&mia.id, json!({"expires_at": IN_AN_HOUR})).await.expect(200);
        let _ = app.key().bans(&max.id, json!({})).await.expect(200);
        let found = async |standing: &str| {
            let path = format!("/v1/admin/users?include=total&status={standing}");
            emails(&app.key().get(&path).await.told(200))
        };

        assert_eq!(found("banned").await, ["max@example.org", "mia@example.org"]);
        assert_eq!(found("active").await, ["noah@example.org"]);
        app.clock.advance(HOUR);
        assert_eq!(found("banned").await, ["max@example.org"]);
        assert_eq!(found("active").await, ["mia@example.org", "noah@example.org"]);
    }

    async fn a_ban_is_told_without_its_reason(app: TestApp) {
        let admin = app.admin().await;
        let mia = app.person("mia@example.org").await;
        let ban = json!({"reason": "Called Olga names", "expires_at": IN_AN_HOUR});
        let _ = admin.bans(&mia.id, ban).await.expect(200);
        let _ = admin.unbans(&mia.id).await.expect(200);

        let banned = app.events(&mia.door, Name::UserBanned).await;
        let unbanned = app.events(&mia.door, Name::UserUnbanned).await;

        assert_eq!((banned.len(), unbanned.len()), (1, 1));
        for event in banned.iter().chain(&unbanned) {
            assert_eq!(event.actor.id.as_ref(), Some(&admin.id));
            assert_eq!(event.target.as_ref().and_then(|it| it.id.as_ref()), Some(&mia.id));
        }
        let details = Value::Object(banned[0].details.clone());
        assert_eq!(details, json!({"expires_at": IN_AN_HOUR}));
    }

    async fn the_sessions_that_a_ban_ends_are_told_as_all_others(app: TestApp) {
        let admin = app.admin().await;
        let mia = app.person("mia@example.org").await;
        mia.on_another_device().await;

        let _ = admin.bans(&mia.id, json!({})).await.expect(200);

        let told = app.events(&mia.door, Name::SessionsRevoked).await;
        let [event] = &told[..] else { panic!("{told:?}") };
        let details = Value::Object(event.details.clone());
        assert_eq!(details, json!({"reason": "banned", "sessions": 2}));
        assert_eq!(event.actor.id.as_ref(), Some(&admin.id));
        assert_eq!(event.target.as_ref().and_then(|it| it.id.as_ref()), Some(&mia.id));
    }
}

fn emails(page: &Value) -> Vec<String> {
    let all = page["users"].as_array().expect("a list of users");
    assert_eq!(page["total"], all.len());
    let mut emails: Vec<_> = all
        .iter()
        .map(|user| user["email"].as_str().unwrap_or_default().to_owned())
        .collect();
    emails.sort();
    emails
}
