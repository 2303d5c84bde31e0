//! What callers were refused: who has asked for what he may not do is on record (SL-06).

use std::future::IntoFuture;
use std::time::Duration;

use authsome::events::{Event, Name, Outcome};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::acme::Acme;
use crate::support::app::{Door, TestApp, eventually};
use crate::support::client::Asks;
use crate::support::persona::Administers;
use crate::support::stores::on_both_stores;

impl TestApp {
    /// What was refused, once so much is told.
    async fn refused(&self, door: &Door, count: usize) -> Vec<Event> {
        let told = async || self.events(door, Name::AccessDenied).await;
        eventually(async || told().await.len() >= count).await;
        let told = told().await;
        assert_eq!(told.len(), count, "{told:?}");
        told
    }
}

on_both_stores! {
    async fn what_a_caller_may_not_do_is_told_with_the_permission_that_it_takes(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        let reply = mia.get("/v1/admin/users").await;

        let request_id = reply.header("x-request-id").map(str::to_owned);
        reply.refuses(403, "forbidden");
        let told = app.refused(&mia.door, 1).await;
        let [event] = &told[..] else { panic!("{told:?}") };
        assert_eq!((event.outcome, &event.org_id), (Outcome::Denied, &None));
        assert_eq!((event.actor.kind.as_str(), event.actor.id.as_ref()), ("user", Some(&mia.id)));
        assert_eq!(event.details["permission"], "users:list");
        assert_eq!(event.ip_address.as_deref(), Some("127.0.0.1"));
        assert_eq!(Some(&event.request_id), request_id.as_ref());
    }

    /// A body that nobody reads makes no difference.
    async fn a_refusal_is_told_whatever_was_sent_with_it(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let ban = mia.post(&format!("/v1/admin/users/{}/ban", mia.id));

        ban.json(json!({"no": "ban"})).await.refuses(403, "forbidden");

        let told = app.refused(&mia.door, 1).await;
        assert_eq!(told[0].details["permission"], "users:ban");
    }

    async fn of_fifty_refusals_at_two_nodes_one_is_told_and_after_a_minute_the_next(app: TestApp) {
        let node = app.another_node(&[]).await;
        let (mia, max) = (app.person("mia@example.org").await, app.person("max@example.org").await);
        let token = mia.access_token();
        let storm = async || {
            let here = (0..25).map(|_| mia.get("/v1/admin/users").into_future());
            let there = |_| node.client().get("/v1/admin/users").bearer(&token).into_future();
            let (here, there) = tokio::join!(join_all(here), join_all((0..25).map(there)));
            for reply in here.into_iter().chain(there) {
                reply.refuses(403, "forbidden");
            }
        };

        storm().await;
        app.refused(&mia.door, 1).await;
        storm().await;
        // Of other permissions and of others it is told all the same.
        mia.get("/v1/admin/notifications").await.refuses(403, "forbidden");
        app.refused(&mia.door, 2).await;
        max.get("/v1/admin/users").await.refuses(403, "forbidden");
        app.refused(&mia.door, 3).await;

        app.clock.advance(Duration::from_mins(1));
        storm().await;
        let told = app.refused(&mia.door, 4).await;
        assert_eq!(told[3].actor.id.as_ref(), Some(&mia.id));
    }

    /// Neither did anything to be refused: the one is nobody, the other asks for nothing.
    async fn who_is_unknown_and_what_is_unknown_leave_no_refusal(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let admin = app.admin().await;

        app.get("/v1/admin/users").await.refuses(401, "unauthenticated");
        app.get("/v1/admin/users").bearer("no token").await.refuses(401, "invalid_token");
        let elsewhere = app.own.production.query();
        mia.get(&format!("/v1/admin/users{elsewhere}")).await.refuses(404, "not_found");
        admin.get("/v1/admin/users/ausr_nobody").await.refuses(404, "not_found");

        mia.get("/v1/admin/users").await.refuses(403, "forbidden");
        app.refused(&mia.door, 1).await;
        assert!(app.events(&app.own.production, Name::AccessDenied).await.is_empty());
    }

    async fn a_refusal_in_an_organisation_is_on_its_record(acme: Acme) {
        let mia = acme.joined("mia@example.org", &["viewer"]).await;
        let stranger = acme.app.person("max@example.org").await;
        let rename = json!({"name": "Umbra"});

        mia.person.patch(&acme.at("")).json(rename.clone()).await.refuses(403, "forbidden");
        stranger.patch(&acme.at("")).json(rename).await.refuses(404, "not_found");

        let told = acme.app.refused(&acme.owner.door, 1).await;
        assert_eq!(told[0].details["permission"], "organization:update");
        let seen = acme.owner.get(&acme.at("/events?outcome=denied")).await.told(200);
        assert_eq!(seen["events"][0]["name"], "access.denied");
        assert_eq!(seen["events"][0]["actor"], json!({"kind": "user", "id": mia.person.id}));
        // Another organisation is another refusal, also within the minute.
        let umbra = acme.app.org("umbra", &acme.owner).await;
        umbra.takes(&mia.person, &["viewer"]).await;
        let there = umbra.path("");
        mia.person.patch(&there).json(json!({"name": "Acme"})).await.refuses(403, "forbidden");
        let told = acme.app.refused(&acme.owner.door, 2).await;
        let places = told.iter().map(|it| it.org_id.map(|org| org.to_string()));
        let places: Vec<_> = places.flatten().collect();
        assert!(places.contains(&acme.org.id) && places.contains(&umbra.id), "{places:?}");
    }

    async fn what_somebody_may_not_do_who_acts_as_a_user_names_both(app: TestApp) {
        let (mia, admin) = (app.person("mia@example.org").await, app.admin().await);
        let actor = admin.becomes(&mia.id, &mia.door).await;

        actor.post("/v1/change-password").json(json!({})).await.refuses(403, "forbidden");

        let told = app.refused(&mia.door, 1).await;
        assert_eq!(told[0].actor.id.as_ref(), Some(&mia.id));
        assert_eq!(told[0].details["acting"], admin.id.as_str());
    }

    async fn a_machine_is_named_by_its_key(app: TestApp) {
        let key = app.key();

        key.get("/v1/me").await.refuses(403, "forbidden");

        let told = app.refused(&app.own.development, 1).await;
        assert_eq!(told[0].actor.kind, "key");
        assert!(key.bans("ausr_nobody", json!({})).await.status == 404);
    }
}
