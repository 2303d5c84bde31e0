//! Several nodes on one database: what one does, the others know within a second.

use std::time::{Duration, Instant};

use authsome::store::Location;
use futures_util::future::{Either, select};
use mongodb::bson::{Document, doc};
use mongodb::{Client, Database};
use serde_json::{Value, json};

use crate::support::app::{TestApp, eventually};
use crate::support::client::Asks;
use crate::support::node::Node;
use crate::support::persona::{Administers, PASSWORD};
use crate::support::stores::{Backend, on_both_stores, run};

struct Together(TestApp, Vec<Node>, Vec<Value>);

impl Together {
    async fn on(backend: Backend) -> Self {
        let (app, nodes, told) = TestApp::several(backend, 5).await;
        Self(app, nodes, told)
    }
}

on_both_stores! {
    async fn a_token_of_one_node_is_good_at_every_other(app: TestApp) {
        let node = app.another_node(&[]).await;
        let here = app.person("mia@example.org").await;

        let there = here.visitor().by(node.client()).enters(&here.email, PASSWORD).await;

        node.client().get("/v1/me").bearer(&here.access_token()).await.told(200);
        app.get("/v1/me").bearer(&there.access_token()).await.told(200);
        let keys = app.get("/.well-known/jwks.json").await.told(200);
        assert_eq!(node.client().get("/.well-known/jwks.json").await.told(200), keys);
        let refreshed = there.presents(&here.refresh_token()).await;
        refreshed.told(200);
    }

    async fn a_sign_out_here_counts_there_within_a_second(app: TestApp) {
        let node = app.another_node(&[]).await;
        let mia = app.person("mia@example.org").await;
        let there = || node.client().get("/v1/me").bearer(&mia.access_token());
        there().await.told(200);

        let _ = mia.signs_out().await.expect(204);

        mia.me().await.refuses(401, "invalid_token");
        eventually(async || there().await.status == 401).await;
        let refreshed = mia.visitor().by(node.client()).presents(&mia.refresh_token()).await;
        refreshed.refuses(401, "invalid_refresh_token");
    }

    async fn of_twenty_sign_outs_here_each_counts_there_within_a_second(app: TestApp) {
        let node = app.another_node(&[]).await;
        let mia = app.person("mia@example.org").await;
        let mut times = Vec::new();
        for _ in 0..20 {
            let device = mia.on_another_device().await;
            let there = || node.client().get("/v1/me").bearer(&device.access_token());
            there().await.told(200);

            let _ = device.signs_out().await.expect(204);
            let told = Instant::now();
            eventually(async || there().await.status == 401).await;
            times.push(told.elapsed());
        }

        assert!(times.iter().all(|time| *time < Duration::from_secs(1)), "{times:?}");
    }

    async fn a_role_that_is_taken_here_is_gone_there_within_a_second(app: TestApp) {
        let node = app.another_node(&[]).await;
        let admin = app.admin().await;
        let mia = app.person("mia@example.org").await;
        let _ = admin.assigns(&mia.id, &["ADMIN"]).await.expect(200);
        let _ = mia.refreshes().await.expect(200);
        let there = || node.client().get("/v1/admin/users").bearer(&mia.access_token());
        there().await.told(200);

        let _ = admin.assigns(&mia.id, &[]).await.expect(200);

        eventually(async || there().await.status == 401).await;
    }

    async fn settings_changed_here_are_seen_there_within_seconds(app: TestApp) {
        let node = app.another_node(&[]).await;
        let there = app.visitor(&app.own.development).by(node.client());
        let config = async || there.get("/v1/client-config").await.told(200)["signup_open"].clone();
        assert_eq!(config().await, true);

        let closed = json!({"signup_open": false});
        let _ = app.key().sets(&app.own.development, closed).await.expect(200);

        eventually(async || config().await == false).await;
        there.signs_up("mia@example.org", PASSWORD).await.refuses(403, "signup_closed");
    }

    /// Each of fifty uses of one token goes to one of two nodes, which know nothing of each other.
    async fn one_of_fifty_wins_wherever_they_ask(app: TestApp) {
        let node = app.another_node(&[]).await;
        let mia = app.person("mia@example.org").await;
        let (token, there) = (mia.refresh_token(), mia.visitor().by(node.client()));

        let ask = async |number: i32| match number % 2 {
            0 => mia.presents(&token).await,
            _ => there.presents(&token).await,
        };
        let replies = futures_util::future::join_all((0..50).map(ask)).await;

        assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    }

    /// Five nodes come up on an empty database in the same instant: one makes everything.
    async fn of_five_first_starts_at_once_one_tells_the_secrets(together: Together) {
        let Together(app, nodes, told) = together;
        let mia = app.person("mia@example.org").await;

        let keys = app.get("/.well-known/jwks.json").await.told(200);

        assert_eq!(told.iter().filter(|told| told["secret_key"].is_string()).count(), 1);
        assert_eq!(told.iter().filter(|told| told["admin"]["password"].is_string()).count(), 1);
        for name in ["app_id", "env_id", "publishable_key"] {
            assert!(told.iter().all(|it| it[name] == told[0][name]), "{name}");
        }
        assert_eq!(keys["keys"].as_array().unwrap().len(), 3);
        for node in &nodes {
            assert_eq!(node.client().get("/.well-known/jwks.json").await.told(200), keys);
            node.client().get("/v1/me").bearer(&mia.access_token()).await.told(200);
        }
        assert_eq!(app.user_count(&app.platform).await, 1);
    }

    async fn the_second_start_tells_no_secret_again(app: TestApp) {
        let told = app.foundation().bootstrap(&authsome::setup::Wanted::default()).await.unwrap();

        let told = serde_json::to_string(&told).unwrap();

        assert!(!told.contains("secret_key") && !told.contains("password"), "{told}");
        assert!(told.contains(&app.own.development.publishable_key));
    }
}

/// Those who listen to the revocations of an app, as MongoDB sees them.
struct Listeners {
    admin: Database,
    ns: String,
}

impl Listeners {
    async fn of(app: &TestApp) -> Self {
        let Location::Mongo(url) = app.location() else {
            panic!("not an app on MongoDB")
        };
        let client = Client::with_uri_str(url)
            .await
            .expect("the test server answers");
        let database = client.default_database().expect("the URL names a database");
        Self {
            ns: format!("{}.authsome_revocations", database.name()),
            admin: client.database("admin"),
        }
    }

    /// Those that wait for news in this moment.
    async fn waiting(&self) -> Vec<Document> {
        let asked = doc! {"currentOp": true, "op": "getmore", "ns": &self.ns};
        let told = self.admin.run_command(asked).await.expect("an answer");
        let all = told.get_array("inprog").expect("a list").iter();
        all.map(|op| op.as_document().expect("a document").clone())
            .collect()
    }

    async fn cut(&self) {
        for op in self.waiting().await {
            let kill = doc! {"killOp": 1, "op": op.get("opid").expect("a number").clone()};
            self.admin.run_command(kill).await.expect("an answer");
        }
    }
}

/// What a stream would have told is asked for while there is none.
#[test]
fn a_stream_that_is_cut_again_and_again_costs_nobody_the_second() {
    run(async {
        let app = TestApp::on(Backend::Mongo).await;
        let node = app.another_node(&[]).await;
        let mia = app.person("mia@example.org").await;
        let listeners = Listeners::of(&app).await;
        eventually(async || listeners.waiting().await.len() == 2).await;
        let there = || node.client().get("/v1/me").bearer(&mia.access_token());

        let cutting = Box::pin(async {
            loop {
                listeners.cut().await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let refused = Box::pin(async {
            // By now every stream has been cut, and whatever has been opened since.
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            there().await.told(200);
            let _ = mia.signs_out().await.expect(204);
            let told = Instant::now();
            eventually(async || there().await.status == 401).await;
            told.elapsed()
        });
        let Either::Left((time, cutting)) = select(refused, cutting).await;
        drop(cutting);

        assert!(time < Duration::from_secs(1), "{time:?}");
        eventually(async || listeners.waiting().await.len() == 2).await;
    });
}
