//! A server that is killed while it answers a request with an idempotency key.

use std::io::Write;
use std::net::TcpStream;

use authsome::idempotency::IdempotencyKey;
use authsome::kernel::time::Timestamp;
use authsome::store::{Field, Filter, Location, Query, Store, StoreSettings};
use rustix::process::Signal;
use serde_json::json;

use super::server::{Home, PASSWORD, eventually, text};
use crate::support::raw;
use crate::support::stores::{Backend, on_both_stores};

const EMAIL: &str = "mia@example.org";

/// A server that hashes for seconds, and has little patience.
struct Slow(Home);

impl Slow {
    async fn on(backend: Backend) -> Self {
        let home = Home::on(backend).await;
        let home = home.with("SERVER__PUBLIC_URL", "http://localhost");
        Self(home.with("SERVER__HANDLER_TIMEOUT", "500ms"))
    }

    async fn store(&self) -> Store {
        let location = match self.0.setting("STORE__URL") {
            Some(url) => Location::Mongo(url.to_owned()),
            None => Location::Sqlite(self.0.folder().join("authsome-data/authsome.db")),
        };
        let opened = Store::open(&StoreSettings::at(location)).await;
        opened.expect("the store of the server")
    }
}

fn every() -> Filter<IdempotencyKey> {
    Field::<_, Timestamp>::at("expires_at").gt(Timestamp::from_millis(0))
}

async fn claim(store: &Store) -> Option<IdempotencyKey> {
    let mut once = store.once();
    let found = once.shared().find(Query::of(every()).window(0, 1)).await;
    found.expect("the store answers").into_iter().next()
}

on_both_stores! {
    /// What it has left is a claim, which nobody takes up: not before its lease is over, and not then.
    async fn what_a_killed_server_was_asked_is_not_done_by_another(slow: Slow) {
        let told = slow.0.bootstrap(&["--app", "Shop"]);
        let key = text(&told, "/environments/1/publishable_key");
        let home = slow.0.with("SECURITY__BCRYPT_COST", "15");
        let slow = Slow(home);
        let server = slow.0.serve().await;
        let store = slow.store().await;
        let account = json!({"email": EMAIL, "password": PASSWORD});
        let lines = [
            "Content-Type: application/json".to_owned(),
            format!("X-Publishable-Key: {key}"),
            "Idempotency-Key: k-1".to_owned(),
        ];
        let request = raw::request("POST /v1/signup", &lines, account.to_string().as_bytes());
        let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).expect("it listens");
        stream.write_all(&request).expect("a request can be sent");

        let claimed = eventually("the key is claimed", async || claim(&store).await).await;
        server.process.signal(Signal::KILL);
        drop(server);

        assert_eq!(claimed.answer, None);
        let server = slow.0.serve().await;
        let again = async || {
            let asks = server.post_at(&key, "/v1/signup", account.clone());
            asks.header("idempotency-key", "k-1").await
        };
        again().await.refuses(409, "idempotency_key_in_use");
        let over = Field::<IdempotencyKey, Timestamp>::at("lease_until").set(claimed.created_at);
        let mut once = store.once();
        once.shared().update_one(every(), over).await.expect("the store answers");
        again().await.refuses(409, "idempotency_answer_lost");
    }
}
