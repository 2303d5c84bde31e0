//! A database that cannot be reached: nothing is told as done that was not, and nobody is let in.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::support::app::{TestApp, eventually};
use crate::support::client::{Asks, Client, Reply, Request};
use crate::support::persona::{PASSWORD, Person};
use crate::support::stores::{Backend, on_both_stores};
use crate::support::wire::Wire;

/// A server whose database can be kept from it.
struct Wired {
    app: TestApp,
    wire: Wire,
}

impl Wired {
    async fn on(backend: Backend) -> Self {
        let (app, wire) = TestApp::wired(backend).await;
        Self { app, wire }
    }
}

on_both_stores! {
    async fn a_sign_out_that_was_not_written_is_not_told_as_done(wired: Wired) {
        let mia = wired.app.person("mia@example.org").await;
        mia.me().await.told(200);
        wired.wire.cut();
        let began = Instant::now();

        is_unavailable(mia.signs_out()).await;

        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
        wired.wire.mend();
        mia.me().await.told(200);
        let _ = mia.signs_out().await.expect(204);
        mia.me().await.refuses(401, "invalid_token");
    }

    async fn a_refresh_that_was_not_written_leaves_its_token_good(wired: Wired) {
        let mia = wired.app.person("mia@example.org").await;
        wired.wire.cut();

        is_unavailable(mia.presents(&mia.refresh_token())).await;

        wired.wire.mend();
        mia.refreshes().await.told(200);
    }

    async fn the_same_of_a_session_that_is_remembered(wired: Wired) {
        let mia = wired.app.person("mia@example.org").await;
        for _ in 0..2 {
            let _ = mia.refreshes().await.expect(200);
        }
        wired.wire.cut();

        is_unavailable(mia.presents(&mia.refresh_token())).await;

        wired.wire.mend();
        mia.refreshes().await.told(200);
    }

    async fn nobody_is_let_in_while_nothing_can_be_written(wired: Wired) {
        let mia = wired.app.person("mia@example.org").await;
        let visitor = mia.visitor();
        wired.wire.cut();

        let (right, new) = (visitor.signs_in(&mia.email, PASSWORD), ("max@example.org", PASSWORD));
        join_all([right, visitor.signs_up(new.0, new.1)].map(is_unavailable)).await;

        wired.wire.mend();
        mia.signs_in().await.told(200);
        assert_eq!(wired.app.user_count(&mia.door).await, 1);
    }

    async fn what_is_in_memory_is_answered_meanwhile(wired: Wired) {
        let mia = wired.app.person("mia@example.org").await;
        let keys = || wired.app.visitor(&mia.door).get("/.well-known/jwks.json");
        mia.me().await.told(200);
        keys().await.told(200);
        wired.wire.cut();

        wired.app.get("/livez").await.told(200);
        keys().await.told(200);
        wired.app.get("/v1/me").bearer("wrong").await.refuses(401, "invalid_token");

        wired.wire.mend();
        mia.me().await.told(200);
    }
}

/// The guard asks nobody but the node's own memory, for as long as that can be trusted.
async fn knocks(node: &Client, mia: &Person) -> u16 {
    let ask = node.get("/v1/admin/users").bearer(&mia.access_token());
    ask.that_may_be(503).await.status
}

/// Whoever was let in before is not, once this node may have missed that he must not be.
#[test]
fn a_node_that_hears_nothing_lets_nobody_in_until_it_knows_again() {
    crate::support::stores::run(async {
        let Wired { app, wire } = Wired::on(Backend::Mongo).await;
        let elsewhere = app.another_node(&[]).await;
        let (mia, max) = (
            app.person("mia@example.org").await,
            app.person("max@example.org").await,
        );
        let node = app.client();
        assert_eq!(
            (knocks(node, &mia).await, knocks(node, &max).await),
            (403, 403)
        );
        wire.cut();

        let there = elsewhere
            .client()
            .post("/v1/signout")
            .bearer(&max.access_token());
        let _ = there.await.expect(204);
        eventually(async || knocks(node, &mia).await == 503).await;

        assert_eq!(knocks(node, &max).await, 503, "and he least of all");
        wire.mend();
        eventually(async || knocks(node, &mia).await == 403).await;
        assert_eq!(knocks(node, &max).await, 401);
        let in_memory = async || {
            let _ = knocks(node, &mia).await;
        };
        // Until the stream is there again the store is asked, which a driver that has been cut off takes
        // its time to do.
        let until = Instant::now() + Duration::from_secs(30);
        while app.calls_for(in_memory).await > 0 {
            assert!(Instant::now() < until, "it goes on asking the store");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
}

/// Only MongoDB can be away altogether.
#[test]
fn a_node_without_its_database_is_alive_and_not_ready() {
    crate::support::stores::run(async {
        let Wired { app, wire } = Wired::on(Backend::Mongo).await;
        wire.cut();

        app.get("/livez").await.told(200);
        is_unavailable(app.get("/readyz")).await;
        is_unavailable(app.get("/v1/health")).await;

        wire.mend();
        app.get("/readyz").await.told(200);
    });
}

async fn is_unavailable(request: Request) {
    let reply: Reply = request.that_may_be(503).await;
    assert_eq!(reply.header("retry-after"), Some("1"), "{}", reply.text());
    reply.refuses(503, "store_unavailable");
}
