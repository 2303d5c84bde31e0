//! The policy of one organisation: small, compiled once for each version, and never changed.
//!
//! ```text
//! policies/organization.csv ┐
//! roles and resources of the app ┼─▶ [`OrgPolicies::compile`] ──▶ [`OrgPolicy`] ──▶ yes or no
//! roles of the organisation ┘
//! ```
//!
//! A decision is one question to a Casbin enforcer that knows this organisation and no other, so that
//! its cost grows with nothing that anybody else does. Each pair of subject and permission is decided
//! once; the table of answers is as large as the policy, and no larger. Not here: which version
//! counts, and where compiled policies are kept (`rbac`).

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

use casbin::{Adapter, CoreApi, DefaultModel, Enforcer, MemoryAdapter};

use super::permission::{Grantable, Permission};
use super::place::{self, BuiltInRole, OrgRole, TeamRole};
use super::policy::{MODEL, PolicyError, check_lines};
use super::realm::{InOrganization, Realm};
use super::rights::{Pattern, Rights, Source};
use super::{roles, scopes};
use crate::kernel::id::RoleId;
use crate::kernel::text::Word;

const GRANTS: &str = include_str!("../../policies/organization.csv");

/// About how many bytes an enforcer takes, and what each line and permission adds.
const OF_AN_ENFORCER: usize = 16 << 10;
const OF_A_LINE: usize = 256;

/// The subject that is given whatever the app registers, beside owners who have everything.
const RUNS_ALL: &str = "org:admin";

/// A resource that an app has registered, and what can be done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub name: Word,
    pub actions: Vec<Word>,
}

/// A role that an app or an organisation has defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRule {
    pub id: RoleId,
    pub name: Word,
    /// Of the app, for all its organisations.
    pub is_template: bool,
    pub parent: Option<OrgRole>,
    pub permissions: Vec<Pattern>,
}

/// Compiles policies. Holds the built-in grants, checked when it was made.
#[derive(Clone)]
pub struct OrgPolicies {
    model: DefaultModel,
    built_in: Rights,
}

/// What the roles of one organisation amount to.
pub struct OrgPolicy {
    enforcer: Enforcer,
    rights: Rights,
    roles: Vec<RoleRule>,
    subjects: HashMap<String, usize>,
    permissions: Vec<(String, String)>,
    by_name: HashMap<String, HashMap<String, usize>>,
    /// One for each subject and permission: see [`Answer`].
    answers: Box<[AtomicU8]>,
}

/// What is known of a subject and a permission.
#[derive(Clone, Copy)]
enum Answer {
    Unasked = 0,
    No = 1,
    Yes = 2,
}

impl OrgPolicies {
    /// The built-in grants, which must speak of what there is and leave nothing out.
    pub async fn built_in() -> Result<Self, PolicyError> {
        Self::load(GRANTS).await
    }

    async fn load(grants: &str) -> Result<Self, PolicyError> {
        check_lines(grants)?;
        let model = DefaultModel::from_str(MODEL).await?;
        let built_in = read(grants)?;
        let policies = Self { model, built_in };
        let policy = policies.compile(&[], Vec::new()).await?;
        policy.check_all_granted()?;
        Ok(policies)
    }

    /// The policy of an organisation, of these resources of its app, and these roles of its app and
    /// its own. A parent that is not among them gives nothing.
    pub async fn compile(
        &self,
        resources: &[Resource],
        roles: Vec<RoleRule>,
    ) -> Result<OrgPolicy, PolicyError> {
        let mut rights = self.built_in.clone();
        for resource in resources {
            let whole = Pattern {
                resource: resource.name.to_string(),
                action: "*".to_owned(),
            };
            rights.grants(RUNS_ALL, whole);
        }
        for role in &roles {
            let subject = role.id.to_string();
            if let Some(parent) = role.parent {
                rights.inherits(&subject, &parent.subject());
            }
            for pattern in &role.permissions {
                rights.grants(&subject, pattern.clone());
            }
        }
        let enforcer = Enforcer::new(self.model.clone(), lines(&rights).await?).await?;
        Ok(OrgPolicy::new(enforcer, rights, (resources, roles)))
    }
}

impl OrgPolicy {
    fn new(
        enforcer: Enforcer,
        rights: Rights,
        (resources, roles): (&[Resource], Vec<RoleRule>),
    ) -> Self {
        let own = resources.iter().flat_map(|resource| {
            let name = |action: &Word| (resource.name.to_string(), action.to_string());
            resource.actions.iter().map(name)
        });
        let product = Grantable::in_realm(Realm::Organization);
        let permissions: Vec<(String, String)> = product
            .map(|row| (row.object.to_owned(), row.action.to_owned()))
            .chain(own)
            .collect();
        let mut by_name: HashMap<String, HashMap<String, usize>> = HashMap::new();
        for (at, (object, action)) in permissions.iter().enumerate() {
            let actions = by_name.entry(object.clone()).or_default();
            actions.insert(action.clone(), at);
        }
        // A role that grants nothing is a subject too.
        let named = rights.subjects().into_iter().map(str::to_owned);
        let defined = roles.iter().map(|role| role.id.to_string());
        let mut all: Vec<String> = named.chain(defined).collect();
        all.sort();
        all.dedup();
        let size = all.len() * permissions.len();
        let answers = (0..size).map(|_| AtomicU8::new(Answer::Unasked as u8));
        Self {
            answers: answers.collect(),
            subjects: all
                .into_iter()
                .enumerate()
                .map(|(at, it)| (it, at))
                .collect(),
            enforcer,
            rights,
            roles,
            permissions,
            by_name,
        }
    }

    /// Whether any of `subjects` may do `action` to `object`. `no` for what the catalogue does not
    /// have, for subjects that are unknown here, and whenever the engine cannot tell.
    pub fn allows(&self, subjects: &[String], object: &str, action: &str) -> bool {
        let actions = self.by_name.get(object);
        let Some(permission) = actions.and_then(|actions| actions.get(action)) else {
            return false;
        };
        scopes::admit(subjects, object, action)
            && scopes::judged(subjects).any(|subject| self.decide(subject, *permission))
    }

    /// Whether any of `subjects` holds a permission of the product.
    pub fn grants<P: Permission<In = InOrganization>>(&self, subjects: &[String]) -> bool {
        self.allows(subjects, P::OBJECT, P::ACTION)
    }

    fn decide(&self, subject: &str, permission: usize) -> bool {
        let Some(row) = self.subjects.get(subject) else {
            return false;
        };
        let answer = &self.answers[row * self.permissions.len() + permission];
        let known = answer.load(Ordering::Relaxed);
        if known != Answer::Unasked as u8 {
            return known == Answer::Yes as u8;
        }
        let (object, action) = &self.permissions[permission];
        let Some(decision) = self.enforce(subject, object, action) else {
            return false;
        };
        let told = if decision { Answer::Yes } else { Answer::No };
        answer.store(told as u8, Ordering::Relaxed);
        decision
    }

    fn enforce(&self, subject: &str, object: &str, action: &str) -> Option<bool> {
        let decision = self.enforcer.enforce((subject, object, action));
        let told = decision.inspect_err(|error| {
            tracing::error!(%error, object, action, "the policy of an organisation gave no decision");
        });
        told.ok()
    }

    /// Whether `subjects` hold all of what lines grant to people: for `*`, a `*` of their own, and where
    /// they are limited what no `*` of a scope covers.
    pub fn holds_lines<'a>(
        &self,
        subjects: &[String],
        lines: impl IntoIterator<Item = &'a Pattern>,
    ) -> bool {
        let reach = self.rights.reach(subjects);
        let mut lines = lines.into_iter();
        lines.all(|line| {
            reach.covers(&line.resource, &line.action)
                && scopes::admit_right(subjects, line, &[Realm::Organization])
        })
    }

    /// Whether they hold all of what a line is good for as a scope of a key.
    pub fn holds_scope(&self, subjects: &[String], line: &Pattern) -> bool {
        let reach = self.rights.reach(subjects);
        reach.covers(&line.resource, &line.action) && scopes::admit_line(subjects, line)
    }

    /// Whether `subjects` may do something of what a line grants, and nothing limits them to less
    /// than the line.
    pub fn allows_some(&self, subjects: &[String], line: &Pattern) -> bool {
        let mut all = self.permissions.iter();
        scopes::admit_line(subjects, line)
            && all.any(|(object, action)| {
                line.covers(object, action) && self.allows(subjects, object, action)
            })
    }

    /// Whether `subjects` amount to all that a role amounts to, inheritance counted: nobody gives or
    /// takes more than he has.
    pub fn holds(&self, subjects: &[String], role: OrgRole) -> bool {
        self.holds_all_of(subjects, &role.subject())
    }

    /// The same of a place in a team.
    pub fn holds_place(&self, subjects: &[String], role: TeamRole) -> bool {
        self.holds_all_of(subjects, role.subject())
    }

    fn holds_all_of(&self, subjects: &[String], other: &str) -> bool {
        self.holds_lines(subjects, self.rights.patterns(other))
    }

    /// All that a role amounts to: its own lines before those that it inherits.
    pub fn lines(&self, role: OrgRole) -> Vec<Source> {
        self.rights.lines(&role.subject())
    }

    /// Whose permissions a role has as well.
    pub fn parent(&self, role: OrgRole) -> Option<OrgRole> {
        let parent = self.rights.parent(&role.subject())?;
        parent.trim_start_matches("org:").parse().ok()
    }

    /// Whether a line grants anything that there is.
    pub fn knows(&self, line: &Pattern) -> bool {
        let covers = |(object, action): &(String, String)| line.covers(object, action);
        self.permissions.iter().any(covers)
    }

    /// What `subjects` may do, as `object:action` in the order of the catalogue.
    pub fn permissions(&self, subjects: &[String]) -> Vec<String> {
        let reach = self.rights.reach(subjects);
        let all = self.permissions.iter();
        let is_reached = |object: &str, action: &str| {
            reach.covers(object, action) && scopes::admit(subjects, object, action)
        };
        all.filter(|(object, action)| is_reached(object, action))
            .map(|(object, action)| format!("{object}:{action}"))
            .collect()
    }

    /// Every line by which a subject may do `action` to `object`, and the way to it.
    pub fn sources(&self, subject: &str, object: &str, action: &str) -> Vec<Source> {
        let mut lines = self.rights.lines(subject);
        lines.retain(|source| source.line.covers(object, action));
        lines
    }

    /// Whether the catalogue has such a permission.
    pub fn has(&self, object: &str, action: &str) -> bool {
        self.by_name
            .get(object)
            .is_some_and(|actions| actions.contains_key(action))
    }

    /// The roles that the app and the organisation have defined.
    pub fn roles(&self) -> &[RoleRule] {
        &self.roles
    }

    /// The role that a client means by a name or an identifier: one of the app before one's own.
    pub fn role(&self, text: &str) -> Option<OrgRole> {
        if let Ok(role @ OrgRole::BuiltIn(_)) = text.parse() {
            return Some(role);
        }
        let id = text.parse::<RoleId>().ok();
        let is_meant = |role: &&RoleRule| Some(role.id) == id || role.name.as_str() == text;
        let mut meant: Vec<&RoleRule> = self.roles.iter().filter(is_meant).collect();
        meant.sort_by_key(|role| !role.is_template);
        meant.first().map(|role| OrgRole::Custom(role.id))
    }

    /// What a role is called; `None` for one that is gone. Backends go by names: an organisation's
    /// own role that is called as one of the app is called by its identifier.
    pub fn name(&self, role: OrgRole) -> Option<String> {
        let id = match role {
            OrgRole::BuiltIn(role) => return Some(role.as_str().to_owned()),
            OrgRole::Custom(id) => id,
        };
        let known = self.roles.iter().find(|role| role.id == id)?;
        let means_another = |other: &RoleRule| other.is_template && other.name == known.name;
        if !known.is_template && self.roles.iter().any(means_another) {
            return Some(id.to_string());
        }
        Some(known.name.to_string())
    }

    /// About how many bytes it takes in memory.
    pub fn weight(&self) -> u32 {
        let lines = self.rights.all_grants().count() + self.permissions.len();
        let all = OF_AN_ENFORCER + lines * OF_A_LINE + self.answers.len();
        u32::try_from(all).unwrap_or(u32::MAX)
    }

    /// What roles are called, in their order. One that is gone is left out: it gives nothing.
    pub fn names(&self, roles: &[OrgRole]) -> Vec<String> {
        roles.iter().filter_map(|role| self.name(*role)).collect()
    }

    /// What a subject is called in explanations.
    pub fn called(&self, subject: &str) -> String {
        let id = subject.parse::<RoleId>().ok();
        let custom = id.and_then(|id| self.name(OrgRole::Custom(id)));
        let built_in = || roles::called(subject).unwrap_or(subject.trim_start_matches("org:"));
        custom.unwrap_or_else(|| built_in().to_owned())
    }

    fn check_all_granted(&self) -> Result<(), PolicyError> {
        let granted = |row: &&Grantable| {
            let built_in = BuiltInRole::ALL.map(|role| role.subject().to_owned());
            self.allows(&built_in, row.object, row.action)
        };
        match Grantable::in_realm(Realm::Organization).find(|row| !granted(row)) {
            Some(row) => Err(PolicyError::Ungranted(row.name)),
            None => Ok(()),
        }
    }
}

/// The built-in grants, each of a known subject and covering something that there is.
fn read(grants: &str) -> Result<Rights, PolicyError> {
    let mut rights = Rights::default();
    let lines = grants
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        match fields.as_slice() {
            ["p", subject, object, action] => {
                let pattern = Pattern {
                    resource: (*object).to_owned(),
                    action: (*action).to_owned(),
                };
                let covers = |row: &Grantable| pattern.covers(row.object, row.action);
                if !Grantable::in_realm(Realm::Organization).any(covers) {
                    return Err(PolicyError::UnknownPermission(pattern.to_string()));
                }
                rights.grants(subject, pattern);
            }
            ["g", subject, parent] => rights.inherits(subject, parent),
            _ => {}
        }
    }
    let unknown = rights
        .subjects()
        .into_iter()
        .find(|it| !place::SUBJECTS.contains(it));
    match unknown {
        Some(subject) => Err(PolicyError::UnknownSubject(subject.to_owned())),
        None => Ok(rights),
    }
}

/// What Casbin is given. Each subject is linked to all its ancestors at once: Casbin follows no more
/// than ten arrows, and there may be more.
async fn lines(rights: &Rights) -> Result<MemoryAdapter, casbin::Error> {
    let mut adapter = MemoryAdapter::default();
    for (subject, pattern) in rights.all_grants() {
        let line = [subject, &pattern.resource, &pattern.action];
        adapter
            .add_policy("p", "p", line.map(str::to_owned).into())
            .await?;
    }
    for subject in rights.subjects() {
        for path in rights.ancestry(subject) {
            if let [first, .., last] = path.as_slice() {
                let link = vec![first.clone(), last.clone()];
                adapter.add_policy("g", "g", link).await?;
            }
        }
    }
    Ok(adapter)
}

impl fmt::Debug for OrgPolicies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OrgPolicies").finish_non_exhaustive()
    }
}

impl fmt::Debug for OrgPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roles = self.roles.len();
        f.debug_struct("OrgPolicy")
            .field("roles", &roles)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
