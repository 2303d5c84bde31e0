//! The typed update language: set, unset, and increments of integers.

use std::marker::PhantomData;

use super::value::Value;

/// Changes to a document, applied together. Paths must not overlap.
#[derive(Debug)]
pub struct Update<E> {
    pub(super) changes: Vec<Change>,
    marker: PhantomData<fn(E)>,
}

/// One change to one field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    Set(&'static str, Value),
    Unset(&'static str),
    Inc(&'static str, i64),
}

impl<E> Update<E> {
    pub(super) fn of(change: Change) -> Self {
        Self {
            changes: vec![change],
            marker: PhantomData,
        }
    }

    /// Both changes at once.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.changes.extend(other.changes);
        self
    }

    /// This, and `other` where there is one.
    #[must_use]
    pub fn and_if(self, other: Option<Self>) -> Self {
        match other {
            Some(other) => self.and(other),
            None => self,
        }
    }
}
