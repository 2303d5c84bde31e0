//! `authsome policy …`: looks at policies, without a store or settings.
//!
//! ```text
//! built in, or with a file's resources and roles ──▶ check · explain · test
//! ```
//!
//! `test` without a file compares what is built in with `policies/cases.csv` and
//! `policies/organization_cases.csv`; with one, it is how a team tests its own roles before it
//! defines them on a server.

#[cfg(test)]
mod fuzz;
mod suite;

use std::path::Path;

use anyhow::anyhow;

pub(super) use self::suite::BadSuite;
use self::suite::{Expectation, Suite};
use super::PolicyQuestion;
use crate::access::{self, BuiltInRole, OrgPolicy, OrgRole, Source};

/// Decides what concerns apps by the one policy, and everything else by an organisation's.
struct Judges {
    app: access::Policy,
    organization: OrgPolicy,
}

/// Says whether a role may do something; not done where it may not.
pub(super) async fn check(asked: &PolicyQuestion) -> anyhow::Result<()> {
    let (judges, expectation) = judges_of(asked).await?;
    told(judges.allows(&expectation))
}

/// The same, and why.
pub(super) async fn explain(asked: &PolicyQuestion) -> anyhow::Result<()> {
    let (judges, expectation) = judges_of(asked).await?;
    let is_allowed = judges.allows(&expectation);
    for line in judges.why(&expectation) {
        println!("{line}");
    }
    told(is_allowed)
}

fn told(is_allowed: bool) -> anyhow::Result<()> {
    println!("{}", decision(is_allowed));
    if is_allowed {
        return Ok(());
    }
    Err(anyhow!("it is not allowed"))
}

/// Compares decisions with what is expected of them.
pub(super) async fn test(file: Option<&Path>) -> anyhow::Result<()> {
    match file {
        Some(file) => test_file(file).await,
        None => test_built_in().await,
    }
}

async fn test_file(file: &Path) -> anyhow::Result<()> {
    let suite = Suite::read(file).await?;
    if suite.cases.is_empty() {
        return Err(BadSuite::NoCases.into());
    }
    let count = suite.cases.len();
    let judges = Judges::of(suite.policy).await?;
    let is_wrong = |case: &&Expectation| judges.allows(case) != case.allowed;
    let wrong: Vec<_> = suite.cases.iter().filter(is_wrong).collect();
    for case in &wrong {
        let (expected, decided) = (decision(case.allowed), decision(!case.allowed));
        eprintln!("{case}: expected {expected}, decided {decided}");
        for line in judges.why(case) {
            eprintln!("  {line}");
        }
    }
    counted(count, wrong.len())
}

async fn test_built_in() -> anyhow::Result<()> {
    let judges = Judges::of(Suite::empty().await?.policy).await?;
    let (cases, of_organizations) = (access::cases()?, access::organization_cases()?);
    let mut wrong = judges.app.misjudged(&cases);
    wrong.extend(judges.organization.misjudged(&of_organizations));
    for case in &wrong {
        eprintln!("decided otherwise: {case:?}");
    }
    counted(cases.len() + of_organizations.len(), wrong.len())
}

fn counted(count: usize, wrong: usize) -> anyhow::Result<()> {
    println!("{} passed, {wrong} failed", count - wrong);
    if wrong == 0 {
        return Ok(());
    }
    Err(anyhow!("the policy decides otherwise than expected"))
}

async fn judges_of(asked: &PolicyQuestion) -> anyhow::Result<(Judges, Expectation)> {
    let suite = match &asked.file {
        Some(file) => Suite::read(file).await?,
        None => Suite::empty().await?,
    };
    let asked = suite.question(&asked.subject, &asked.resource, &asked.action)?;
    Ok((Judges::of(suite.policy).await?, asked))
}

fn decision(is_allowed: bool) -> &'static str {
    if is_allowed { "allow" } else { "deny" }
}

impl Judges {
    async fn of(organization: OrgPolicy) -> anyhow::Result<Self> {
        Ok(Self {
            app: access::Policy::built_in().await?,
            organization,
        })
    }

    fn allows(&self, case: &Expectation) -> bool {
        let Expectation {
            subjects,
            resource,
            action,
            ..
        } = case;
        if self.app.has(resource, action) {
            return self.app.allows(subjects, resource, action);
        }
        self.organization.allows(subjects, resource, action)
    }

    /// Every line that allows it; where there is none, which roles of organisations would.
    fn why(&self, case: &Expectation) -> Vec<String> {
        let (resource, action) = (&case.resource, &case.action);
        let is_of_app = self.app.has(resource, action);
        if !is_of_app && !self.organization.has(resource, action) {
            return vec![format!("there is no permission {resource}:{action}")];
        }
        let called = |subject: &String| {
            if is_of_app {
                return self.app.called(subject);
            }
            self.organization.called(subject)
        };
        let sources = |subject: &String| {
            if is_of_app {
                return self.app.sources(subject, resource, action);
            }
            self.organization.sources(subject, resource, action)
        };
        let way = |source: Source| {
            let path: Vec<String> = source.path.iter().map(called).collect();
            format!("{} has {}", path.join(" ← "), source.line)
        };
        let ways: Vec<String> = case.subjects.iter().flat_map(sources).map(way).collect();
        if ways.is_empty() && !is_of_app {
            return vec![self.whom(resource, action)];
        }
        ways
    }

    fn whom(&self, resource: &str, action: &str) -> String {
        let built_in = BuiltInRole::ALL.into_iter().map(OrgRole::BuiltIn);
        let defined = self.organization.roles().iter();
        let all = built_in.chain(defined.map(|role| OrgRole::Custom(role.id)));
        let allowed = all.filter(|role| {
            self.organization
                .allows(&[role.subject()], resource, action)
        });
        let names: Vec<_> = allowed
            .filter_map(|role| self.organization.name(role))
            .collect();
        format!("allowed to {}", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(subject: &str, resource: &str, action: &str) -> (bool, Vec<String>) {
        let asked = PolicyQuestion {
            subject: subject.to_owned(),
            resource: resource.to_owned(),
            action: action.to_owned(),
            file: None,
        };
        let (judges, expectation) = judges_of(&asked).await.unwrap();
        (judges.allows(&expectation), judges.why(&expectation))
    }

    #[tokio::test]
    async fn a_decision_is_told_with_the_way_to_it() {
        for (asked, is_allowed, told) in [
            (["admin", "teams", "read"], true, "admin has teams:*"),
            (
                ["member", "teams", "read"],
                true,
                "member ← viewer has teams:read",
            ),
            (
                ["viewer", "members", "add"],
                false,
                "allowed to owner, admin",
            ),
            (
                ["viewer", "documents", "read"],
                false,
                "there is no permission documents:read",
            ),
            (["role:USER", "me", "read"], true, "USER has me:read"),
            (
                ["platform:ADMIN", "users", "list"],
                true,
                "platform:ADMIN ← ADMIN has users:*",
            ),
        ] {
            let [subject, resource, action] = asked;
            let (decided, why) = said(subject, resource, action).await;

            assert_eq!(decided, is_allowed, "{asked:?}");
            assert_eq!(why[0], told, "{asked:?}");
        }
        assert_eq!(said("USER", "users", "list").await, (false, Vec::new()));
    }
}
