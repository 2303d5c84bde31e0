//! The meaning of the filter language, in plain Rust: the oracle both drivers are tested against.

use std::cmp::Ordering;

use bson::{Bson, Document};

use super::query::{Node, Test};
use super::value::{self, Value};

/// Whether `document` satisfies `node`.
pub(super) fn matches(node: &Node, document: &Document) -> bool {
    match node {
        Node::All(nodes) => nodes.iter().all(|node| matches(node, document)),
        Node::Any(nodes) => nodes.iter().any(|node| matches(node, document)),
        Node::Is { path, test } => holds(test, at(path, document)),
    }
}

fn at<'d>(path: &str, document: &'d Document) -> Option<&'d Value> {
    let (head, rest) = path
        .split_once('.')
        .map_or((path, None), |(head, rest)| (head, Some(rest)));
    let value = document.get(head).filter(|value| **value != Bson::Null)?;
    match rest {
        None => Some(value),
        Some(rest) => at(rest, value.as_document()?),
    }
}

fn holds(test: &Test, value: Option<&Value>) -> bool {
    let order = |with: &Value| value.and_then(|value| value::compare(value, with));
    match test {
        Test::Eq(with) => order(with) == Some(Ordering::Equal),
        Test::Ne(with) => order(with) != Some(Ordering::Equal),
        Test::Lt(with) => order(with) == Some(Ordering::Less),
        Test::Lte(with) => matches!(order(with), Some(Ordering::Less | Ordering::Equal)),
        Test::Gt(with) => order(with) == Some(Ordering::Greater),
        Test::Gte(with) => matches!(order(with), Some(Ordering::Greater | Ordering::Equal)),
        Test::OneOf(any) => any.iter().any(|with| order(with) == Some(Ordering::Equal)),
        Test::Has(with) => value.and_then(Bson::as_array).is_some_and(|list| {
            list.iter()
                .any(|item| value::compare(item, with) == Some(Ordering::Equal))
        }),
        Test::StartsWith(prefix) => value
            .and_then(Bson::as_str)
            .is_some_and(|text| text.starts_with(prefix.as_str())),
        Test::Present => value.is_some(),
        Test::Absent => value.is_none(),
    }
}
