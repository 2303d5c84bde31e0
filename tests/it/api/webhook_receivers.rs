//! Receivers that mean no good, or are no more: what they cost, and whom (WH-05).

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use authsome::environments::Environment;
use serde_json::{Value, json};

use crate::support::app::{TestApp, eventually};
use crate::support::client::Asks;
use crate::support::orgs::text;
use crate::support::receiver::{Answer, Receiver};
use crate::support::smtp::MailServer;
use crate::support::stores::{Backend, on_both_stores};
use crate::support::webhooks::{Hooked, makes};

/// How long a receiver may take here.
const PATIENCE: Duration = Duration::from_secs(1);

/// A server that waits for a second, not for ten.
struct Hurried(Hooked);

impl Hurried {
    async fn on(backend: Backend) -> Self {
        let settings = [
            ("WEBHOOKS__ALLOW_PRIVATE", "true"),
            ("WEBHOOKS__TIMEOUT", "1s"),
        ];
        Self(Hooked {
            app: TestApp::with(backend, &settings).await,
            receiver: Receiver::start(),
        })
    }

    /// What became of the one delivery of a webhook, once somebody has tried.
    async fn fate(&self, webhook: &Value) -> (Value, Value) {
        let delivery = self.0.tried(webhook, 1).await;
        let latency = delivery["latency_ms"].as_u64().expect("a latency");
        let most = PATIENCE + Duration::from_secs(2);
        assert!(u128::from(latency) < most.as_millis(), "{delivery}");
        (delivery["status"].clone(), delivery["failure"].clone())
    }
}

/// A hundred MiB of nothing, as a hundred KiB.
fn bomb() -> Vec<u8> {
    let python = std::env::var("E2E_PYTHON").expect("tests/run provides a Python");
    let script = "import gzip, sys; sys.stdout.buffer.write(gzip.compress(bytes(100 << 20), 9))";
    let made = Command::new(python).args(["-c", script]).output();
    let made = made.expect("python runs");
    assert!(made.status.success() && made.stdout.len() < 200_000);
    let head = format!(
        "HTTP/1.1 200 X\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        made.stdout.len()
    );
    [head.into_bytes(), made.stdout].concat()
}

/// A receiver that answers so, always.
fn answering(answer: Answer) -> Receiver {
    let receiver = Receiver::start();
    receiver.always(answer);
    receiver
}

fn head(lines: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 X\r\n{lines}\r\n\r\n").into_bytes()
}

/// Each kind of receiver by name, and what becomes of what it is sent.
fn hostile() -> Vec<(&'static str, Receiver, (Value, Value))> {
    let pending = |failure: &str| (json!("pending"), json!(failure));
    let arrived = || (json!("delivered"), Value::Null);
    let endless = [head("content-length: 10737418240"), vec![b'x'; 512 * 1024]].concat();
    let away = vec![("location", "https://elsewhere.example/".to_owned())];
    vec![
        ("silent", answering(Answer::Silence), pending("timeout")),
        (
            "dripping a head",
            answering(Answer::Drip(b"HTTP/1.1 200 X\r\nx: ".to_vec())),
            pending("timeout"),
        ),
        (
            "dripping a body",
            answering(Answer::Drip(head("content-length: 1000000"))),
            arrived(),
        ),
        (
            "endless",
            answering(Answer::Raw(Arc::new(endless))),
            arrived(),
        ),
        (
            "swelling",
            answering(Answer::Raw(Arc::new(bomb()))),
            arrived(),
        ),
        (
            "resetting",
            answering(Answer::Reset),
            pending("connection_lost"),
        ),
        (
            "sending away",
            answering(Answer::With(302, away)),
            pending("status"),
        ),
    ]
}

on_both_stores! {
    /// Whatever a receiver does, it is over in the time that is set, is told for what it is, and costs
    /// nobody else anything.
    async fn who_means_no_good_costs_a_moment_and_nobody_else(hurried: Hurried) {
        let (hooked, key) = (&hurried.0, hurried.0.app.key());
        let (mia, receivers) = (hooked.app.person("mia@example.org").await, hostile());
        let unknown = MailServer::start(&["--tls", "implicit"]);
        let mut hooks = Vec::new();
        for (name, receiver, fate) in &receivers {
            let made = makes(&key, &receiver.url(), &["user.banned"]).await.told(201);
            hooks.push((*name, made, fate.clone()));
        }
        let by_nobody = format!("https://localhost:{}/", unknown.port);
        let made = makes(&key, &by_nobody, &["user.banned"]).await.told(201);
        hooks.push(("certified by nobody", made, (json!("pending"), json!("tls"))));
        let good = hooked.hook(&["user.banned", "user.unbanned"]).await;

        hooked.something_happens(&mia.id).await;
        hooked.receiver.awaits(1).await;
        // While they are at it, everybody else is served.
        let began = Instant::now();
        let _ = key.post(&format!("/v1/admin/users/{}/unban", mia.id)).await.expect(200);
        hooked.receiver.awaits(2).await;
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        hooked.app.get("/livez").await.told(200);

        let (mut told, mut expected) = (BTreeMap::new(), BTreeMap::new());
        for (name, made, fate) in hooks {
            told.insert(name, hurried.fate(&made).await);
            expected.insert(name, fate);
        }
        assert_eq!(told, expected);
        let delivered = hooked.deliveries(&good).await;
        assert!(delivered.iter().all(|it| it["status"] == "delivered"), "{delivered:#?}");
        let away = receivers.iter().find(|(name, ..)| *name == "sending away");
        assert_eq!(away.map(|(_, receiver, _)| receiver.got().len()), Some(1));
    }

    /// What is set is what is waited: the same receiver is waited for longer elsewhere.
    async fn a_receiver_has_the_time_that_is_set(hurried: Hurried) {
        let hooked = &hurried.0;
        let mute = answering(Answer::Silence);
        let made = makes(&hooked.app.key(), &mute.url(), &["user.banned"]).await.told(201);
        let mia = hooked.app.person("mia@example.org").await;

        hooked.something_happens(&mia.id).await;

        let delivery = hooked.tried(&made, 1).await;
        assert_eq!(delivery["failure"], "timeout");
        let latency = delivery["latency_ms"].as_u64().unwrap();
        assert!((900..4_000).contains(&latency), "{delivery}");
    }

    /// Also where something was to be sent again: nobody hears of an environment that is gone.
    async fn nothing_is_sent_for_an_environment_that_is_gone(hurried: Hurried) {
        let hooked = &hurried.0;
        let staging = hooked.app.environment("Staging", "staging").await;
        let machine = hooked.app.machine(&staging);
        hooked.receiver.always(Answer::Status(500));
        let made = makes(&machine, &hooked.receiver.url(), &["user.*"]).await.told(201);
        hooked.app.visitor(&staging).becomes("mia@example.org", json!({})).await;
        let deliveries = async || hooked.app.all_deliveries(&staging).await;
        eventually(async || {
            let all = deliveries().await;
            !all.is_empty() && all.iter().all(|it| it.attempts == 1 && it.lease_until.is_none())
        })
        .await;
        let before = hooked.receiver.got().len();

        let _ = hooked.app.deletes_environment(&staging).await.expect(204);
        // Their time comes again, long before everything of it is cleared away.
        hooked.waits(Duration::from_secs(10));

        let is_over = |it: &authsome::webhooks::Delivery| json!(it.failure) == "inactive";
        eventually(async || deliveries().await.iter().all(is_over)).await;
        assert_eq!(hooked.receiver.got().len(), before);
        let left: Vec<Environment> = hooked.app.of_app(&staging).await;
        assert!(left.iter().all(|it| it.id.to_string() != staging.env_id), "{}", text(&made["id"]));
    }
}
