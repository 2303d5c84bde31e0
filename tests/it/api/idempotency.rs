//! Idempotency keys: the same request, sent again, has the same answer and no second effect (IN-16).

use std::time::Duration;

use authsome::events::Name;
use authsome::idempotency::IdempotencyKey;
use authsome::kernel::time::Timestamp;
use authsome::memberships::{Organization, Team};
use authsome::store::{Field, Filter, Query};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::contract::{DOCUMENT, operations};
use crate::support::acme::Acme;
use crate::support::app::{TestApp, eventually};
use crate::support::client::{Asks, Reply, Request};
use crate::support::dump::{documents, holds};
use crate::support::orgs::text;
use crate::support::persona::{Administers, PASSWORD};
use crate::support::raw;
use crate::support::stores::{Backend, on_both_stores};

const ANOTHER: &str = "another long password";

/// A server that has little patience with its handlers, and so with who waits for them.
struct Impatient(TestApp);

impl Impatient {
    async fn on(backend: Backend) -> Self {
        let settings = [("SERVER__HANDLER_TIMEOUT", "500ms")];
        Self(TestApp::with(backend, &settings).await)
    }
}

trait Keyed {
    fn keyed(self, key: &str) -> Request;
}

impl Keyed for Request {
    fn keyed(self, key: &str) -> Request {
        self.header("idempotency-key", key)
    }
}

fn founds(who: &impl Asks, name: &str) -> Request {
    who.post("/v1/orgs").json(json!({"name": name}))
}

fn is_replayed(reply: &Reply) -> bool {
    reply.header("idempotency-replayed") == Some("true")
}

fn every() -> Filter<IdempotencyKey> {
    Field::<_, Timestamp>::at("expires_at").gt(Timestamp::from_millis(0))
}

/// Everything that is kept under keys.
async fn kept(app: &TestApp) -> Vec<IdempotencyKey> {
    let mut once = app.store().once();
    let found = once.shared().find(Query::of(every())).await;
    found.expect("the store answers")
}

/// Leaves the store as a process that is killed after the effect and before the answer leaves it.
async fn answer_is_cut_off(app: &TestApp) {
    for mut key in kept(app).await {
        let mut once = app.store().once();
        let mut keys = once.shared();
        keys.take_one(every()).await.expect("the store answers");
        key.answer = None;
        keys.insert(&key).await.expect("the store answers");
    }
}

on_both_stores! {
    async fn the_same_request_again_has_the_same_answer_and_no_second_effect(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let first = founds(&mia, "Acme").keyed("k-1").await.expect(201);

        let again = founds(&mia, "Acme").keyed("k-1").await.expect(201);

        assert!(!is_replayed(&first) && is_replayed(&again));
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("content-type"), first.header("content-type"));
        assert_eq!(app.of_environment::<Organization>(&mia.door).await.len(), 1);
        assert_eq!(app.events(&mia.door, Name::OrganizationCreated).await.len(), 1);
        // Another key is another organisation.
        founds(&mia, "Acme").keyed("k-2").await.told(201);
        assert_eq!(app.of_environment::<Organization>(&mia.door).await.len(), 2);
    }

    /// The order of members and of parameters is nothing that a client means.
    async fn a_request_is_known_again_however_its_members_are_ordered(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let one = r#"{"name":"Acme","slug":"acme"}"#;
        let other = r#"{ "slug": "acme", "name": "Acme" }"#;
        let asks = |body: &str| mia.post("/v1/orgs").body("application/json", body).keyed("k-1");
        let first = asks(one).await.expect(201);

        let again = asks(other).await.expect(201);

        assert_eq!(again.body, first.body);
    }

    async fn a_key_is_for_one_request(app: Acme) {
        let create = |name: &str| app.owner.post(&app.at("/teams")).json(json!({"name": name}));
        create("Design").keyed("k-1").await.told(201);

        create("Sales").keyed("k-1").await.refuses(422, "idempotency_key_reused");
        founds(&app.owner, "Design").keyed("k-1").await.refuses(422, "idempotency_key_reused");
        let by_query = format!("{}?publishable_key={}", app.at("/teams"), app.owner.door.publishable_key);
        let by_query = app.owner.post(&by_query).json(json!({"name": "Design"})).keyed("k-1");
        by_query.await.refuses(422, "idempotency_key_reused");

        assert_eq!(app.parts::<Team>().await.len(), 1);
    }

    async fn a_key_is_its_callers(app: TestApp) {
        let (mia, max) = (app.person("mia@example.org").await, app.person("max@example.org").await);
        app.trusts_addresses(&app.own.production).await;
        let elsewhere = mia.enters(&app.own.production).await;
        let admin = app.admin().await;
        let his = founds(&mia, "Acme").keyed("k-1").await.told(201);

        let others = founds(&max, "Acme").keyed("k-1").await.told(201);
        let there = founds(&elsewhere, "Acme").keyed("k-1").await.told(201);
        let machine = app.key().post("/v1/orgs").keyed("k-1");
        let machine = machine.json(json!({"name": "Acme", "owner_id": mia.id})).await.told(201);
        let actor = admin.becomes(&mia.id, &mia.door).await;
        founds(&actor, "Acme").keyed("k-1").await.refuses(403, "forbidden");

        let ids: std::collections::BTreeSet<_> =
            [&his, &others, &there, &machine].map(|it| text(&it["id"])).into();
        assert_eq!(ids.len(), 4);
        let again = mia.on_another_device().await;
        assert_eq!(founds(&again, "Acme").keyed("k-1").await.told(201), his);
    }

    /// Of any number, on whichever node, one takes effect, and all hear of it.
    async fn of_twenty_at_once_on_two_nodes_one_takes_effect(app: TestApp) {
        let node = app.another_node(&[]).await;
        let mia = app.person("mia@example.org").await;
        let token = mia.access_token();
        let ask = |number: usize| {
            let client = if number.is_multiple_of(2) { app.client() } else { node.client() };
            founds(client, "Acme").bearer(&token).keyed("k-1")
        };

        let replies = join_all((0..20).map(|number| async move { ask(number).await })).await;

        let first = &replies[0];
        assert!(replies.iter().all(|it| it.status == 201 && it.body == first.body));
        assert_eq!(replies.iter().filter(|it| !is_replayed(it)).count(), 1);
        assert_eq!(app.of_environment::<Organization>(&mia.door).await.len(), 1);
    }

    async fn of_twenty_with_one_key_and_two_bodies_one_takes_effect(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let names = ["Acme", "Globex"];

        let asks = (0..20).map(|number| founds(&mia, names[number % 2]).keyed("k-1"));
        let replies = join_all(asks.map(IntoFuture::into_future)).await;

        assert!(replies.iter().all(|it| ["201", "422 idempotency_key_reused"].contains(&&*it.outcome())));
        assert_eq!(app.of_environment::<Organization>(&mia.door).await.len(), 1);
    }

    /// Who has no credential is known by what he says, his password included.
    async fn a_stranger_is_not_told_what_somebody_else_was_answered(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        let first = visitor.signs_up("mia@example.org", PASSWORD).keyed("k-1").await.expect(201);

        let stranger = visitor.signs_up("mia@example.org", ANOTHER).keyed("k-1").await;
        let again = visitor.signs_up("mia@example.org", PASSWORD).keyed("k-1").await.expect(201);

        stranger.refuses(409, "email_taken");
        assert_eq!(again.body, first.body);
        assert_eq!(app.user_count(&visitor.door).await, 1);
        let token = text(&again.json()["access_token"]);
        app.get("/v1/me").bearer(&token).await.told(200);
    }

    async fn a_sign_in_that_is_sent_twice_makes_one_session(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let asks = || mia.visitor().signs_in(&mia.email, PASSWORD).keyed("k-1");
        let first = asks().await.told(200);

        let again = asks().await.told(200);

        assert_eq!(again, first);
        assert_eq!(app.sessions_of(&mia.door, &mia.id).await.len(), 2);
        let wrong = || mia.visitor().signs_in(&mia.email, ANOTHER).keyed("k-1");
        for _ in 0..2 {
            wrong().await.refuses(401, "invalid_credentials");
        }
        assert_eq!(app.events(&mia.door, Name::SessionDenied).await.len(), 2);
    }

    async fn answers_are_kept_sealed_and_requests_as_keyed_digests(app: TestApp) {
        let visitor = app.visitor(&app.own.development);
        let told = visitor.signs_up("mia@example.org", PASSWORD).keyed("my-own-key").await.told(201);
        let mia = app.person("max@example.org").await;
        founds(&mia, "Unheard of").keyed("my-own-key").await.told(201);

        let keys: Vec<Value> = kept(&app).await.iter().map(|it| json!(it)).collect();

        assert_eq!(keys.len(), 2);
        let text_of_keys = json!(keys).to_string();
        for secret in [&told["access_token"], &told["refresh_token"], &told["user"]["email"]] {
            assert!(!text_of_keys.contains(&text(secret)));
            assert!(!text_of_keys.contains(&mia.id) && !text_of_keys.contains("Unheard of"));
        }
        let everything = documents(&app).await;
        assert!(!holds(&everything, &text(&told["refresh_token"])));
        assert!(!holds(&everything, "my-own-key") && !holds(&everything, PASSWORD));
    }

    async fn facts_are_told_again_and_what_passes_is_not(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let taken = || mia.post("/v1/orgs").json(json!({"name": "Acme", "slug": "acme"}));
        let org = taken().await.told(201);
        let defines = || mia.post("/v1/roles").json(json!({"name": "editor"})).keyed("k-2");
        let first = taken().keyed("k-1").await.refuses(409, "slug_taken");
        defines().await.refuses(403, "forbidden");

        let _ = mia.delete(&format!("/v1/orgs/{}", text(&org["id"]))).await.expect(204);
        let _ = app.key().assigns(&mia.id, &["ADMIN"]).await.expect(200);
        let _ = mia.refreshes().await.expect(200);

        let again = taken().keyed("k-1").await;
        assert!(is_replayed(&again));
        let again = again.refuses(409, "slug_taken");
        assert_ne!(again["request_id"], first["request_id"]);
        assert_eq!(again["title"], first["title"]);
        assert!(!is_replayed(&defines().await.expect(201)));
        assert!(is_replayed(&defines().await.expect(201)));
    }

    /// Whoever loses a right is not told again what he was told when he had it.
    async fn an_answer_is_told_again_to_who_may_still_ask(app: Acme) {
        let lea = app.joined("lea@example.org", &["admin"]).await;
        let creates = || {
            let new = json!({"name": "Design"});
            lea.person.post(&app.at("/teams")).json(new).keyed("k-1")
        };
        let first = creates().await.told(201);
        assert_eq!(creates().await.told(201), first);

        let _ = app.org.changes(&app.owner, &lea.member_id, &["viewer"]).await.expect(200);
        let _ = lea.person.switches_to(Some(&app.org)).await;
        let _ = lea.person.refreshes().await.expect(200);
        creates().await.refuses(403, "forbidden");

        let _ = app.org.removes(&app.owner, &lea.member_id).await.expect(204);
        let _ = lea.person.refreshes().await.expect(200);
        creates().await.refuses(404, "not_found");
        let _ = lea.person.signs_out().await.expect(204);
        creates().await.refuses(401, "invalid_token");
    }

    /// The body names the organisation, and the answer holds what is told once.
    async fn a_secret_is_told_again_to_who_may_still_make_one(app: Acme) {
        let lea = app.joined("lea@example.org", &["admin"]).await;
        let new = json!({"url": "https://hooks.example.com/a", "events": ["*"], "org_id": app.org.id});
        let creates = || lea.person.post("/v1/webhooks").json(new.clone()).keyed("k-1");
        let first = creates().await.told(201);

        assert_eq!(creates().await.told(201), first);

        let secret = text(&first["secret"]);
        assert!(!holds(&documents(&app.app).await, &secret));
        let _ = app.org.changes(&app.owner, &lea.member_id, &["viewer"]).await.expect(200);
        let _ = lea.person.refreshes().await.expect(200);
        creates().await.refuses(403, "forbidden");
        let own = json!({"url": "https://hooks.example.com/b", "events": ["*"]});
        let machine = || app.app.key().post("/v1/webhooks").json(own.clone()).keyed("k-1").into_future();
        assert_eq!(machine().await.told(201), machine().await.told(201));
    }

    async fn an_administrator_of_yesterday_is_not_told_again(app: TestApp) {
        let admin = app.admin().await;
        let defines = || admin.post("/v1/roles").json(json!({"name": "editor"})).keyed("k-1");
        defines().await.told(201);
        app.person("ada@example.org").await;
        let other = app.person("max@example.org").await;
        let _ = app.key().assigns(&other.id, &["ADMIN"]).await.expect(200);

        let _ = app.key().assigns(&admin.id, &[]).await.expect(200);
        let _ = admin.refreshes().await.expect(200);

        defines().await.refuses(403, "forbidden");
        let told = async || app.events(&admin.door, Name::AccessDenied).await.len();
        eventually(async || told().await == 1).await;
    }

    async fn what_is_no_key_is_refused(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        let long = "k".repeat(256);
        for bad in ["", "two words", "k\u{e9}", "tab\tkey", &long] {
            let reply = founds(&mia, "Acme").keyed(bad).await;
            reply.refuses(400, "invalid_idempotency_key");
        }
        let twice = founds(&mia, "Acme").keyed("a").keyed("a").await;
        twice.refuses(400, "invalid_idempotency_key");
        assert!(app.of_environment::<Organization>(&mia.door).await.is_empty());

        founds(&mia, "Acme").keyed(&"k".repeat(255)).await.told(201);
        // The guard comes first, and a bad body is what the handler says it is.
        founds(&app, "Acme").keyed("k-1").await.refuses(401, "unauthenticated");
        let no_json = mia.post("/v1/orgs").body("text/plain", "{}").keyed("k-3").await;
        no_json.refuses(415, "unsupported_media_type");
        let torn = mia.post("/v1/orgs").body("application/json", "{").keyed("k-4").await;
        torn.refuses(400, "malformed_json");
        let large = json!({"name": "x".repeat(70_000)});
        mia.post("/v1/orgs").json(large).keyed("k-5").await.refuses(413, "body_too_large");
    }

    async fn after_a_day_a_key_is_good_for_another_request(app: TestApp) {
        let key = app.key();
        let defines = |name: &str| key.post("/v1/roles").json(json!({"name": name})).keyed("k-1");
        defines("editor").await.told(201);
        app.clock.advance(Duration::from_hours(24) - Duration::from_millis(1));
        assert!(is_replayed(&defines("editor").await.expect(201)));
        app.clock.advance(Duration::from_millis(1));

        let replies = join_all((0..20).map(|_| defines("author").into_future())).await;

        assert!(replies.iter().all(|it| it.status == 201 && it.body == replies[0].body));
        assert_eq!(replies.iter().filter(|it| !is_replayed(it)).count(), 1);
        defines("editor").await.refuses(422, "idempotency_key_reused");
    }

    /// A process that is killed between effect and answer leaves a claim, and nobody takes it up.
    async fn what_was_cut_off_is_not_done_again(app: Impatient) {
        let app = app.0;
        let mia = app.person("mia@example.org").await;
        let asks = || founds(&mia, "Acme").keyed("k-1");
        asks().await.told(201);
        answer_is_cut_off(&app).await;

        asks().await.refuses(409, "idempotency_key_in_use");
        founds(&mia, "Globex").keyed("k-1").await.refuses(422, "idempotency_key_reused");
        app.clock.advance(Duration::from_secs(61));
        asks().await.refuses(409, "idempotency_answer_lost");

        assert_eq!(app.of_environment::<Organization>(&mia.door).await.len(), 1);
        app.clock.advance(Duration::from_hours(24));
        let _ = mia.refreshes().await.expect(200);
        asks().await.told(201);
    }

    async fn who_hangs_up_and_asks_again_is_told_what_happened(app: TestApp) {
        let door = &app.own.development;
        let lines = [
            "Content-Type: application/json".to_owned(),
            format!("X-Publishable-Key: {}", door.publishable_key),
            "Idempotency-Key: k-1".to_owned(),
        ];
        let account = json!({"email": "mia@example.org", "password": PASSWORD}).to_string();
        let request = raw::request("POST /v1/signup", &lines, account.as_bytes());

        raw::sent_and_cut_off(app.client().address(), &request);
        eventually(async || app.user_count(door).await == 1).await;
        let visitor = app.visitor(door);
        let again = visitor.signs_up("mia@example.org", PASSWORD).keyed("k-1").await;

        assert!(is_replayed(&again));
        again.told(201);
        assert_eq!(app.user_count(door).await, 1);
    }

    async fn what_is_over_is_swept(app: TestApp) {
        let mia = app.person("mia@example.org").await;
        founds(&mia, "Acme").keyed("k-1").await.told(201);
        let schema = authsome::store::Schema::of::<IdempotencyKey>();
        let swept = async || app.store().sweep(&schema, app.clock.now(), 10).await.unwrap();
        assert_eq!(swept().await, 0);

        app.clock.advance(Duration::from_hours(24) + Duration::from_millis(1));

        assert_eq!(swept().await, 1);
        assert!(kept(&app).await.is_empty());
    }
}

/// Registering an operation that creates is enough.
#[test]
fn whatever_creates_takes_a_key() {
    let takes = |operation: &Value| {
        let parameters = operation["parameters"].as_array();
        let mut named = parameters.into_iter().flatten();
        named.any(|it| it["$ref"] == "#/components/parameters/IdempotencyKey")
    };
    let header = &DOCUMENT["components"]["parameters"]["IdempotencyKey"];
    assert_eq!(
        (header["in"].as_str(), header["required"].as_bool()),
        (Some("header"), Some(false))
    );
    for operation in operations() {
        let document = &operation.document;
        let is_json = document
            .get("requestBody")
            .is_none_or(|it| it["content"].get("application/json").is_some());
        let creates = operation.method == "POST" && document["responses"].get("201").is_some();
        assert!(takes(document) || !(creates && is_json), "{}", operation.id);
        assert!(
            operation.method == "POST" || !takes(document),
            "{}",
            operation.id
        );
        // What a caller may do in an organisation is asked anew of the one that the path names.
        let refuses = document["responses"]["422"]["x-problems"].to_string();
        assert_eq!(
            takes(document),
            refuses.contains("idempotency_key_reused"),
            "{}",
            operation.id
        );
    }
}
