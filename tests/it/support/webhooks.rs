//! Webhooks in tests: a server that may send to this machine, and the verbs of who looks after them.

use std::time::Duration;

use authsome::webhooks::Delivery;
use serde_json::{Value, json};

use super::app::{Door, TestApp, eventually};
use super::client::{Asks, Request};
use super::orgs::text;
use super::receiver::Receiver;
use super::stores::Backend;

/// A server in development, and somebody who listens.
#[derive(Debug)]
pub struct Hooked {
    pub app: TestApp,
    pub receiver: Receiver,
}

impl Hooked {
    pub async fn on(backend: Backend) -> Self {
        let app = TestApp::with(backend, &[("WEBHOOKS__ALLOW_PRIVATE", "true")]).await;
        Self {
            app,
            receiver: Receiver::start(),
        }
    }

    /// A webhook of the default environment, made by its backend, that hears of these events.
    pub async fn hook(&self, events: &[&str]) -> Value {
        let asks = self.app.key();
        makes(&asks, &self.receiver.url(), events).await.told(201)
    }

    /// A user of the environment is banned: an event that nothing else tells of.
    pub async fn something_happens(&self, user_id: &str) {
        let path = format!("/v1/admin/users/{user_id}/ban");
        let _ = self.app.key().post(&path).json(json!({})).await.expect(200);
    }

    /// The deliveries of a webhook, newest first, as its administrator sees them.
    pub async fn deliveries(&self, webhook: &Value) -> Vec<Value> {
        let path = format!("/v1/webhooks/{}/deliveries?limit=100", text(&webhook["id"]));
        let page = self.app.key().get(&path).await.told(200);
        page["deliveries"].as_array().expect("a list").clone()
    }

    /// The one delivery of a webhook, once it is so.
    pub async fn delivery(&self, webhook: &Value, is_so: impl Fn(&Value) -> bool) -> Value {
        let only = async || {
            let all = self.deliveries(webhook).await;
            assert!(all.len() < 2, "{all:#?}");
            all.into_iter().next()
        };
        eventually(async || only().await.as_ref().is_some_and(&is_so)).await;
        only().await.expect("one")
    }

    /// The one delivery of a webhook, once it was tried so often and nobody has it in hand.
    pub async fn tried(&self, webhook: &Value, attempts: i64) -> Value {
        let door = &self.app.own.development;
        eventually(async || {
            let mut all = self.app.all_deliveries(door).await;
            all.retain(|it| it.webhook_id.to_string() == text(&webhook["id"]));
            let is_so = |it: &Delivery| it.attempts == attempts && it.lease_until.is_none();
            !all.is_empty() && all.iter().all(is_so)
        })
        .await;
        self.delivery(webhook, |_| true).await
    }

    /// Moves on to when something is tried again.
    pub fn waits(&self, time: Duration) {
        self.app.clock.advance(time);
    }
}

impl TestApp {
    /// Waits until no event of an environment is to be passed on.
    pub async fn all_is_told(&self, door: &Door) {
        eventually(async || {
            let all: Vec<authsome::events::Event> = self.of_environment(door).await;
            all.iter().all(|event| event.untold_since.is_none())
        })
        .await;
    }

    pub async fn all_deliveries(&self, door: &Door) -> Vec<Delivery> {
        self.of_environment(door).await
    }
}

/// Asks for a webhook.
pub fn makes(asks: &impl Asks, url: &str, events: &[&str]) -> Request {
    let new = json!({"url": url, "events": events});
    asks.post("/v1/webhooks").json(new)
}
