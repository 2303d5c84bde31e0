//! Webhooks, verified by what others have written, and across the ends of processes.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::future::join_all;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::server::{Home, Server, eventually, text};
use super::{provided, script};
use crate::support::client::Asks;
use crate::support::receiver::Receiver;
use crate::support::stores::{Backend, on_both_stores};

/// A home whose servers may send to this machine.
struct Open(Home);

impl Open {
    async fn on(backend: Backend) -> Self {
        Self(
            Home::on(backend)
                .await
                .with("WEBHOOKS__ALLOW_PRIVATE", "true"),
        )
    }
}

/// A receiver in another language, which verifies by the secret in a file.
struct Verifier {
    child: Child,
    url: String,
    secret: PathBuf,
}

impl Verifier {
    fn start(mut command: Command, home: &Home) -> Self {
        let secret = home.folder().join("webhook-secret");
        let child = command
            .arg(&secret)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.expect("a receiver can be run");
        let mut port = String::new();
        let said = child.stdout.take().expect("its standard output");
        BufReader::new(said).read_line(&mut port).expect("its port");
        Self {
            url: format!("http://127.0.0.1:{}/", port.trim()),
            child,
            secret,
        }
    }

    fn knows(&self, webhook: &Value) {
        fs::write(&self.secret, text(webhook, "/secret")).expect("a file in a folder of ours");
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A backend with its secret key.
struct Caller<'a> {
    server: &'a Server,
    key: String,
}

impl Caller<'_> {
    async fn posts(&self, path: &str, body: Value) -> Value {
        let reply = self.server.post(path).api_key(&self.key).json(body).await;
        assert!(reply.status < 300, "{path}: {}", reply.text());
        reply.json()
    }

    async fn gets(&self, path: &str) -> Value {
        self.server.get(path).api_key(&self.key).await.told(200)
    }

    /// What became of the newest delivery, once it is settled.
    async fn outcome(&self, webhook: &Value) -> (String, String) {
        let path = format!("/v1/webhooks/{}/deliveries?limit=1", text(webhook, "/id"));
        eventually("it was tried", async || {
            let page = self.gets(&path).await;
            let newest = &page["deliveries"][0];
            let status = newest["response_status"].as_i64()?;
            let excerpt = newest["response_excerpt"].as_str().unwrap_or_default();
            Some((status.to_string(), excerpt.to_owned()))
        })
        .await
    }

    async fn tests(&self, webhook: &Value) -> (String, String) {
        let path = format!("/v1/webhooks/{}/test", text(webhook, "/id"));
        self.posts(&path, json!({})).await;
        self.outcome(webhook).await
    }
}

async fn is_verified_by(command: Command, home: &Home, (server, key): (&Server, &str)) {
    let (verifier, key) = (Verifier::start(command, home), key.to_owned());
    let backend = Caller { server, key };
    let new = json!({"url": verifier.url, "events": ["user.banned"]});
    let made = backend.posts("/v1/webhooks", new).await;
    let rotate = format!("/v1/webhooks/{}/rotate-secret", text(&made, "/id"));
    let good = ("204".to_owned(), String::new());

    verifier.knows(&made);
    assert_eq!(backend.tests(&made).await, good);
    let rotated = backend.posts(&rotate, json!({})).await;
    assert_eq!(
        backend.tests(&made).await,
        good,
        "the old secret is good yet"
    );
    verifier.knows(&rotated);
    assert_eq!(backend.tests(&made).await, good, "and so is the new one");
    let at_once = backend
        .posts(&format!("{rotate}?overlap_seconds=0"), json!({}))
        .await;
    let (status, why) = backend.tests(&made).await;
    assert_eq!(status, "400", "{why}");
    assert!(why.starts_with("refused: "), "{why}");
    verifier.knows(&at_once);
    assert_eq!(backend.tests(&made).await, good);
}

on_both_stores! {
    async fn what_is_sent_is_verified_by_the_libraries_of_the_specification(open: Open) {
        let home = open.0;
        let told = home.bootstrap(&[]);
        let key = text(&told, "/secret_key");
        let server = home.serve().await;

        let mut python = Command::new(provided("E2E_PYTHON"));
        python.arg(script("webhook_receiver.py"));
        is_verified_by(python, &home, (&server, &key)).await;
        let mut node = Command::new("node");
        node.arg(script("webhook_receiver.mjs"));
        is_verified_by(node, &home, (&server, &key)).await;
    }

    /// Killed between a commit and what follows from it, wherever that is: every event that is on record
    /// arrives, and what arrives is on record.
    async fn of_servers_that_are_killed_every_event_arrives(open: Open) {
        let (home, receiver) = (open.0, Receiver::start());
        let told = home.bootstrap(&[]);
        let key = text(&told, "/secret_key");
        let path = format!("/v1/environments/{}/settings", text(&told, "/env_id"));
        let mut server = home.serve().await;
        let new = json!({"url": receiver.url(), "events": ["environment.updated"]});
        Caller { server: &server, key: key.clone() }.posts("/v1/webhooks", new).await;

        for round in 0..10_u64 {
            let change = || {
                let change = server.patch(&path).api_key(&key);
                change.json(json!({"default_language": "de"}))
            };
            // On MongoDB what the server before has left open is in the way, until it is ended.
            eventually("a change is taken", async || {
                (change().await.status == 200).then_some(())
            }).await;
            let asks = (0..8).map(|_| change());
            let storm = join_all(asks.map(async |ask| ask.await.status));
            let _ = tokio::time::timeout(Duration::from_millis(10 + 35 * round), storm).await;
            server.process.signal(Signal::KILL);
            server.process.ended().await;
            home.move_on();
            server = home.serve().await;
        }

        let backend = Caller { server: &server, key };
        let mut on_record = BTreeSet::new();
        let mut next = String::new();
        loop {
            let page = backend.gets(&format!("/v1/events?limit=100&types=environment.updated{next}")).await;
            let events = page["events"].as_array().expect("a list").iter();
            on_record.extend(events.map(|event| text(event, "/id")));
            if page["has_more"] == false {
                break;
            }
            next = format!("&after={}", text(&page, "/next"));
        }
        assert!(on_record.len() >= 10, "{}", on_record.len());
        eventually("every event has arrived", async || {
            let got = receiver.got();
            let got: BTreeSet<_> = got.iter().map(|it| it.header("webhook-id").to_owned()).collect();
            assert!(got.is_subset(&on_record));
            (got == on_record).then_some(())
        }).await;
    }
}
