//! Rights as they are written: who inherits from whom, and what each is granted.
//!
//! Casbin decides; this is what it decides from, kept to say what a role amounts to and why.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::text::Word;

/// Stands for every object, or for every action.
const ANY: &str = "*";

/// What one line grants: an action on a resource, `*` for every one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[schema(as = GrantedPermission)]
pub struct Pattern {
    /// A name of the catalogue, or `*`.
    pub resource: String,
    /// A name of the catalogue, or `*`.
    pub action: String,
}

/// A text that is neither a word nor `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither `*` nor 2 to 64 letters a-z, digits, underscores and hyphens after a letter")]
pub struct NotAPattern;

/// Where a right comes from: the role that was asked about, those it is inherited through, and the
/// line of the last of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Subjects, the one asked about first.
    pub path: Vec<String>,
    pub line: Pattern,
}

/// All that some subjects are granted, inheritance counted. What it covers is what the engine allows,
/// asked of thousands of lines at once.
#[derive(Debug)]
pub(super) struct Reach<'a>(HashSet<(&'a str, &'a str)>);

/// Inheritance and grants by subject.
#[derive(Clone, Debug, Default)]
pub(super) struct Rights {
    parents: BTreeMap<String, Vec<String>>,
    granted: BTreeMap<String, Vec<Pattern>>,
}

impl Pattern {
    /// Reads one side of it.
    pub fn side(text: &str) -> Result<String, NotAPattern> {
        if text == ANY || Word::parse(text).is_ok() {
            return Ok(text.to_owned());
        }
        Err(NotAPattern)
    }

    /// Every action on everything.
    pub(super) fn everything() -> Self {
        Self {
            resource: ANY.to_owned(),
            action: ANY.to_owned(),
        }
    }

    /// Whether it stands for one action on one resource.
    pub(super) fn is_exact(&self) -> bool {
        self.resource != ANY && self.action != ANY
    }

    /// Whether it grants all that `other` does: of a `*`, by one of its own.
    pub(super) fn includes(&self, other: &Self) -> bool {
        let side = |own: &str, other: &str| own == ANY || own == other;
        side(&self.resource, &other.resource) && side(&self.action, &other.action)
    }

    pub(super) fn covers(&self, object: &str, action: &str) -> bool {
        (self.resource == ANY || self.resource == object)
            && (self.action == ANY || self.action == action)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.resource, self.action)
    }
}

/// As it is displayed: `documents:read`, `documents:*`.
impl FromStr for Pattern {
    type Err = NotAPattern;

    fn from_str(text: &str) -> Result<Self, NotAPattern> {
        let (resource, action) = text.split_once(':').ok_or(NotAPattern)?;
        Ok(Self {
            resource: Self::side(resource)?,
            action: Self::side(action)?,
        })
    }
}

impl Reach<'_> {
    /// Whether one line covers this: of a `*`, a line with one of its own.
    pub(super) fn covers(&self, resource: &str, action: &str) -> bool {
        [resource, ANY].into_iter().any(|resource| {
            [action, ANY]
                .iter()
                .any(|it| self.0.contains(&(resource, *it)))
        })
    }
}

impl Rights {
    pub(super) fn inherits(&mut self, subject: &str, parent: &str) {
        let parents = self.parents.entry(subject.to_owned()).or_default();
        parents.push(parent.to_owned());
    }

    /// The first that a subject inherits from.
    pub(super) fn parent(&self, subject: &str) -> Option<&str> {
        let parents = self.parents.get(subject)?;
        parents.first().map(String::as_str)
    }

    pub(super) fn grants(&mut self, subject: &str, pattern: Pattern) {
        let granted = self.granted.entry(subject.to_owned()).or_default();
        granted.push(pattern);
    }

    pub(super) fn all_grants(&self) -> impl Iterator<Item = (&str, &Pattern)> {
        self.granted.iter().flat_map(|(subject, patterns)| {
            patterns
                .iter()
                .map(move |pattern| (subject.as_str(), pattern))
        })
    }

    /// Every subject that is spoken of.
    pub(super) fn subjects(&self) -> HashSet<&str> {
        let parents = self.parents.values().flatten();
        let named = parents
            .chain(self.parents.keys())
            .chain(self.granted.keys());
        named.map(String::as_str).collect()
    }

    /// The subject and all it inherits from, each by the shortest way to it; ends for any arrows.
    pub(super) fn ancestry(&self, subject: &str) -> Vec<Vec<String>> {
        let mut paths = vec![vec![subject.to_owned()]];
        let mut seen = HashSet::from([subject.to_owned()]);
        let mut at = 0;
        while let Some(path) = paths.get(at).cloned() {
            let last = path.last().map(String::as_str).unwrap_or_default();
            for parent in self.parents.get(last).into_iter().flatten() {
                if seen.insert(parent.clone()) {
                    paths.push([path.as_slice(), std::slice::from_ref(parent)].concat());
                }
            }
            at += 1;
        }
        paths
    }

    pub(super) fn reach<'a>(&'a self, subjects: &'a [String]) -> Reach<'a> {
        let all = subjects.iter().flat_map(|subject| self.patterns(subject));
        Reach(all.map(|it| (&*it.resource, &*it.action)).collect())
    }

    /// What a subject is granted, of its own or inherited.
    pub(super) fn patterns<'a>(&'a self, subject: &'a str) -> impl Iterator<Item = &'a Pattern> {
        let (mut found, mut at) = (vec![subject], 0);
        while let Some(last) = found.get(at) {
            for parent in self.parents.get(*last).into_iter().flatten() {
                if !found.contains(&parent.as_str()) {
                    found.push(parent);
                }
            }
            at += 1;
        }
        let granted = found.into_iter().filter_map(|it| self.granted.get(it));
        granted.flatten()
    }

    /// Every line that a subject has, of its own or inherited.
    pub(super) fn lines(&self, subject: &str) -> Vec<Source> {
        let mut lines = Vec::new();
        for path in self.ancestry(subject) {
            let own = path.last().and_then(|last| self.granted.get(last));
            lines.extend(own.into_iter().flatten().map(|line| Source {
                path: path.clone(),
                line: line.clone(),
            }));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(resource: &str, action: &str) -> Pattern {
        Pattern {
            resource: resource.to_owned(),
            action: action.to_owned(),
        }
    }

    #[test]
    fn lines_are_told_with_the_way_to_them_and_circles_end() {
        let mut rights = Rights::default();
        rights.inherits("a", "b");
        rights.inherits("b", "c");
        rights.inherits("c", "a");
        rights.grants("c", pattern("documents", "read"));

        let lines = rights.lines("a");

        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].path, ["a", "b", "c"]);
        assert_eq!(lines[0].line.to_string(), "documents:read");
    }

    #[test]
    fn a_side_of_a_pattern_is_a_word_or_the_star() {
        assert!(Pattern::side("*").is_ok() && Pattern::side("documents").is_ok());
        for text in ["", "**", "doc*", "a:b", "Documents", "p, admin, *, *", "\n"] {
            assert_eq!(Pattern::side(text), Err(NotAPattern), "{text:?}");
        }
    }

    #[test]
    fn a_line_is_read_as_it_is_displayed() {
        for text in ["documents:read", "documents:*", "*:*"] {
            assert_eq!(text.parse::<Pattern>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "*",
            "documents",
            "a:b:c",
            "documents:",
            "docu*:read",
            "Documents:read",
        ] {
            assert_eq!(text.parse::<Pattern>(), Err(NotAPattern), "{text}");
        }
    }

    #[test]
    fn the_star_covers_every_word() {
        assert!(pattern("*", "*").covers("documents", "read"));
        assert!(pattern("documents", "*").covers("documents", "read"));
        assert!(!pattern("documents", "*").covers("folders", "read"));
        assert!(!pattern("*", "read").covers("documents", "write"));
    }
}
