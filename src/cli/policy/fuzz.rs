//! Suites of policies: see [`crate::kernel::fuzz`].

use serde_json::Value;

use super::suite::rows;
use crate::kernel::fuzz::{always, one_of, texts};

const RESOURCES: &str = "[[resources]]\nname = \"documents\"\nactions = [\"read\", \"write\"]\n";
const ROLES: &str = "[[roles]]\nname = \"editor\"\npermissions = [\"documents:*\"]\n";
const CASES: &str = "[[cases]]\nroles = [\"editor\"]\nresource = \"documents\"\naction = \"read\"\nexpect = \"allow\"\n";

/// A suite is read whole or not at all: whatever in it nobody knows would be a case that tests nothing.
#[test]
fn a_suite_has_nothing_in_it_that_is_not_read() {
    let keys = texts(["name", "parents", "Roles", "expect", "a.b", "__proto__", ""]);
    always(
        (keys, one_of(&[RESOURCES, ROLES, CASES])),
        |(key, table)| {
            let suite = [RESOURCES, ROLES, CASES]
                .map(|it| if it == table { "" } else { it })
                .concat();
            assert!(rows(&format!("{suite}{table}")).is_ok());
            // A number may stand for a text that is asked for.
            if key == "parent" {
                return;
            }
            let more = format!("{suite}{table}{} = 7\n", Value::from(&*key));
            assert!(rows(&more).is_err(), "{key:?} in {table}");
        },
    );
    always(
        texts([
            RESOURCES,
            ROLES,
            CASES,
            "[cases]",
            "[[roles]]\nname = \"Editor\"",
        ]),
        |text| {
            if rows(&text).is_ok() {
                let known =
                    |line: &str| ["[[resources]]", "[[roles]]", "[[cases]]"].contains(&line);
                let mut tables = text
                    .lines()
                    .map(str::trim_end)
                    .filter(|it| it.starts_with("[["));
                assert!(
                    tables.all(known) || text.contains(['#', '\'']) || text.contains("\"\"\""),
                    "{text}"
                );
            }
        },
    );
}
