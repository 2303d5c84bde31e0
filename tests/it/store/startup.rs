//! Start-up: what is made, what is repeated without harm, and what is refused with which sentence.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use authsome::kernel::time::Timestamp;
use authsome::store::{
    Entity, Field, Filter, Index, Location, Nobody, Query, Schema, Store, StoreError,
    StoreSettings, Stored, VERSION, by_id,
};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::{OPENING, SCHEMAS, Till};
use crate::support::stores::{Backend, TestStore, on_both_stores, place, run};

pub(super) fn sentence<T>(refused: Stored<T>) -> String {
    match refused {
        Err(StoreError::Unsuitable(sentence)) => sentence,
        Err(other) => panic!("refused without a sentence: {other:?}"),
        Ok(_) => panic!("not refused"),
    }
}

/// A record of what some start made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Migration {
    #[serde(rename = "_id")]
    id: String,
    collection: String,
    indexes: Vec<String>,
    applied_at: Timestamp,
}

const COLLECTION: Field<Migration, String> = Field::at("collection");

impl Entity for Migration {
    type Owner = Nobody;
    const COLLECTION: &'static str = "authsome_migrations";
    const INDEXES: &'static [Index] = &[];
}

/// The same collection, before and after somebody declared an index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Plain {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    word: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Indexed {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    word: Option<String>,
}

impl Entity for Plain {
    type Owner = Nobody;
    const COLLECTION: &'static str = "authsome_test_words";
    const INDEXES: &'static [Index] = &[];
}

impl Entity for Indexed {
    type Owner = Nobody;
    const COLLECTION: &'static str = "authsome_test_words";
    const INDEXES: &'static [Index] =
        &[Index::unique("words_word", &["word"]).when_present("word")];
}

on_both_stores! {
    async fn migrating_twice_is_harmless_and_recorded_once(under: TestStore) {
        let recorded = async || {
            let all = Query::of(Filter::all()).oldest_by(COLLECTION);
            under.store.once().shared().find(all).await.unwrap()
        };

        under.store.migrate(SCHEMAS, OPENING).await.unwrap();
        let first = recorded().await;
        under
            .store
            .migrate(SCHEMAS, OPENING.plus(Duration::from_hours(1)))
            .await
            .unwrap();

        assert_eq!(recorded().await, first);
        assert!(
            first
                .iter()
                .all(|migration| migration.applied_at == OPENING)
        );
        let made: Vec<(&str, &[String])> = first
            .iter()
            .map(|migration| (&*migration.collection, &*migration.indexes))
            .collect();
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let guests = names(&["guests_email", "guests_created", "guests_row"]);
        let tickets = names(&[
            "tickets_code",
            "tickets_one_open_per_holder",
            "tickets_expiry",
        ]);
        assert_eq!(
            made,
            [
                ("authsome_test_guests", &*guests),
                ("authsome_test_tickets", &tickets)
            ]
        );
    }

    async fn a_store_that_was_migrated_is_opened_again_with_its_documents(under: TestStore) {
        let under = under.holding(SCHEMAS).await;
        under
            .store
            .once()
            .shared()
            .insert(&Till::with("a", 1))
            .await
            .unwrap();

        let again = Store::open(&under.settings).await.unwrap();
        again.migrate(SCHEMAS, OPENING).await.unwrap();

        let till: Option<Till> = again.once().shared().get("a").await.unwrap();
        assert_eq!(till, Some(Till::with("a", 1)));
    }

    async fn an_index_added_later_is_made_over_the_documents_there_are(under: TestStore) {
        let under = under.holding(&[Schema::of::<Plain>()]).await;
        let plain = |id: &str, word: &str| Plain {
            id: id.into(),
            word: Some(word.into()),
        };
        let mut once = under.store.once();
        once.shared().insert(&plain("a", "one")).await.unwrap();
        once.shared()
            .insert(&Plain {
                id: "b".into(),
                word: None,
            })
            .await
            .unwrap();

        under
            .store
            .migrate(&[Schema::of::<Indexed>()], OPENING)
            .await
            .unwrap();

        let again = Indexed {
            id: "c".into(),
            word: Some("one".into()),
        };
        let refused = under.store.once().shared().insert(&again).await;
        assert!(
            matches!(refused, Err(StoreError::Duplicate("words_word"))),
            "{refused:?}"
        );
    }

    async fn documents_that_violate_a_new_index_stop_the_start(under: TestStore) {
        let under = under.holding(&[Schema::of::<Plain>()]).await;
        for id in ["a", "b"] {
            let plain = Plain {
                id: id.into(),
                word: Some("same".into()),
            };
            under.store.once().shared().insert(&plain).await.unwrap();
        }

        let refused = under
            .store
            .migrate(&[Schema::of::<Indexed>()], OPENING)
            .await;

        let sentence = sentence(refused);
        for part in ["words_word", "authsome_test_words", "cannot be made"] {
            assert!(sentence.contains(part), "{sentence}");
        }
    }
}

fn five_nodes_at_once(backend: Backend, rounds: u32) {
    for _ in 0..rounds {
        let (settings, _guard) = place(backend);
        let start = Arc::new(Barrier::new(5));
        let nodes: Vec<_> = (0..5)
            .map(|node| {
                let (settings, start) = (settings.clone(), start.clone());
                thread::spawn(move || {
                    run(async move {
                        start.wait();
                        let store = Store::open(&settings).await.unwrap();
                        store.migrate(SCHEMAS, OPENING).await.unwrap();
                        let till = Till::with(format!("of node {node}"), 1);
                        store.once().shared().insert(&till).await.unwrap();
                    });
                })
            })
            .collect();
        for node in nodes {
            node.join().unwrap();
        }
        run(async {
            let store = Store::open(&settings).await.unwrap();
            assert_eq!(
                store
                    .once()
                    .shared()
                    .count::<Till>(Filter::all())
                    .await
                    .unwrap(),
                5
            );
        });
    }
}

#[test]
fn five_nodes_may_start_at_once_on_one_empty_file() {
    five_nodes_at_once(Backend::Sqlite, 10);
}

#[test]
fn five_nodes_may_start_at_once_on_one_empty_database() {
    five_nodes_at_once(Backend::Mongo, 3);
}

#[test]
fn a_file_in_a_folder_that_cannot_be_made_is_refused() {
    run(async {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "no database").unwrap();

        let below = Store::open(&StoreSettings::at(Location::Sqlite(file.join("data/a.db")))).await;

        let below = sentence(below);
        assert!(
            below.contains(&*file.join("data").to_string_lossy()),
            "{below}"
        );
    });
}

#[test]
fn two_stores_in_memory_know_nothing_of_each_other() {
    run(async {
        let settings = StoreSettings::at(Location::Memory);
        let (one, two) = (
            Store::open(&settings).await.unwrap(),
            Store::open(&settings).await.unwrap(),
        );
        one.migrate(SCHEMAS, OPENING).await.unwrap();
        two.migrate(SCHEMAS, OPENING).await.unwrap();

        one.once()
            .shared()
            .insert(&Till::with("a", 1))
            .await
            .unwrap();

        assert!(
            two.once()
                .shared()
                .get::<Till>("a")
                .await
                .unwrap()
                .is_none()
        );
        assert!(
            one.clone()
                .once()
                .shared()
                .get::<Till>("a")
                .await
                .unwrap()
                .is_some()
        );
    });
}

/// What a store says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Kept {
    #[serde(rename = "_id")]
    id: String,
    version: i64,
    applied_at: Timestamp,
}

const KEPT_VERSION: Field<Kept, i64> = Field::at("version");

impl Entity for Kept {
    type Owner = Nobody;
    const COLLECTION: &'static str = "authsome_schema";
    const INDEXES: &'static [Index] = &[];
}

on_both_stores! {
    async fn a_store_keeps_the_version_that_it_was_brought_to(under: TestStore) {
        assert_eq!(under.store.version().await.unwrap(), None);

        under.store.migrate(SCHEMAS, OPENING).await.unwrap();

        let kept: Option<Kept> = under.store.once().shared().get("version").await.unwrap();
        let of_this = Kept { id: "version".into(), version: VERSION, applied_at: OPENING };
        assert_eq!(kept, Some(of_this));
        assert_eq!(under.store.version().await.unwrap(), Some(VERSION));
    }

    async fn a_store_of_an_earlier_version_is_raised_and_one_of_a_later_is_left(under: TestStore) {
        under.store.migrate(SCHEMAS, OPENING).await.unwrap();
        let is_of = async |version| {
            let set = KEPT_VERSION.set(version);
            let mut once = under.store.once();
            once.shared().update_one(by_id("version"), set).await.unwrap();
        };

        is_of(0).await;
        under.store.migrate(SCHEMAS, OPENING).await.unwrap();
        assert_eq!(under.store.version().await.unwrap(), Some(VERSION));
        is_of(VERSION + 1).await;
        let refused = sentence(under.store.migrate(&[Schema::of::<Plain>()], OPENING).await);

        assert!(refused.contains("newer version of the server"), "{refused}");
        assert_eq!(under.store.version().await.unwrap(), Some(VERSION + 1));
        let there = under.store.collections().await.unwrap();
        assert!(!there.contains(&Plain::COLLECTION.to_owned()), "nothing is made: {there:?}");
    }
}
