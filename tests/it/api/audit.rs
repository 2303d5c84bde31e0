//! Security events: what administrators see of what happened, and that nobody changes it.

use std::collections::HashSet;
use std::time::Duration;

use authsome::audit::Audit;
use authsome::events::{self, Event, Name, Origin, Party};
use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::OrgId;
use authsome::store::Location;
use bson::doc;
use serde_json::{Value, json};

use crate::support::app::{NEW_YEAR, TestApp, eventually};
use crate::support::client::{Asks, Reply, Request, assert_has};
use crate::support::persona::{Administers, Machine, PASSWORD};
use crate::support::stores::on_both_stores;

const EVENTS: &str = "/v1/admin/security-events";
const DAY: Duration = Duration::from_hours(24);

impl TestApp {
    /// Lets the database refuse every event from now on.
    async fn refuses_events(&self) {
        match self.location() {
            Location::Mongo(url) => {
                let client = mongodb::Client::with_uri_str(url).await.unwrap();
                let refuse = doc! {
                    "collMod": "authsome_events", "validator": {"never": {"$exists": true}},
                };
                client
                    .default_database()
                    .unwrap()
                    .run_command(refuse)
                    .await
                    .unwrap();
            }
            Location::Sqlite(path) => {
                let refuse = "CREATE TRIGGER refused BEFORE INSERT ON authsome_events \
                    BEGIN SELECT RAISE(ABORT, 'no more events'); END";
                rusqlite::Connection::open(path)
                    .unwrap()
                    .execute_batch(refuse)
                    .unwrap();
            }
            Location::Memory => unreachable!("no test runs there"),
        }
    }
}

/// The events that an asker sees, with this query.
async fn seen(asks: &(impl Asks + ?Sized), query: &str) -> Vec<Value> {
    let page = asks.get(&format!("{EVENTS}{query}")).await.told(200);
    page["events"].as_array().expect("a page of events").clone()
}

fn names(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["name"].as_str().expect("a name"))
        .collect()
}

on_both_stores! {
    async fn an_event_tells_who_did_what_to_whom_and_from_where(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        let _ = app.key().assigns(&mia.id, &["ADMIN"]).await.expect(200);

        let events = seen(&app.key(), "").await;
        let of_names: HashSet<_> = names(&events).into_iter().collect();
        let happened = ["user.signed_up", "session.created", "user.roles_changed"];
        assert!(of_names.is_superset(&HashSet::from(happened)), "{of_names:?}");
        let one = events.iter().find(|it| it["name"] == "user.roles_changed").unwrap();
        assert_has(one, json!({
            "name": "user.roles_changed", "outcome": "success",
            "target": {"kind": "user", "id": mia.id},
            "ip_address": "127.0.0.1", "created_at": "2040-01-01T00:00:00.000Z",
            "app_id": mia.door.app_id, "env_id": mia.door.env_id,
        }));
        for member in ["id", "request_id"] {
            assert!(one[member].is_string(), "{one}");
        }
        assert_eq!(one["actor"]["kind"], "key");
        assert!(one["details"].is_object(), "{one}");
    }

    /// What a client asked for, as it is told in the record: once, and with where it came from (ASVS
    /// 16.2.1). What was refused for its form, or changed nothing, is none.
    async fn a_day_is_recorded_event_by_event(app: TestApp) {
        let (visitor, key) = (app.visitor(&app.own.production), app.machine(&app.own.production));
        app.trusts_addresses(&app.own.production).await;
        let agent = |request: Request| request.header("user-agent", "Herons/1.0");
        let account = json!({"email": "mia@example.org", "password": PASSWORD});
        let mut day = Vec::new();
        let mut did = |names: &[&str], reply: Reply| {
            let id = reply.header("x-request-id").expect("a request has a name").to_owned();
            day.extend(names.iter().map(|name| ((*name).to_owned(), id.clone())));
            reply
        };

        did(&[], agent(visitor.post("/v1/signup").json(json!({"email": "mia"}))).await);
        let told = did(
            &["user.signed_up", "device.added", "session.created"],
            agent(visitor.post("/v1/signup").json(account.clone())).await,
        );
        let id = told.json()["user"]["id"].as_str().unwrap().to_owned();
        let wrong = json!({"email": "mia@example.org", "password": "no river"});
        did(&["session.denied"], agent(visitor.post("/v1/signin").json(wrong)).await);
        let told = did(
            &["device.added", "session.created"],
            agent(visitor.post("/v1/signin").json(account)).await,
        );
        let tokens = told.json();
        let access = tokens["access_token"].as_str().unwrap();
        did(&[], agent(app.get("/v1/me").bearer(access)).await);
        let profile = json!({"first_name": "Mia"});
        did(&["user.updated"], agent(app.patch("/v1/me").bearer(access).json(profile)).await);
        did(&[], agent(app.patch("/v1/me").bearer(access).json(json!({"image": "x"}))).await);
        let refresh = json!({"refresh_token": tokens["refresh_token"]});
        did(&[], agent(visitor.post("/v1/refresh").json(refresh.clone())).await);
        did(&["refresh.reuse_detected"], agent(visitor.post("/v1/refresh").json(refresh)).await);
        did(&["user.roles_changed"], agent(key.assigns(&id, &["ADMIN"])).await);
        did(&[], agent(key.assigns(&id, &["KING"])).await);
        let closed = json!({"signup_open": false});
        did(&["environment.updated"], agent(key.sets(&key.door, closed)).await);

        let recorded = seen(&key, "?limit=100&from=2040-01-01T00:00:00Z").await;
        let ours = recorded.iter().filter(|it| it["user_agent"] == "Herons/1.0");
        let mut ours: Vec<_> = ours
            .map(|it| {
                assert_eq!(it["ip_address"], "127.0.0.1");
                let text = |name: &str| it[name].as_str().unwrap().to_owned();
                (text("name"), text("request_id"))
            })
            .collect();
        ours.sort();
        day.sort();
        assert_eq!(ours, day);
    }

    /// ASVS 16.3.4: what cannot be recorded does not happen.
    async fn without_its_record_nothing_is_done(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let before = mia.sessions().await.told(200)["sessions"].as_array().unwrap().len();
        app.refuses_events().await;

        let entering = mia.visitor().signs_in(&mia.email, PASSWORD).that_may_be(503);
        entering.await.refuses(503, "store_unavailable");
        let joining = mia.visitor().signs_up("noah@example.org", PASSWORD).that_may_be(503);
        joining.await.refuses(503, "store_unavailable");

        let after = mia.sessions().await.told(200)["sessions"].as_array().unwrap().len();
        assert_eq!(after, before);
        assert_eq!(app.user_count(&app.own.development).await, 1);
    }

    async fn refusals_are_events_as_well(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        mia.visitor().signs_in(&mia.email, "not the password").await
            .refuses(401, "invalid_credentials");
        let spent = mia.refresh_token();
        let _ = mia.refreshes().await.expect(200);
        mia.presents(&spent).await.refuses(401, "refresh_token_reused");

        let denied = seen(&app.key(), "?outcome=denied").await;

        let denied: HashSet<_> = names(&denied).into_iter().collect();
        assert!(denied.contains("session.denied"), "{denied:?}");
        let reuse = seen(&app.key(), "?name=refresh.reuse_detected").await;
        assert_eq!(reuse.len(), 1);
    }

    async fn a_filter_leaves_what_it_names(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        app.clock.advance(Duration::from_mins(1));
        let noah = app.person("noah@example.org").await;
        let key = app.key();
        let _ = key.assigns(&mia.id, &["ADMIN"]).await.expect(200);
        let _ = mia.refreshes().await.expect(200);
        let _ = mia.assigns(&noah.id, &["ADMIN"]).await.expect(200);
        let (mia, noah) = (&mia.id, &noah.id);

        for (query, wanted) in [
            ("?name=user.signed_up".to_owned(), 2),
            (format!("?name=user.roles_changed&actor={mia}"), 1),
            (format!("?name=user.roles_changed&target={mia}"), 1),
            (format!("?name=user.roles_changed&user_id={mia}"), 2),
            (format!("?name=user.roles_changed&user_id={noah}"), 1),
            (format!("?actor={mia}&target={noah}"), 1),
            (format!("?actor={noah}&target={mia}"), 0),
            (format!("?user_id={mia}&target={noah}"), 1),
            ("?outcome=denied".to_owned(), 0),
            ("?name=user.signed_up&to=2040-01-01T00:01:00Z".to_owned(), 1),
            ("?name=user.signed_up&from=2040-01-01T00:01:00Z".to_owned(), 1),
            ("?name=user.signed_up&from=2040-01-01T01:01:00%2B01:00".to_owned(), 1),
            ("?from=2041-01-01T00:00:00Z".to_owned(), 0),
            ("?actor=nobody".to_owned(), 0),
        ] {
            assert_eq!(seen(&key, &query).await.len(), wanted, "{query}");
        }
    }

    /// Of events in an organisation, in another one, and in none, those in it are told, page by page.
    async fn what_happened_in_an_organization_is_found_by_it(app: TestApp) {
        let (mia, door) = (app.person("mia@example.org").await, app.own.development.clone());
        let entropy = Entropy::system();
        let (acme, other) = (OrgId::new(NEW_YEAR, &entropy), OrgId::new(NEW_YEAR, &entropy));
        let actor = Party::new("user", &mia.id);
        for org in [Some(acme), Some(other), None, Some(acme)] {
            app.clock.advance(Duration::from_secs(1));
            let (now, origin) = (app.clock.now(), Origin::default());
            let name = Name::EnvironmentUpdated;
            let event = Event::new(name, door.tenant(), actor.clone(), &origin, (now, &entropy));
            let mut once = app.store().once();
            events::record(&mut once.within(door.tenant()), &event.within(org)).await.unwrap();
        }

        let within = seen(&app.key(), &format!("?org_id={acme}")).await;

        assert_eq!(within.len(), 2);
        assert!(within.iter().all(|it| it["org_id"] == acme.to_string()), "{within:?}");
        let first = app.key().get(&format!("{EVENTS}?org_id={acme}&limit=1")).await.told(200);
        let next = first["next_cursor"].as_str().unwrap();
        let second = seen(&app.key(), &format!("?org_id={acme}&limit=1&cursor={next}")).await;
        assert_eq!([&first["events"][0], &second[0]], [&within[0], &within[1]]);
        let by_mia = format!("?org_id={acme}&user_id={}", mia.id);
        assert_eq!(seen(&app.key(), &by_mia).await, within);
        assert!(seen(&app.key(), &format!("?org_id={acme}&target={}", mia.id)).await.is_empty());
        let next_door = app.machine(&app.own.production);
        assert!(seen(&next_door, &format!("?org_id={acme}")).await.is_empty());
        let all = seen(&app.key(), "?name=environment.updated").await;
        assert_eq!(all.iter().filter(|it| it.get("org_id").is_none()).count(), 1);
        let own = mia.get("/v1/me/export").await.told(200);
        let own = own["events"].as_array().unwrap().iter();
        assert_eq!(own.filter(|it| it["org_id"] == acme.to_string()).count(), 2);
    }

    /// Whoever acts on himself is in both lists that a user's events are made of.
    async fn pages_lose_and_repeat_nothing(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        for number in 0..7 {
            if number % 3 == 0 {
                app.clock.advance(Duration::from_secs(1));
            }
            let _ = mia.patch("/v1/me").json(json!({"first_name": "Mia"})).await.expect(200);
            let _ = app.key().assigns(&mia.id, &[]).await.expect(200);
        }
        for filter in [String::new(), format!("&user_id={}", mia.id)] {
            let key = app.key();
            let all = seen(&key, &format!("?limit=100{filter}")).await;
            assert!(all.len() >= 9, "{}", all.len());
            for limit in [1, 2, 5] {
                let mut paged = Vec::new();
                let mut query = format!("?limit={limit}{filter}");
                loop {
                    let page = key.get(&format!("{EVENTS}{query}")).await.told(200);
                    let events = page["events"].as_array().unwrap();
                    assert!(events.len() <= limit);
                    paged.extend(events.clone());
                    let Some(next) = page["next_cursor"].as_str() else {
                        assert_eq!(page["has_more"], false);
                        break;
                    };
                    assert_eq!((&page["has_more"], events.len()), (&json!(true), limit));
                    query = format!("?limit={limit}{filter}&cursor={next}");
                }
                assert_eq!(paged, all, "limit {limit}{filter}");
            }
            let times: Vec<_> = all.iter().map(|it| it["created_at"].as_str().unwrap()).collect();
            assert!(times.is_sorted_by(|newer, older| newer >= older));
            let ids: HashSet<_> = all.iter().map(|it| it["id"].as_str().unwrap()).collect();
            assert_eq!(ids.len(), all.len());
        }
    }

    async fn what_is_no_condition_is_refused(app: TestApp) {
        for query in [
            "?name=user.exploded", "?outcome=maybe", "?from=yesterday", "?to=2040-13-01T00:00:00Z",
            "?user_id=mia", "?org_id=acme", "?actor=", "?target=%7B%22%24ne%22%3A1%7D", "?sort=name",
        ] {
            let reply = app.key().get(&format!("{EVENTS}{query}")).await;
            reply.refuses(400, "invalid_query");
        }
        let long = format!("{EVENTS}?actor={}", "a".repeat(65));
        app.key().get(&long).await.refuses(400, "invalid_query");
    }

    async fn an_administrator_sees_his_environment_and_the_operator_s_hand_in_it(app: TestApp) {
        let (admin, operator) = (app.admin().await, app.operator().await);
        let shop = app.founds("Shop").await;
        let mia = app.person("mia@example.org").await;
        let path = format!("/v1/admin/users/{}/roles{}", mia.id, mia.door.query());
        let _ = operator.post(&path).json(json!({"roles": ["ADMIN"]})).await.expect(200);

        let by_operator = format!("?actor={}", operator.id);
        let events = seen(&admin, &by_operator).await;

        assert_eq!(names(&events), ["user.roles_changed"]);
        let by_query = seen(&operator, &mia.door.query()).await;
        assert_eq!(by_query, seen(&admin, "").await);
        for door in [&shop.development, &app.own.production] {
            let elsewhere: Machine = app.machine(door);
            let there = seen(&elsewhere, "").await;
            assert!(there.iter().all(|it| it["env_id"] == door.env_id), "{there:?}");
            assert!(seen(&elsewhere, &by_operator).await.is_empty());
            assert!(seen(&elsewhere, &format!("?user_id={}", mia.id)).await.is_empty());
        }
        let noah = app.person("noah@example.org").await;
        noah.get(EVENTS).await.refuses(403, "forbidden");
    }

    async fn the_record_is_only_ever_added_to(app: TestApp) {
        app.person("mia@example.org").await;
        let before = seen(&app.key(), "").await;
        let one = format!("{EVENTS}/{}", before[0]["id"].as_str().unwrap());
        let operator = app.operator().await;
        let asks: [&dyn Asks; 2] = [&app.key(), &operator];
        for asks in asks {
            for method in ["POST", "PUT", "PATCH", "DELETE"] {
                let change = |path: &str| asks.request(method, path).json(json!({}));
                change(EVENTS).await.refuses(405, "method_not_allowed");
                change(&one).await.refuses(404, "not_found");
            }
        }

        assert_eq!(seen(&app.key(), "").await, before);
    }

    async fn no_secret_is_in_the_record(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let refresh = mia.refresh_token();
        let _ = mia.refreshes().await.expect(200);
        mia.visitor().signs_in("mia@example.org", "another secret").await
            .refuses(401, "invalid_credentials");

        let told = app.key().get(EVENTS).await.text();

        for secret in [&refresh, &mia.access_token(), &mia.refresh_token(), PASSWORD,
            "another secret", "mia@example.org", &app.own.development.secret_key] {
            assert!(!told.contains(secret), "{secret}");
        }
    }

    async fn events_are_forgotten_when_they_are_older_than_they_are_kept(app: TestApp) {
        app.person("mia@example.org").await;
        let count = async || app.of_environment::<Event>(&app.own.development).await.len();
        let early = count().await;
        app.clock.advance(30 * DAY);
        app.person("noah@example.org").await;
        let audit = Audit::new(app.store().clone(), 30 * DAY);

        assert_eq!(audit.expire(app.clock.now()).await.unwrap(), 0);
        app.clock.advance(Duration::from_secs(1));
        let forgotten = audit.expire(app.clock.now()).await.unwrap();

        assert!(forgotten >= early as u64, "{forgotten} of {early}");
        let left = seen(&app.key(), "").await;
        let left: HashSet<_> = names(&left).into_iter().collect();
        assert_eq!(left, HashSet::from(["device.added", "session.created", "user.signed_up"]));
    }

    /// By the job of a server, whatever the environment.
    async fn a_server_forgets_old_events_by_itself(app: TestApp) {
        app.person("mia@example.org").await;
        app.clock.advance(400 * DAY + Duration::from_secs(1));

        let _node = app.another_node(&[]).await;

        let left = async || app.of_environment::<Event>(&app.own.development).await.len();
        eventually(async || left().await == 0).await;
    }
}
