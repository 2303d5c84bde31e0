//! Patterns: of which events a webhook hears.

use crate::events::Name;
use serde::{Deserialize, Serialize};

/// What every event matches.
const ALL: &str = "*";

/// `*`, `user.*` or the name of an event. One that matches nothing cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Pattern(String);

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let pattern = Self(text.to_owned());
        let is_of_use = Name::ALL.iter().any(|(name, ..)| pattern.matches(*name));
        is_of_use
            .then_some(pattern)
            .ok_or("is no event: `*`, the beginning of names like `user.*`, or a name is")
    }

    pub(super) fn matches(&self, name: Name) -> bool {
        match self.0.strip_suffix(".*") {
            Some(beginning) => {
                let rest = name.as_str().strip_prefix(beginning);
                rest.is_some_and(|rest| rest.starts_with('.'))
            }
            None => self.0 == ALL || self.0 == name.as_str(),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The names that any of these patterns matches.
pub(super) fn matched(patterns: &[Pattern]) -> Vec<Name> {
    let all = Name::ALL.iter().map(|(name, ..)| *name);
    let is_matched = |name: &Name| patterns.iter().any(|it| it.matches(*name));
    all.filter(is_matched).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_everything_the_beginning_of_names_or_a_name() {
        let table = [
            ("*", true, true),
            ("user.*", true, false),
            ("user.banned", true, false),
            ("member.*", false, true),
            ("member.added", false, true),
            ("user.deleted", false, false),
        ];
        for (text, banned, added) in table {
            let pattern = Pattern::parse(text).unwrap();
            assert_eq!(pattern.matches(Name::UserBanned), banned, "{text}");
            assert_eq!(pattern.matches(Name::MemberAdded), added, "{text}");
        }
    }

    #[test]
    fn what_matches_nothing_is_no_pattern() {
        for text in [
            "",
            ".",
            ".*",
            "**",
            "user",
            "use.*",
            "user.",
            "user.*.*",
            "*.banned",
            "user.bann*",
            "User.banned",
            "user.exploded",
            " user.banned",
            "user.banned,*",
        ] {
            assert!(Pattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_are_matched_once() {
        let patterns = ["user.*", "user.banned"].map(|it| Pattern::parse(it).unwrap());

        let names = matched(&patterns);

        assert!(names.contains(&Name::UserBanned) && !names.contains(&Name::MemberAdded));
        assert_eq!(
            names.iter().filter(|it| **it == Name::UserBanned).count(),
            1
        );
    }
}
