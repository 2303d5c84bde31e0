//! A database that cannot be reached: nothing is told as done that was not, and nobody is let in.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::support::app::TestApp;
use crate::support::client::{Asks, Reply, Request};
use crate::support::persona::PASSWORD;
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
        mia.get("/v1/admin/users").await.refuses(403, "forbidden");
        wired.app.get("/v1/me").bearer("wrong").await.refuses(401, "invalid_token");

        wired.wire.mend();
        mia.me().await.told(200);
    }
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
