//! The feed of revocations: who is told what, and that nothing is left out.

use std::collections::{BTreeSet, HashSet};
use std::time::{Duration, Instant};

use authsome::api_keys::ApiKey;
use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::SessionId;
use authsome::kernel::time::Timestamp;
use authsome::store::Filter;
use authsome::tokens;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{Door, TestApp, eventually};
use crate::support::client::{Asks, assert_has};
use crate::support::events::Events;
use crate::support::forge::Token;
use crate::support::persona::{Machine, Person};
use crate::support::stores::{Backend, on_both_stores, run};

const MANY: usize = 200;

/// A page, and where to go on.
async fn page(machine: &Machine, query: &str) -> (Vec<Value>, String) {
    let list = format!("/v1/revocations?limit=100{query}");
    let page = machine.get(&list).await.told(200);
    let all = page["revocations"].as_array().expect("a list").clone();
    (all, page["next"].as_str().expect("a cursor").to_owned())
}

async fn all(machine: &Machine) -> Vec<Value> {
    page(machine, "").await.0
}

fn texts(revocations: &[Value], name: &str) -> BTreeSet<String> {
    let values = revocations.iter().filter_map(|it| it[name].as_str());
    values.map(str::to_owned).collect()
}

/// The verb of a service, at another time: its answer is not applied, as on a node that has died.
async fn revokes(app: &TestApp, door: &Door, at: Timestamp) -> String {
    let entropy = Entropy::system();
    let session = SessionId::new(at, &entropy);
    let revoked = app.store().write(async |tx| {
        tokens::revoke_session(&mut tx.within(door.tenant()), session, at, &entropy).await
    });
    let revoked = revoked.await.expect("the store answers");
    revoked.session_id.expect("a session").to_string()
}

/// Reads to the end, page after page of this size; what was told, and where to go on.
async fn sweeps(machine: &Machine, from: Option<&str>, limit: usize) -> (Vec<Value>, String) {
    let (mut told, mut after) = (Vec::new(), from.map(str::to_owned));
    loop {
        let after_it = after.map(|it| format!("&after={it}")).unwrap_or_default();
        let list = format!("/v1/revocations?limit={limit}{after_it}");
        let page = machine.get(&list).await.told(200);
        told.extend(page["revocations"].as_array().expect("a list").clone());
        let next = page["next"].as_str().expect("a cursor").to_owned();
        if page["has_more"] == false {
            return (told, next);
        }
        after = Some(next);
    }
}

async fn people(app: &TestApp, count: usize) -> Vec<Person> {
    let mut people = Vec::new();
    let first = app.person("mia@example.org").await;
    for _ in 1..count {
        people.push(first.on_another_device().await);
    }
    people.push(first);
    people
}

on_both_stores! {
    async fn a_backend_is_told_what_it_must_refuse(app: TestApp) {
        let (mia, max) = (app.person("mia@example.org").await, app.person("max@example.org").await);
        assert_eq!(all(&app.key()).await, Vec::<Value>::new());

        let _ = mia.signs_out().await.expect(204);
        app.clock.advance(Duration::from_secs(1));
        let _ = max.signs_out_everywhere().await.expect(204);

        let told = all(&app.key()).await;
        assert_eq!(told.len(), 2);
        assert_has(&told[0], json!({"type": "session", "session_id": mia.session_id()}));
        assert_has(&told[1], json!({"type": "user", "user_id": max.id, "min_version": 2}));
        let claims = Token::of(&max.access_token()).claims;
        assert!(claims["ver"].as_i64() < told[1]["min_version"].as_i64(), "{claims}");
    }

    async fn an_administrator_may_read_it_and_nobody_else(app: TestApp) {
        let (mia, admin) = (app.person("mia@example.org").await, app.admin().await);

        let _ = admin.get("/v1/revocations").await.expect(200);
        mia.get("/v1/revocations").await.refuses(403, "forbidden");
        let live = mia.get("/v1/revocations").header("accept", "text/event-stream");
        live.await.refuses(403, "forbidden");
        app.visitor(&mia.door).get("/v1/revocations").await.refuses(401, "unauthenticated");
    }

    async fn an_environment_is_told_of_its_own_and_of_users_of_its_app(app: TestApp) {
        let shop = app.founds("Shop").await;
        let (mia, max) = (app.person("mia@example.org").await, app.person("max@example.org").await);
        let there = app.visitor(&shop.development).becomes("mia@example.org", json!({})).await;
        for person in [&mia, &there] {
            let _ = person.signs_out().await.expect(204);
        }
        let _ = max.signs_out_everywhere().await.expect(204);

        let told = async |door: &Door| all(&app.machine(door)).await;

        let (own, next_door) = (told(&mia.door).await, told(&app.own.production).await);
        assert_eq!(texts(&own, "session_id"), BTreeSet::from([mia.session_id()]));
        assert_eq!(texts(&own, "user_id"), BTreeSet::from([max.id.clone()]));
        assert_eq!(texts(&next_door, "session_id"), BTreeSet::new());
        assert_eq!(texts(&next_door, "user_id"), BTreeSet::from([max.id]));
        let foreign = told(&shop.development).await;
        assert_eq!(texts(&foreign, "session_id"), BTreeSet::from([there.session_id()]));
        assert_eq!(texts(&foreign, "user_id"), BTreeSet::new());
    }

    async fn what_no_token_can_need_any_more_is_not_told(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let _ = mia.signs_out().await.expect(204);

        app.clock.advance(Duration::from_mins(61));

        assert_eq!(all(&app.key()).await, Vec::<Value>::new());
    }

    async fn a_cursor_that_is_not_of_this_feed_is_refused(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let _ = mia.signs_out().await.expect(204);
        let (_, own) = page(&app.key(), "").await;
        let (_, foreign) = page(&app.machine(&app.own.production), "").await;
        let users = app.key().get("/v1/admin/users?limit=1").await.told(200);
        let other_list = users["next_cursor"].as_str().unwrap_or("x").to_owned();
        let altered = format!("A{}", &own[1..]);

        for forged in ["", "x", "-1", &altered, &foreign, &other_list] {
            let list = format!("/v1/revocations?after={forged}");
            app.key().get(&list).await.refuses(400, "bad_cursor");
            let live = app.key().get("/v1/revocations").header("accept", "text/event-stream");
            live.header("last-event-id", forged).await.refuses(400, "bad_cursor");
        }
        let twice = format!("/v1/revocations?after={own}&after={own}");
        app.key().get(&twice).await.refuses(400, "invalid_query");
    }

    /// Four devices sign out while the feed is read two at a time.
    async fn pages_lose_nothing_while_others_write(app: TestApp) {
        let people = people(&app, 40).await;
        let ids: BTreeSet<_> = people.iter().map(Person::session_id).collect();
        let (machine, began) = (app.key(), Instant::now());

        let leave = join_all(people.iter().map(async |person| {
            let _ = person.signs_out().await.expect(204);
        }));
        let read = async {
            let (mut told, mut next) = sweeps(&machine, None, 2).await;
            while texts(&told, "session_id").len() < ids.len() {
                assert!(began.elapsed() < Duration::from_secs(20), "{} of 40", told.len());
                let (more, then) = sweeps(&machine, Some(&next), 2).await;
                told.extend(more);
                next = then;
            }
            told
        };
        let (_, told) = futures_util::future::join(leave, read).await;

        assert_eq!(texts(&told, "session_id"), ids);
    }

    /// A transaction that took its time: it commits behind what has been read already.
    async fn what_is_committed_late_is_told_all_the_same(app: TestApp) {
        let (machine, door) = (app.key(), app.own.development.clone());
        let (now, second) = (app.clock.now(), Duration::from_secs(1));
        for _ in 0..3 {
            revokes(&app, &door, now).await;
        }
        let first = machine.get("/v1/revocations?limit=2").await.told(200);
        assert_eq!(first["has_more"], true);

        let late = revokes(&app, &door, now.minus(60 * second)).await;
        app.clock.advance(300 * second);
        let from = first["next"].as_str().expect("a cursor");
        let (rest, next) = sweeps(&machine, Some(from), 2).await;
        let (again, _) = sweeps(&machine, Some(&next), 2).await;

        assert!(!texts(&rest, "session_id").contains(&late), "it stands before the cursor");
        assert!(texts(&again, "session_id").contains(&late), "{again:?}");
    }

    async fn a_follower_is_told_as_it_happens_on_any_node(app: TestApp) {
        let node = app.another_node(&[]).await;
        let (mia, max) = (app.person("mia@example.org").await, app.person("max@example.org").await);
        let stranger = app.founds("Shop").await;
        let key = [("x-api-key", &*mia.door.secret_key)];
        let (mut here, mut there) =
            (Events::of(&app.client().url(), &key).await, Events::of(&node.client().url(), &key).await);
        let foreign = [("x-api-key", &*stranger.development.secret_key)];
        let mut foreign = Events::of(&app.client().url(), &foreign).await;
        for events in [&mut here, &mut there, &mut foreign] {
            events.caught_up().await;
        }

        let _ = mia.signs_out().await.expect(204);

        for events in [&mut here, &mut there] {
            let event = events.told().await;
            assert_eq!(event.name, "revocation");
            let of_mia = json!({"type": "session", "session_id": mia.session_id()});
            assert_has(&event.data, of_mia);
            assert_eq!(event.data, all(&app.key()).await[0]);
        }
        let _ = max.signs_out_everywhere().await.expect(204);
        assert_eq!(here.told().await.data["user_id"], max.id);
        let nothing = tokio::time::timeout(Duration::from_millis(500), foreign.told()).await;
        assert!(nothing.is_err(), "{nothing:?}");
    }

    /// What happened while nobody listened is told first, whichever cursor says where to begin.
    async fn a_follower_that_comes_back_misses_nothing(app: TestApp) {
        let people = people(&app, 4).await;
        let key = ("x-api-key", &*people[0].door.secret_key);
        let _ = people[0].signs_out().await.expect(204);
        let mut events = Events::of(&app.client().url(), &[key]).await;
        let missed = events.told().await;
        assert_eq!(missed.data["session_id"], people[0].session_id());
        events.caught_up().await;
        let _ = people[1].signs_out().await.expect(204);
        let live = events.told().await;
        drop(events);
        let (_, polled) = page(&app.key(), "").await;
        app.clock.advance(Duration::from_mins(5));
        let _ = people[2].signs_out().await.expect(204);

        for id in [&missed.id, &live.id, &polled] {
            let mut again = Events::of(&app.client().url(), &[key, ("last-event-id", id)]).await;
            // Who has seen the second may be spared it.
            let unseen = if *id == missed.id { &people[1..3] } else { &people[2..3] };
            let mut told = Vec::new();
            while unseen.iter().any(|it| !texts(&told, "session_id").contains(&it.session_id())) {
                told.push(again.told().await.data);
            }
        }
    }

    async fn nobody_is_told_anything_after_the_end_of_his_key(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let new = json!({
            "name": "Follower", "owner": "environment", "roles": ["ADMIN"], "scopes": ["revocations:read"],
        });
        let made = app.key().post("/v1/keys").json(new).await.told(201);
        let (secret, id) = (made["key"].as_str().expect("a key"), &made["id"]);
        let mut events = Events::of(&app.client().url(), &[("x-api-key", secret)]).await;
        events.caught_up().await;

        let path = format!("/v1/keys/{}", id.as_str().expect("an identifier"));
        let _ = app.key().delete(&path).await.expect(204);
        let _ = mia.signs_out().await.expect(204);

        assert_eq!(events.next().await, None);
    }

    async fn two_hundred_sign_outs_at_once_all_arrive(app: TestApp) {
        let node = app.another_node(&[]).await;
        let people = people(&app, MANY).await;
        let key = [("x-api-key", &*people[0].door.secret_key)];
        let mut events = Events::of(&node.client().url(), &key).await;
        events.caught_up().await;

        join_all(people.iter().map(async |person| {
            let _ = person.signs_out().await.expect(204);
        }))
        .await;

        let mut left: HashSet<_> = people.iter().map(Person::session_id).collect();
        while !left.is_empty() {
            let told = events.told().await.data;
            left.remove(told["session_id"].as_str().expect("a session"));
        }
        for person in &people {
            let there = || node.client().get("/v1/me").bearer(&person.access_token());
            eventually(async || there().await.status == 401).await;
        }
    }
}

/// Fifteen seconds pass. That is short of what an idle connection survives between the two.
#[test]
fn a_line_is_held_open_for_those_who_may_listen_and_for_nobody_else() {
    run(async {
        let app = TestApp::on(Backend::Sqlite).await;
        let (kept, lost) = (&app.own.development, &app.own.production);
        let key = |door: &Door| door.secret_key.clone();
        let mut heard = Events::of(&app.client().url(), &[("x-api-key", &key(kept))]).await;
        let mut ended = Events::of(&app.client().url(), &[("x-api-key", &key(lost))]).await;
        let (began, first) = (Instant::now(), heard.caught_up().await);
        ended.caught_up().await;

        let mut once = app.store().once();
        let mut tx = once.within(lost.tenant());
        assert_eq!(tx.delete_many::<ApiKey>(Filter::all()).await.unwrap(), 1);
        app.clock.advance(Duration::from_mins(1));

        assert_eq!(ended.next().await, None);
        let second = heard.caught_up().await;
        assert!(
            began.elapsed() > Duration::from_secs(10),
            "{:?}",
            began.elapsed()
        );
        assert_ne!(first, second, "who comes back need not begin there again");
    });
}
