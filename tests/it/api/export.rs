//! What is kept about somebody, as he is given it.

use std::collections::BTreeSet;

use authsome::events::Name;
use authsome::users::User;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::client::{Asks, assert_has};
use crate::support::persona::{Administers, Person};
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn everything_that_is_stored_of_a_user_is_in_his_export(app: TestApp) {
        let mia = somebody(&app).await;
        let users: Vec<User> = app.of_app(&mia.door).await;
        let sessions = app.sessions_of(&mia.door, &mia.id).await;

        let export = mia.get("/v1/me/export").await.told(200);

        let user = users.iter().find(|user| user.id.to_string() == mia.id).unwrap();
        // How tokens are made void and letters counted is nothing about a person.
        let told = all_but(&export["user"], &[]);
        let withheld = [
            "_id", "rights_version", "password_version", "password_changed_at", "letter_count",
            "contested",
        ];
        for name in stored(user, &withheld) {
            assert!(told.contains(&name), "{name} of the user");
        }
        let session = sessions.iter().find(|it| it.id.to_string() == mia.session_id()).unwrap();
        let shown = array(&export["sessions"]).iter().find(|it| it["id"] == mia.session_id());
        let told = all_but(shown.unwrap(), &[]);
        let withheld =
            ["_id", "app_id", "user_id", "token", "refresh_token", "generation", "updated_at"];
        for name in stored(session, &withheld) {
            assert!(told.contains(&name), "{name} of a session");
        }
        assert_has(&export["user"], json!({"email": "mia@example.org", "roles": ["USER"]}));
        assert_eq!(export["password"], json!({"created_at": "2040-01-01T00:00:00.000Z"}));
        assert_eq!(export["exported_at"], "2040-01-01T00:00:00.000Z");
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

/// Somebody with something in every field that people can fill.
async fn somebody(app: &TestApp) -> Person {
    let given = json!({
        "username": "mia.k", "phone": "+4917012345", "first_name": "Mia", "last_name": "Kästner",
        "metadata": {"remark": "plays the lute"},
    });
    let mia = app.person_with("mia@example.org", given).await;
    let changes = json!({"display_username": "Mia ♥", "image": "https://example.org/mia.png"});
    mia.patch("/v1/me").json(changes).await.told(200);
    let _ = mia.signs_in().await.expect(200);
    mia
}

fn array(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

/// The names of the fields that a document has in the store, but for these.
fn stored(document: &impl serde::Serialize, but: &[&str]) -> BTreeSet<String> {
    all_but(&serde_json::to_value(document).expect("a document"), but)
}

fn all_but(document: &Value, but: &[&str]) -> BTreeSet<String> {
    let members = document.as_object().expect("an object");
    let names = members.keys().filter(|name| !but.contains(&name.as_str()));
    names.cloned().collect()
}
