//! API keys: what they are, how long they are good, and whose they are.

use std::future::IntoFuture;
use std::time::Duration;

use authsome::api_keys::ApiKey;
use authsome::events::Name;
use authsome::kernel::secret::digest;
use authsome::store::{Field, by_id};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::acme::Acme;
use crate::support::app::{NEW_YEAR, TestApp, eventually};
use crate::support::client::{Asks, assert_has};
use crate::support::events::Events;
use crate::support::machines::{Key, keyed};
use crate::support::orgs::text;
use crate::support::persona::Administers;
use crate::support::stores::{Backend, on_both_stores, run};
use crate::support::{dump, log};

const DAY: Duration = Duration::from_hours(24);
const MINUTE: Duration = Duration::from_mins(1);

/// A key as it is stored.
async fn stored(app: &TestApp, key: &Key) -> ApiKey {
    let all: Vec<ApiKey> = app.of_environment(&app.own.development).await;
    let found = all.into_iter().find(|it| it.id.to_string() == key.id);
    found.expect("it is there")
}

fn outcomes(replies: &[crate::support::client::Reply], wanted: u16) -> usize {
    replies.iter().filter(|it| it.status == wanted).count()
}

on_both_stores! {
    async fn a_key_is_shown_once_and_only_its_hash_is_kept(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        let made = mia.post("/v1/keys").json(keyed("Laptop", &["me:read"])).await.told(201);

        let key = Key::of(app.client(), &made);
        assert_has(&key.get("/v1/me").await.told(200), json!({"id": mia.id}));
        let (secret, path) = (key.secret.clone(), key.path());
        assert!(secret.starts_with(made["key_prefix"].as_str().unwrap()));
        assert!(secret.ends_with(made["last_four"].as_str().unwrap()));
        let read = mia.get(&path).await;
        let list = mia.get("/v1/keys").await;
        let named = mia.patch(&path).json(json!({"name": "Old laptop"})).await;
        let events = app.key().get("/v1/admin/security-events").await;
        for reply in [read, list, named, events, mia.get("/v1/me/export").await] {
            let told = reply.expect(200).text();
            assert!(!told.contains(&secret) && !told.contains(&digest(secret.as_bytes())));
        }
        let dump = String::from_utf8_lossy(&dump::documents(&app).await).into_owned();
        assert!(!dump.contains(&secret) && dump.contains(&digest(secret.as_bytes())));
        assert!(log::lines_with(&secret).is_empty());
        assert_has(&made, json!({"owner": "user", "user_id": mia.id, "creator_left": false}));
        let told = &app.events(&mia.door, Name::ApiKeyCreated).await[0];
        assert_eq!(told.target.as_ref().and_then(|it| it.id.clone()), Some(key.id));
    }

    async fn a_key_goes_in_a_header_and_nowhere_else(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let key = app.key_of(&mia, keyed("Laptop", &["me:read"])).await;
        let secret = &key.secret;
        app.get("/v1/me").bearer(secret).await.told(200);
        app.get("/v1/me").api_key(secret).await.told(200);

        let query = ["api_key", "access_token", "key", "token", "x-api-key"];
        for name in query {
            app.get(&format!("/v1/me?{name}={secret}")).await.refuses(401, "unauthenticated");
            let cookie = format!("{name}={secret}");
            app.get("/v1/me").header("cookie", cookie).await.refuses(401, "unauthenticated");
        }
        let by_key = app.get(&format!("/v1/me?publishable_key={secret}")).await;
        by_key.refuses(401, "invalid_publishable_key");
        for user in [format!("{secret}:"), format!("x:{secret}")] {
            use base64::prelude::{BASE64_STANDARD, Engine};
            let basic = format!("Basic {}", BASE64_STANDARD.encode(user));
            app.get("/v1/me").header("authorization", basic).await.refuses(401, "invalid_token");
        }
        let public = &mia.door.publishable_key;
        app.get("/v1/me").api_key(public).await.refuses(401, "invalid_token");
        app.get("/v1/me").bearer(public).await.refuses(401, "invalid_token");
        assert!(log::lines_with(secret).is_empty());
    }

    async fn a_misspelt_key_is_refused_without_the_store(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let key = app.key_of(&mia, keyed("Laptop", &["me:read"])).await;
        let tail = if key.secret.ends_with('a') { "b" } else { "a" };
        let misspelt = format!("{}{tail}", &key.secret[..key.secret.len() - 1]);

        let calls = app.calls_for(async || {
            app.get("/v1/me").api_key(&misspelt).await.refuses(401, "invalid_token");
        });

        assert_eq!(calls.await, 0);
    }

    async fn a_key_is_over_at_its_very_end(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let new = json!({"name": "Brief", "scopes": ["me:read"], "expires_in": 60});
        let brief = app.key_of(&mia, new).await;
        let usual = app.key_of(&mia, keyed("Usual", &["me:read"])).await;

        app.clock.advance(Duration::from_millis(59_999));
        brief.get("/v1/me").await.told(200);
        app.clock.advance(Duration::from_millis(1));

        brief.get("/v1/me").await.refuses(401, "invalid_token");
        usual.get("/v1/me").await.told(200);
        assert_eq!(stored(&app, &usual).await.expires_at, Some(NEW_YEAR.plus(90 * DAY)));
    }

    async fn a_key_that_is_revoked_is_refused_everywhere_at_once(app: TestApp) {
        let node = app.another_node(&[]).await;
        let mia = app.person("mia@example.org").await;
        let key = app.key_of(&mia, keyed("Laptop", &["me:read"])).await;
        key.at(node.client()).get("/v1/me").await.told(200);

        let path = key.path();
        let all = join_all((0..20).map(|_| async { mia.delete(&path).await })).await;

        assert_eq!(outcomes(&all, 204), 1);
        key.get("/v1/me").await.refuses(401, "invalid_token");
        key.at(node.client()).get("/v1/me").await.refuses(401, "invalid_token");
        assert_eq!(app.events(&mia.door, Name::ApiKeyRevoked).await.len(), 1);
    }

    /// Fifty requests race for five uses; whoever comes later is refused like anybody without a key.
    async fn a_key_is_used_as_often_as_it_can_be_and_not_once_more(app: TestApp) {
        let node = app.another_node(&[]).await;
        let mia = app.person("mia@example.org").await;
        let new = json!({"name": "Five", "scopes": ["me:read"], "remaining_uses": 5});
        let key = app.key_of(&mia, new).await;
        let there = key.at(node.client());

        let all = join_all((0..50).map(|turn| {
            let key = if turn % 2 == 0 { &key } else { &there };
            async { key.get("/v1/me").await }
        })).await;

        assert_eq!((outcomes(&all, 200), outcomes(&all, 401)), (5, 45));
        assert_eq!(mia.get(&key.path()).await.told(200)["remaining_uses"], 0);
    }

    async fn after_a_rotation_both_secrets_are_good_until_the_deadline(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let old = app.key_of(&mia, keyed("Laptop", &["me:read"])).await;
        let rotate = mia.post(&format!("{}/rotate", old.path()));

        let told = rotate.json(json!({"grace_seconds": 60})).await.told(200);

        let new = Key::of(app.client(), &told);
        assert_eq!((&new.id, new.secret == old.secret), (&old.id, false));
        app.clock.advance(Duration::from_millis(59_999));
        old.get("/v1/me").await.told(200);
        new.get("/v1/me").await.told(200);
        app.clock.advance(Duration::from_millis(1));
        old.get("/v1/me").await.refuses(401, "invalid_token");
        new.get("/v1/me").await.told(200);
    }

    async fn the_grace_of_a_rotation_is_a_week_at_most_and_never_longer_than_the_key(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let usual = app.key_of(&mia, keyed("Usual", &["me:read"])).await;
        let new = json!({"name": "Brief", "scopes": ["me:read"], "expires_in": 3600});
        let brief = app.key_of(&mia, new).await;
        for key in [&usual, &brief] {
            let rotate = mia.post(&format!("{}/rotate", key.path()));
            let forever = json!({"grace_seconds": u32::MAX, "expires_in": 86_400 * 30});
            rotate.json(forever).await.told(200);
        }

        let until = async |key: &Key| stored(&app, key).await.previous.unwrap().until;
        assert_eq!(until(&usual).await, NEW_YEAR.plus(7 * DAY));
        assert_eq!(until(&brief).await, NEW_YEAR.plus(60 * MINUTE));
        let at_once = mia.post(&format!("{}/rotate", usual.path())).json(json!({})).await;
        let third = Key::of(app.client(), &at_once.told(200));
        usual.get("/v1/me").await.refuses(401, "invalid_token");
        third.get("/v1/me").await.told(200);
    }

    async fn of_rotations_at_once_the_last_secret_is_the_only_good_one(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let key = app.key_of(&mia, keyed("Laptop", &["me:read"])).await;
        let path = format!("{}/rotate", key.path());

        let all = join_all((0..20).map(|_| async {
            mia.post(&path).json(json!({})).that_may_be(503).await
        })).await;

        let made = all.iter().filter(|it| it.status == 200);
        let made: Vec<Key> = made.map(|it| Key::of(app.client(), &it.json())).collect();
        let mut good = 0;
        for key in &made {
            good += usize::from(key.get("/v1/me").await.status == 200);
        }
        assert_eq!(good, 1, "of {}", made.len());
        key.get("/v1/me").await.refuses(401, "invalid_token");
    }

    async fn an_end_is_made_earlier_and_never_later(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let key = app.key_of(&mia, keyed("Laptop", &["me:read"])).await;
        let sets = |at: Duration| {
            let at = NEW_YEAR.plus(at).to_string();
            mia.patch(&key.path()).json(json!({"expires_at": at}))
        };

        sets(91 * DAY).await.refuses(400, "invalid_body");
        sets(Duration::ZERO).await.refuses(400, "invalid_body");
        let told = sets(DAY).await.told(200);

        assert_eq!(told["expires_at"], NEW_YEAR.plus(DAY).to_string());
        app.clock.advance(DAY);
        key.get("/v1/me").await.refuses(401, "invalid_token");
    }

    async fn the_last_use_is_noted_once_a_minute_whatever_the_rush(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let key = app.key_of(&mia, keyed("Laptop", &["me:read"])).await;
        let used_at = async || stored(&app, &key).await.last_used_at;
        key.get("/v1/me").await.told(200);
        eventually(async || used_at().await == Some(NEW_YEAR)).await;
        app.falls_silent().await;
        let before = app.store().calls();

        app.clock.advance(Duration::from_secs(59));
        for _ in 0..25 {
            let all = join_all((0..20).map(|_| async { key.get("/v1/me").await })).await;
            assert_eq!(outcomes(&all, 200), 20);
        }

        // For each request the key, its user, and the account that is asked for, at most.
        assert!(app.store().calls() - before <= 3 * 500, "{}", app.store().calls() - before);
        assert_eq!(used_at().await, Some(NEW_YEAR));
        app.clock.advance(Duration::from_secs(1));
        key.get("/v1/me").await.told(200);
        eventually(async || used_at().await == Some(NEW_YEAR.plus(MINUTE))).await;
        assert_eq!(stored(&app, &key).await.last_used_ip.as_deref(), Some("127.0.0.1"));
    }

    async fn another_s_key_is_not_there(app: TestApp) {
        let (mia, noah) = (app.person("mia@example.org").await, app.person("noah@example.org").await);
        let key = app.key_of(&mia, keyed("Laptop", &["me:read"])).await;
        let (path, admin) = (key.path(), app.admin().await);

        noah.get(&path).await.refuses(404, "not_found");
        noah.delete(&path).await.refuses(404, "not_found");
        noah.patch(&path).json(json!({"name": "Mine"})).await.refuses(404, "not_found");
        let rotate = format!("{path}/rotate");
        noah.post(&rotate).json(json!({})).await.refuses(404, "not_found");
        assert_eq!(noah.get("/v1/keys").await.told(200)["keys"], json!([]));

        // Whoever administers the app sees it and ends it, and never has it himself.
        admin.get(&path).await.told(200);
        admin.post(&rotate).json(json!({})).await.refuses(403, "forbidden");
        let _ = admin.delete(&path).await.expect(204);
        key.get("/v1/me").await.refuses(401, "invalid_token");
    }

    async fn lists_are_by_owner_and_page_by_cursor(acme: Acme) {
        let owner = &acme.owner;
        let of_org = |name: &str| json!({"name": name, "scopes": ["members:read"], "org_id": acme.org.id});
        for name in ["One", "Two", "Three"] {
            app_advance(&acme.app);
            acme.app.key_of(owner, keyed(name, &["me:read"])).await;
            acme.app.key_of(owner, of_org(&format!("{name} of Acme"))).await;
        }
        let names = |page: &Value| -> Vec<String> {
            let keys = page["keys"].as_array().expect("a list").iter();
            keys.map(|key| text(&key["name"])).collect()
        };

        let first = owner.get("/v1/keys?limit=2").await.told(200);
        let next = text(&first["next_cursor"]);
        let rest = owner.get(&format!("/v1/keys?limit=2&cursor={next}")).await.told(200);
        let of_acme = format!("/v1/keys?org_id={}", acme.org.id);
        let of_acme = owner.get(&of_acme).await.told(200);

        assert_eq!((names(&first), names(&rest)), (vec!["Three".into(), "Two".into()], vec!["One".into()]));
        assert_eq!(names(&of_acme), ["Three of Acme", "Two of Acme", "One of Acme"]);
        owner.get("/v1/keys?owner=environment").await.refuses(403, "forbidden");
        let own = acme.app.key().get("/v1/keys").await.told(200);
        assert_eq!(names(&own), ["First secret key"]);
    }

    async fn an_environment_has_keys_with_roles_that_whoever_makes_them_holds(app: TestApp) {
        let (admin, mia) = (app.admin().await, app.person("mia@example.org").await);
        let new = |roles: &[&str], scope: &str| json!({
            "name": "Backend", "owner": "environment", "roles": roles, "scopes": [scope],
        });

        let key = app.key_of(&admin, new(&["ADMIN"], "users:*")).await;

        key.get("/v1/admin/users").await.told(200);
        key.get("/v1/environments").await.refuses(403, "forbidden");
        mia.post("/v1/keys").json(new(&["ADMIN"], "users:*")).await.refuses(403, "forbidden");
        admin.post("/v1/keys").json(new(&[], "users:*")).await.refuses(400, "invalid_body");
        admin.post("/v1/keys").json(new(&["OWNER"], "users:*")).await.refuses(400, "unknown_role");
        admin.post("/v1/keys").json(new(&["USER"], "users:list")).await.refuses(403, "scope_not_held");
        // Of an older version: without a checksum, and good.
        let door = &app.own.development;
        let older = format!("sk_test_{}", "-_aZ09".repeat(8).split_at(43).0);
        let hash = Field::<ApiKey, String>::at("key_hash").set(digest(older.as_bytes()));
        let mut once = app.store().once();
        let changed = once.within(door.tenant()).update_one(by_id(key.id.clone()), hash).await;
        changed.expect("the store answers").expect("it is there");
        app.get("/v1/admin/users").api_key(&older).await.told(200);
    }

    async fn a_hundred_keys_are_enough(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let make = || async { mia.post("/v1/keys").json(keyed("One", &["me:read"])).await };
        for _ in 0..5 {
            let all = join_all((0..19).map(|_| make())).await;
            assert_eq!(outcomes(&all, 201), 19);
        }

        let all = join_all((0..10).map(|_| make())).await;

        assert_eq!((outcomes(&all, 201), outcomes(&all, 409)), (5, 5));
        make().await.refuses(409, "key_limit");
    }

    /// Thirty are asked for at once where there is room for five.
    async fn a_hundred_keys_of_an_environment_are_enough(app: TestApp) {
        let admin = app.admin().await;
        let new = json!({
            "name": "Backend", "owner": "environment", "roles": ["ADMIN"], "scopes": ["users:list"],
        });
        let make = || admin.post("/v1/keys").json(new.clone());
        for _ in 0..47 {
            let both = join_all([make().into_future(), make().into_future()]).await;
            assert_eq!(outcomes(&both, 201), 2);
        }

        let all = join_all((0..30).map(|_| make().that_may_be(503).into_future())).await;

        let taken = outcomes(&all, 201);
        assert!((1..=5).contains(&taken), "{taken}");
        for _ in taken..5 {
            make().await.told(201);
        }
        make().await.refuses(409, "key_limit");
        let all: Vec<ApiKey> = app.of_environment(&app.own.development).await;
        assert_eq!(all.len(), 100);
    }

    /// Fifteen seconds pass, until the credential of whoever follows is looked at again.
    async fn each_request_is_a_use_and_a_stream_is_one(app: TestApp) {
        let admin = app.admin().await;
        let new = json!({"name": "Four", "scopes": ["revocations:read"], "remaining_uses": 4});
        let key = app.key_of(&admin, new).await;
        let left = async || admin.get(&key.path()).await.told(200)["remaining_uses"].clone();
        let header = [("x-api-key", &*key.secret)];

        let mut events = Events::of(&app.client().url(), &header).await;
        events.caught_up().await;
        assert_eq!(left().await, 3);
        key.get("/v1/me").await.refuses(403, "forbidden");
        key.get("/v1/nowhere").await.refuses(404, "not_found");
        key.exchanges().await.refuses(403, "key_not_exchangeable");
        assert_eq!(left().await, 0);
        key.get("/v1/revocations").await.refuses(401, "invalid_token");

        // Who has begun goes on.
        events.caught_up().await;
        assert_eq!(left().await, 0);
    }
}

fn app_advance(app: &TestApp) {
    app.clock.advance(Duration::from_millis(1));
}

#[test]
fn what_is_asked_for_must_be_good() {
    run(async {
        let app = TestApp::on(Backend::Sqlite).await;
        let mia = app.person("mia@example.org").await;
        for (more, kind) in [
            (json!({"scopes": []}), "invalid_body"),
            (json!({"scopes": ["me"]}), "invalid_body"),
            (json!({"scopes": ["me:fly"]}), "invalid_body"),
            (json!({"scopes": vec!["me:read"; 51]}), "invalid_body"),
            (json!({"scopes": ["users:list"]}), "scope_not_held"),
            (json!({"expires_in": 0}), "invalid_body"),
            (json!({"expires_in": u32::MAX}), "invalid_body"),
            (
                json!({"expires_at": "2039-12-31T00:00:00Z"}),
                "invalid_body",
            ),
            (
                json!({"expires_in": 60, "expires_at": "2041-01-01T00:00:00Z"}),
                "invalid_body",
            ),
            (json!({"remaining_uses": 0}), "invalid_body"),
            (json!({"owner": "organization"}), "invalid_body"),
            (json!({"roles": ["ADMIN"]}), "invalid_body"),
            (json!({"surprise": true}), "unknown_field"),
            (json!({"name": ""}), "invalid_body"),
        ] {
            let mut new = keyed("Laptop", &["me:read"]);
            let members = more.as_object().expect("members").clone();
            new.as_object_mut().expect("an object").extend(members);
            let reply = mia.post("/v1/keys").json(new).await;
            assert_eq!(reply.kind(), kind, "{more}: {}", reply.text());
        }
        let of_key = app.key().assigns(&mia.id, &["ADMIN"]).await;
        let _ = of_key.expect(200);
    });
}
