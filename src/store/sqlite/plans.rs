//! What a declared index covers, SQLite finds by it: its query planner tells.

use rusqlite::{Connection, StatementStatus, params_from_iter};
use serde::{Deserialize, Serialize};

use super::migrate::migrate;
use super::translate::statement;
use crate::kernel::time::Timestamp;
use crate::store::op::{Find, Sweep, Verb};
use crate::store::query::{Node, Sort, Test};
use crate::store::schema::{Entity, Index, OfApp, Outlives, Schema};
use crate::store::update::Change;
use crate::store::whole::typed_as;

const GUESTS: Schema = Schema {
    collection: "guests",
    owner: &["app_id"],
    indexes: &[
        Index::unique("guests_email", &["app_id", "email"]).when_present("email"),
        Index::unique("guests_open", &["app_id", "holder"]).when_equals("state", "open"),
        Index::on("guests_created", &["app_id", "created_at", "_id"]),
        Index::on("guests_row", &["seat.row"]),
    ],
    part_of: None,
    outlives: Outlives::Nothing,
    kept: false,
    typed: typed_as::<Plain>,
};

/// Of which the planner knows nothing.
#[derive(Clone, Serialize, Deserialize)]
struct Plain {}

impl Entity for Plain {
    type Owner = OfApp;
    const COLLECTION: &'static str = "guests";
    const INDEXES: &'static [Index] = &[];
}

fn is(path: &'static str, test: Test) -> Node {
    Node::Is { path, test }
}

fn equals(path: &'static str, text: &str) -> Node {
    is(path, Test::Eq(text.into()))
}

fn of_app(node: Node) -> Node {
    Node::All(vec![equals("app_id", "aapp_1"), node])
}

fn page(after: Option<&str>) -> Verb {
    page_of(of_app(is("vip", Test::Ne(true.into()))), after)
}

fn page_of(filter: Node, after: Option<&str>) -> Verb {
    let at = bson::DateTime::from_millis(2_208_988_800_000);
    Verb::Find(Find {
        filter,
        after: after.map(|id| (at.into(), id.to_owned())),
        sort: Some(Sort {
            path: "created_at",
            descending: true,
        }),
        skip: 0,
        limit: Some(21),
    })
}

fn plan(verb: &Verb) -> String {
    let connection = Connection::open_in_memory().unwrap();
    migrate(&connection, &[GUESTS], Timestamp::from_millis(0)).unwrap();
    let (statement, _) = statement(&GUESTS, verb);
    let explain = format!("EXPLAIN QUERY PLAN {}", statement.sql);
    let mut explained = connection.prepare(&explain).unwrap();
    let rows = explained
        .query_map(params_from_iter(statement.params), |row| row.get(3))
        .unwrap();
    rows.collect::<Result<Vec<String>, _>>().unwrap().join("; ")
}

#[test]
fn conditions_on_indexed_fields_search_their_index() {
    let by_email = "guests_email (f_app_id=? AND f_email=?)";
    let email = || of_app(equals("email", "mia@example.org"));
    let unset = || vec![Change::Unset("email")];
    let several = Test::OneOf(vec!["a".into(), "b".into()]);
    let table = [
        (
            Verb::Count(equals("_id", "g")),
            "sqlite_autoindex_guests_1 (id=?)",
        ),
        (
            Verb::Count(of_app(equals("_id", "g"))),
            "sqlite_autoindex_guests_1 (id=?)",
        ),
        (
            Verb::Count(of_app(is("_id", several.clone()))),
            "sqlite_autoindex_guests_1 (id=?)",
        ),
        (Verb::DeleteMany(email()), by_email),
        (Verb::TakeOne(email()), by_email),
        (Verb::UpdateOne(email(), unset()), by_email),
        (Verb::ChangeOne(email(), unset()), by_email),
        (
            Verb::UpdateMany(of_app(is("email", several)), unset()),
            by_email,
        ),
        (
            Verb::DeleteMany(of_app(is("email", Test::StartsWith("mia".into())))),
            "guests_email (f_app_id=? AND f_email>? AND f_email<?)",
        ),
        (
            Verb::DeleteMany(equals("seat.row", "A")),
            "guests_row (f_seat__row=?)",
        ),
        (
            Verb::DeleteMany(of_app(Node::All(vec![
                equals("holder", "h"),
                equals("state", "open"),
            ]))),
            "guests_open (f_app_id=? AND f_holder=?)",
        ),
    ];
    for (verb, wanted) in table {
        let plan = plan(&verb);
        assert!(
            plan.contains(wanted) && !plan.contains("SCAN"),
            "{verb:?}: {plan}"
        );
    }
}

#[test]
fn a_page_begins_at_its_position_and_is_not_sorted() {
    let first = plan(&page(None));
    let deep = plan(&page(Some("guest")));

    assert_eq!(
        first,
        "SEARCH guests USING INDEX guests_created (f_app_id=?)"
    );
    assert_eq!(
        deep,
        "SEARCH guests USING INDEX guests_created (f_app_id=? AND (f_created_at,id)<(?,?))"
    );
}

/// Of what was there at one time, as an export asks for it: two bounds of one side, of which the
/// position is the nearer. By the other one each page would read through all before it.
#[test]
fn a_page_of_what_was_there_at_a_time_begins_at_its_position_too() {
    let until = bson::DateTime::from_millis(2_308_988_800_000);
    let there = || of_app(is("created_at", Test::Lt(until.into())));

    let first = plan(&page_of(there(), None));
    let deep = plan(&page_of(there(), Some("guest")));

    let by = "SEARCH guests USING INDEX guests_created";
    assert_eq!(first, format!("{by} (f_app_id=? AND f_created_at<?)"));
    assert_eq!(
        deep,
        format!("{by} (f_app_id=? AND (f_created_at,id)<(?,?))")
    );
}

/// A prepared statement that is prepared again for every execution saves nothing.
#[test]
fn what_is_prepared_is_not_prepared_again_for_other_values() {
    let connection = Connection::open_in_memory().unwrap();
    migrate(&connection, &[GUESTS], Timestamp::from_millis(0)).unwrap();
    let one = |id: &str, email: &str| {
        let filter = Node::All(vec![equals("_id", id), equals("email", email)]);
        let find = Find {
            filter: of_app(filter),
            after: None,
            sort: None,
            skip: 0,
            limit: Some(1),
        };
        Verb::Find(find)
    };
    let table = [
        [one("a", "mia@example.org"), one("b", "max@example.org")],
        [page(None), page(None)],
        [page(Some("a")), page(Some("b"))],
    ];
    for [first, second] in table {
        let mut prepared = connection
            .prepare(&statement(&GUESTS, &first).0.sql)
            .unwrap();
        for verb in [&first, &second, &first] {
            let (statement, _) = statement(&GUESTS, verb);
            let rows = prepared.query_map(params_from_iter(statement.params), |_| Ok(()));
            assert_eq!(rows.unwrap().count(), 0);
        }

        assert_eq!(
            prepared.get_status(StatementStatus::RePrepare),
            0,
            "{first:?}"
        );
    }
}

#[test]
fn a_sweep_begins_with_the_oldest_and_does_not_sort() {
    let before = bson::DateTime::from_millis(2_208_988_800_000);
    let plan = plan(&Verb::Sweep(Sweep {
        filter: of_app(is("created_at", Test::Lt(before.into()))),
        path: "created_at",
        most: 500,
    }));

    assert!(
        plan.ends_with("INDEX guests_created (f_app_id=? AND f_created_at<?)"),
        "{plan}"
    );
}
