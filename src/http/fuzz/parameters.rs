//! Parameters: queries, forms, and what stands in paths.

use proptest::collection::vec;
use proptest::strategy::Strategy;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::super::fields::{self, CursorScope, Source};
use super::super::form;
use super::super::problems::ProblemKind;
use super::super::query::{Paging, parameters};
use crate::kernel::fuzz::{always, blobs, is_as_written, texts};
use crate::kernel::page::{Cursor, Position};
use crate::kernel::secret::MacKey;
use crate::kernel::time::Timestamp;

const QUERIES: [&str; 8] = [
    "limit=5&cursor=abc",
    "limit=5&limit=5",
    "publishable_key=pk&app_id=a&env_id=e&q=mia",
    "q=%00%ff%zz%e2%82%ac&x[]=1&x[]=2",
    "a;b=c&&=&==&a",
    "sort=password_hash&fields=$where",
    "%6cimit=5&limit=6",
    "?#/..",
];

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = texts([
        "limit",
        "cursor",
        "q",
        "app_id",
        "env_id",
        "publishable_key",
        "a b",
        "é",
    ]);
    vec((name, texts(["5", "mia@example.org", "a&b=c", ""])), 0..5)
}

fn encoded(pairs: &[(String, String)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs).finish()
}

fn is_of_the_edge(name: &str) -> bool {
    ["app_id", "env_id", "publishable_key"].contains(&name)
}

/// These pairs as an object, and whether no name is there twice.
fn members(pairs: &[&(String, String)]) -> (Map<String, Value>, bool) {
    let each = pairs.iter();
    let members: Map<_, _> = each
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
        .collect();
    let is_plain = members.len() == pairs.len();
    (members, is_plain)
}

/// What was written is what is read, if no name is there twice; how it was escaped does not matter.
#[test]
fn a_query_is_read_as_it_was_written() {
    always(pairs(), |pairs| {
        let own: Vec<_> = pairs
            .iter()
            .filter(|(name, _)| !is_of_the_edge(name))
            .collect();
        let (expected, is_plain) = members(&own);
        let read = parameters(&encoded(&pairs));
        assert_eq!(read.is_ok(), is_plain, "{pairs:?}");
        assert!(read.is_ok_and(|read| read == expected) || !is_plain);
    });
}

/// A list gives a page of 1 to 100, or says what is wrong; and knows no parameter but its own.
#[test]
fn a_list_takes_a_limit_and_its_own_cursors() {
    let scope = || CursorScope {
        key: MacKey::new(&[7; 32]),
        list: "/v1/things".into(),
    };
    let position = Position {
        at: Timestamp::from_millis(7),
        id: "a".into(),
    };
    let cursor = Cursor::seal(&scope().key, &scope().list, &position);
    let seeds = QUERIES
        .map(str::to_owned)
        .into_iter()
        .chain([format!("limit=5&cursor={cursor}")]);
    always(texts(seeds), |query| {
        let read = parameters(&query)
            .and_then(|it| fields::read::<Paging>(it, Source::Query, Some(scope())));
        match read {
            Ok(page) => {
                assert!((1..=100).contains(&page.limit.get()));
                assert!(page.after.is_none_or(|it| it == position));
                let mut names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name);
                assert!(
                    names
                        .all(|name| ["limit", "cursor"].contains(&&*name) || is_of_the_edge(&name))
                );
            }
            Err(problem) => {
                let kind = problem.kind();
                assert!(kind == ProblemKind::InvalidQuery || kind == ProblemKind::BadCursor);
                assert!(problem.errors().iter().all(|it| it.parameter.is_some()));
            }
        }
    });
}

/// Of a form, what is empty is not there (RFC 6749 §3.2), and nothing is there twice.
#[test]
fn a_form_is_read_as_it_was_written() {
    always(pairs(), |pairs| {
        let own: Vec<_> = pairs
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let (expected, is_plain) = members(&own);
        let read = form::members(encoded(&pairs).as_bytes());
        assert_eq!(read.is_ok(), is_plain, "{pairs:?}");
        assert!(read.is_ok_and(|read| read == expected) || !is_plain);
    });
    always(blobs(QUERIES), |bytes| {
        if let Ok(members) = form::members(&bytes) {
            assert!(
                members
                    .values()
                    .all(|it| it.as_str().is_some_and(|it| !it.is_empty()))
            );
        }
    });
}

#[test]
fn a_problem_is_named_by_its_slug_alone() {
    always(
        texts(["invalid_body", "not_found", "NOT_FOUND", "../etc"]),
        |text| {
            is_as_written::<Slug>(&text);
        },
    );
}

/// A kind of problem, told by its name.
struct Slug(ProblemKind);

impl std::str::FromStr for Slug {
    type Err = <ProblemKind as std::str::FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl std::fmt::Display for Slug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.slug())
    }
}
