//! Webhooks: who makes them, of what, and how many; and that their secrets are told once.

use std::future::IntoFuture;
use std::time::Duration;

use authsome::events::Name;
use authsome::store::{Field, by_id};
use authsome::webhooks::Webhook;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::acme::Acme;
use crate::support::app::{TestApp, eventually};
use crate::support::client::{Asks, Reply, assert_has};
use crate::support::dump::{documents, holds};
use crate::support::orgs::text;
use crate::support::stores::{Backend, on_both_stores};
use crate::support::webhooks::{Hooked, makes};

const URL: &str = "https://hooks.example.com/authsome";

const RING: &str = "SECURITY__ENCRYPTION_KEY";
const OLD: &str = "old:x3Bnc8QDqVtq7S5R0zYJm2fA9uHkLwPiTeXoNbGvC1s";
const NEW: &str = "new:Zk9yQ4hWvJ7cTn1bRxEoP6mDg0LsAiUfHuYtK2qB8w4";

const SECRET: Field<Webhook, String> = Field::at("secret");

/// A server that has the old encryption key.
struct Old(TestApp);

impl Old {
    async fn on(backend: Backend) -> Self {
        Self(TestApp::with(backend, &[(RING, OLD)]).await)
    }
}

fn at(webhook: &Value) -> String {
    format!("/v1/webhooks/{}", text(&webhook["id"]))
}

on_both_stores! {
    async fn a_webhook_is_made_and_its_secret_is_told_once(app: TestApp) {
        let key = app.key();
        let new = json!({
            "url": URL, "events": ["user.*", "member.added", "user.*"],
            "description": "The CRM", "headers": {"X-Source": "authsome"},
        });

        let made = key.post("/v1/webhooks").json(new).await.told(201);

        let secret = text(&made["secret"]);
        assert!(secret.starts_with("whsec_") && secret.len() == 50, "{secret}");
        assert_has(&made, json!({
            "url": URL, "events": ["user.*", "member.added"], "description": "The CRM",
            "headers": {"x-source": "authsome"}, "active": true,
        }));
        let read = key.get(&at(&made)).await;
        assert!(!read.text().contains("whsec_"), "{}", read.text());
        assert_eq!(read.told(200)["pending"], 0);
        let page = key.get("/v1/webhooks").await;
        assert!(!page.text().contains("whsec_"));
        assert_eq!(page.told(200)["webhooks"][0]["id"], made["id"]);
        assert!(!holds(&documents(&app).await, &secret["whsec_".len()..]));
        let told = app.events(&app.own.development, Name::WebhookCreated).await;
        let target = told[0].target.clone().and_then(|target| target.id);
        assert_eq!(target.as_deref(), made["id"].as_str());
    }

    async fn a_webhook_is_changed_field_by_field_and_deleted(app: TestApp) {
        let key = app.key();
        let new = json!({
            "url": URL, "events": ["*"], "description": "The CRM", "headers": {"x-a": "1"},
        });
        let made = key.post("/v1/webhooks").json(new).await.told(201);
        let patch = async |changes: Value| key.patch(&at(&made)).json(changes).await.told(200);

        let changed = patch(json!({"events": ["member.*"], "description": null})).await;
        assert_has(&changed, json!({"url": URL, "events": ["member.*"], "headers": {"x-a": "1"}}));
        assert!(changed.get("description").is_none() && changed.get("secret").is_none());
        let changed = patch(json!({"url": "https://x.example/", "headers": {}, "active": false})).await;
        assert_has(&changed, json!({"url": "https://x.example/", "headers": {}, "active": false}));

        let _ = key.delete(&at(&made)).await.expect(204);

        key.get(&at(&made)).await.refuses(404, "not_found");
        key.delete(&at(&made)).await.refuses(404, "not_found");
        assert_eq!(app.events(&app.own.development, Name::WebhookUpdated).await.len(), 2);
        assert_eq!(app.events(&app.own.development, Name::WebhookDeleted).await.len(), 1);
    }

    async fn what_leads_into_the_network_of_the_server_is_refused(app: TestApp) {
        let key = app.key();
        let made = makes(&key, URL, &["*"]).await.told(201);
        for (url, why) in [
            ("http://hooks.example.com/", "insecure_url"),
            ("https://127.0.0.1/", "private_address"),
            ("https://2130706433/", "private_address"),
            ("https://0x7f.1/", "private_address"),
            ("https://localhost/", "private_address"),
            ("https://10.0.0.1/", "private_address"),
            ("https://169.254.169.254/latest/meta-data", "private_address"),
            ("https://[::1]/", "private_address"),
            ("https://[::ffff:169.254.169.254]/", "private_address"),
            ("https://[fd00:ec2::254]/", "private_address"),
            ("https://metadata.google.internal/", "private_address"),
            ("https://hooks.example.com:22/", "forbidden_port"),
            ("https://mia:secret@hooks.example.com/", "invalid_url"),
            ("https://hooks.example.com/#x", "invalid_url"),
            ("file:///etc/passwd", "invalid_url"),
            ("hooks.example.com", "invalid_url"),
        ] {
            let refused = [
                makes(&key, url, &["*"]).await,
                key.patch(&at(&made)).json(json!({"url": url})).await,
            ];
            for reply in refused {
                let fault = reply.refuses(400, "invalid_body")["errors"][0].clone();
                assert_has(&fault, json!({"pointer": "/url", "type": why}));
            }
        }
        assert_eq!(key.get(&at(&made)).await.told(200)["url"], URL);
    }

    async fn what_is_no_event_and_no_header_is_refused_by_name(app: TestApp) {
        let key = app.key();
        for (field, value, pointer) in [
            ("events", json!([]), "/events"),
            ("events", json!(["user.exploded"]), "/events/0"),
            ("events", json!(["*", "use.*"]), "/events/1"),
            ("headers", json!({"Host": "x"}), "/headers"),
            ("headers", json!({"Authorization": "Bearer x"}), "/headers"),
            ("headers", json!({"Content-Length": "1"}), "/headers"),
            ("headers", json!({"Transfer-Encoding": "chunked"}), "/headers"),
            ("headers", json!({"X-A": "b\r\nX-Evil: c"}), "/headers"),
            ("headers", json!({"X-A\r\nX-Evil": "c"}), "/headers"),
        ] {
            let mut new = json!({"url": URL, "events": ["*"]});
            new[field] = value;
            let refused = key.post("/v1/webhooks").json(new).await;
            let refused = refused.refuses(400, "invalid_body");
            assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
        }
    }

    /// Each has a seat: of so many at once, no more are made than there are.
    async fn of_fifty_webhooks_at_once_twenty_are_made(app: TestApp) {
        let key = app.key();

        let all = (0..50).map(|_| makes(&key, URL, &["*"]).into_future());
        let replies = join_all(all).await;

        let made: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
        assert_eq!(made.len(), 20);
        for reply in replies.iter().filter(|reply| reply.status != 201) {
            assert_eq!(reply.outcome(), "409 webhook_limit");
        }
        let gone = made[7].json();
        let _ = key.delete(&at(&gone)).await.expect(204);
        makes(&key, URL, &["*"]).await.told(201);
        makes(&key, URL, &["*"]).await.refuses(409, "webhook_limit");
    }

    async fn an_organisation_has_five_and_its_administrators_look_after_them(acme: Acme) {
        let admin = acme.joined("anna@example.org", &["admin"]).await.person;
        let viewer = acme.joined("vera@example.org", &["viewer"]).await.person;
        let stranger = acme.app.person("max@example.org").await;
        let new = json!({"url": URL, "events": ["member.*"], "org_id": acme.org.id});
        let post = |asks: &dyn Asks| asks.post("/v1/webhooks").json(new.clone()).into_future();

        let all = join_all((0..20).map(|_| post(&admin))).await;

        let made: Vec<_> = all.iter().filter(|it| it.status == 201).map(Reply::json).collect();
        assert_eq!(made.len(), 5);
        assert_eq!(made[0]["org_id"], acme.org.id);
        post(&acme.owner).await.refuses(409, "webhook_limit");
        post(&viewer).await.refuses(403, "forbidden");
        post(&stranger).await.refuses(404, "not_found");
        let list = format!("/v1/webhooks?org_id={}", acme.org.id);
        for asks in [&acme.owner as &dyn Asks, &admin, &acme.app.key()] {
            assert_eq!(asks.get(&list).await.told(200)["webhooks"].as_array().map(Vec::len), Some(5));
            asks.get(&at(&made[0])).await.told(200);
        }
        viewer.get(&list).await.refuses(403, "forbidden");
        for somebody in [&viewer, &stranger] {
            somebody.get(&at(&made[0])).await.refuses(404, "not_found");
            somebody.delete(&at(&made[0])).await.refuses(404, "not_found");
        }
        // What the environment has of its own is not theirs to see.
        let of_all = makes(&acme.app.key(), URL, &["*"]).await.told(201);
        acme.owner.get(&at(&of_all)).await.refuses(404, "not_found");
        acme.owner.get("/v1/webhooks").await.refuses(403, "forbidden");
        makes(&acme.owner, URL, &["*"]).await.refuses(403, "forbidden");
    }

    async fn who_may_read_the_webhooks_of_an_organisation_changes_none(acme: Acme) {
        let lines = [("organization", "read"), ("organization_webhooks", "read")];
        let door = &acme.owner.door;
        acme.app.defines(door, Some(&acme.org), "watchers", &lines).await;
        let watcher = acme.joined("wanda@example.org", &["watchers"]).await.person;
        let new = json!({"url": URL, "events": ["member.*"], "org_id": acme.org.id});
        let made = acme.owner.post("/v1/webhooks").json(new).await.told(201);

        watcher.get(&at(&made)).await.told(200);
        watcher.get(&format!("{}/deliveries", at(&made))).await.told(200);
        watcher.delete(&at(&made)).await.refuses(403, "forbidden");
        watcher.post(&format!("{}/test", at(&made))).await.refuses(403, "forbidden");
        watcher.post(&format!("{}/rotate-secret", at(&made))).await.refuses(403, "forbidden");
    }

    async fn what_somebody_may_not_is_told_with_the_permission_that_it_takes(app: TestApp) {
        let mia = app.person("mia@example.org").await;

        makes(&mia, URL, &["*"]).await.refuses(403, "forbidden");

        eventually(async || {
            let told = app.events(&mia.door, Name::AccessDenied).await;
            told.iter().any(|it| it.details["permission"] == "webhooks:manage")
        }).await;
    }

    async fn the_webhooks_of_an_organisation_go_with_it(acme: Acme) {
        let new = json!({"url": URL, "events": ["*"], "org_id": acme.org.id});
        let made = acme.owner.post("/v1/webhooks").json(new).await.told(201);

        let _ = acme.owner.delete(&acme.at("")).await.expect(204);

        acme.app.key().get(&at(&made)).await.refuses(404, "not_found");
        let left: Vec<Webhook> = acme.app.of_environment(&acme.owner.door).await;
        assert!(left.is_empty());
    }

    async fn an_operator_looks_after_the_webhooks_of_any_app(app: TestApp) {
        let operator = app.operator().await;
        let query = app.own.production.query();
        let new = json!({"url": URL, "events": ["*"]});

        let path = format!("/v1/webhooks{query}");
        let made = operator.post(&path).json(new).await.told(201);

        let page = operator.get(&path).await.told(200);
        assert_eq!(page["webhooks"][0]["id"], made["id"]);
        app.machine(&app.own.production).get(&at(&made)).await.told(200);
        app.key().get(&at(&made)).await.refuses(404, "not_found");
    }

    async fn whoever_rotates_a_secret_says_for_how_long_both_are_good(app: TestApp) {
        let key = app.key();
        let made = makes(&key, URL, &["*"]).await.told(201);
        let rotate = format!("{}/rotate-secret", at(&made));

        let rotated = key.post(&rotate).await.told(200);

        let until = app.clock.now().plus(Duration::from_hours(24)).to_string();
        assert_eq!(rotated["previous_secret_until"], until);
        assert_ne!(rotated["secret"], made["secret"]);
        let at_once = key.post(&format!("{rotate}?overlap_seconds=0")).await.told(200);
        assert!(at_once.get("previous_secret_until").is_none(), "{at_once}");
        for bad in ["604801", "-1", "+1", "1.5", "x", ""] {
            let asked = key.post(&format!("{rotate}?overlap_seconds={bad}")).await;
            asked.refuses(400, "invalid_query");
        }
        let told = app.events(&app.own.development, Name::WebhookSecretRotated).await;
        assert_eq!(told.len(), 2);
    }

    async fn of_twenty_rotations_at_once_each_is_told_another_secret(app: TestApp) {
        let key = app.key();
        let made = makes(&key, URL, &["*"]).await.told(201);
        let rotate = format!("{}/rotate-secret", at(&made));

        let all = join_all((0..20).map(|_| key.post(&rotate).into_future())).await;

        let mut secrets: Vec<_> = all.into_iter().map(|it| text(&it.told(200)["secret"])).collect();
        secrets.sort();
        secrets.dedup();
        assert_eq!(secrets.len(), 20);
        let told = app.events(&app.own.development, Name::WebhookSecretRotated).await;
        assert_eq!(told.len(), 20);
    }

    /// Who can write to the database cannot have one webhook sign with another one's secret.
    async fn a_sealed_secret_that_is_moved_signs_nothing(hooked: Hooked) {
        let (first, other) = (hooked.hook(&["user.banned"]).await, hooked.hook(&["user.deleted"]).await);
        let tenant = hooked.app.own.development.tenant();
        let mut once = hooked.app.store().once();
        let mut tx = once.within(tenant);
        let stolen: Webhook = tx.get(text(&other["id"])).await.unwrap().unwrap();
        let moved = SECRET.set(stolen.secret);
        tx.update_one(by_id(text(&first["id"])), moved).await.unwrap().unwrap();

        let mia = hooked.app.person("mia@example.org").await;
        hooked.something_happens(&mia.id).await;

        let failed = hooked.tried(&first, 1).await;
        assert_has(&failed, json!({"failure": "sealed", "status": "pending", "attempts": 1}));
        assert!(hooked.receiver.got().is_empty());
    }

    async fn secrets_are_sealed_anew_with_the_encryption_key(old: Old) {
        let app = old.0;
        let made = makes(&app.key(), URL, &["*"]).await.told(201);
        let node = app.another_node(&[(RING, &format!("{NEW},{OLD}"))]).await;

        let done = node.foundation().reseal().await.unwrap();

        assert!(done.unopened.is_empty(), "{done:?}");
        let all: Vec<Webhook> = app.of_environment(&app.own.development).await;
        assert!(all[0].secret.starts_with("new."), "{}", all[0].secret);
        let node = app.another_node(&[(RING, NEW)]).await;
        let rotate = node.client().post(&format!("{}/rotate-secret", at(&made)));
        let _ = rotate.api_key(&app.own.development.secret_key).await.expect(200);
    }
}
