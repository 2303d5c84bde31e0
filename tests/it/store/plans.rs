//! Plans: what a declared index covers, MongoDB finds by it; its profiler tells. For SQLite this is
//! a unit test of the driver, which alone knows its statements.

use std::time::Duration;

use authsome::kernel::page::{Limit, Position};
use authsome::store::{Tx, by_id};
use bson::{Document, doc};
use mongodb::Database;

use super::{
    CODE, COINS, CREATED_AT, EMAIL, Guest, HOLDER, OPENING, STATE, Theatre, Ticket, VIP, VISITS,
};
use crate::support::stores::{Backend, mongo_behind, run};

const GUESTS: u32 = 400;

/// The rose's theatre, crowded, and the look behind the port.
async fn crowded() -> (Theatre, Database) {
    let theatre = Theatre::on(Backend::Mongo).await;
    let guest = |number: u32| Guest {
        email: Some(format!("{number}@example.org")),
        created_at: OPENING.plus(Duration::from_millis(u64::from(number / 2))),
        ..Guest::of(theatre.rose.app_id, format!("{number:03}"))
    };
    theatre
        .with_guests(&(0..GUESTS).map(guest).collect::<Vec<_>>())
        .await;
    for number in 0..50 {
        let mut once = theatre.store.once();
        let ticket = Ticket::of(theatre.rose, &number.to_string());
        once.within(theatre.rose).insert(&ticket).await.unwrap();
    }
    let database = mongo_behind(&theatre.under.settings).await;
    (theatre, database)
}

/// How MongoDB did what `verb` asks for: the plan, and how many keys of an index it looked at.
async fn plan<T>(database: &Database, verb: impl Future<Output = T>) -> (String, i64) {
    database.run_command(doc! { "profile": 2 }).await.unwrap();
    verb.await;
    database.run_command(doc! { "profile": 0 }).await.unwrap();
    let written = database.collection::<Document>("system.profile");
    let seen = written
        .find_one(doc! { "planSummary": { "$exists": true } })
        .await
        .unwrap();
    written.drop().await.unwrap();
    let seen = seen.expect("the verb reached the database");
    assert!(
        !seen.contains_key("hasSortStage"),
        "sorted in memory: {seen}"
    );
    let keys = seen.get_i32("keysExamined").map_or_else(|_| 0, i64::from);
    (seen.get_str("planSummary").unwrap().to_owned(), keys)
}

#[test]
fn mongo_finds_by_the_declared_indexes() {
    run(async {
        let (theatre, database) = crowded().await;
        let (mut once, mut other) = (theatre.store.once(), theatre.store.once());
        let mut guests = once.within(theatre.rose);
        let mut tickets = other.within(theatre.rose);
        let (by_email, by_code) = ("IXSCAN { app_id: 1, email: 1 }", "IXSCAN { code: 1 }");
        let text = |text: &str| text.to_owned();

        let found = plan(&database, guests.get::<Guest>("007")).await;
        assert_eq!(found, (text("IXSCAN { _id: 1 }"), 1));
        let found = plan(&database, guests.find_one(EMAIL.eq(text("7@example.org")))).await;
        assert_eq!(found, (text(by_email), 1));
        let found = plan(
            &database,
            guests.count(EMAIL.starts_with("39") & VIP.eq(false)),
        )
        .await;
        assert!(found.0.starts_with(by_email) && found.1 <= 13, "{found:?}");
        let several = EMAIL.one_of([text("1@example.org"), text("2@example.org")]);
        let found = plan(&database, guests.update_many(several, VISITS.inc(1))).await;
        assert!(found.0.starts_with(by_email) && found.1 <= 4, "{found:?}");
        let found = plan(&database, tickets.take_one(CODE.eq(text("code of 7")))).await;
        assert_eq!(found, (text(by_code), 1));
        let open = |holder| STATE.eq(text("open")) & HOLDER.eq(text(holder));
        let by_holder = (text("IXSCAN { app_id: 1, env_id: 1, holder: 1 }"), 1);
        let used = || STATE.set(text("used"));
        let found = plan(&database, tickets.update_one(open("holder of 9"), used())).await;
        assert_eq!(found, by_holder);
        let found = plan(&database, tickets.change_one(open("holder of 8"), used())).await;
        assert_eq!(found, by_holder);
    });
}

#[test]
fn mongo_begins_a_page_at_its_position() {
    run(async {
        let (theatre, database) = crowded().await;
        let limit = Limit::try_from(10).unwrap();
        let halfway = Position {
            at: OPENING.plus(Duration::from_millis(100)),
            id: "200".into(),
        };
        let page = async |after: Option<&Position>| {
            let mut once = theatre.store.once();
            let mut guests = once.within(theatre.rose);
            guests
                .page(VIP.eq(false), CREATED_AT, after, limit)
                .await
                .unwrap()
        };

        let first = plan(&database, page(None)).await;
        let deep = plan(&database, page(Some(&halfway))).await;

        for (summary, keys) in [first, deep] {
            assert_eq!(summary, "IXSCAN { app_id: 1, created_at: 1, _id: 1 }");
            assert!(keys <= 13, "{keys} keys for a page of 10");
        }
    });
}

#[test]
fn mongo_plans_units_and_looks_as_it_does_single_verbs() {
    run(async {
        let (theatre, database) = crowded().await;
        theatre.with_tills(&[super::Till::with("a", 1)]).await;
        let email = || EMAIL.eq("7@example.org".to_owned());
        let count = async |tx: &mut Tx<'_>| tx.within(theatre.rose).count(email()).await;

        let looked = plan(&database, theatre.store.read(count)).await;
        let unit = Box::pin(plan(&database, theatre.store.write(count))).await;
        let counted = theatre
            .store
            .write(async |tx| tx.update_one(by_id("a"), COINS.inc(1)).await);
        let counted = Box::pin(plan(&database, counted)).await;

        assert_eq!(looked.0, "COUNT_SCAN { app_id: 1, email: 1 }");
        assert_eq!(looked, unit);
        assert!(
            ["IDHACK", "IXSCAN { _id: 1 }"].contains(&&*counted.0),
            "{counted:?}"
        );
    });
}
