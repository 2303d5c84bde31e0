//! Scopes: what a key is good for at most, of all that whoever it is of may do.
//!
//! ```text
//! role:ADMIN role:USER                     all that these amount to
//! role:ADMIN role:USER scope:users:*       of that, what one scope covers
//! ```
//!
//! Scopes are among the subjects of a caller, so that whoever decides by the subjects decides within
//! them: there is no second question that somebody could forget. A `*` does not cover what makes
//! credentials or acts as somebody; that must be named, also by whoever gives a `*` to people, who
//! have no scopes. Coming to an organisation is no right by itself, and needs no scope.

use std::fmt;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::permission::{
    CreateKey, EnterOrganizations, Grantable, Impersonate, ManageKeys, ManageOrganizationKeys,
    ManageServiceAccounts, Permission, ReadOrganizationKeys,
};
use super::realm::Realm;
use super::rights::{NotAPattern, Pattern};

const PREFIX: &str = "scope:";

/// What no `*` of a scope covers.
const BY_NAME_ONLY: [Grantable; 5] = [
    CreateKey::ROW,
    ManageKeys::ROW,
    ManageServiceAccounts::ROW,
    ManageOrganizationKeys::ROW,
    Impersonate::ROW,
];

/// What every scope covers.
const ALWAYS: Grantable = EnterOrganizations::ROW;

/// The scopes of a key, each once. Without any it is good for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(Vec<Pattern>);

impl Scopes {
    pub fn new(mut lines: Vec<Pattern>) -> Self {
        lines.sort();
        lines.dedup();
        Self(lines)
    }

    pub fn lines(&self) -> &[Pattern] {
        &self.0
    }

    /// Whether whoever has these subjects is limited to none of these scopes, or to more than them.
    pub fn are_within(&self, subjects: &[String]) -> bool {
        self.0.iter().all(|line| admit_line(subjects, line))
    }

    /// As they stand among the subjects of a caller.
    pub fn subjects(&self) -> Vec<String> {
        if self.0.is_empty() {
            return vec![PREFIX.to_owned()];
        }
        let subject = |line: &Pattern| format!("{PREFIX}{line}");
        self.0.iter().map(subject).collect()
    }

    /// The same of an organisation that acts by a key of its own. Keys are one place, which is entered
    /// by the right to one's own; an organisation comes there for its keys, by the right to these.
    pub fn subjects_of_organization(&self) -> Vec<String> {
        let mut subjects = self.subjects();
        let rows = [ReadOrganizationKeys::ROW, ManageOrganizationKeys::ROW];
        if rows
            .iter()
            .any(|row| admit(&subjects, row.object, row.action))
        {
            subjects.push(format!("{PREFIX}{}", CreateKey::NAME));
        }
        subjects
    }

    /// As they are written: `users:list documents:*`.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(Pattern::to_string).collect()
    }

    /// Whether they leave out nothing but what must be named, at most.
    pub fn is_for_everything(&self) -> bool {
        self.0.contains(&Pattern::everything())
    }
}

/// Whether a subject is a scope: it gives nothing, and limits what others give.
pub fn is_scope(subject: &str) -> bool {
    subject.starts_with(PREFIX)
}

/// The subjects as they would be if nothing limited them.
pub fn unlimited(subjects: &[String]) -> Vec<String> {
    judged(subjects).cloned().collect()
}

/// Those subjects that can give something.
pub(super) fn judged(subjects: &[String]) -> impl Iterator<Item = &String> {
    subjects.iter().filter(|subject| !is_scope(subject))
}

/// Whether the scopes among `subjects` admit an action; where there are none, every action.
pub(super) fn admit(subjects: &[String], object: &str, action: &str) -> bool {
    let is_one = |row: &Grantable| row.object == object && row.action == action;
    let is_by_name = BY_NAME_ONLY.iter().any(is_one);
    is_admitted(subjects, |scope| {
        scope.covers(object, action) && (scope.is_exact() || !is_by_name)
    }) || is_one(&ALWAYS)
}

/// Whether they admit all that a line stands for as a scope, which covers by a `*` no more than theirs
/// do: of a `*`, by one of their own.
pub(super) fn admit_line(subjects: &[String], line: &Pattern) -> bool {
    if line.is_exact() {
        return admit(subjects, &line.resource, &line.action);
    }
    is_admitted(subjects, |scope| scope.includes(line))
}

/// Whether they admit all that a line stands for in these realms as a right of people, to whom a `*`
/// gives everything: of a `*`, by one of their own, and by name what no `*` of theirs covers.
pub(super) fn admit_right(subjects: &[String], line: &Pattern, realms: &[Realm]) -> bool {
    let is_meant =
        |row: &&Grantable| realms.contains(&row.realm) && line.covers(row.object, row.action);
    let mut by_name = BY_NAME_ONLY.iter().filter(is_meant);
    admit_line(subjects, line) && by_name.all(|row| admit(subjects, row.object, row.action))
}

fn is_admitted(subjects: &[String], admits: impl Fn(&Pattern) -> bool) -> bool {
    let mut scopes = subjects.iter().filter_map(|it| it.strip_prefix(PREFIX));
    let mut is_limited = false;
    let is_found = scopes.any(|text| {
        is_limited = true;
        text.parse().is_ok_and(|scope| admits(&scope))
    });
    is_found || !is_limited
}

/// As OAuth writes them (RFC 6749 §3.3): at least one, with one space between.
impl FromStr for Scopes {
    type Err = NotAPattern;

    fn from_str(text: &str) -> Result<Self, NotAPattern> {
        let lines: Result<_, NotAPattern> = text.split(' ').map(str::parse).collect();
        lines.map(Self::new)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts().join(" "))
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.texts())
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        let lines: Result<_, NotAPattern> = texts.iter().map(|it| it.parse()).collect();
        lines.map(Self::new).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subjects(scopes: &[&str]) -> Vec<String> {
        let lines = scopes.iter().map(|it| it.parse().unwrap()).collect();
        let mut all = vec!["role:ADMIN".to_owned()];
        all.extend(Scopes::new(lines).subjects());
        all
    }

    #[test]
    fn a_scope_admits_what_it_covers_and_nothing_else() {
        let table = [
            (&["users:list"] as &[&str], "users", "list", true),
            (&["users:list"], "users", "read", false),
            (&["users:*"], "users", "read", true),
            (&["*:*"], "documents", "write", true),
            (&["documents:*", "users:read"], "users", "read", true),
            (&[], "users", "list", false),
            (&["users:list"], "organizations", "enter", true),
        ];
        for (scopes, object, action, admitted) in table {
            let subjects = subjects(scopes);
            assert_eq!(admit(&subjects, object, action), admitted, "{scopes:?}");
        }
        assert!(admit(&["role:USER".to_owned()], "users", "list"));
    }

    #[test]
    fn what_makes_credentials_is_covered_by_no_star() {
        for row in BY_NAME_ONLY {
            let Grantable {
                name,
                object,
                action,
                ..
            } = row;
            let by_star = [&["*:*"] as &[&str], &[&*format!("{object}:*")]];
            for scopes in by_star {
                assert!(!admit(&subjects(scopes), object, action), "{name}");
            }
            assert!(admit(&subjects(&[name]), object, action), "{name}");
            let line = name.parse().unwrap();
            assert!(!admit_line(&subjects(&["*:*"]), &line), "{name}");
        }
    }

    #[test]
    fn a_star_is_admitted_by_a_star_alone() {
        let line = |text: &str| text.parse::<Pattern>().unwrap();

        assert!(admit_line(&subjects(&["users:*"]), &line("users:*")));
        assert!(admit_line(&subjects(&["*:*"]), &line("users:*")));
        assert!(!admit_line(&subjects(&["users:list"]), &line("users:*")));
        assert!(!admit_line(&subjects(&["users:*"]), &line("*:*")));
    }

    #[test]
    fn a_star_is_a_right_of_people_only_with_all_that_must_be_named() {
        let both = [Realm::App, Realm::Organization];
        let line = |text: &str| text.parse::<Pattern>().unwrap();
        let named: Vec<&str> = BY_NAME_ONLY.iter().map(|row| row.name).collect();
        let whole = [&["*:*"], named.as_slice()].concat();

        assert!(admit_right(&subjects(&whole), &line("*:*"), &both));
        assert!(admit_right(&["role:ADMIN".to_owned()], &line("*:*"), &both));
        for left_out in &named {
            let less: Vec<&str> = whole.iter().filter(|it| it != &left_out).copied().collect();
            assert!(
                !admit_right(&subjects(&less), &line("*:*"), &both),
                "{left_out}"
            );
        }
        let of_org = subjects(&["*:*", "organization_keys:manage"]);
        assert!(admit_right(&of_org, &line("*:*"), &[Realm::Organization]));
        assert!(!admit_right(&of_org, &line("*:*"), &both));
        let star = subjects(&["*:*"]);
        assert!(admit_right(&star, &line("documents:*"), &both));
        assert!(admit_right(&star, &line("*:read"), &both));
        for beyond in [
            "organization_keys:*",
            "*:manage",
            "organization_keys:manage",
        ] {
            assert!(!admit_right(&star, &line(beyond), &both), "{beyond}");
        }
    }

    #[test]
    fn an_organisation_comes_to_its_keys_by_the_right_to_them() {
        let comes = |scopes: &[&str]| {
            let lines = scopes.iter().map(|it| it.parse().unwrap()).collect();
            let subjects = Scopes::new(lines).subjects_of_organization();
            admit(&subjects, CreateKey::OBJECT, CreateKey::ACTION)
        };

        for scope in ["organization_keys:read", "organization_keys:manage", "*:*"] {
            assert!(comes(&[scope]), "{scope}");
        }
        assert!(!comes(&["members:*"]) && !comes(&[]));
    }

    #[test]
    fn what_cannot_be_read_limits_to_nothing() {
        let subjects = ["role:ADMIN".to_owned(), "scope:nonsense".to_owned()];

        assert!(!admit(&subjects, "users", "list"));
        assert_eq!(unlimited(&subjects), ["role:ADMIN"]);
    }

    #[test]
    fn a_list_of_scopes_has_one_space_between_each_two() {
        let read = |text: &str| text.parse::<Scopes>().map(|it| it.to_string());

        assert_eq!(read("users:list a1:*").as_deref(), Ok("a1:* users:list"));
        assert_eq!(read("users:list users:list").as_deref(), Ok("users:list"));
        for malformed in [
            "",
            " users:list",
            "users:list ",
            "users:list  a1:*",
            "users",
            "a\tb:c",
        ] {
            assert_eq!(read(malformed), Err(NotAPattern), "{malformed:?}");
        }
    }

    #[test]
    fn scopes_are_stored_as_they_are_written() {
        let scopes = Scopes::new(vec!["users:list".parse().unwrap(); 2]);

        let stored = serde_json::to_value(&scopes).unwrap();

        assert_eq!(stored, serde_json::json!(["users:list"]));
        assert_eq!(serde_json::from_value::<Scopes>(stored).unwrap(), scopes);
    }
}
