//! What units of work make of a database that fails under them: MongoDB, told to fail.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use authsome::store::{Filter, Store, StoreError, Stored};
use bson::{Document, doc};

use super::mongod::Mongod;
use super::{OPENING, SCHEMAS, Till};
use crate::support::stores::run;

/// More than any bound of the driver's, on a busy machine.
const LONG: Duration = Duration::from_secs(10);

async fn opened(mongod: &Mongod) -> Store {
    let store = Store::open(&mongod.settings("?replicaSet=rs0"))
        .await
        .unwrap();
    store.migrate(SCHEMAS, OPENING).await.unwrap();
    store
}

async fn tills(store: &Store) -> Stored<u64> {
    store.once().shared().count::<Till>(Filter::all()).await
}

/// Lets the next `times` of a command fail like that.
async fn fail(mongod: &Mongod, command: &str, times: i32, how: Document) {
    let mut data = how;
    data.insert("failCommands", [command]);
    let mode = doc! { "times": times };
    mongod
        .asked(doc! { "configureFailPoint": "failCommand", "mode": mode, "data": data })
        .await;
}

#[test]
fn a_unit_survives_what_a_fail_over_does_to_it() {
    run(async {
        let mongod = Mongod::replica_set(&["--setParameter", "enableTestCommands=1"]).await;
        let store = opened(&mongod).await;
        let runs = AtomicU32::new(0);
        let place = async |till: &str| {
            runs.store(0, Ordering::Relaxed);
            let placed = store.write(async |tx| {
                runs.fetch_add(1, Ordering::Relaxed);
                tx.insert(&Till::with(till, 1)).await
            });
            (placed.await, runs.load(Ordering::Relaxed))
        };
        let hang_up = || doc! { "closeConnection": true };

        // The answer to a commit is lost, more often than the driver asks again by itself.
        fail(&mongod, "commitTransaction", 3, hang_up()).await;
        assert!(matches!(place("a").await, (Ok(()), 1)));
        // The primary steps down in the middle.
        fail(&mongod, "insert", 3, doc! { "errorCode": 11_602 }).await;
        assert!(matches!(place("b").await, (Ok(()), 4)));
        // Another unit was faster.
        fail(&mongod, "insert", 2, doc! { "errorCode": 112 }).await;
        assert!(matches!(place("c").await, (Ok(()), 3)));
        // A single verb is asked again by the driver, and done once.
        fail(&mongod, "insert", 1, hang_up()).await;
        store
            .once()
            .shared()
            .insert(&Till::with("d", 1))
            .await
            .unwrap();
        assert_eq!(tills(&store).await.unwrap(), 4);

        // An error that another run would not mend.
        fail(&mongod, "insert", 1, doc! { "errorCode": 14_031 }).await;
        assert!(matches!(
            place("e").await,
            (Err(StoreError::Unavailable(_)), 1)
        ));
        // A lost connection: to begin again at once would only wait for nobody.
        fail(&mongod, "insert", 1, hang_up()).await;
        assert!(matches!(
            place("e").await,
            (Err(StoreError::Unavailable(_)), 1)
        ));
        // A commit whose fate stays unknown is not called a success.
        fail(&mongod, "commitTransaction", 100, hang_up()).await;
        let (unknown, _) = place("f").await;
        assert!(
            matches!(unknown, Err(StoreError::Unavailable(_))),
            "{unknown:?}"
        );
        // What takes too long has its own name.
        fail(&mongod, "aggregate", 1, doc! { "errorCode": 50 }).await;
        assert!(matches!(tills(&store).await, Err(StoreError::Timeout)));
    });
}

#[test]
fn a_store_keeps_what_it_acknowledged_and_comes_back_with_its_database() {
    run(async {
        let mut mongod = Mongod::replica_set(&[]).await;
        let store = opened(&mongod).await;
        let place = async |till: &str| {
            store
                .write(async |tx| tx.insert(&Till::with(till, 1)).await)
                .await
        };
        place("before").await.unwrap();

        mongod.cut();
        let since = Instant::now();
        let (placed, looked) = tokio::join!(place("lost"), tills(&store));
        assert!(
            matches!(placed, Err(StoreError::Unavailable(_))),
            "{placed:?}"
        );
        assert!(
            matches!(looked, Err(StoreError::Unavailable(_))),
            "{looked:?}"
        );
        assert!(matches!(
            store.ping().await,
            Err(StoreError::Unavailable(_))
        ));
        assert!(since.elapsed() < LONG, "{:?}", since.elapsed());

        mongod.start_again();
        let until = Instant::now() + Duration::from_secs(30);
        while let Err(error) = place("after").await {
            assert!(Instant::now() < until, "{error:?}");
        }
        store.ping().await.unwrap();
        assert_eq!(tills(&store).await.unwrap(), 2);
    });
}

#[test]
fn a_server_that_hangs_is_given_up_and_comes_back() {
    run(async {
        let mongod = Mongod::replica_set(&[]).await;
        let store = opened(&mongod).await;
        assert_eq!(tills(&store).await.unwrap(), 0);

        mongod.hang();
        let mut took = Vec::new();
        for _ in 0..2 {
            let since = Instant::now();
            let looked = tills(&store).await;
            assert!(
                matches!(looked, Err(StoreError::Unavailable(_))),
                "{looked:?}"
            );
            took.push(since.elapsed());
        }
        mongod.resume();

        assert!(took.iter().all(|took| *took < LONG), "{took:?}");
        let until = Instant::now() + Duration::from_secs(30);
        while let Err(error) = tills(&store).await {
            assert!(Instant::now() < until, "{error:?}");
        }
    });
}
