//! The sessions of a user, as his administrators see and end them.

use authsome::events::Name;
use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::client::{Asks, assert_has};
use crate::support::persona::Person;
use crate::support::stores::on_both_stores;

on_both_stores! {
    async fn an_administrator_sees_what_the_user_sees(app: TestApp) {
        let admin = app.admin().await;
        let mia = app.person("mia@example.org").await;
        mia.on_another_device().await;
        let mut own = mia.sessions().await.told(200);

        let seen = admin.get(&of(&mia)).await.told(200);

        for session in own["sessions"].as_array_mut().unwrap() {
            session["current"] = json!(false);
        }
        assert_eq!(seen, own);
        assert_eq!(app.key().get(&of(&mia)).await.told(200), own);
        let page = admin.get(&format!("{}?limit=1", of(&mia))).await.told(200);
        let cursor = page["next_cursor"].as_str().unwrap();
        let rest = admin.get(&format!("{}?limit=1&cursor={cursor}", of(&mia))).await.told(200);
        assert_eq!(rest["sessions"][0], own["sessions"][1]);
        let himself = admin.get(&of(&admin)).await.told(200);
        assert_has(&himself["sessions"][0], json!({"current": true}));
    }

    async fn an_environment_shows_its_own_sessions(app: TestApp) {
        app.trusts_addresses(&app.own.production).await;
        let mia = app.person("mia@example.org").await;
        let elsewhere = mia.enters(&app.own.production).await;

        let here = app.key().get(&of(&mia)).await.told(200);
        let there = app.machine(&app.own.production).get(&of(&mia)).await.told(200);

        assert_eq!(ids(&here), [mia.session_id()]);
        assert_eq!(ids(&there), [elsewhere.session_id()]);
    }

    async fn an_administrator_ends_them_all_in_every_environment(app: TestApp) {
        app.trusts_addresses(&app.own.production).await;
        let admin = app.admin().await;
        let mia = app.person("mia@example.org").await;
        let max = app.person("max@example.org").await;
        let (phone, elsewhere) = (mia.on_another_device().await, mia.enters(&app.own.production).await);

        let _ = admin.delete(&of(&mia)).await.expect(204);

        for device in [&mia, &phone, &elsewhere] {
            device.me().await.refuses(401, "invalid_token");
            device.refreshes().await.refuses(401, "invalid_refresh_token");
        }
        max.me().await.told(200);
        assert_eq!(ids(&admin.get(&of(&mia)).await.told(200)), Vec::<String>::new());
        mia.signs_in().await.told(200);
        let told = app.events(&mia.door, Name::SessionsRevoked).await;
        assert_eq!((told.len(), told[0].actor.id.as_ref()), (1, Some(&admin.id)));
        assert_eq!(told[0].target.as_ref().and_then(|it| it.id.as_ref()), Some(&mia.id));
        let details = Value::Object(told[0].details.clone());
        assert_eq!(details, json!({"reason": "revoked_by_admin", "sessions": 3}));
    }

    async fn nobody_else_does(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let max = app.person("max@example.org").await;

        for refused in [max.get(&of(&mia)).await, max.delete(&of(&mia)).await] {
            refused.refuses(403, "forbidden");
        }
        let platform_admin = app.colleague("pia@example.org", &["ADMIN"]).await;
        let owner = app.operator().await;
        platform_admin.delete(&of(&owner)).await.refuses(403, "role_not_held");

        mia.me().await.told(200);
        owner.me().await.told(200);
    }
}

fn of(person: &Person) -> String {
    format!("/v1/admin/users/{}/sessions", person.id)
}

fn ids(page: &Value) -> Vec<String> {
    let all = page["sessions"].as_array().expect("a list of sessions");
    all.iter()
        .map(|it| it["id"].as_str().unwrap_or_default().to_owned())
        .collect()
}
