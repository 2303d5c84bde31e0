//! The typed filter language: what a repository may ask, in one spelling for both databases.
//!
//! It cannot say joins, regular expressions, free-form paths or negation; see the law table in
//! [`crate::store`]. A filter is a value: the query of a list, the precondition of a change and,
//! through [`Filter::matches`], a pure rule.

use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr};

use serde::Serialize;

use super::reference;
use super::schema::Entity;
use super::update::{Change, Update};
use super::value::{self, Value};

/// One field of an entity, by its dotted path and type. Constants of it live in `repo.rs` only.
#[derive(Debug)]
pub struct Field<E, T: ?Sized> {
    pub(super) path: &'static str,
    marker: PhantomData<fn(E, *const T)>,
}

impl<E, T: ?Sized> Clone for Field<E, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E, T: ?Sized> Copy for Field<E, T> {}

/// A condition on documents of `E`, combined with `&` and `|`.
#[derive(Debug)]
pub struct Filter<E> {
    pub(super) node: Node,
    marker: PhantomData<fn(E)>,
}

impl<E> Clone for Filter<E> {
    fn clone(&self) -> Self {
        Filter::from_node(self.node.clone())
    }
}

/// The untyped filter the drivers translate. An empty `All` matches everything, an empty `Any` nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Is { path: &'static str, test: Test },
}

/// What is asked of one field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    Eq(Value),
    /// Also matches a document without the field.
    Ne(Value),
    Lt(Value),
    Lte(Value),
    Gt(Value),
    Gte(Value),
    OneOf(Vec<Value>),
    /// The list field contains the value.
    Has(Value),
    StartsWith(String),
    Present,
    Absent,
}

impl<E, T: Serialize> Field<E, T> {
    /// The field at `path`, dotted for subdocuments.
    pub const fn at(path: &'static str) -> Self {
        Self {
            path,
            marker: PhantomData,
        }
    }

    fn is(self, test: Test) -> Filter<E> {
        Filter::from_node(Node::Is {
            path: self.path,
            test,
        })
    }

    /// A comparison; with a value that does not compare, nothing.
    fn compared(self, value: &T, test: fn(Value) -> Test) -> Filter<E> {
        match value::comparable(value) {
            Some(value) => self.is(test(value)),
            None => Filter::none(),
        }
    }

    pub fn eq(self, value: T) -> Filter<E> {
        self.compared(&value, Test::Eq)
    }

    /// Differs from `value`, or is absent.
    pub fn ne(self, value: T) -> Filter<E> {
        value::comparable(&value).map_or_else(Filter::all, |value| self.is(Test::Ne(value)))
    }

    pub fn lt(self, value: T) -> Filter<E> {
        self.compared(&value, Test::Lt)
    }

    pub fn lte(self, value: T) -> Filter<E> {
        self.compared(&value, Test::Lte)
    }

    pub fn gt(self, value: T) -> Filter<E> {
        self.compared(&value, Test::Gt)
    }

    pub fn gte(self, value: T) -> Filter<E> {
        self.compared(&value, Test::Gte)
    }

    /// Equals one of `values`; matches nothing when there are none.
    pub fn one_of(self, values: impl IntoIterator<Item = T>) -> Filter<E> {
        self.is(Test::OneOf(
            values
                .into_iter()
                .filter_map(|value| value::comparable(&value))
                .collect(),
        ))
    }

    /// The text begins with `prefix`, byte for byte; the empty prefix matches every present text.
    pub fn starts_with(self, prefix: &str) -> Filter<E> {
        self.is(Test::StartsWith(prefix.to_owned()))
    }

    pub fn present(self) -> Filter<E> {
        self.is(Test::Present)
    }

    pub fn absent(self) -> Filter<E> {
        self.is(Test::Absent)
    }

    pub fn set(self, value: T) -> Update<E> {
        Update::of(Change::Set(self.path, value::of(&value)))
    }

    pub fn unset(self) -> Update<E> {
        Update::of(Change::Unset(self.path))
    }
}

impl<E> Field<E, i64> {
    /// Adds `by`, atomically; an absent counter counts as zero.
    pub fn inc(self, by: i64) -> Update<E> {
        Update::of(Change::Inc(self.path, by))
    }
}

impl<E, T: Serialize> Field<E, Vec<T>> {
    /// The list contains `value`.
    pub fn has(self, value: &T) -> Filter<E> {
        value::comparable(value).map_or_else(Filter::none, |value| self.is(Test::Has(value)))
    }
}

impl<E> Filter<E> {
    pub(super) fn from_node(node: Node) -> Self {
        Self {
            node,
            marker: PhantomData,
        }
    }

    /// Matches every document within the scope.
    pub fn all() -> Self {
        Self::from_node(Node::All(Vec::new()))
    }

    fn none() -> Self {
        Self::from_node(Node::Any(Vec::new()))
    }
}

impl<E: Entity> Filter<E> {
    /// The filter as a pure rule, by the reference meaning of the language.
    pub fn matches(&self, record: &E) -> bool {
        value::document(record).is_ok_and(|document| reference::matches(&self.node, &document))
    }
}

impl<E> BitAnd for Filter<E> {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        let mut all = match self.node {
            Node::All(nodes) => nodes,
            node @ (Node::Any(_) | Node::Is { .. }) => vec![node],
        };
        match other.node {
            Node::All(nodes) => all.extend(nodes),
            node @ (Node::Any(_) | Node::Is { .. }) => all.push(node),
        }
        Self::from_node(Node::All(all))
    }
}

impl<E> BitOr for Filter<E> {
    type Output = Self;

    // Flat, however many are combined: MongoDB limits how deep a filter may nest, SQLite an expression.
    fn bitor(self, other: Self) -> Self {
        let mut any = match self.node {
            Node::Any(nodes) => nodes,
            node @ (Node::All(_) | Node::Is { .. }) => vec![node],
        };
        match other.node {
            Node::Any(nodes) => any.extend(nodes),
            node @ (Node::All(_) | Node::Is { .. }) => any.push(node),
        }
        Self::from_node(Node::Any(any))
    }
}

/// A filter with an order and a window.
#[derive(Debug)]
pub struct Query<E> {
    pub(super) filter: Filter<E>,
    pub(super) sort: Option<Sort>,
    pub(super) skip: u64,
    pub(super) limit: Option<u32>,
}

/// By one field and then by identifier, so that the order is total.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sort {
    pub path: &'static str,
    pub descending: bool,
}

impl<E> Query<E> {
    pub fn of(filter: Filter<E>) -> Self {
        Self {
            filter,
            sort: None,
            skip: 0,
            limit: None,
        }
    }

    /// Largest first; ties by identifier.
    #[must_use]
    pub fn newest_by<T: ?Sized>(self, field: Field<E, T>) -> Self {
        Self {
            sort: Some(Sort {
                path: field.path,
                descending: true,
            }),
            ..self
        }
    }

    /// Smallest first; ties by identifier.
    #[must_use]
    pub fn oldest_by<T: ?Sized>(self, field: Field<E, T>) -> Self {
        Self {
            sort: Some(Sort {
                path: field.path,
                descending: false,
            }),
            ..self
        }
    }

    /// Passes over `skip` documents: for people who page by number. Everything else pages by cursor.
    #[must_use]
    pub fn window(self, skip: u64, limit: u32) -> Self {
        Self {
            skip,
            limit: Some(limit),
            ..self
        }
    }
}
