//! Following a collection: what is added is told in the order of its commits, and silence is not
//! mistaken for nothing.

use std::time::{Duration, Instant};

use authsome::store::{Filter, Follower, Store};
use bson::doc;

use super::{Guest, OPENING, SCHEMAS, VIP};
use crate::support::stores::{Backend, TestStore, mongo_behind, run};
use authsome::kernel::entropy::Entropy;
use authsome::kernel::id::AppId;

async fn follows(store: &Store) -> Option<Follower<Guest>> {
    let mut once = store.once();
    let mut all = once.across_tenants("a test follows whatever happens");
    all.follow().await.unwrap()
}

async fn next(follower: &mut Follower<Guest>, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    while ids.len() < count {
        let news = follower.next().await.unwrap();
        ids.extend(news.added.into_iter().map(|guest| guest.id));
    }
    ids
}

#[test]
fn what_is_added_is_told_when_it_is_committed() {
    run(async {
        let under = TestStore::on(Backend::Mongo).await.holding(SCHEMAS).await;
        let (store, app) = (&under.store, AppId::new(OPENING, &Entropy::system()));
        let mut follower = follows(store).await.expect("MongoDB tells by itself");

        let done: Result<(), authsome::store::StoreError> = store
            .write(async |tx| {
                let mut tx = tx.within(app);
                tx.insert(&Guest::of(app, "a")).await?;
                tx.insert(&Guest::of(app, "b")).await
            })
            .await;
        done.unwrap();
        let mut once = store.once();
        let mut tx = once.within(app);
        // Neither a change nor an end is something new.
        tx.update_many(Filter::all(), VIP.set(true)).await.unwrap();
        tx.delete_many::<Guest>(Filter::all()).await.unwrap();
        tx.insert(&Guest::of(app, "c")).await.unwrap();

        assert_eq!(next(&mut follower, 3).await, ["a", "b", "c"]);
    });
}

#[test]
fn a_database_where_nothing_happens_says_so() {
    run(async {
        let under = TestStore::on(Backend::Mongo).await.holding(SCHEMAS).await;
        let mut follower = follows(&under.store)
            .await
            .expect("MongoDB tells by itself");

        for _ in 0..4 {
            let waited = Instant::now();
            let news = follower.next().await.unwrap();
            assert!(news.added.is_empty());
            assert!(
                waited.elapsed() < Duration::from_millis(900),
                "{:?}",
                waited.elapsed()
            );
            assert!(news.asked.elapsed() < Duration::from_millis(900));
        }
    });
}

#[test]
fn a_stream_that_can_tell_nothing_more_ends() {
    run(async {
        let under = TestStore::on(Backend::Mongo).await.holding(SCHEMAS).await;
        let mut follower = follows(&under.store)
            .await
            .expect("MongoDB tells by itself");
        let database = mongo_behind(&under.settings).await;

        let guests = doc! { "drop": "authsome_test_guests" };
        database.run_command(guests).await.unwrap();

        while follower.next().await.is_ok() {}
        assert!(follower.next().await.is_err(), "and stays ended");
    });
}

#[test]
fn sqlite_has_to_be_asked() {
    run(async {
        let under = TestStore::on(Backend::Sqlite).await.holding(SCHEMAS).await;

        assert!(follows(&under.store).await.is_none());
    });
}
