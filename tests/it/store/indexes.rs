//! The declared indexes: made as declared, and never mistaken for others of their name.

use authsome::store::{Location, StoreSettings};
use bson::{Document, doc};
use rusqlite::Connection;

use super::startup::sentence;
use super::{OPENING, SCHEMAS};
use crate::support::stores::{Backend, TestStore, mongo_behind, run};

fn file_behind(settings: &StoreSettings) -> Connection {
    let Location::Sqlite(path) = &settings.location else {
        panic!("not a file")
    };
    Connection::open(path).unwrap()
}

const OTHER_DEFINITIONS: [&str; 3] = ["guests_email", "authsome_test_guests", "another definition"];

#[test]
fn a_file_with_another_index_of_that_name_is_refused() {
    run(async {
        let under = TestStore::on(Backend::Sqlite).await.holding(SCHEMAS).await;
        file_behind(&under.settings)
            .execute_batch(
                "DROP INDEX guests_email;
                 CREATE INDEX guests_email ON authsome_test_guests (f_email)",
            )
            .unwrap();

        let sentence = sentence(under.store.migrate(SCHEMAS, OPENING).await);

        assert!(
            OTHER_DEFINITIONS.iter().all(|part| sentence.contains(part)),
            "{sentence}"
        );
    });
}

#[test]
fn a_database_with_another_index_of_that_name_is_refused() {
    let keys = || doc! { "app_id": 1, "email": 1 };
    let email = || doc! { "email": { "$exists": true } };
    let unique = |keys, when| doc! { "key": keys, "unique": true, "partialFilterExpression": when };
    let mut differing = [
        unique(doc! { "email": 1, "app_id": 1 }, email()),
        unique(doc! { "app_id": 1, "email": -1 }, email()),
        unique(keys(), doc! { "email": { "$type": "string" } }),
        unique(keys(), email()),
        doc! { "key": keys(), "partialFilterExpression": email() },
        doc! { "key": keys(), "unique": true },
        doc! { "key": keys(), "unique": true, "sparse": true },
        doc! { "key": { "email": 1 }, "expireAfterSeconds": 60 },
    ];
    differing[3].insert("collation", doc! { "locale": "en" });
    for mut other in differing {
        run(async {
            let under = TestStore::on(Backend::Mongo).await;
            other.insert("name", "guests_email");
            let make = doc! { "createIndexes": "authsome_test_guests", "indexes": [&other] };
            mongo_behind(&under.settings)
                .await
                .run_command(make)
                .await
                .unwrap();

            let sentence = sentence(under.store.migrate(SCHEMAS, OPENING).await);

            assert!(
                OTHER_DEFINITIONS.iter().all(|part| sentence.contains(part)),
                "{other}: {sentence}"
            );
        });
    }
}

#[test]
fn a_database_with_the_same_keys_under_another_name_is_refused() {
    run(async {
        let under = TestStore::on(Backend::Mongo).await;
        let make = doc! { "createIndexes": "authsome_test_tickets",
        "indexes": [{ "name": "mine", "key": { "code": 1 }, "unique": true }] };
        mongo_behind(&under.settings)
            .await
            .run_command(make)
            .await
            .unwrap();

        let sentence = sentence(under.store.migrate(SCHEMAS, OPENING).await);

        assert!(
            sentence.contains("tickets_code of authsome_test_tickets"),
            "{sentence}"
        );
    });
}

#[test]
fn the_declared_indexes_are_in_the_file() {
    run(async {
        let under = TestStore::on(Backend::Sqlite).await.holding(SCHEMAS).await;

        let file = file_behind(&under.settings);
        let mut rows = file
            .prepare(
                "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL ORDER BY name",
            )
            .unwrap();
        let made: Vec<String> = rows
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();

        let declared = [
            "CREATE INDEX guests_created ON authsome_test_guests (f_app_id, f_created_at, id)",
            "CREATE UNIQUE INDEX guests_email ON authsome_test_guests (f_app_id, f_email) \
             WHERE f_email IS NOT NULL",
            "CREATE INDEX guests_row ON authsome_test_guests (f_seat__row)",
            "CREATE UNIQUE INDEX tickets_code ON authsome_test_tickets (f_code)",
            "CREATE INDEX tickets_expiry ON authsome_test_tickets (f_expires_at)",
            "CREATE UNIQUE INDEX tickets_one_open_per_holder ON authsome_test_tickets \
             (f_app_id, f_env_id, f_holder) WHERE f_state = 'open'",
        ];
        assert_eq!(made, declared);
    });
}

#[test]
fn the_declared_indexes_are_in_the_database() {
    run(async {
        let under = TestStore::on(Backend::Mongo).await.holding(SCHEMAS).await;

        let database = mongo_behind(&under.settings).await;
        let mut made = Vec::new();
        for schema in SCHEMAS {
            let list = doc! { "listIndexes": schema.collection() };
            let listed = database.run_command(list).await.unwrap();
            let listed = listed
                .get_document("cursor")
                .unwrap()
                .get_array("firstBatch")
                .unwrap();
            made.extend(
                listed
                    .iter()
                    .map(|index| without_version(index.as_document().unwrap())),
            );
        }
        made.retain(|(keys, _)| keys != "{ \"_id\": 1 }");

        let declared = [
            (
                r#"{ "app_id": 1, "email": 1 }"#,
                doc! { "name": "guests_email", "unique": true,
                "partialFilterExpression": { "email": { "$exists": true } } },
            ),
            (
                r#"{ "app_id": 1, "created_at": 1, "_id": 1 }"#,
                doc! { "name": "guests_created" },
            ),
            (r#"{ "seat.row": 1 }"#, doc! { "name": "guests_row" }),
            (
                r#"{ "code": 1 }"#,
                doc! { "name": "tickets_code", "unique": true },
            ),
            (
                r#"{ "app_id": 1, "env_id": 1, "holder": 1 }"#,
                doc! { "name": "tickets_one_open_per_holder", "unique": true,
                "partialFilterExpression": { "state": "open" } },
            ),
            (
                r#"{ "expires_at": 1 }"#,
                doc! { "name": "tickets_expiry", "expireAfterSeconds": 3_600 },
            ),
        ];
        assert_eq!(made, declared.map(|(keys, rest)| (keys.to_owned(), rest)));
    });
}

/// The keys as text, because documents are equal in any order of their fields, and the rest.
fn without_version(index: &Document) -> (String, Document) {
    let mut rest = index.clone();
    rest.remove("v");
    let keys = rest.remove("key").unwrap().to_string();
    (keys, rest)
}
