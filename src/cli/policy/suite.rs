//! Suites: a team's own resources and roles, and the decisions that it expects of them.
//!
//! ```toml
//! [[resources]]
//! name = "documents"
//! actions = ["read", "write"]
//!
//! [[roles]]
//! name = "editor"
//! parent = "member"
//! permissions = ["documents:*"]
//!
//! [[cases]]
//! roles = ["editor"]
//! resource = "documents"
//! action = "write"
//! expect = "allow"
//! ```

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

use ::config::{Config, File, FileFormat};
use serde::Deserialize;

use crate::access::{
    BuiltInRole, OrgPolicies, OrgPolicy, OrgRole, PERMISSIONS, Pattern, PolicyError, Resource,
    Role, RoleRule, is_reserved, is_subject, subjects,
};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::RoleId;
use crate::kernel::text::Word;
use crate::kernel::time::Timestamp;

/// A policy of an organisation, and what is expected of it.
#[derive(Debug)]
pub(super) struct Suite {
    pub policy: OrgPolicy,
    pub cases: Vec<Expectation>,
    roles: HashMap<String, RoleId>,
}

/// A decision about somebody who has these roles.
#[derive(Debug)]
pub(super) struct Expectation {
    /// From 1, in the order of the file; 0 for a question.
    pub number: usize,
    pub roles: Vec<String>,
    pub subjects: Vec<String>,
    pub resource: String,
    pub action: String,
    pub allowed: bool,
}

/// A file that is no suite, or a question that cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum BadSuite {
    #[error("{0} cannot be read: {1}")]
    Unreadable(PathBuf, std::io::Error),
    #[error("{0} is no suite: {1}")]
    Malformed(PathBuf, ::config::ConfigError),
    #[error("the suite has no cases, so that it tests nothing")]
    NoCases,
    #[error("resource {0}: the product has one of this name, or the file two")]
    ResourceTaken(Word),
    #[error("role {0}: the name is kept for the product, or the file has two of it")]
    RoleTaken(Word),
    #[error("role {0}: there is no role {1} to inherit from")]
    UnknownParent(Word, String),
    #[error("role {0} inherits from itself")]
    Circle(Word),
    #[error("role {0}: {1:?} is no permission that organisations have")]
    UnknownPermission(Word, String),
    #[error("there is no role {0:?}")]
    UnknownRole(String),
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rows {
    resources: Vec<ResourceRow>,
    roles: Vec<RoleRow>,
    cases: Vec<CaseRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceRow {
    name: Word,
    actions: Vec<Word>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleRow {
    name: Word,
    parent: Option<String>,
    #[serde(default)]
    permissions: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseRow {
    roles: Vec<String>,
    resource: String,
    action: String,
    expect: Expected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Allow,
    Deny,
}

impl Suite {
    /// What is built in, and nothing else.
    pub(super) async fn empty() -> Result<Self, BadSuite> {
        Self::of(Rows::default()).await
    }

    pub(super) async fn read(path: &Path) -> Result<Self, BadSuite> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|why| BadSuite::Unreadable(path.to_owned(), why))?;
        let malformed = |why| BadSuite::Malformed(path.to_owned(), why);
        Self::of(rows(&text).map_err(malformed)?).await
    }

    async fn of(rows: Rows) -> Result<Self, BadSuite> {
        let resources = resources(rows.resources)?;
        let roles = named(&rows.roles)?;
        let defined = rows.roles.iter().map(|row| rule(row, &roles));
        let defined = defined.collect::<Result<Vec<_>, _>>()?;
        refuse_circles(&defined)?;
        let compiler = OrgPolicies::built_in().await?;
        let policy = compiler.compile(&resources, defined).await?;
        refuse_unknown(&policy)?;
        let mut suite = Self {
            policy,
            cases: Vec::new(),
            roles,
        };
        for (at, row) in rows.cases.into_iter().enumerate() {
            let case = suite.expectation(at + 1, row)?;
            suite.cases.push(case);
        }
        Ok(suite)
    }

    /// A question about one role.
    pub(super) fn question(
        &self,
        role: &str,
        resource: &str,
        action: &str,
    ) -> Result<Expectation, BadSuite> {
        let row = CaseRow {
            roles: vec![role.to_owned()],
            resource: resource.to_owned(),
            action: action.to_owned(),
            expect: Expected::Allow,
        };
        self.expectation(0, row)
    }

    fn expectation(&self, number: usize, row: CaseRow) -> Result<Expectation, BadSuite> {
        let subjects: Result<Vec<_>, _> = row.roles.iter().map(|it| self.subject(it)).collect();
        Ok(Expectation {
            number,
            subjects: subjects?,
            roles: row.roles,
            resource: row.resource,
            action: row.action,
            allowed: row.expect == Expected::Allow,
        })
    }

    /// A role of the file, of every organisation or of every app; or a subject, as policies name it.
    fn subject(&self, text: &str) -> Result<String, BadSuite> {
        if let Some(id) = self.roles.get(text) {
            return Ok(id.to_string());
        }
        if let Some(role) = built_in(text) {
            return Ok(role.subject());
        }
        let of_app = text.parse::<Role>().ok();
        let of_app = of_app.and_then(|role| subjects(false, &[role]).pop());
        let known = of_app.or_else(|| is_subject(text).then(|| text.to_owned()));
        known.ok_or_else(|| BadSuite::UnknownRole(text.to_owned()))
    }
}

pub(super) fn rows(text: &str) -> Result<Rows, ::config::ConfigError> {
    let file = File::from_str(text, FileFormat::Toml);
    Config::builder()
        .add_source(file)
        .build()?
        .try_deserialize()
}

fn resources(rows: Vec<ResourceRow>) -> Result<Vec<Resource>, BadSuite> {
    let mut names: HashSet<String> = PERMISSIONS.iter().map(|it| it.object.to_owned()).collect();
    let resource = |row: ResourceRow| {
        if !names.insert(row.name.to_string()) {
            return Err(BadSuite::ResourceTaken(row.name));
        }
        let (name, actions) = (row.name, row.actions);
        Ok(Resource { name, actions })
    };
    rows.into_iter().map(resource).collect()
}

fn named(rows: &[RoleRow]) -> Result<HashMap<String, RoleId>, BadSuite> {
    let entropy = Entropy::system();
    let mut roles = HashMap::new();
    for row in rows {
        let id = RoleId::new(Timestamp::from_millis(0), &entropy);
        if is_reserved(&row.name) || roles.insert(row.name.to_string(), id).is_some() {
            return Err(BadSuite::RoleTaken(row.name.clone()));
        }
    }
    Ok(roles)
}

fn built_in(text: &str) -> Option<OrgRole> {
    let mut all = BuiltInRole::ALL.into_iter();
    let role = all.find(|role| role.as_str() == text)?;
    Some(OrgRole::BuiltIn(role))
}

fn rule(row: &RoleRow, roles: &HashMap<String, RoleId>) -> Result<RoleRule, BadSuite> {
    let parent = row.parent.as_deref().map(|name| {
        let of_file = roles.get(name).copied().map(OrgRole::Custom);
        let found = built_in(name).or(of_file);
        found.ok_or_else(|| BadSuite::UnknownParent(row.name.clone(), name.to_owned()))
    });
    let pattern = |text: &String| {
        let (resource, action) = text.split_once(':')?;
        let (resource, action) = (Pattern::side(resource).ok()?, Pattern::side(action).ok()?);
        Some(Pattern { resource, action })
    };
    let permissions = row.permissions.iter().map(|text| {
        pattern(text).ok_or_else(|| BadSuite::UnknownPermission(row.name.clone(), text.clone()))
    });
    Ok(RoleRule {
        id: roles[row.name.as_str()],
        name: row.name.clone(),
        is_template: false,
        parent: parent.transpose()?,
        permissions: permissions.collect::<Result<_, _>>()?,
    })
}

fn refuse_circles(rules: &[RoleRule]) -> Result<(), BadSuite> {
    let parent = |id: RoleId| {
        let rule = rules.iter().find(|rule| rule.id == id);
        rule.and_then(|rule| rule.parent).and_then(OrgRole::custom)
    };
    for rule in rules {
        let ancestors = std::iter::successors(parent(rule.id), |id| parent(*id));
        if ancestors.take(rules.len()).any(|id| id == rule.id) {
            return Err(BadSuite::Circle(rule.name.clone()));
        }
    }
    Ok(())
}

fn refuse_unknown(policy: &OrgPolicy) -> Result<(), BadSuite> {
    for role in policy.roles() {
        let unknown = role.permissions.iter().find(|line| !policy.knows(line));
        if let Some(line) = unknown {
            let (name, line) = (role.name.clone(), line.to_string());
            return Err(BadSuite::UnknownPermission(name, line));
        }
    }
    Ok(())
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, roles) = (self.number, self.roles.join(", "));
        write!(
            f,
            "case {number}: {roles}, {}:{}",
            self.resource, self.action
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &str) -> Result<Suite, String> {
        let rows = rows(text).map_err(|why| why.to_string())?;
        Suite::of(rows).await.map_err(|why| why.to_string())
    }

    const EDITORS: &str = r#"
        [[resources]]
        name = "documents"
        actions = ["read", "write"]

        [[roles]]
        name = "chief"
        parent = "editor"

        [[roles]]
        name = "editor"
        parent = "viewer"
        permissions = ["documents:*", "members:add"]

        [[cases]]
        roles = ["viewer", "chief"]
        resource = "documents"
        action = "write"
        expect = "allow"
    "#;

    #[tokio::test]
    async fn roles_of_a_file_amount_to_what_it_says() {
        let suite = read(EDITORS).await.unwrap();

        let allows = |role: &str, resource: &str, action: &str| {
            let asked = suite.question(role, resource, action).unwrap();
            suite.policy.allows(&asked.subjects, resource, action)
        };
        assert!(allows("chief", "documents", "write") && allows("chief", "teams", "read"));
        assert!(allows("editor", "members", "add") && !allows("editor", "members", "remove"));
        assert!(allows("admin", "documents", "read") && !allows("member", "documents", "read"));
        assert_eq!(
            suite.cases[0].to_string(),
            "case 1: viewer, chief, documents:write"
        );
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_file_is_told() {
        let role = |more: &str| format!("{EDITORS}\n[[roles]]\nname = \"auditor\"\n{more}");
        let case = |roles: &str| {
            let rest = "resource = \"a\"\naction = \"b\"\nexpect = \"deny\"";
            format!("{EDITORS}\n[[cases]]\nroles = {roles}\n{rest}")
        };
        for (text, told) in [
            ("[[roles]".to_owned(), "TOML"),
            ("surprise = 1".to_owned(), "surprise"),
            ("[[roles]]\nname = \"A b\"".to_owned(), "2 to 64 letters"),
            (role("parent = \"boss\""), "no role boss"),
            (role("parent = \"auditor\""), "inherits from itself"),
            (
                role("permissions = [\"documents\"]"),
                "\"documents\" is no permission",
            ),
            (
                role("permissions = [\"documents:delete\"]"),
                "\"documents:delete\" is no",
            ),
            (
                role("permissions = [\"users:list\"]"),
                "\"users:list\" is no",
            ),
            (role("colour = \"red\""), "colour"),
            (
                "[[roles]]\nname = \"owner\"".to_owned(),
                "kept for the product",
            ),
            (
                format!("{EDITORS}\n[[roles]]\nname = \"editor\""),
                "two of it",
            ),
            (
                "[[resources]]\nname = \"members\"\nactions = [\"read\"]".to_owned(),
                "resource members",
            ),
            (case("[\"auditor\"]"), "no role \"auditor\""),
            (case("[\"org:boss\"]"), "no role \"org:boss\""),
            (case("\"editor\""), "sequence"),
        ] {
            let refused = read(&text).await.err();

            let refused = refused.unwrap_or_else(|| panic!("{text} is a suite"));
            assert!(refused.contains(told), "{told}: {refused}");
        }
    }
}
