//! Environments from their making to their end: what is one's own, and what goes with it.

use std::collections::BTreeSet;
use std::future::IntoFuture;
use std::time::Duration;

use authsome::environments::Environment;
use authsome::events::Name;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::app::{Door, TestApp, eventually};
use crate::support::client::{Asks, Reply, assert_has};
use crate::support::dump;
use crate::support::orgs::text;
use crate::support::persona::{Administers, PASSWORD};
use crate::support::stores::on_both_stores;

/// What outlives an environment: what happened, and what must not be accepted.
const REMEMBER: [&str; 2] = ["authsome_events", "authsome_revocations"];

const MS: Duration = Duration::from_millis(1);

/// What a reply comes to, whatever is in it where it succeeds.
fn said(reply: &Reply) -> String {
    if reply.status < 300 {
        return reply.status.to_string();
    }
    reply.outcome()
}

/// How many environments are the default one.
async fn defaults(app: &TestApp) -> usize {
    let all = app.of_app::<Environment>(&app.own.development).await;
    all.iter().filter(|it| it.is_default).count()
}

async fn documents_of(app: &TestApp, door: &Door) -> BTreeSet<String> {
    let all = dump::collections(app.location()).await;
    let names = |it: &Value| it["env_id"] == door.env_id || it["_id"] == door.env_id;
    let kept = all
        .into_iter()
        .filter(|(_, documents)| documents.iter().any(names));
    kept.map(|(collection, _)| collection).collect()
}

on_both_stores! {
    async fn an_environment_begins_by_what_its_type_is_for(app: TestApp) {
        let make = async |name: &str, kind: &str| {
            let new = json!({"name": name, "type": kind});
            app.key().post("/v1/environments").json(new).await.told(201)
        };

        let live = make("EU Live", "production").await;
        let stage = make("Vorschau", "staging").await;

        assert_has(&live, json!({
            "name": "EU Live", "slug": "eu-live", "type": "production", "is_default": false,
            "color": "#c5221f",
        }));
        assert_eq!(live["settings"]["require_verification"], true);
        assert_eq!(stage["settings"]["require_verification"], false);
        assert!(text(&live["publishable_key"]).starts_with("pk_live_"));
        assert!(text(&stage["publishable_key"]).starts_with("pk_stg_"));
        let door = app.door(&stage).await;
        let config = app.visitor(&door).get("/v1/client-config").await.told(200);
        assert_has(&config, json!({"env_id": stage["id"], "environment": "vorschau"}));
        let mia = app.visitor(&door).becomes("mia@example.org", json!({})).await;
        mia.me().await.told(200);
        assert_eq!(app.environments().await.len(), 4);
        assert_eq!(app.machine(&door).get(&door.path("")).await.told(200), stage);
        let told = app.events(&app.own.development, Name::EnvironmentCreated).await;
        let targets = told.iter().filter_map(|it| it.target.as_ref()?.id.as_deref());
        assert_eq!(targets.filter(|id| stage["id"] == **id || live["id"] == **id).count(), 2);
    }

    async fn a_slug_is_one_environment_s_in_an_app_and_free_in_others(app: TestApp) {
        let other = app.founds("Other").await.development;
        let new = |name: &str, slug: Value| json!({"name": name, "slug": slug, "type": "staging"});
        let key = app.key();
        let make = |body: Value| key.post("/v1/environments").json(body);

        make(new("One", json!("stage"))).await.told(201);

        make(new("Two", json!("Stage"))).await.refuses(409, "slug_taken");
        let by_name = make(new("Stage", Value::Null)).await.told(201);
        assert!(text(&by_name["slug"]).starts_with("stage-"), "{by_name}");
        let nameless = make(new("日本語", Value::Null)).await.told(201);
        assert!(text(&nameless["slug"]).starts_with("environment"), "{nameless}");
        let elsewhere = app.machine(&other).post("/v1/environments");
        elsewhere.json(new("One", json!("stage"))).await.told(201);
        let rename = key.patch(&app.own.development.path("")).json(json!({"slug": "stage"}));
        rename.await.refuses(409, "slug_taken");
    }

    async fn what_means_nothing_is_refused_by_its_pointer(app: TestApp) {
        let good = json!({"name": "Stage", "type": "staging"});
        for (name, bad) in [
            ("name", json!("")), ("slug", json!("a")), ("slug", json!("../x")),
            ("type", json!("test")), ("type", json!("Production")), ("type", json!(1)),
            ("color", json!("red")), ("color", json!("#12345")), ("color", json!("url(x)")),
        ] {
            let mut body = good.clone();
            body[name] = bad;
            let refusal = app.key().post("/v1/environments").json(body).await.told(400);
            assert_eq!(refusal["errors"][0]["pointer"], format!("/{name}"), "{refusal}");
        }
        let path = app.own.development.path("");
        for name in ["type", "is_default", "publishable_key", "settings", "app_id"] {
            app.key().patch(&path).json(json!({name: "x"})).await.refuses(400, "unknown_field");
        }
        for grace in [json!(-1), json!(2_592_001), json!("1d"), json!(0.5)] {
            let rotate = app.key().post(&app.own.development.path("/rotate-key"));
            let problem = rotate.json(json!({"grace_seconds": grace})).await.refuses(400, "invalid_body");
            assert_eq!(problem["errors"][0]["pointer"], "/grace_seconds");
        }
        assert_eq!(app.environments().await.len(), 2);
    }

    async fn names_and_colours_change_and_a_colour_can_be_given_up(app: TestApp) {
        let (key, path) = (app.key(), app.own.development.path(""));
        let change = json!({"name": "Workbench", "color": "#AABBCC"});

        let changed = key.patch(&path).json(change).await.told(200);
        let given_up = key.patch(&path).json(json!({"color": null})).await.told(200);

        assert_has(&changed, json!({"name": "Workbench", "slug": "development", "color": "#aabbcc"}));
        assert_has(&given_up, json!({"name": "Workbench", "color": "#1e8e3e"}));
        assert_eq!(app.events(&app.own.development, Name::EnvironmentUpdated).await.len(), 2);
    }

    async fn an_app_has_twenty_environments_also_where_thirty_are_asked_for_at_once(app: TestApp) {
        let key = app.key();
        let make = async |number: u32| {
            let new = json!({"name": format!("Branch {number}"), "type": "development"});
            said(&key.post("/v1/environments").json(new).await)
        };

        let all = join_all((0..30).map(make)).await;

        let founded = all.iter().filter(|it| *it == "201").count();
        let refused = all.iter().filter(|it| *it == "409 environment_limit").count();
        assert_eq!((founded, refused), (18, 12), "{all:?}");
        assert_eq!(app.environments().await.len(), 20);
    }

    async fn of_twenty_who_each_make_another_one_the_default_one_has_its_way(app: TestApp) {
        let mut doors = vec![app.own.production.clone()];
        for number in 0..4 {
            doors.push(app.environment(&format!("Branch {number}"), "development").await);
        }
        let ask = async |number: usize| {
            let door = &doors[number % doors.len()];
            let set = app.machine(door).post(&door.path("/set-default")).await;
            set.told(200)
        };

        for told in join_all((0..20).map(ask)).await {
            assert_eq!(told["is_default"], true);
        }

        assert_eq!(defaults(&app).await, 1);
        let own = app.environments().await;
        let default = own.iter().find(|it| it["is_default"] == true).expect("one");
        let operator = app.operator().await;
        let query = format!("?app_id={}", app.own.development.app_id);
        let path = format!("/v1/environments/{}{query}", text(&default["id"]));
        let named = operator.get(&path).await;
        assert_eq!(named.told(200)["id"], default["id"]);
    }

    async fn the_default_one_stays_whoever_deletes_it_and_whenever(app: TestApp) {
        let (development, production) = (&app.own.development, &app.own.production);
        app.deletes_environment(development).await.refuses(409, "default_environment");

        let set = app.machine(production).post(&production.path("/set-default")).into_future();
        let (set, deleted) = futures_util::future::join(set, app.deletes_environment(production).into_future()).await;

        // Whichever came first.
        let outcomes = (said(&set), said(&deleted));
        let is_consistent = matches!(
            (&*outcomes.0, &*outcomes.1),
            ("200", "409 default_environment")
                | ("404 not_found" | "401 invalid_token" | "401 invalid_publishable_key", "204")
        );
        assert!(is_consistent, "{outcomes:?}");
        assert_eq!(defaults(&app).await, 1);
    }

    async fn a_superseded_key_is_good_for_its_time_of_grace_on_every_node(app: TestApp) {
        let node = app.another_node(&[]).await;
        let door = &app.own.development;
        let named = async |client: &dyn Asks, key: &str| {
            said(&client.get(&format!("/v1/client-config?key={key}")).await)
        };
        let old = &door.publishable_key;
        assert_eq!(named(node.client(), old).await, "200");

        let rotate = app.key().post(&door.path("/rotate-key")).json(json!({"grace_seconds": 60}));
        let told = rotate.await.told(200);

        let new = text(&told["publishable_key"]);
        assert_ne!(&new, old);
        assert_eq!(told["superseded_until"], "2040-01-01T00:01:00.000Z");
        assert_eq!(told["environment"]["publishable_key"], new);
        for client in [app.client(), node.client()] {
            eventually(async || named(client, &new).await == "200").await;
            assert_eq!(named(client, old).await, "200");
        }
        app.visitor(door).signs_up("mia@example.org", PASSWORD).await.told(201);
        app.clock.advance(Duration::from_millis(59_999));
        assert_eq!(named(app.client(), old).await, "200");
        app.clock.advance(MS);
        for client in [app.client(), node.client()] {
            eventually(async || named(client, old).await == "401 invalid_publishable_key").await;
            assert_eq!(named(client, &new).await, "200");
        }
        app.visitor(door).signs_up("max@example.org", PASSWORD).await.refuses(401, "invalid_publishable_key");
        assert_eq!(app.events(door, Name::PublishableKeyRotated).await.len(), 1);
    }

    async fn without_grace_the_old_key_is_dead_within_a_second(app: TestApp) {
        let node = app.another_node(&[]).await;
        let door = &app.own.development;
        let there = async || said(&node.client().get("/v1/client-config").at(door).await);
        assert_eq!(there().await, "200");

        let rotate = app.key().post(&door.path("/rotate-key")).json(json!({"grace_seconds": 0}));
        rotate.await.told(200);

        app.get("/v1/client-config").at(door).await.refuses(401, "invalid_publishable_key");
        eventually(async || there().await == "401 invalid_publishable_key").await;
    }

    async fn without_grace_those_before_are_dead_as_well(app: TestApp) {
        let door = &app.own.development;
        let rotates = async |grace: u32| {
            let rotate = app.key().post(&door.path("/rotate-key")).json(json!({"grace_seconds": grace}));
            text(&rotate.await.told(200)["publishable_key"])
        };
        let named = async |key: &str| said(&app.get(&format!("/v1/client-config?key={key}")).await);

        let second = rotates(2_592_000).await;
        let third = rotates(0).await;

        for old in [&door.publishable_key, &second] {
            assert_eq!(named(old).await, "401 invalid_publishable_key");
        }
        assert_eq!(named(&third).await, "200");
    }

    async fn of_twenty_rotations_at_once_every_key_that_was_told_is_good(app: TestApp) {
        let (key, path) = (app.key(), app.own.development.path("/rotate-key"));

        let all = join_all((0..20).map(|_| key.post(&path).json(json!({})).into_future())).await;

        let keys: BTreeSet<String> = all.into_iter().map(|it| text(&it.told(200)["publishable_key"])).collect();
        assert_eq!(keys.len(), 20);
        for key in &keys {
            app.get(&format!("/v1/client-config?key={key}")).await.told(200);
        }
    }

    /// By a key that was good when they came.
    async fn whoever_comes_while_it_is_deleted_is_in_it_or_told_so(app: TestApp) {
        let staging = app.environment("Staging", "staging").await;
        let (visitor, machine) = (app.visitor(&staging), app.machine(&staging));
        let comes = (0..20).map(|number| {
            visitor.signs_up(&format!("user{number}@example.org"), PASSWORD).into_future()
        });
        let goes = machine.delete(&staging.path("")).into_future();

        let (came, gone) = futures_util::future::join(join_all(comes), goes).await;

        let _ = gone.expect(204);
        let outcomes: Vec<String> = came.iter().map(said).collect();
        let is_sound = |it: &String| ["201", "401 invalid_publishable_key"].contains(&&**it);
        assert!(outcomes.iter().all(is_sound), "{outcomes:?}");
    }

    async fn a_clone_has_the_configuration_and_nothing_that_happened(app: TestApp) {
        let door = &app.own.development;
        let mia = app.person("mia@example.org").await;
        app.org("acme", &mia).await;
        let settings = json!({
            "signup_open": false, "allowed_origins": ["https://app.example.com"],
            "invitation_url": "https://app.example.com/join", "invitation_ttl_seconds": 7_200,
        });
        let settings = app.key().sets(door, settings).await.told(200);

        let hook = json!({"url": "https://hooks.example.com/in", "events": ["user.*"]});
        let hook = app.key().post("/v1/webhooks").json(hook).await.told(201);
        let wanted = json!({"name": "Sandbox", "type": "staging", "color": "#123456"});
        let made = app.key().post(&door.path("/clone")).json(wanted).await.told(201);

        assert_has(&made, json!({
            "slug": "sandbox", "type": "staging", "color": "#123456", "is_default": false,
            "settings": settings, "cloned_from": door.env_id,
        }));
        assert_ne!(made["publishable_key"], door.publishable_key);
        let clone = app.door(&made).await;
        let left = documents_of(&app, &clone).await;
        let own = [
            "authsome_api_keys", "authsome_environments", "authsome_events", "authsome_settings",
            "authsome_signing_keys", "authsome_webhooks",
        ];
        assert_eq!(left, own.map(str::to_owned).into(), "the key is the test's");
        let hooks = app.machine(&clone).get("/v1/webhooks").await.told(200);
        let copy = &hooks["webhooks"][0];
        assert_has(copy, json!({"url": hook["url"], "events": hook["events"], "active": false}));
        assert_ne!(copy["id"], hook["id"]);
        // Its user is the app's, and has nothing there.
        let there = mia.enters(&clone).await;
        assert_eq!(there.get("/v1/me/orgs").await.told(200)["organizations"], json!([]));
        let preflight = app.request("OPTIONS", "/v1/me").header("origin", "https://app.example.com");
        let preflight = preflight.header("access-control-request-method", "GET").await.expect(204);
        assert_eq!(preflight.header("access-control-allow-origin"), Some("https://app.example.com"));
        app.key().post(&door.path("/clone")).json(json!({"name": "X", "slug": "sandbox"})).await.refuses(409, "slug_taken");
        let same = app.key().post(&door.path("/clone")).json(json!({"name": "Twin"})).await.told(201);
        assert_eq!(same["type"], "development");
    }

    async fn no_credential_of_one_environment_opens_another(app: TestApp) {
        let stage = app.environment("Stage", "staging").await;
        let development = &app.own.development;
        let mia = app.person("mia@example.org").await;
        let there = mia.enters(&stage).await;
        let admin = app.admin_of(development).await;

        // Tokens, by the key that is presented beside them.
        mia.me().at(&stage).await.refuses(401, "tenant_mismatch");
        there.me().at(development).await.refuses(401, "tenant_mismatch");
        there.presents(&mia.refresh_token()).await.refuses(401, "tenant_mismatch");
        app.machine(&stage).get("/v1/admin/users").at(development).await.refuses(401, "tenant_mismatch");
        app.machine(development).get("/v1/admin/users").at(&stage).await.refuses(401, "tenant_mismatch");
        // What is asked for by its identifier.
        let sessions = |path: &str| app.machine(&stage).get(path);
        sessions(&development.path("")).await.refuses(404, "not_found");
        for (method, below) in [
            ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/clone"), ("POST", "/set-default"),
            ("POST", "/rotate-key"), ("GET", "/settings"), ("PATCH", "/settings"),
        ] {
            for asks in [&admin as &dyn Asks, &app.key()] {
                let mut request = asks.request(method, &stage.path(below));
                if ["PATCH", "POST"].contains(&method) && below != "/set-default" {
                    let body = match below { "/clone" => json!({"name": "X Y Z"}), _ => json!({}) };
                    request = request.json(body);
                }
                request.await.refuses(404, "not_found");
            }
        }
        there.delete(&format!("/v1/sessions/{}", mia.session_id())).await.refuses(404, "not_found");
        assert_eq!(there.sessions().await.told(200)["sessions"].as_array().map(Vec::len), Some(1));
        mia.me().await.told(200);
        // Its signing keys are its own.
        let keys = async |door: &Door| {
            let set = app.visitor(door).get("/.well-known/jwks.json").await.told(200);
            let all = set["keys"].as_array().expect("keys").clone();
            all.iter().map(|it| text(&it["kid"])).collect::<BTreeSet<_>>()
        };
        assert!(keys(development).await.is_disjoint(&keys(&stage).await));
    }

    async fn whatever_a_deleted_environment_issued_is_refused_on_every_node(app: TestApp) {
        let node = app.another_node(&[]).await;
        let stage = app.environment("Stage", "staging").await;
        let mia = app.visitor(&stage).becomes("mia@example.org", json!({})).await;
        let link = json!({"email": mia.email});
        let _ = app.visitor(&stage).post("/v1/forgot-password").json(link).await.expect(200);
        let token = app.nth_letter_to(&mia.email, 2).await.token();
        let there = node.client();
        there.get("/v1/me").bearer(&mia.access_token()).await.told(200);
        there.get("/v1/admin/users").api_key(&stage.secret_key).await.told(200);
        there.get("/v1/client-config").at(&stage).await.told(200);
        let other = mia.enters(&app.own.development).await;

        let _ = app.deletes_environment(&stage).await.expect(204);

        for client in [app.client(), there] {
            let gone = async || {
                let token = client.get("/v1/me").bearer(&mia.access_token()).await.outcome();
                let key = client.get("/v1/client-config").at(&stage).await.outcome();
                token == "401 invalid_token" && key == "401 invalid_publishable_key"
            };
            eventually(gone).await;
            client.get("/v1/admin/users").api_key(&stage.secret_key).await.refuses(401, "invalid_token");
            let refresh = json!({"refresh_token": mia.refresh_token()});
            client.post("/v1/refresh").json(refresh).await.refuses(401, "invalid_refresh_token");
            let reset = json!({"token": token, "new_password": "a long loud waterfall"});
            client.post("/v1/reset-password").json(reset).await.refuses(400, "invalid_link");
        }
        app.deletes_environment(&stage).await.refuses(401, "invalid_token");
        let operator = app.operator().await;
        operator.get(&format!("/v1/admin/users{}", stage.query())).await.refuses(404, "not_found");
        // The user is the app's.
        other.me().await.told(200);
        assert_eq!(app.environments().await.len(), 2);
        let told = app.events(&app.own.development, Name::EnvironmentDeleted).await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].target.as_ref().and_then(|it| it.id.clone()), Some(stage.env_id));
    }

    async fn everything_of_a_deleted_environment_goes_and_nothing_of_another(app: TestApp) {
        let stage = app.environment("Stage", "staging").await;
        let mia = app.visitor(&stage).becomes("mia@example.org", json!({})).await;
        let acme = app.org("acme", &mia).await;
        app.defines(&stage, Some(&acme), "editors", &[("documents", "read")]).await;
        let team = json!({"name": "Design"});
        let _ = mia.post(&acme.path("/teams")).json(team).await.expect(201);
        let guest = json!({"email": "guest@example.org", "role": "member"});
        let _ = mia.post(&acme.path("/invitations")).json(guest).await.expect(201);
        let rotate = app.machine(&stage).post(&stage.path("/rotate-key")).json(json!({}));
        let _ = rotate.await.expect(200);
        mia.enters(&app.own.development).await;
        let elsewhere = documents_of(&app, &app.own.development).await;
        assert!(documents_of(&app, &stage).await.len() >= 12);

        let _ = app.deletes_environment(&stage).await.expect(204);
        assert!(app.clears_away().await >= 8);
        assert_eq!(app.clears_away().await, 0);

        assert_eq!(documents_of(&app, &stage).await, REMEMBER.map(str::to_owned).into());
        assert_eq!(documents_of(&app, &app.own.development).await, elsewhere);
        let again = json!({"name": "Stage", "type": "staging"});
        assert_eq!(app.key().post("/v1/environments").json(again).await.told(201)["slug"], "stage");
    }
}
