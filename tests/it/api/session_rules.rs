//! The session rules of an app: how long sessions live, how many there are, what binds them.

use std::collections::HashSet;
use std::future::IntoFuture;
use std::time::Duration;

use authsome::events::{Name, Outcome};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{Door, TestApp, eventually};
use crate::support::client::{Asks, Request, assert_has};
use crate::support::orgs::text;
use crate::support::persona::{PASSWORD, Person};
use crate::support::stores::{Backend, on_both_stores};

const MINUTE: Duration = Duration::from_mins(1);
/// What clocks may differ by: a token is accepted for as long after its end.
const LEEWAY: Duration = Duration::from_secs(30);
const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);
const PHONE: &str = "my-phone-0123456789.~_";

fn path(door: &Door) -> String {
    format!("/v1/admin/apps/{}/session-config", door.app_id)
}

fn rules(asks: &impl Asks, door: &Door, body: Value) -> Request {
    asks.request("PUT", &path(door)).json(body)
}

async fn ruled(app: &TestApp, body: Value) {
    rules(&app.key(), &app.own.development, body)
        .await
        .told(200);
}

/// The sessions of a person that still answer.
async fn alive(people: &[Person]) -> Vec<String> {
    let mut alive = Vec::new();
    for person in people {
        if person.me().await.status == 200 {
            alive.push(person.session_id());
        }
    }
    alive
}

async fn listed(person: &Person) -> Vec<String> {
    let told = person.get("/v1/sessions?limit=100").await.told(200);
    let all = told["sessions"].as_array().expect("a list").iter();
    all.map(|it| it["id"].as_str().expect("an identifier").to_owned())
        .collect()
}

on_both_stores! {
    async fn what_is_not_set_is_the_server_s_own(app: TestApp) {
        let door = &app.own.development;
        let own = json!({
            "token_ttl_seconds": 900, "refresh_token_ttl_seconds": 2_592_000,
            "bind_to_ip": false, "bind_to_device": false, "rotate_refresh_token": true,
            "token_format": "jwt",
        });
        let before = app.key().get(&path(door)).await.told(200);
        assert_eq!(before, json!({"app_id": door.app_id, "set": {}, "effective": own}));

        let body = json!({"token_ttl_seconds": 60, "bind_to_ip": true, "idle_timeout_seconds": null});
        let set = rules(&app.key(), door, body).await.told(200);
        assert_eq!(set["set"], json!({"token_ttl_seconds": 60, "bind_to_ip": true}));
        assert_has(&set["effective"], json!({
            "token_ttl_seconds": 60, "refresh_token_ttl_seconds": 2_592_000, "bind_to_ip": true,
        }));
        assert_eq!(app.key().get(&path(door)).await.told(200), set);

        let whole = json!({"max_active_sessions": 3});
        let replaced = rules(&app.key(), door, whole.clone()).await.told(200);
        assert_eq!(replaced["set"], whole);
        let _ = app.key().delete(&path(door)).await.expect(204);
        let _ = app.key().delete(&path(door)).await.expect(204);
        assert_eq!(app.key().get(&path(door)).await.told(200), before);
        let told = app.events(door, Name::SessionConfigUpdated).await;
        assert_eq!(told.len(), 3);
    }

    async fn rules_are_within_bounds(app: TestApp) {
        let door = &app.own.development;
        let bounds = [
            ("token_ttl_seconds", 60, 3_600), ("refresh_token_ttl_seconds", 3_600, 7_776_000),
            ("idle_timeout_seconds", 300, 7_776_000), ("max_active_sessions", 1, 1_000),
        ];
        for (name, least, most) in bounds {
            for good in [least, most] {
                rules(&app.key(), door, json!({name: good})).await.told(200);
            }
            for bad in [json!(least - 1), json!(most + 1), json!(-1), json!(60.5), json!("60"), json!(1e30)] {
                rules(&app.key(), door, json!({name: bad})).await.refuses(400, "invalid_body");
            }
        }
        rules(&app.key(), door, json!({"bind_to_ip": 1})).await.refuses(400, "invalid_body");
        rules(&app.key(), door, json!({"token_formats": "x"})).await.refuses(400, "unknown_field");
        // There are no opaque access tokens, and what only we could verify is no choice of an app.
        for (name, bad) in [
            ("token_format", json!("opaque")), ("token_format", json!("JWT")), ("token_format", json!(1)),
            ("signing_alg", json!("HS256")), ("signing_alg", json!("none")), ("signing_alg", json!("es256")),
            ("rotate_refresh_token", json!("no")),
        ] {
            let problem = rules(&app.key(), door, json!({name: bad})).await.refuses(400, "invalid_body");
            assert_eq!(problem["errors"][0]["pointer"], format!("/{name}"), "{problem}");
        }
        let jwt = rules(&app.key(), door, json!({"token_format": "jwt"})).await.told(200);
        assert_eq!(jwt["set"], json!({"token_format": "jwt"}));
    }

    async fn rules_are_made_by_administrators_of_that_app(app: TestApp) {
        let (mia, admin) = (app.person("mia@example.org").await, app.admin().await);
        let shop = app.founds("Shop").await;
        let (own, other) = (&app.own.development, &shop.development);
        let body = || json!({"bind_to_ip": true});

        mia.get(&path(own)).await.refuses(403, "forbidden");
        rules(&mia, own, body()).await.refuses(403, "forbidden");
        mia.delete(&path(own)).await.refuses(403, "forbidden");
        app.get(&path(own)).await.refuses(401, "unauthenticated");
        admin.get(&path(other)).await.refuses(404, "not_found");
        rules(&admin, other, body()).await.refuses(404, "not_found");
        admin.delete(&path(other)).await.refuses(404, "not_found");

        rules(&admin, own, body()).await.told(200);
        let operator = app.operator().await;
        let elsewhere = format!("{}{}", path(other), other.query());
        assert_eq!(operator.get(&elsewhere).await.told(200)["set"], json!({}));
        operator.get(&path(other)).await.refuses(404, "not_found");
    }

    async fn of_twenty_first_times_at_once_one_document_is_left(app: TestApp) {
        let door = &app.own.development;
        let key = app.key();
        let ask = async |most: u32| rules(&key, door, json!({"max_active_sessions": most})).await;

        for reply in join_all((1..=20).map(ask)).await {
            reply.told(200);
        }

        let stored = app.of_app::<authsome::session_rules::SessionConfig>(door).await;
        assert_eq!(stored.len(), 1);
    }

    async fn tokens_and_sessions_live_as_long_as_the_app_says(app: TestApp) {
        let before = app.person("before@example.org").await;
        ruled(&app, json!({"token_ttl_seconds": 60, "refresh_token_ttl_seconds": 3_600})).await;

        let mia = app.person("mia@example.org").await;
        let told = mia.signs_in().await.told(200);
        assert_eq!(told["expires_in"], 60);
        let session = &mia.sessions().await.told(200)["sessions"][0];
        assert_eq!(session["expires_at"], "2040-01-01T01:00:00.000Z");
        // A session that began before keeps its end, and its tokens follow the rules.
        assert_eq!(before.refreshes().await.told(200)["expires_in"], 60);

        app.clock.advance(59 * MINUTE + 30 * SECOND);
        assert_eq!(mia.refreshes().await.told(200)["expires_in"], 30);
        app.clock.advance(30 * SECOND);
        mia.refreshes().await.refuses(401, "invalid_refresh_token");
        app.clock.advance(LEEWAY);
        mia.me().await.refuses(401, "invalid_token");
        before.refreshes().await.told(200);
    }

    /// Longer rules do not prolong what has begun.
    async fn no_rule_moves_the_end_of_a_session(app: TestApp) {
        ruled(&app, json!({"refresh_token_ttl_seconds": 3_600})).await;
        let mia = app.person("mia@example.org").await;
        ruled(&app, json!({"refresh_token_ttl_seconds": 7_776_000})).await;

        for _ in 0..59 {
            app.clock.advance(MINUTE);
            let _ = mia.refreshes().await.expect(200);
        }
        app.clock.advance(MINUTE);

        mia.refreshes().await.refuses(401, "invalid_refresh_token");
    }

    async fn a_session_that_is_idle_for_too_long_ends(app: TestApp) {
        ruled(&app, json!({"idle_timeout_seconds": 300})).await;
        let mia = app.person("mia@example.org").await;
        let idle = mia.on_another_device().await;
        assert_eq!(mia.signs_in().await.told(200)["expires_in"], 300);

        app.clock.advance(4 * MINUTE + 59 * SECOND);
        let _ = mia.refreshes().await.expect(200);
        app.clock.advance(SECOND);

        assert_eq!(listed(&mia).await, [mia.session_id()]);
        idle.refreshes().await.refuses(401, "invalid_refresh_token");
        idle.refreshes().await.refuses(401, "invalid_refresh_token");
        idle.me().await.refuses(401, "invalid_token");
        let told = app.events(&mia.door, Name::SessionRevoked).await;
        let [event] = &told[..] else { panic!("{told:?}") };
        assert_eq!(event.details["reason"], "idle");
        assert_eq!(event.target.as_ref().and_then(|it| it.id.clone()), Some(idle.session_id()));
        assert_eq!(event.actor.kind, "system");
        // It stays ended when the rule is gone.
        let _ = app.key().delete(&path(&mia.door)).await.expect(204);
        idle.refreshes().await.refuses(401, "invalid_refresh_token");
        mia.refreshes().await.told(200);
    }

    async fn a_rule_for_idleness_counts_for_the_sessions_that_there_are(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        app.clock.advance(10 * MINUTE);
        mia.me().await.told(200);

        ruled(&app, json!({"idle_timeout_seconds": 300})).await;
        mia.refreshes().await.refuses(401, "invalid_refresh_token");

        mia.me().await.refuses(401, "invalid_token");
    }

    async fn the_oldest_session_goes_for_a_newer_one(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let max = app.person("max@example.org").await;
        let mut people = vec![mia];
        for _ in 0..3 {
            app.clock.advance(MS);
            people.push(people[0].on_another_device().await);
        }
        ruled(&app, json!({"max_active_sessions": 2})).await;
        assert_eq!(alive(&people).await.len(), 4);

        app.clock.advance(MS);
        people.push(people[0].on_another_device().await);

        let left: Vec<_> = people[3..].iter().map(Person::session_id).collect();
        assert_eq!(alive(&people).await, left);
        people[2].refreshes().await.refuses(401, "invalid_refresh_token");
        assert_eq!(listed(&people[4]).await.len(), 2);
        max.me().await.told(200);
        let told = app.events(&max.door, Name::SessionRevoked).await;
        assert_eq!(told.len(), 3);
        assert!(told.iter().all(|event| event.details["reason"] == "session_limit"));
    }

    async fn a_session_that_is_over_takes_no_place(app: TestApp) {
        ruled(&app, json!({"max_active_sessions": 2, "idle_timeout_seconds": 300})).await;
        let mia = app.person("mia@example.org").await;
        app.clock.advance(MS);
        let idle = mia.on_another_device().await;
        app.clock.advance(4 * MINUTE);
        let _ = mia.refreshes().await.expect(200);
        app.clock.advance(MINUTE);

        let third = mia.on_another_device().await;

        mia.me().await.told(200);
        third.me().await.told(200);
        idle.refreshes().await.refuses(401, "invalid_refresh_token");
    }

    /// On two nodes, and all of one millisecond: which of them are the oldest is chance, how many are left is not.
    async fn of_twenty_sign_ins_at_once_five_sessions_are_left(app: TestApp) {
        ruled(&app, json!({"max_active_sessions": 5})).await;
        let mia = app.person("mia@example.org").await;
        app.clock.advance(MS);

        let node = app.another_node(&[]).await;
        let there = mia.visitor().by(node.client());
        let enters = async |number: i32| match number % 2 {
            0 => mia.on_another_device().await,
            _ => there.enters(&mia.email, PASSWORD).await,
        };

        let people = join_all((0..20).map(enters)).await;

        eventually(async || alive(&people).await.len() == 5).await;
        let alive = alive(&people).await;
        let last = people.iter().find(|it| alive.contains(&it.session_id())).expect("somebody");
        let shown: HashSet<_> = listed(last).await.into_iter().collect();
        assert_eq!(alive.len(), 5);
        assert_eq!(shown, alive.into_iter().collect());
        assert_eq!(app.events(&mia.door, Name::SessionRevoked).await.len(), 16);
        mia.refreshes().await.refuses(401, "invalid_refresh_token");
        mia.me().await.refuses(401, "invalid_token");
    }

    async fn a_session_of_one_is_the_last_that_began(app: TestApp) {
        ruled(&app, json!({"max_active_sessions": 1})).await;
        let mia = app.person("mia@example.org").await;
        for _ in 0..5 {
            let before = mia.access_token();
            mia.signs_in().await.told(200);
            app.get("/v1/me").bearer(&before).await.refuses(401, "invalid_token");
            mia.me().await.told(200);
        }
    }

    async fn a_session_bound_to_its_device_is_refreshed_by_it_alone(app: TestApp) {
        ruled(&app, json!({"bind_to_device": true})).await;
        let mia = app.person("mia@example.org").await;
        let phone = mia.visitor().enters_on(&mia.email, PHONE).await;
        let present = |more: Value| {
            let mut body = json!({"refresh_token": phone.refresh_token()});
            for (name, value) in more.as_object().into_iter().flatten() {
                body[name] = value.clone();
            }
            phone.visitor().post("/v1/refresh").json(body)
        };

        present(json!({})).await.refuses(401, "invalid_refresh_token");
        present(json!({"device_id": "another-phone-0001"})).await.refuses(401, "invalid_refresh_token");
        let twice = format!("authsome_device={PHONE}; authsome_device={PHONE}");
        present(json!({})).header("cookie", twice).await.refuses(401, "invalid_refresh_token");

        // A thief of the token does no harm: it is still good where it belongs.
        phone.me().await.told(200);
        let told = app.events(&mia.door, Name::BindingRefused).await;
        assert_eq!(told.len(), 3);
        for event in &told {
            assert_eq!((event.outcome, &event.details["binding"]), (Outcome::Denied, &json!("device")));
            assert_eq!(event.target.as_ref().and_then(|it| it.id.clone()), Some(phone.session_id()));
        }
        let own = present(json!({"device_id": PHONE})).await.told(200);
        let body = json!({"refresh_token": own["refresh_token"]});
        let by_cookie = phone.visitor().post("/v1/refresh").json(body);
        by_cookie.header("cookie", format!("authsome_device={PHONE}")).await.told(200);
    }

    async fn a_binding_that_is_not_asked_for_binds_nobody(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let phone = mia.visitor().enters_on(&mia.email, PHONE).await;

        phone.refreshes().await.told(200);

        assert!(app.events(&mia.door, Name::BindingRefused).await.is_empty());
    }

    /// Rules are asked for once a second at most.
    async fn the_rules_cost_a_refresh_no_call(app: TestApp) {
        let mia = app.proven_person("mia@example.org").await;
        let _ = mia.refreshes().await.expect(200);

        let calls = app.calls_for(async || {
            let _ = mia.refreshes().await.expect(200);
        });

        assert_eq!(calls.await, 1);
    }

    async fn another_node_hears_of_new_rules_within_two_seconds(app: TestApp) {
        let node = app.another_node(&[]).await;
        let mia = app.person("mia@example.org").await;
        let there = mia.visitor().by(node.client());
        assert_eq!(there.signs_in(&mia.email, PASSWORD).await.told(200)["expires_in"], 900);

        ruled(&app, json!({"token_ttl_seconds": 120})).await;

        assert_eq!(mia.signs_in().await.told(200)["expires_in"], 120);
        eventually(async || {
            there.signs_in(&mia.email, PASSWORD).await.told(200)["expires_in"] == 120
        })
        .await;
    }
}

/// Behind a proxy that is trusted, so that a client can have more than one address.
struct Proxied(TestApp);

impl Proxied {
    async fn on(backend: Backend) -> Self {
        let settings = [("SERVER__TRUSTED_PROXIES", "127.0.0.1/32")];
        Self(TestApp::with(backend, &settings).await)
    }
}

on_both_stores! {
    async fn a_session_bound_to_its_address_is_refreshed_from_its_network_alone(proxied: Proxied) {
        let app = &proxied.0;
        ruled(app, json!({"bind_to_ip": true})).await;
        let mia = app.person("mia@example.org").await;
        let visitor = mia.visitor();
        for (home, near, far) in [
            ("203.0.113.9", "203.0.113.9", "203.0.113.10"),
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"),
        ] {
            let enter = visitor.signs_in(&mia.email, PASSWORD).header("x-forwarded-for", home);
            let told = enter.await.told(200);
            let token = told["refresh_token"].as_str().expect("a token");
            let from = |address: &str| visitor.presents(token).header("x-forwarded-for", address);

            from(far).await.refuses(401, "invalid_refresh_token");
            from(far).await.refuses(401, "invalid_refresh_token");

            let access = told["access_token"].as_str().expect("a token");
            app.get("/v1/me").bearer(access).await.told(200);
            from(near).await.told(200);
        }
        let told = app.events(&mia.door, Name::BindingRefused).await;
        assert_eq!(told.len(), 4);
        assert!(told.iter().all(|event| event.details["binding"] == "ip_address"));
    }

    async fn a_refresh_token_that_is_not_rotated_stays_good(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        ruled(&app, json!({"rotate_refresh_token": false})).await;
        let token = mia.refresh_token();

        for reply in join_all((0..20).map(|_| mia.presents(&token).into_future())).await {
            assert_eq!(reply.told(200)["refresh_token"], token.as_str());
        }

        let access = mia.refreshes().await.told(200);
        assert_ne!(access["access_token"], mia.visitor().presents(&token).await.told(200)["access_token"]);
        app.clock.advance(31 * 24 * 60 * MINUTE);
        mia.presents(&token).await.refuses(401, "invalid_refresh_token");
    }

    async fn where_tokens_are_rotated_again_the_next_use_is_the_last(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        ruled(&app, json!({"rotate_refresh_token": false})).await;
        let token = mia.refresh_token();
        mia.presents(&token).await.told(200);

        ruled(&app, json!({"rotate_refresh_token": true})).await;

        let next = mia.presents(&token).await.told(200);
        assert_ne!(next["refresh_token"], token.as_str());
        mia.presents(&token).await.refuses(401, "refresh_token_reused");
    }

    async fn an_app_signs_by_the_algorithm_that_it_wants(app: TestApp) {
        let door = &app.own.development;
        let mia = app.person("mia@example.org").await;
        let algorithm = |token: &str| {
            let header = token.split('.').next().expect("a header");
            let header = BASE64_URL_SAFE_NO_PAD.decode(header).expect("base64url");
            serde_json::from_slice::<Value>(&header).expect("JSON")["alg"].clone()
        };
        let published = async || {
            let set = app.visitor(door).get("/.well-known/jwks.json").await.told(200);
            let keys = set["keys"].as_array().expect("keys").clone();
            keys.iter().map(|key| text(&key["alg"])).collect::<Vec<_>>()
        };
        assert_eq!(algorithm(&mia.access_token()), "ES256");
        for (wanted, count) in [("EdDSA", 2), ("RS256", 3)] {
            let set = rules(&app.key(), door, json!({"signing_alg": wanted})).await.told(200);
            assert_eq!(set["effective"]["signing_alg"], wanted);
            let before = algorithm(&mia.access_token());

            // Of twenty who come at once, one finds that a key has to be published.
            let all = join_all((0..20).map(|_| mia.on_another_device())).await;

            assert!(all.iter().all(|it| algorithm(&it.access_token()) == before));
            assert_eq!(published().await.len(), count);
            assert_eq!(published().await.last().map(String::as_str), Some(wanted));
            app.clock.advance(24 * 60 * MINUTE);
            let _ = mia.signs_in().await.expect(200);
            assert_eq!(algorithm(&mia.access_token()), wanted);
            mia.me().await.told(200);
        }
        assert_eq!(app.events(door, Name::SigningKeyPublished).await.len(), 2);
        let there = mia.enters(&app.own.development).await;
        there.me().await.told(200);
    }
}
