//! Leaving for good: by one's own hand or an administrator's, and what is left.

use std::collections::BTreeSet;
use std::future::IntoFuture;
use std::time::Duration;

use authsome::credentials::Credential;
use authsome::events::{Event, Name};
use authsome::kernel::entropy::Entropy;
use authsome::kernel::language::Language;
use authsome::kernel::text::Email;
use authsome::notifications::{Letter, Message, Notification, Outbox};
use authsome::users::{Status, User};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::app::{Guarded, NEW_YEAR, TestApp, eventually};
use crate::support::client::Asks;
use crate::support::dump::{collections, documents, holds};
use crate::support::node::Node;
use crate::support::persona::{Administers, PASSWORD, Person, Tokens};
use crate::support::stores::on_both_stores;

const WRONG: &str = "another calm brook";

/// Collections whose documents name a user.
const ABOUT_SOMEBODY: &[&str] = &[
    "authsome_api_keys",
    "authsome_credentials",
    "authsome_devices",
    "authsome_events",
    "authsome_idempotency_keys",
    "authsome_invitations",
    "authsome_lockouts",
    "authsome_members",
    "authsome_notifications",
    "authsome_password_resets",
    "authsome_revocations",
    "authsome_sessions",
    "authsome_team_members",
    "authsome_users",
    "authsome_verifications",
];

const ABOUT_NOBODY: &[&str] = &[
    "authsome_app_client_configs",
    "authsome_app_session_configs",
    "authsome_apps",
    "authsome_branding_configs",
    "authsome_environment_removals",
    "authsome_environments",
    "authsome_form_configs",
    "authsome_form_versions",
    "authsome_leases",
    "authsome_migrations",
    "authsome_organizations",
    "authsome_permissions",
    "authsome_rate_counters",
    "authsome_restores",
    "authsome_roles",
    "authsome_schema",
    "authsome_secret_marks",
    "authsome_settings",
    "authsome_service_accounts",
    "authsome_signing_keys",
    "authsome_superseded_keys",
    "authsome_teams",
    "authsome_webhook_deliveries",
    "authsome_webhooks",
];

on_both_stores! {
    async fn whoever_leaves_is_gone_with_everything_he_held(app: TestApp) {
        app.trusts_addresses(&app.own.production).await;
        let mia = app.person("mia@example.org").await;
        let (phone, elsewhere) = (mia.on_another_device().await, mia.enters(&app.own.production).await);

        let _ = mia.leaves(PASSWORD).await.expect(204);

        for device in [&mia, &phone, &elsewhere] {
            device.me().await.refuses(401, "invalid_token");
            device.refreshes().await.refuses(401, "invalid_refresh_token");
            device.signs_in().await.refuses(401, "invalid_credentials");
        }
        assert!(app.of_app::<Credential>(&mia.door).await.is_empty());
        assert!(app.sessions_of(&mia.door, &mia.id).await.is_empty());
    }

    async fn every_node_refuses_what_the_gone_one_held(app: TestApp) {
        let node = app.another_node(&[]).await;
        let (mia, max) = (app.person("mia@example.org").await, app.person("max@example.org").await);
        for person in [&mia, &max] {
            node.client().get("/v1/me").bearer(&person.access_token()).await.told(200);
        }

        let _ = mia.leaves(PASSWORD).await.expect(204);
        let _ = app.key().deletes(&max.id).await.expect(204);

        for person in [&mia, &max] {
            everything_is_refused(&node, person).await;
        }
    }

    async fn nobody_leaves_without_the_right_password(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        mia.leaves(WRONG).await.refuses(401, "invalid_credentials");
        for proof in [json!({}), json!({"password": null})] {
            let reply = mia.delete("/v1/me").json(proof).await;
            reply.refuses(403, "reauth_required");
        }
        mia.delete("/v1/me").json(json!({"password": ""})).await.refuses(401, "invalid_credentials");
        mia.delete("/v1/me").json(json!({"password": 7})).await.refuses(400, "invalid_body");
        mia.delete("/v1/me").json(json!({"passwort": "x"})).await.refuses(400, "unknown_field");
        mia.delete("/v1/me").await.refuses(415, "unsupported_media_type");

        mia.me().await.told(200);
        mia.refreshes().await.told(200);
        let denied = app.events(&mia.door, Name::ReauthenticationDenied).await;
        let mut reasons: Vec<_> =
            denied.iter().filter_map(|event| event.details["reason"].as_str()).collect();
        reasons.sort_unstable();
        let (wrong, missing) = ("invalid_credentials", "reauth_required");
        assert_eq!(reasons, [wrong, wrong, missing, missing]);
        assert!(app.events(&mia.door, Name::UserDeleted).await.is_empty());
    }

    async fn an_account_without_a_password_is_proven_by_a_sign_in_of_late(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        app.loses_password(&mia.door, &mia.id).await;
        app.clock.advance(Duration::from_mins(10));
        for proof in [json!({}), json!({"password": PASSWORD})] {
            let reply = mia.delete("/v1/me").json(proof).await;
            reply.refuses(403, "reauth_required");
        }
        let max = app.person("max@example.org").await;
        app.loses_password(&max.door, &max.id).await;
        app.clock.advance(Duration::from_millis(10 * 60 * 1_000 - 1));

        let _ = max.delete("/v1/me").json(json!({})).await.expect(204);

        max.me().await.refuses(401, "invalid_token");
        mia.refreshes().await.told(200);
    }

    async fn a_machine_and_a_stranger_delete_no_account_of_theirs(app: TestApp) {
        let proof = json!({"password": PASSWORD});
        let machine = app.key().delete("/v1/me").json(proof.clone()).await;
        machine.refuses(403, "forbidden");
        app.delete("/v1/me").json(proof).await.refuses(401, "unauthenticated");
    }

    async fn the_address_is_free_at_once_and_its_next_holder_is_somebody_else(app: TestApp) {
        let names = json!({"username": "mia", "phone": "+4917012345"});
        let before = app.person_with("mia@example.org", names.clone()).await;
        let _ = before.leaves(PASSWORD).await.expect(204);

        let after = app.person_with("mia@example.org", names).await;

        assert_ne!(after.id, before.id);
        assert_eq!(ids(&after.sessions().await.told(200)), [after.session_id()]);
        let export = after.get("/v1/me/export").await.expect(200).text();
        assert!(!export.contains(&before.id) && !export.contains(&before.session_id()));
        before.me().await.refuses(401, "invalid_token");
        before.refreshes().await.refuses(401, "invalid_refresh_token");
        let _ = app.key().deletes(&before.id).await.expect(404);
        after.me().await.told(200);
    }

    async fn whoever_is_gone_is_found_nowhere(app: TestApp) {
        let admin = app.admin().await;
        let mia = app.person("mia@example.org").await;
        let _ = admin.deletes(&mia.id).await.expect(204);
        let path = format!("/v1/admin/users/{}", mia.id);

        for gone in [
            admin.get(&path).await,
            admin.get(&format!("/v1/users/{}", mia.id)).await,
            admin.deletes(&mia.id).await,
            admin.bans(&mia.id, json!({})).await,
            admin.unbans(&mia.id).await,
            admin.assigns(&mia.id, &["ADMIN"]).await,
            admin.get(&format!("{path}/sessions")).await,
            admin.delete(&format!("{path}/sessions")).await,
        ] {
            gone.refuses(404, "not_found");
        }
        for query in ["?include=total", "?page=1", "?email=", "?email=ausr", "?role=USER"] {
            let list = admin.get(&format!("/v1/admin/users{query}")).await.told(200);
            let shown = list["users"].as_array().map(Vec::len);
            assert_eq!(shown, Some(usize::from(query != "?email=ausr")), "{query}");
            let total = list.get("total").or(list.get("total_count"));
            assert!(total.is_none_or(|total| *total == 1), "{query}");
        }
        assert_eq!(app.events(&mia.door, Name::UserDeleted).await.len(), 1);
    }

    async fn what_is_left_says_nothing_of_anybody(app: TestApp) {
        let mia = somebody_with_everything(&app).await;
        let signs = ["mia@example.org", "mia.k", "Mia ♥", "Mia-Maria", "Kästner", "+4917012345",
            "https://example.org/mia.png", "plays the lute"];
        let before = documents(&app).await;
        for sign in signs {
            assert!(holds(&before, sign), "{sign} was never there");
        }

        let _ = mia.leaves(PASSWORD).await.expect(204);

        let after = documents(&app).await;
        for sign in signs {
            assert!(!holds(&after, sign), "{sign} is still there");
        }
        let left: Vec<User> = app.of_app(&mia.door).await;
        let left = left.iter().find(|user| user.id.to_string() == mia.id).unwrap();
        assert_eq!((left.status, left.deleted_at), (Status::Deleted, Some(NEW_YEAR)));
        assert!(left.roles.is_empty() && left.last_sign_in_at.is_none());
        assert!(left.email.as_str().ends_with("@deleted.invalid"));
        assert!(!left.email.as_str().contains(&mia.id), "it could be foreseen");
    }

    /// A collection that is new must be told here to be about somebody or about nobody.
    async fn no_collection_holds_anything_of_a_deleted_user_but_what_happened(app: Guarded) {
        let app = app.0;
        let mia = app.person_of_a_rich_life().await;
        let before = collections(app.location()).await;
        let known: BTreeSet<&str> = ABOUT_SOMEBODY.iter().chain(ABOUT_NOBODY).copied().collect();
        assert_eq!(before.keys().map(String::as_str).collect::<BTreeSet<_>>(), known);
        for (name, documents) in &before {
            let is_about = documents.iter().any(|document| names(document, &mia.id));
            assert_eq!(is_about, ABOUT_SOMEBODY.contains(&&**name), "{name}");
        }

        let _ = app.key().deletes(&mia.id).await.expect(204);

        for (name, documents) in collections(app.location()).await {
            let mut of_mia = documents.iter().filter(|document| names(document, &mia.id));
            match &*name {
                "authsome_events" | "authsome_revocations" => {}
                // What is left of the account, and the letter that says farewell.
                "authsome_users" => assert_eq!(of_mia.count(), 1),
                "authsome_notifications" => {
                    let left: Vec<_> = of_mia.map(|letter| &letter["template"]).collect();
                    assert_eq!(left, ["account_deleted"]);
                }
                _ => assert_eq!(of_mia.next(), None, "{name}"),
            }
        }
    }

    async fn what_happened_stays_on_record(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let before: Vec<Event> = app.of_environment(&mia.door).await;

        let _ = mia.leaves(PASSWORD).await.expect(204);

        let after: Vec<Event> = app.of_environment(&mia.door).await;
        assert_eq!(after.len(), before.len() + 1);
        let deleted = &app.events(&mia.door, Name::UserDeleted).await[0];
        assert_eq!(deleted.actor.id.as_ref(), Some(&mia.id));
        assert_eq!(deleted.target.as_ref().and_then(|it| it.id.as_ref()), Some(&mia.id));
        assert!(deleted.details.is_empty());
    }

    async fn one_letter_says_farewell_and_the_older_ones_are_gone(app: TestApp) {
        let (mia, max) = (app.person("mia@example.org").await, app.person("max@example.org").await);
        for person in [&mia, &max] {
            app.writes_to(person).await;
        }

        let _ = mia.leaves(PASSWORD).await.expect(204);

        let mut letters: Vec<Notification> = app.of_environment(&mia.door).await;
        letters.sort_by_key(|letter| letter.template.clone());
        let shown: Vec<_> = letters
            .iter()
            .map(|letter| (&*letter.template, letter.user_id.map(|id| id.to_string())))
            .collect();
        let farewell = ("account_deleted", Some(mia.id.clone()));
        let of_max = |template| (template, Some(max.id.clone()));
        assert_eq!(shown, [farewell, of_max("password_changed"), of_max("verify_email")]);
    }

    async fn the_address_is_gone_with_the_last_letter(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        let _ = mia.leaves(PASSWORD).await.expect(204);

        let _ = app.nth_letter_to(&mia.email, 2).await;
        eventually(async || {
            let letters: Vec<Notification> = app.of_environment(&mia.door).await;
            matches!(&letters[..], [last] if last.sent_at.is_some() && last.to.is_none())
        })
        .await;
    }

    async fn an_administrator_deletes_without_a_password_but_never_himself(app: TestApp) {
        let admin = app.admin().await;
        let mia = app.person("mia@example.org").await;
        mia.deletes(&admin.id).await.refuses(403, "forbidden");
        admin.deletes(&admin.id).await.refuses(403, "forbidden");

        let _ = admin.deletes(&mia.id).await.expect(204);

        mia.me().await.refuses(401, "invalid_token");
        let told = &app.events(&mia.door, Name::UserDeleted).await;
        assert_eq!((told.len(), told[0].actor.id.as_ref()), (1, Some(&admin.id)));
        admin.me().await.told(200);
    }

    async fn nobody_deletes_who_has_a_role_that_he_has_not(app: TestApp) {
        let platform_admin = app.colleague("pia@example.org", &["ADMIN"]).await;
        let second = app.colleague("pit@example.org", &["OWNER"]).await;

        platform_admin.deletes(&second.id).await.refuses(403, "role_not_held");

        second.me().await.told(200);
        let _ = app.operator().await.deletes(&second.id).await.expect(204);
    }

    async fn the_last_administrator_does_not_leave(app: TestApp) {
        let admin = app.admin().await;
        let operator = app.operator().await;

        admin.leaves(PASSWORD).await.refuses(409, "last_admin");
        app.key().deletes(&admin.id).await.refuses(409, "last_admin");
        operator.leaves(&operator.password).await.refuses(409, "last_admin");

        admin.me().await.told(200);
        admin.signs_in().await.told(200);
        operator.me().await.told(200);
        let mia = app.person("mia@example.org").await;
        let _ = admin.assigns(&mia.id, &["ADMIN"]).await.expect(200);
        let _ = admin.leaves(PASSWORD).await.expect(204);
        app.key().deletes(&mia.id).await.refuses(409, "last_admin");
    }

    async fn of_two_administrators_who_leave_at_once_one_stays(app: TestApp) {
        let key = app.key();
        let mut stayed = app.admin().await;

        for round in 0..8 {
            let other = app.person(&format!("mia{round}@example.org")).await;
            let _ = key.assigns(&other.id, &["ADMIN"]).await.expect(200);
            let _ = other.refreshes().await.expect(200);
            let leave = |person: &Person| person.leaves(PASSWORD).into_future();
            let (one, two) = join(leave(&stayed), leave(&other)).await;
            let outcomes = [one.outcome(), two.outcome()];
            assert!(outcomes.contains(&"204".to_owned()), "round {round}: {outcomes:?}");
            assert!(outcomes.contains(&"409 last_admin".to_owned()), "round {round}: {outcomes:?}");
            assert_eq!(app.guardians(&app.own.development).await, 1, "round {round}");
            if one.status == 204 {
                stayed = other;
            }
        }
    }

    /// Of everything that a sign-in or a refresh gives in the moment of the deletion, nothing is
    /// good after it.
    async fn whoever_races_the_deletion_is_not_in_after_it(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let devices = join_all((0..25).map(|_| mia.on_another_device())).await;
        let visitor = mia.visitor();

        let refresh = devices.iter().map(|device| device.presents(&device.refresh_token()).into_future());
        let enter = (0..25).map(|_| visitor.signs_in(&mia.email, PASSWORD).into_future());
        let racers = join_all(refresh.chain(enter));
        let (replies, gone) = join(racers, mia.leaves(PASSWORD).into_future()).await;

        assert_eq!(gone.status, 204, "{}", gone.text());
        let mut held: Vec<Tokens> = devices.iter().map(Person::tokens).collect();
        for reply in replies {
            match reply.status {
                200 => held.push(Tokens::of(&reply.json())),
                _ => assert_eq!(reply.status, 401, "{}", reply.text()),
            }
        }
        assert!(app.sessions_of(&mia.door, &mia.id).await.is_empty());
        for tokens in held {
            app.get("/v1/me").bearer(&tokens.access).await.refuses(401, "invalid_token");
            visitor.presents(&tokens.refresh).await.refuses(401, "invalid_refresh_token");
        }
    }

    async fn of_two_deletions_at_once_one_finds_nobody(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let key = app.key();

        let both = join(key.deletes(&mia.id).into_future(), key.deletes(&mia.id).into_future()).await;

        let mut outcomes = [both.0.outcome(), both.1.outcome()];
        outcomes.sort();
        assert_eq!(outcomes, ["204", "404 not_found"]);
        assert_eq!(app.events(&mia.door, Name::UserDeleted).await.len(), 1);
    }

    async fn the_same_address_in_another_app_is_another_person(app: TestApp) {
        let shop = app.founds("Shop").await;
        let mia = app.person("mia@example.org").await;
        let namesake = app.visitor(&shop.development).becomes("mia@example.org", json!({})).await;
        let third = app.person("max@example.org").await;

        let _ = mia.leaves(PASSWORD).await.expect(204);
        let _ = app.key().bans(&third.id, json!({})).await.expect(200);
        let reply = app.key().deletes(&namesake.id).await;

        reply.refuses(404, "not_found");
        namesake.me().await.told(200);
        namesake.refreshes().await.told(200);
        namesake.signs_in().await.told(200);
    }

    async fn a_banned_user_can_be_deleted(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let _ = app.key().bans(&mia.id, json!({"reason": "Sends spam"})).await.expect(200);

        let _ = app.key().deletes(&mia.id).await.expect(204);

        mia.signs_in().await.refuses(401, "invalid_credentials");
        assert!(!holds(&documents(&app).await, "Sends spam"));
        app.person("mia@example.org").await;
    }
}

/// Somebody with something in every field of his account.
async fn somebody_with_everything(app: &TestApp) -> Person {
    let given = json!({
        "username": "mia.k", "phone": "+4917012345", "first_name": "Mia-Maria",
        "last_name": "Kästner", "metadata": {"remark": "plays the lute"},
    });
    let mia = app.person_with("mia@example.org", given).await;
    let image = "https://example.org/mia.png";
    let changes = json!({"display_username": "Mia ♥", "image": image});
    mia.patch("/v1/me").json(changes).await.told(200);
    app.writes_to(&mia).await;
    mia
}

async fn everything_is_refused(node: &Node, person: &Person) {
    let there = || {
        node.client()
            .get("/v1/me")
            .bearer(&person.access_token())
            .into_future()
    };
    let visitor = person.visitor().by(node.client());
    let refreshed = visitor.presents(&person.refresh_token()).await;
    refreshed.refuses(401, "invalid_refresh_token");
    let entered = visitor.signs_in(&person.email, PASSWORD).await;
    entered.refuses(401, "invalid_credentials");
    eventually(async || there().await.status == 401).await;
}

impl TestApp {
    /// Queues a letter to somebody, as a change of his password would.
    async fn writes_to(&self, person: &Person) {
        let outbox = Outbox::new(self.key_ring(), Entropy::system());
        let letter = Letter {
            user: Some(person.id.parse().expect("a user")),
            to: Email::parse(&person.email).expect("an address"),
            language: Language::default(),
            message: Message::PasswordChanged,
        };
        self.store()
            .write(async |tx| {
                let mut tx = tx.within(person.door.tenant());
                outbox.enqueue(&mut tx, letter.clone(), NEW_YEAR).await
            })
            .await
            .expect("the store answers");
    }
}

/// Whether a document names this identifier anywhere.
fn names(document: &Value, id: &str) -> bool {
    match document {
        Value::String(text) => text == id,
        Value::Array(items) => items.iter().any(|item| names(item, id)),
        Value::Object(members) => members.values().any(|member| names(member, id)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn ids(page: &Value) -> Vec<String> {
    let all = page["sessions"].as_array().expect("a list of sessions");
    all.iter()
        .map(|it| it["id"].as_str().unwrap_or_default().to_owned())
        .collect()
}
