//! What a store is opened on: a replica set that answers, and nothing else.

use std::time::{Duration, Instant};

use authsome::store::{Location, Store, StoreError, StoreSettings};
use bson::{Document, doc};

use super::mongod::{Mongod, free_port};
use super::startup::sentence;
use super::{OPENING, SCHEMAS, Till};
use crate::support::stores::{Backend, mongo_behind, mongodb_url, place, run};

/// How the store refuses this server, once it listens.
async fn refusal(settings: StoreSettings) -> String {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        match Store::open(&settings).await {
            Err(StoreError::Unavailable(_)) if Instant::now() < until => {}
            opened => return sentence(opened),
        }
    }
}

#[test]
fn a_standalone_server_is_refused_with_the_command_that_helps() {
    run(async {
        let mongod = Mongod::start(&[]);

        for options in ["", "?directConnection=true", "?replicaSet=rs0"] {
            let sentence = refusal(mongod.settings(options)).await;
            for part in ["standalone", "--replSet rs0", "rs.initiate()"] {
                assert!(sentence.contains(part), "{options}: {sentence}");
            }
        }
    });
}

#[test]
fn a_replica_set_that_nobody_initiated_is_refused_with_the_command_that_helps() {
    run(async {
        let mongod = Mongod::start(&["--replSet", "rs0"]);

        for options in ["", "?directConnection=true", "?replicaSet=rs0"] {
            let sentence = refusal(mongod.settings(options)).await;
            assert!(sentence.contains("rs.initiate()"), "{options}: {sentence}");
        }
    });
}

/// To wait would mend nothing: whoever has set it must hear of it.
#[test]
fn a_password_that_is_wrong_is_told_and_not_waited_for() {
    run(async {
        let url = mongodb_url("authsome").replace("://", "://authsome:wrong@");

        let opened = Store::open(&StoreSettings::at(Location::Mongo(url))).await;

        let sentence = sentence(opened);
        assert!(
            sentence.contains("check the user, the password"),
            "{sentence}"
        );
        assert!(!sentence.contains("wrong"), "{sentence}");
    });
}

#[test]
fn a_database_that_does_not_answer_is_unavailable_within_its_bound() {
    run(async {
        let url = format!(
            "mongodb://127.0.0.1:{}/authsome?replicaSet=rs0",
            free_port()
        );
        let since = Instant::now();

        let opened = Store::open(&StoreSettings::at(Location::Mongo(url))).await;

        assert!(
            matches!(opened, Err(StoreError::Unavailable(_))),
            "{opened:?}"
        );
        let took = since.elapsed();
        assert!(
            (Duration::from_secs(2)..Duration::from_secs(8)).contains(&took),
            "{took:?}"
        );
    });
}

#[test]
fn a_url_without_a_database_is_refused() {
    run(async {
        let settings = StoreSettings::at(Location::Mongo(mongodb_url("")));

        let sentence = sentence(Store::open(&settings).await);

        assert!(sentence.contains("names no database"), "{sentence}");
    });
}

#[test]
fn a_url_cannot_weaken_what_an_acknowledgement_means() {
    run(async {
        let (mut settings, _guard) = place(Backend::Mongo);
        let Location::Mongo(url) = &mut settings.location else {
            panic!("not MongoDB")
        };
        url.push_str("&w=1&journal=false&retryWrites=false&readConcernLevel=local");
        url.push_str("&readPreference=secondaryPreferred");
        let store = Store::open(&settings).await.unwrap();
        store.migrate(SCHEMAS, OPENING).await.unwrap();
        let database = mongo_behind(&settings).await;
        database.run_command(doc! { "profile": 2 }).await.unwrap();

        store
            .once()
            .shared()
            .insert(&Till::with("a", 1))
            .await
            .unwrap();
        let till: Option<Till> = store.once().shared().get("a").await.unwrap();
        let unit = store
            .write(async |tx| tx.insert(&Till::with("b", 1)).await)
            .await;
        let look = store.read(async |tx| tx.get::<Till>("b").await).await;

        assert!(till.is_some() && look.unwrap().is_some());
        unit.unwrap();
        let written = database.collection::<Document>("system.profile");
        let asked = async |filter| {
            let seen = written.find_one(filter).await.unwrap().unwrap();
            seen.get_document("command").unwrap().clone()
        };
        let insert = asked(doc! { "op": "insert", "command.txnNumber": { "$exists": true } }).await;
        let durable = doc! { "w": "majority", "j": true };
        assert_eq!(insert.get_document("writeConcern").unwrap(), &durable);
        let find = asked(doc! { "command.find": "authsome_test_tills" }).await;
        let concern = find.get_document("readConcern").unwrap();
        assert_eq!(concern.get_str("level").unwrap(), "majority");
    });
}
