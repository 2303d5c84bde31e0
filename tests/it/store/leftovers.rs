//! What a process that was killed left open on MongoDB.

use authsome::store::{StoreError, by_id};
use bson::{Document, doc};
use mongodb::options::ClientOptions;
use mongodb::{Client, ClientSession};
use tokio::sync::Mutex;

use super::{COINS, Entity, Theatre, Till};
use crate::support::stores::{Backend, mongo_behind, mongodb_url, run};

/// A transaction of another process of the same installation, which changes this till.
async fn change_by_another(theatre: &Theatre, till: &str) -> ClientSession {
    let name = mongo_behind(&theatre.under.settings)
        .await
        .name()
        .to_owned();
    let mut options = ClientOptions::parse(mongodb_url(&name)).await.unwrap();
    options.app_name = Some(format!("authsome {name}"));
    let client = Client::with_options(options).unwrap();
    let mut session = client.start_session().await.unwrap();
    session.start_transaction().await.unwrap();
    let tills = client
        .database(&name)
        .collection::<Document>(Till::COLLECTION);
    let change = tills.update_one(doc! { "_id": till }, doc! { "$set": { "coins": 9 } });
    change.session(&mut session).await.unwrap();
    session
}

#[test]
fn what_a_killed_process_left_open_keeps_others_out_until_it_is_ended() {
    run(async {
        let theatre = Theatre::on(Backend::Mongo).await;
        theatre
            .with_tills(&[Till::with("a", 1), Till::with("b", 1)])
            .await;
        // Dropped, it would tell the server.
        std::mem::forget(change_by_another(&theatre, "a").await);
        let leftovers = Mutex::new(theatre.store.leftovers().expect("MongoDB has leftovers"));
        let take = theatre
            .store
            .write(async |tx| tx.update_one(by_id::<Till>("a"), COINS.inc(1)).await);
        assert!(
            matches!(take.await, Err(StoreError::Conflict)),
            "nobody else can change it"
        );

        // A unit that goes on between two looks is left alone.
        let ended = theatre.store.write(async |tx| {
            tx.update_one(by_id::<Till>("b"), COINS.inc(1)).await?;
            assert_eq!(
                leftovers.lock().await.end().await?,
                0,
                "seen for the first time"
            );
            tx.update_one(by_id::<Till>("b"), COINS.inc(1)).await?;
            leftovers.lock().await.end().await
        });

        assert_eq!(ended.await.unwrap(), 1);
        let free = theatre
            .store
            .write(async |tx| tx.update_one(by_id::<Till>("a"), COINS.inc(1)).await);
        let coins = async |till: &'static str| {
            let till: Option<Till> = theatre.store.once().shared().get(till).await.unwrap();
            till.map(|till| till.coins)
        };
        assert!(free.await.is_ok(), "it is taken back");
        assert_eq!((coins("a").await, coins("b").await), (Some(2), Some(3)));
        assert_eq!(leftovers.lock().await.end().await.unwrap(), 0);
    });
}
