//! What is kept about somebody, as he is given it.

use std::collections::BTreeSet;
use std::time::Duration;

use authsome::events::Name;
use serde_json::{Value, json};

use crate::support::app::{Guarded, TestApp};
use crate::support::client::{Asks, assert_has};
use crate::support::dump::collections;
use crate::support::persona::{Administers, Person};
use crate::support::stores::on_both_stores;

/// A kind of document, and the section of the export that shows it.
struct Kind {
    collection: &'static str,
    section: &'static str,
    /// Fields that are called otherwise there.
    renamed: &'static [(&'static str, &'static str)],
    /// Fields that are not shown: whose it is, proofs, and what says nothing of a person.
    withheld: &'static [&'static str],
}

const ID: (&str, &str) = ("_id", "id");

/// Everything that is kept of somebody, but for what is shown nowhere.
const KINDS: &[Kind] = &[
    Kind {
        collection: "authsome_users",
        section: "user",
        renamed: &[ID],
        withheld: &[
            "rights_version",
            "password_version",
            "password_changed_at",
            "hold_count",
            "contested_at",
        ],
    },
    Kind {
        collection: "authsome_credentials",
        section: "password",
        renamed: &[("updated_at", "changed_at")],
        withheld: &["_id", "app_id", "user_id", "password_hash"],
    },
    Kind {
        collection: "authsome_sessions",
        section: "sessions",
        renamed: &[ID],
        withheld: &[
            "app_id",
            "user_id",
            "token",
            "refresh_token",
            "generation",
            "impersonator_session_id",
            "updated_at",
        ],
    },
    Kind {
        collection: "authsome_api_keys",
        section: "api_keys",
        renamed: &[ID],
        withheld: &["app_id", "user_id", "key_hash", "session_id", "previous"],
    },
    Kind {
        collection: "authsome_devices",
        section: "devices",
        renamed: &[ID],
        withheld: &["app_id", "user_id", "fingerprint", "updated_at"],
    },
    Kind {
        collection: "authsome_members",
        section: "memberships",
        renamed: &[ID, ("created_at", "joined_at")],
        withheld: &["app_id", "user_id"],
    },
    Kind {
        collection: "authsome_team_members",
        section: "teams",
        renamed: &[("created_at", "joined_at")],
        withheld: &["_id", "app_id", "user_id", "member_id"],
    },
    Kind {
        collection: "authsome_invitations",
        section: "invitations",
        renamed: &[ID],
        withheld: &["app_id", "user_id", "authority", "token", "generation"],
    },
    Kind {
        collection: "authsome_notifications",
        section: "notifications",
        renamed: &[ID, ("data", "browser")],
        withheld: &[
            "app_id",
            "user_id",
            "attempts",
            "next_attempt_at",
            "lease_until",
            "last_error",
            "give_up_at",
            "updated_at",
        ],
    },
    Kind {
        collection: "authsome_verifications",
        section: "links",
        renamed: &[],
        withheld: &[
            "_id",
            "app_id",
            "user_id",
            "token",
            "password_version",
            "attempts",
            "updated_at",
        ],
    },
    Kind {
        collection: "authsome_password_resets",
        section: "links",
        renamed: &[],
        withheld: &[
            "_id",
            "app_id",
            "user_id",
            "token",
            "attempts",
            "updated_at",
        ],
    },
    Kind {
        collection: "authsome_lockouts",
        section: "wrong_passwords",
        renamed: &[
            ("failed", "failed_attempts"),
            ("touched_at", "last_attempt_at"),
        ],
        withheld: &["_id", "app_id", "user_id", "reserved", "told_until"],
    },
    Kind {
        collection: "authsome_events",
        section: "events",
        renamed: &[ID],
        withheld: &["app_id", "request_id", "untold_since"],
    },
    // It says only below which version of his rights a token is refused.
    Kind {
        collection: "authsome_revocations",
        section: "sessions",
        renamed: &[],
        withheld: &[
            "_id",
            "app_id",
            "env_id",
            "user_id",
            "min_version",
            "created_at",
            "expires_at",
        ],
    },
];

on_both_stores! {
    async fn everything_that_is_stored_of_a_user_is_in_his_export(app: Guarded) {
        let app = app.0;
        let mia = app.person_of_a_rich_life().await;
        let stored = collections(app.location()).await;

        let export = mia.get("/v1/me/export").await.told(200);

        for (collection, documents) in &stored {
            let names = names_of(documents.iter().filter(|it| is_about(collection, it, &mia)));
            let Some(kind) = KINDS.iter().find(|kind| kind.collection == collection) else {
                assert_eq!(names, BTreeSet::new(), "{collection} is neither shown nor withheld");
                continue;
            };
            assert!(!names.is_empty(), "a rich life has no {collection}");
            let told = match &export[kind.section] {
                Value::Array(items) => names_of(items.iter()),
                one => names_of([one].into_iter()),
            };
            for name in names.difference(&kind.withheld.iter().copied().collect()) {
                let called = kind.renamed.iter().find(|(from, _)| from == name);
                let called = called.map_or(*name, |(_, to)| to);
                assert!(told.contains(called), "{name} of {collection}");
            }
        }
        assert_eq!(export["exported_at"], "2040-01-01T00:00:00.000Z");
    }

    async fn what_is_in_it_is_said_as_it_is(app: Guarded) {
        let mia = app.0.person_of_a_rich_life().await;

        let export = mia.get("/v1/me/export").await.told(200);

        let the = |section: &str, is_it: &dyn Fn(&Value) -> bool| {
            let found = array(&export[section]).iter().find(|it| is_it(it));
            found.cloned().unwrap_or_else(|| panic!("{}", export[section]))
        };
        assert_has(&export["user"], json!({"email": mia.email, "roles": ["USER"]}));
        let password = json!({
            "created_at": "2040-01-01T00:00:00.000Z", "changed_at": "2040-01-01T00:00:00.000Z",
        });
        assert_eq!(export["password"], password);
        assert_has(&the("devices", &|it| it["trusted"] == true), json!({
            "name": "Mia's lap", "type": "desktop", "browser": "Firefox", "os": "Linux",
            "trusted_until": "2040-01-08T00:00:00.000Z", "sign_ins": 1, "ip_address": "127.0.0.1",
        }));
        assert!(array(&export["notifications"]).iter().all(|it| it["to"] == mia.email.as_str()));
        let letter = the("notifications", &|it| it["browser"] == "Firefox" && it["os"] == "Linux");
        assert_has(&letter, json!({"template": "new_device", "ip_address": "127.0.0.1"}));
        let followed = the("links", &|it| it["purpose"] == "verify_email");
        assert_has(&followed, json!({"address": mia.email, "used_at": "2040-01-01T00:00:00.000Z"}));
        for purpose in ["reset_password", "magic_link"] {
            let void = the("links", &|it| it["purpose"] == purpose);
            assert_eq!(void["voided_at"], "2040-01-01T00:00:00.000Z", "{void}");
        }
        let locked = json!({"failed_attempts": 5, "locked_until": "2040-01-01T00:01:00.000Z"});
        assert_has(&the("wrong_passwords", &|_| true), locked);
    }

    async fn it_is_a_file_to_keep_and_nobody_else_keeps_it(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        let reply = mia.get("/v1/me/export").await.expect(200);

        let name = "attachment; filename=\"my-account.json\"";
        assert_eq!(reply.header("content-disposition"), Some(name));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(app.events(&mia.door, Name::UserExported).await.len(), 1);
    }

    async fn sessions_and_events_of_every_environment_are_in_it(app: TestApp) {
        app.trusts_addresses(&app.own.production).await;
        let mia = app.person("mia@example.org").await;
        let ended = mia.on_another_device().await;
        let _ = ended.signs_out().await.expect(204);
        let elsewhere = mia.enters(&app.own.production).await;

        let export = mia.get("/v1/me/export").await.told(200);

        let shown: BTreeSet<_> = array(&export["sessions"])
            .iter()
            .map(|it| (it["id"].as_str().unwrap().to_owned(), it["env_id"].as_str().unwrap().to_owned()))
            .collect();
        let expected = [&mia, &ended, &elsewhere]
            .map(|device| (device.session_id(), device.door.env_id.clone()));
        assert_eq!(shown, BTreeSet::from(expected));
        let ended = array(&export["sessions"]).iter().find(|it| it["id"] == ended.session_id());
        assert_has(ended.unwrap(), json!({"revoke_reason": "signed_out"}));
        let mut events: Vec<_> = array(&export["events"])
            .iter()
            .map(|it| (it["env_id"] == mia.door.env_id, it["name"].as_str().unwrap()))
            .collect();
        events.sort_unstable();
        assert_eq!(events, [
            (false, "device.added"), (false, "session.created"), (true, "device.added"),
            (true, "device.added"), (true, "session.created"), (true, "session.created"),
            (true, "session.revoked"), (true, "user.signed_up"),
        ]);
    }

    async fn events_of_all_environments_are_in_one_order_newest_first(app: TestApp) {
        app.trusts_addresses(&app.own.production).await;
        let mia = app.person("mia@example.org").await;
        for door in [&app.own.production, &app.own.development, &app.own.production] {
            app.clock.advance(Duration::from_secs(1));
            mia.enters(door).await;
        }

        let export = mia.get("/v1/me/export").await.told(200);

        let order: Vec<_> = array(&export["events"])
            .iter()
            .filter(|it| it["name"] == "session.created")
            .map(|it| (it["env_id"].as_str().unwrap(), it["created_at"].as_str().unwrap()))
            .collect();
        let (inside, outside) = (&*app.own.development.env_id, &*app.own.production.env_id);
        assert_eq!(order, [
            (outside, "2040-01-01T00:00:03.000Z"), (inside, "2040-01-01T00:00:02.000Z"),
            (outside, "2040-01-01T00:00:01.000Z"), (inside, "2040-01-01T00:00:00.000Z"),
        ]);
    }

    async fn what_others_did_to_the_account_is_told_but_not_where_they_sat(app: TestApp) {
        let admin = app.admin().await;
        let mia = app.person("mia@example.org").await;
        let max = app.person("max@example.org").await;
        let _ = admin.assigns(&mia.id, &["ADMIN"]).await.expect(200);
        let wrong = mia.visitor().signs_in(&mia.email, "another calm brook").await;
        wrong.refuses(401, "invalid_credentials");
        let _ = mia.refreshes().await.expect(200);

        let export = mia.get("/v1/me/export").await.told(200);

        let event = |name: &str| {
            array(&export["events"]).iter().find(|it| it["name"] == name).cloned().unwrap()
        };
        let changed = event("user.roles_changed");
        assert_eq!(changed["actor"], json!({"kind": "user", "id": admin.id}));
        assert_eq!(changed.get("ip_address"), None);
        assert_eq!(event("session.denied")["ip_address"], "127.0.0.1");
        assert_eq!(event("user.signed_up")["ip_address"], "127.0.0.1");
        let text = export.to_string();
        for other in [&max.id, &max.session_id(), &admin.session_id()] {
            assert!(!text.contains(other.as_str()), "{other}");
        }
    }

    async fn nothing_in_it_proves_who_somebody_is(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let sessions = app.sessions_of(&mia.door, &mia.id).await;
        let hash = app.hash_of(&mia.door, &mia.id).await;

        let text = mia.get("/v1/me/export").await.expect(200).text();

        for secret in [&hash, &sessions[0].refresh_token, &sessions[0].token.to_string()] {
            assert!(!text.contains(secret.as_str()), "{secret}");
        }
    }

    async fn a_machine_and_a_stranger_are_given_nothing(app: TestApp) {
        app.key().get("/v1/me/export").await.refuses(403, "forbidden");
        app.get("/v1/me/export").await.refuses(401, "unauthenticated");
    }
}

fn array(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

fn names_of<'a>(documents: impl Iterator<Item = &'a Value>) -> BTreeSet<&'a str> {
    let members = documents.flat_map(|it| it.as_object().expect("an object").keys());
    members.map(String::as_str).collect()
}

/// Whether a stored document is about somebody.
fn is_about(collection: &str, document: &Value, person: &Person) -> bool {
    let is = |value: &Value| *value == person.id.as_str();
    match collection {
        "authsome_users" => is(&document["_id"]),
        "authsome_events" => is(&document["actor"]["id"]) || is(&document["target"]["id"]),
        // What he was answered when he signed in is kept for a day, for him to be answered again.
        "authsome_idempotency_keys" => false,
        _ => is(&document["user_id"]),
    }
}
