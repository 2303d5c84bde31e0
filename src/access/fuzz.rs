//! The language of rights, and the tables of expected decisions: see [`crate::kernel::fuzz`].

use proptest::collection::vec;

use super::cases::records;
use super::policy::check_lines;
use super::{OrgRole, Pattern, Role, Scopes};
use crate::kernel::fuzz::{always, is_as_written, one_of, settles, texts};

const SCOPES: [&str; 7] = [
    "users:list",
    "users:* documents:read",
    "*:* users:list users:list",
    "documents:read\tusers:list",
    "a:b:c",
    "Users:List",
    "p, role:USER, users, ban",
];

/// A scope covers what it names and nothing that is longer, shorter or spelled otherwise.
#[test]
fn a_line_of_rights_covers_what_it_says() {
    always(
        (texts(SCOPES), texts(["users", "list", "documents", "*"])),
        |(text, word)| {
            is_as_written::<Pattern>(&text);
            let Ok(line) = text.parse::<Pattern>() else {
                return;
            };
            let (resource, action) = text.split_once(':').expect("two sides");
            let is_plain = |side: &str| {
                side == "*"
                    || side
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b))
            };
            assert!(is_plain(resource) && is_plain(action), "{text}");
            assert_eq!(
                line.covers(&word, action),
                resource == "*" || resource == word
            );
            assert!(line.includes(&line));
        },
    );
}

#[test]
fn scopes_are_a_set_of_lines() {
    always(texts(SCOPES), |text| {
        let Some(told) = settles::<Scopes>(&text) else {
            return;
        };
        let own: Vec<&str> = told.split(' ').collect();
        assert!(own.is_sorted() && own.windows(2).all(|two| two[0] != two[1]));
        assert!(text.split(' ').all(|line| own.contains(&line)), "{text}");
        assert!(!told.contains(['\t', '\n', ',', '"']));
    });
}

#[test]
fn roles_are_read_as_they_are_written() {
    let seeds = [
        "OWNER",
        "ADMIN",
        "USER",
        "owner",
        "admin",
        "member",
        "arol_01h2xcejqtf2nbrexx3vqjhp41",
    ];
    always(texts(seeds), |text| {
        is_as_written::<Role>(&text);
        is_as_written::<OrgRole>(&text);
    });
}

/// What is let through is what Casbin reads as we do: fields of letters, and nothing between them.
#[test]
fn a_line_of_a_policy_has_its_fields_and_no_others() {
    let seeds = [
        "p, role:USER, me, read\ng, role:ADMIN, role:USER",
        "# note\n\np,platform:OWNER,apps,*",
        "p, role:USER, \"me, read\", x",
        "p2, role:USER, me, read",
        "g, a, b, c",
    ];
    always(texts(seeds), |text| {
        if check_lines(&text).is_err() {
            return;
        }
        for line in text
            .lines()
            .filter(|it| !it.is_empty() && !it.starts_with('#'))
        {
            let fields: Vec<&str> = line.split(',').map(str::trim).collect();
            let count = if fields[0] == "p" { 4 } else { 3 };
            assert_eq!(fields.len(), count, "{line}");
            let odd = |c: char| !c.is_ascii_alphabetic() && !"_:*".contains(c);
            assert!(
                !fields
                    .iter()
                    .any(|field| field.is_empty() || field.contains(odd)),
                "{line}"
            );
        }
    });
}

/// Written with quotes where they are needed, or always, a table is read as it is.
#[test]
fn a_table_is_read_as_it_was_written() {
    let cell = texts(["role:USER", "a,b", "a\"b", "a\nb", " a ", "# x"]);
    let table = vec(vec(cell, 1..5), 0..5);
    always((table, one_of(&[true, false])), |(table, always_quoted)| {
        let quoted = |cell: &String| {
            if always_quoted || cell.is_empty() || cell.contains([',', '"', '\n', '#']) {
                return format!("\"{}\"", cell.replace('"', "\"\""));
            }
            cell.clone()
        };
        let row = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(",");
        let lines: Vec<String> = table.iter().map(row).collect();
        assert_eq!(records(&lines.join("\n")), Ok(table.clone()));
        assert_eq!(
            records(&format!("# note\n\n{}\n", lines.join("\n\n"))),
            Ok(table)
        );
    });
    always(
        texts(["a,b,c,deny\n\"a,\"\"b\nc\",d,,deny", "\"a\"b", "\"", "# x"]),
        |text| {
            if let Ok(rows) = records(&text) {
                assert!(rows.iter().all(|row| !row.is_empty()));
            }
        },
    );
}
