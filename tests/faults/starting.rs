//! Starts: many at once, on nothing and on what an older version left, and before there is a store.

use authsome::app::SCHEMAS;
use authsome::store::{Location, Store, StoreSettings};
use bson::{Document, doc};
use futures_util::future::join_all;
use rustix::process::Signal;
use serde_json::json;

use super::asking::{Answer, Ask};
use super::cluster::Cluster;
use super::house::generous;
use super::load::Load;
use super::network::Network;
use super::{NORMAL, PATIENCE, run, until};
use crate::e2e::server::{Home, Process, Server, text};
use crate::support::stores::on_both_stores;

const AT_ONCE: usize = 5;
const SOMEBODY: &str = "somebody@example.org";

/// A home whose servers are of one installation, wherever they listen.
struct Empty(Home);

impl Empty {
    async fn on(backend: crate::support::stores::Backend) -> Self {
        Self(generous(Home::on(backend).await))
    }

    fn location(&self) -> Location {
        match self.0.setting("STORE__URL") {
            Some(url) => Location::Mongo(url.to_owned()),
            None => Location::Sqlite(self.0.folder().join("authsome-data/authsome.db")),
        }
    }

    /// Starts of one moment.
    async fn starts_many(&self) -> Vec<Server> {
        let starts = (0..AT_ONCE).map(|_| {
            self.0.move_on();
            (self.0.start(), self.0.url())
        });
        let starts: Vec<_> = starts.collect();
        let ready = starts
            .into_iter()
            .map(|(process, url)| Server::ready(process, url));
        let servers = join_all(ready).await;
        servers
            .into_iter()
            .map(|it| it.expect("a free port"))
            .collect()
    }

    /// What is missing of that which this version declares.
    async fn flaws(&self) -> Vec<String> {
        let store = Store::open(&StoreSettings::at(self.location())).await;
        let flaws = store.expect("a store").examine(SCHEMAS).await;
        flaws.expect("an answer")
    }

    /// Takes away what a version before this one had not made yet: some indexes, and the keys that
    /// tokens are signed with.
    async fn grows_old(&self) {
        match self.location() {
            Location::Mongo(url) => {
                let client = mongodb::Client::with_uri_str(url).await.expect("a client");
                let database = client.default_database().expect("a database");
                for schema in SCHEMAS.iter().step_by(2) {
                    let collection = database.collection::<Document>(schema.collection());
                    collection.drop_indexes().await.expect("an answer");
                }
                let keys = database.collection::<Document>(KEYS);
                keys.delete_many(doc! {}).await.expect("an answer");
            }
            Location::Sqlite(path) => {
                let file = rusqlite::Connection::open(path).expect("a database");
                let sql = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";
                let mut known = file.prepare(sql).expect("a statement");
                let names = known.query_map([], |row| row.get::<_, String>(0));
                let names: Vec<_> = names.expect("rows").map(|it| it.expect("a name")).collect();
                for name in names.iter().step_by(2) {
                    file.execute_batch(&format!("DROP INDEX {name}"))
                        .expect("an answer");
                }
                file.execute_batch(&format!("DELETE FROM {KEYS}"))
                    .expect("an answer");
            }
            Location::Memory => unreachable!("no home is in memory"),
        }
    }
}

const KEYS: &str = "authsome_signing_keys";

/// Whether this start has told secrets.
fn has_told(process: &Process) -> bool {
    process.said().contains("(shown once)")
}

/// Asks all servers for the keys that verifiers know.
async fn keys_of(load: &Load) -> Vec<Answer> {
    let ask = Ask::get("/.well-known/jwks.json").by(&load.visitor);
    let asked = (0..load.nodes.len()).map(|node| load.ask(node, &ask));
    join_all(asked).await
}

/// Sessions of one moment, one on each server; every server takes the token of every other.
async fn know_each_other(load: &Load, address: &str) {
    let sessions = (0..load.nodes.len()).map(|node| load.signs_in(node, address));
    let sessions = join_all(sessions).await;
    let keys = keys_of(load).await;
    assert!(keys.iter().all(|it| it == &keys[0]), "{keys:#?}");
    let Answer::Done(published) = &keys[0] else {
        panic!("{keys:?}")
    };
    assert_eq!(
        published["keys"].as_array().map(Vec::len),
        Some(1),
        "{published}"
    );
    for (node, session) in sessions.into_iter().enumerate() {
        let session = session.expect("a session");
        let token = json!({"refresh_token": text(&session, "/refresh_token")});
        let elsewhere = load.ask(node + 1, &Ask::post("/v1/refresh", token)).await;
        assert!(elsewhere.done().is_some());
    }
}

on_both_stores! {
    /// JW-12, RL-02: one makes everything, and tells the secrets; all serve the same.
    async fn of_five_servers_that_start_at_once_on_nothing_one_makes_everything(empty: Empty) {
        let servers = empty.starts_many().await;

        assert_eq!(servers.iter().filter(|it| has_told(&it.process)).count(), 1);
        assert_eq!(empty.flaws().await, Vec::<String>::new());
        let told = empty.0.bootstrap(&[]);
        let key = text(&told, "/publishable_key");
        servers[0].sign_up(&key, SOMEBODY).await;
        let urls = servers.iter().map(|it| it.url.clone()).collect();
        let told = json!({"publishable_key": key, "secret_key": ""});
        know_each_other(&Load::on(urls, &told, None), SOMEBODY).await;
    }

    async fn five_servers_that_start_at_once_bring_an_older_database_up_to_date(empty: Empty) {
        let told = empty.0.bootstrap(&[]);
        let key = text(&told, "/publishable_key");
        let mut before = empty.0.serve().await;
        before.sign_up(&key, SOMEBODY).await;
        before.process.signal(Signal::TERM);
        assert_eq!(before.process.ended().await.code(), Some(0));
        empty.grows_old().await;
        assert_ne!(empty.flaws().await, Vec::<String>::new());

        let servers = empty.starts_many().await;

        assert!(!servers.iter().any(|it| has_told(&it.process)));
        assert_eq!(empty.flaws().await, Vec::<String>::new());
        let urls = servers.iter().map(|it| it.url.clone()).collect();
        know_each_other(&Load::on(urls, &told, None), SOMEBODY).await;
    }
}

/// A server that has been started before its store.
async fn early(network: &Network) -> (Cluster, Home, Process) {
    let mut cluster = Cluster::of(1, network).await;
    cluster.kill(0);
    let home = generous(Home::on_mongodb()).with("STORE__URL", cluster.url());
    let process = home.start();
    until("it lives", PATIENCE, async || {
        let asked = reqwest::get(format!("{}/livez", home.url())).await;
        asked.ok().filter(|it| it.status() == 200)
    })
    .await;
    (cluster, home, process)
}

/// RL-07: no supervisor is to restart it, nobody is to send it requests, and it says why.
#[test]
fn a_server_waits_for_its_store_and_says_so() {
    run(async {
        let network = Network::new();
        let (mut cluster, home, mut process) = early(&network).await;

        for path in ["/readyz", "/v1/health", "/v1/me"] {
            let answer = reqwest::get(format!("{}{path}", home.url())).await.unwrap();
            assert_eq!(answer.status(), 503, "{path}");
            assert_eq!(answer.headers()["retry-after"], "1");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            let id = answer.headers()["x-request-id"]
                .to_str()
                .unwrap()
                .to_owned();
            let told: serde_json::Value = answer.json().await.unwrap();
            assert_eq!(told["type"], "store_unavailable");
            assert_eq!(told["request_id"], id);
            assert!(
                told["detail"]
                    .as_str()
                    .unwrap()
                    .contains("waits for its database")
            );
        }
        let log = process.log();
        assert!(
            log.contains("not ready: the store cannot be used yet"),
            "{log}"
        );
        assert!(process.has_ended().is_none());
        assert_eq!(process.said(), "");

        cluster.start_again(0, &network);
        let ready = Server::ready(process, home.url()).await;
        let server = ready.expect("a server that is ready");
        assert!(has_told(&server.process), "the first start");
    });
}

#[test]
fn a_server_that_waits_for_its_store_ends_when_it_is_told_to() {
    run(async {
        let network = Network::new();
        let (_cluster, _home, mut process) = early(&network).await;

        process.signal(Signal::TERM);

        let (status, _) = until("it ends", NORMAL, async || process.has_ended()).await;
        assert_eq!(status.code(), Some(0));
    });
}
