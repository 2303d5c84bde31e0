//! The policy in force: Casbin over the embedded model and grants, checked before it is used.
//!
//! A decision is a pure question in memory. It is `no` for whatever the permission table does not
//! know, for whatever no grant covers, and whenever the engine cannot tell. Grants are equality or
//! `*`: pattern functions would compile a regular expression for every rule on every question.

use std::fmt;
use std::sync::Arc;

use casbin::{CoreApi, DefaultModel, Enforcer, MgmtApi, StringAdapter};
use moka::sync::Cache;

use super::permission::Grantable;
use super::realm::Realm;
use super::rights::{Pattern, Rights, Source};
use super::roles::{self, SUBJECTS};
use super::scopes;

pub(super) const MODEL: &str = include_str!("../../policies/model.conf");
const GRANTS: &str = include_str!("../../policies/roles.csv");

/// How much the decision cache may hold, in bytes of its questions.
const CACHE_BYTES: u64 = 1 << 20;

/// Grants that cannot be put in force. The server does not start on any of these.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error("the access policy cannot be read: {0}")]
    Unreadable(#[from] casbin::Error),
    #[error("line {line} of the access policy is neither a grant nor an inheritance")]
    Malformed { line: usize },
    #[error("the access policy speaks of {0:?}, which is no subject")]
    UnknownSubject(String),
    #[error("the access policy grants {0:?}, which is no permission")]
    UnknownPermission(String),
    #[error("the access policy grants {0} to nobody")]
    Ungranted(&'static str),
}

/// The grants in force. Cheap to clone; clones share the decisions already taken.
#[derive(Clone)]
pub struct Policy {
    enforcer: Arc<Enforcer>,
    rights: Arc<Rights>,
    /// Keyed by the whole question. (Casbin's own cache is keyed by a 64-bit hash that is never
    /// compared with the question, so that two questions can share an answer.)
    decisions: Cache<Question, bool>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Question {
    subject: String,
    object: &'static str,
    action: &'static str,
}

impl Policy {
    /// The policy that is compiled into the program.
    pub async fn built_in() -> Result<Self, PolicyError> {
        Self::load(MODEL, GRANTS).await
    }

    async fn load(model: &str, grants: &str) -> Result<Self, PolicyError> {
        check_lines(grants)?;
        let model = DefaultModel::from_str(model).await?;
        let enforcer = Enforcer::new(model, StringAdapter::new(grants)).await?;
        check_names(&enforcer)?;
        let decisions = Cache::builder()
            .max_capacity(CACHE_BYTES)
            .weigher(|question: &Question, _| {
                u32::try_from(size_of::<Question>() + question.subject.len()).unwrap_or(u32::MAX)
            })
            .build();
        let policy = Self {
            rights: Arc::new(rights_of(&enforcer)),
            enforcer: Arc::new(enforcer),
            decisions,
        };
        policy.check_all_granted()?;
        Ok(policy)
    }

    /// Whether any of `subjects` may do `action` to `object`. No subjects may do nothing.
    pub fn allows(&self, subjects: &[String], object: &str, action: &str) -> bool {
        let Some(permission) = Grantable::of(Realm::App, object, action) else {
            return false;
        };
        scopes::admit(subjects, object, action)
            && scopes::judged(subjects).any(|subject| self.decide(subject, permission))
    }

    /// Whether `subjects` may do something of what a line grants in apps, and nothing limits them to
    /// less than the line.
    pub fn allows_some(&self, subjects: &[String], line: &Pattern) -> bool {
        let mut rows = Grantable::in_realm(Realm::App);
        scopes::admit_line(subjects, line)
            && rows.any(|row| {
                line.covers(row.object, row.action) && self.allows(subjects, row.object, row.action)
            })
    }

    /// Whether a line grants anything that there is in apps.
    pub fn knows(&self, line: &Pattern) -> bool {
        Grantable::in_realm(Realm::App).any(|row| line.covers(row.object, row.action))
    }

    /// Every line by which a subject may do `action` to `object`, and the way to it.
    pub fn sources(&self, subject: &str, object: &str, action: &str) -> Vec<Source> {
        let mut lines = self.rights.lines(subject);
        lines.retain(|source| source.line.covers(object, action));
        lines
    }

    /// Whether the product has such a permission in apps.
    pub fn has(&self, object: &str, action: &str) -> bool {
        Grantable::of(Realm::App, object, action).is_some()
    }

    /// What a subject is called in explanations.
    pub fn called(&self, subject: &str) -> String {
        roles::called(subject).unwrap_or(subject).to_owned()
    }

    fn decide(&self, subject: &str, permission: &'static Grantable) -> bool {
        let Grantable {
            object,
            action,
            name,
            ..
        } = *permission;
        let question = Question {
            subject: subject.to_owned(),
            object,
            action,
        };
        if let Some(known) = self.decisions.get(&question) {
            return known;
        }
        match self.enforcer.enforce((subject, object, action)) {
            Ok(decision) => {
                self.decisions.insert(question, decision);
                decision
            }
            Err(error) => {
                tracing::error!(%error, permission = name, "access policy gave no decision");
                false
            }
        }
    }

    fn check_all_granted(&self) -> Result<(), PolicyError> {
        let granted = |row| SUBJECTS.iter().any(|subject| self.decide(subject, row));
        match Grantable::in_realm(Realm::App).find(|row| !granted(row)) {
            Some(row) => Err(PolicyError::Ungranted(row.name)),
            None => Ok(()),
        }
    }
}

/// Every line must be one that Casbin reads as we do: it skips what it does not understand.
pub(super) fn check_lines(grants: &str) -> Result<(), PolicyError> {
    for (at, line) in grants.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<_> = line.split(',').map(str::trim).collect();
        let plain = |field: &str| {
            !field.is_empty()
                && field
                    .chars()
                    .all(|c| c.is_ascii_alphabetic() || "_:*".contains(c))
        };
        let shaped = matches!(fields.as_slice(), ["p", _, _, _] | ["g", _, _]);
        if !shaped || !fields.iter().all(|field| plain(field)) {
            return Err(PolicyError::Malformed { line: at + 1 });
        }
    }
    Ok(())
}

/// What Casbin holds after reading, to say why it decides as it does.
fn rights_of(enforcer: &Enforcer) -> Rights {
    let mut rights = Rights::default();
    for grant in enforcer.get_policy() {
        if let [subject, resource, action] = grant.as_slice() {
            let (resource, action) = (resource.clone(), action.clone());
            rights.grants(subject, Pattern { resource, action });
        }
    }
    for link in enforcer.get_grouping_policy() {
        if let [subject, parent] = link.as_slice() {
            rights.inherits(subject, parent);
        }
    }
    rights
}

/// Judges what Casbin holds after reading, not what the text seems to say.
fn check_names(enforcer: &Enforcer) -> Result<(), PolicyError> {
    for grant in enforcer.get_policy() {
        let [subject, object, action] = grant.as_slice() else {
            return Err(PolicyError::UnknownPermission(grant.join(", ")));
        };
        check_subject(subject)?;
        let covers = |row: &&Grantable| {
            (object == "*" || object == row.object) && (action == "*" || action == row.action)
        };
        if !Grantable::in_realm(Realm::App).any(|row| covers(&row)) {
            return Err(PolicyError::UnknownPermission(format!("{object}:{action}")));
        }
    }
    enforcer
        .get_grouping_policy()
        .iter()
        .flatten()
        .try_for_each(|subject| check_subject(subject))
}

fn check_subject(subject: &str) -> Result<(), PolicyError> {
    if SUBJECTS.contains(&subject) {
        return Ok(());
    }
    Err(PolicyError::UnknownSubject(subject.to_owned()))
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(subjects: &[&str]) -> Vec<String> {
        subjects.iter().map(|&subject| subject.to_owned()).collect()
    }

    async fn refusal(line: &str) -> PolicyError {
        Policy::load(MODEL, &format!("{GRANTS}{line}\n"))
            .await
            .err()
            .unwrap()
    }

    #[tokio::test]
    async fn one_subject_that_may_is_enough_and_none_is_not() {
        let policy = Policy::built_in().await.unwrap();

        assert!(policy.allows(&named(&["role:USER", "role:ADMIN"]), "users", "list"));
        assert!(policy.allows(&named(&["role:ADMIN", "role:USER"]), "me", "read"));
        assert!(!policy.allows(&[], "me", "read"));
    }

    #[tokio::test]
    async fn a_grant_of_something_unknown_is_refused() {
        assert!(matches!(
            refusal("p, role:USER, users, fly").await,
            PolicyError::UnknownPermission(name) if name == "users:fly"
        ));
        assert!(matches!(
            refusal("p, role:USER, *, fly").await,
            PolicyError::UnknownPermission(_)
        ));
        assert!(matches!(
            refusal("p, role:USER, cats, *").await,
            PolicyError::UnknownPermission(_)
        ));
    }

    #[tokio::test]
    async fn a_grant_to_an_unknown_subject_is_refused() {
        assert!(matches!(
            refusal("p, role:ROOT, users, list").await,
            PolicyError::UnknownSubject(_)
        ));
        assert!(matches!(
            refusal("g, role:USER, ADMIN").await,
            PolicyError::UnknownSubject(_)
        ));
        assert!(matches!(
            refusal("p, *, users, list").await,
            PolicyError::UnknownSubject(_)
        ));
    }

    #[tokio::test]
    async fn lines_that_casbin_would_skip_are_refused() {
        for line in [
            "p, role:USER, users",
            "x, role:USER, users, list",
            "p2, role:USER, me, read",
            "p, role:USER, users, list, allow",
            "p role:USER users list",
            " # note",
            "g, role:USER",
            "p, \"role:USER\", me, read",
            "p, role:USER, , read",
        ] {
            assert!(
                matches!(refusal(line).await, PolicyError::Malformed { .. }),
                "{line}"
            );
        }
    }

    #[tokio::test]
    async fn a_permission_that_nobody_holds_stops_the_start() {
        let grants = GRANTS.replace("p, platform:ADMIN, apps, operate\n", "");

        let refused = Policy::load(MODEL, &grants).await.err().unwrap();

        assert!(matches!(refused, PolicyError::Ungranted("apps:operate")));
    }

    #[tokio::test]
    async fn an_empty_or_broken_policy_allows_nothing_and_does_not_load() {
        for (model, grants) in [
            (MODEL, ""),
            ("", GRANTS),
            ("", ""),
            ("[matchers]\nm = (", GRANTS),
        ] {
            assert!(Policy::load(model, grants).await.is_err(), "{model:?}");
        }
    }

    #[test]
    fn the_matcher_compares_and_knows_no_patterns() {
        let matcher = MODEL.split("[matchers]").nth(1).unwrap();

        assert_eq!(matcher.matches("g(").count(), 1);
        assert!(
            !["Match", "eval", "regex", "ip"]
                .iter()
                .any(|word| matcher.contains(word))
        );
    }

    #[tokio::test]
    async fn an_engine_that_cannot_decide_refuses() {
        let undecided = MODEL.replace("g(r.sub, p.sub)", "g(r.sub, p.sub) && r.sub.missing");

        let refused = Policy::load(&undecided, GRANTS).await.err().unwrap();

        assert!(
            matches!(refused, PolicyError::Ungranted("me:read")),
            "{refused}"
        );
    }
}
