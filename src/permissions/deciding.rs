//! Deciding one check, and saying why: pure questions to the policies.

use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{BuiltInRole, OrgPolicy, OrgRole, Policy, Source, assignable, subjects};
use crate::kernel::id::TeamId;
use crate::memberships::Standing;

/// How many roles of the organisation's own making are told that would allow something.
const MOST_TOLD: usize = 20;

/// What is asked for, as the catalogue names it.
#[derive(Debug, Clone)]
pub(super) struct Check {
    pub resource: String,
    pub action: String,
}

/// Why a check is answered as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CheckReason)]
pub(super) enum Reason {
    /// One of the roles allows it.
    Granted,
    /// None of the roles allows it.
    NotGranted,
    /// The catalogue has no such permission there.
    UnknownPermission,
    /// There is no such user or organisation, he is no member, or the caller may not know of them.
    Unknown,
    /// The caller may ask about himself only.
    MayNotAsk,
    /// The user is banned, so that he can do nothing.
    Inactive,
}

/// The answer to a check.
#[derive(Debug, Clone)]
pub(super) struct Decision {
    pub reason: Reason,
    /// Where it was asked for.
    pub explanation: Option<Explanation>,
}

/// By what something is allowed; where it is not, who would be allowed.
#[derive(Debug, Clone, Default)]
pub(super) struct Explanation {
    pub granted_by: Vec<Grant>,
    pub granted_to: Vec<String>,
}

/// One way to a right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    /// The role that is held, those it is inherited through, and the one that has the line.
    pub path: Vec<String>,
    /// The line: `documents:*`.
    pub rule: String,
    pub through: Through,
    pub team_id: Option<TeamId>,
}

/// How a role is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RoleThrough)]
pub(super) enum Through {
    /// A role in the app.
    App,
    /// A role of the member himself.
    Membership,
    /// A role that one of his teams gives.
    Team,
}

impl Decision {
    pub(super) fn new(reason: Reason, explanation: Option<Explanation>) -> Self {
        Self {
            reason,
            explanation,
        }
    }

    pub(super) fn is_allowed(&self) -> bool {
        self.reason == Reason::Granted
    }
}

pub(super) fn in_app(policy: &Policy, subjects: &[String], check: &Check) -> Reason {
    let (resource, action) = (&check.resource, &check.action);
    if !policy.has(resource, action) {
        return Reason::UnknownPermission;
    }
    granted(policy.allows(subjects, resource, action))
}

pub(super) fn in_organization(standing: &Standing, check: &Check) -> Reason {
    let (resource, action) = (&check.resource, &check.action);
    if !standing.policy.has(resource, action) {
        return Reason::UnknownPermission;
    }
    granted(
        standing
            .policy
            .allows(standing.subjects(), resource, action),
    )
}

fn granted(is_granted: bool) -> Reason {
    if is_granted {
        Reason::Granted
    } else {
        Reason::NotGranted
    }
}

pub(super) fn why_in_app(
    policy: &Policy,
    (held, is_platform): (&[String], bool),
    check: &Check,
) -> Explanation {
    let (resource, action) = (&check.resource, &check.action);
    let mut granted_by = Vec::new();
    if policy.allows(held, resource, action) {
        for subject in held {
            let sources = policy.sources(subject, resource, action);
            let called = |subject: &str| policy.called(subject);
            granted_by.extend(grants(sources, called, (Through::App, None)));
        }
    }
    let mut granted_to = Vec::new();
    if granted_by.is_empty() {
        let allowed = assignable(is_platform).iter().filter(|role| {
            let subjects = subjects(is_platform, &[**role]);
            policy.allows(&subjects, resource, action)
        });
        granted_to.extend(allowed.map(|role| role.as_str().to_owned()));
    }
    Explanation {
        granted_by,
        granted_to,
    }
}

/// Who may not read the roles of the organisation is told only of those that every one has.
pub(super) fn why_in_organization(
    standing: &Standing,
    knows_roles: bool,
    check: &Check,
) -> Explanation {
    let (policy, resource, action) = (&standing.policy, &check.resource, &check.action);
    let mut granted_by = Vec::new();
    if policy.allows(standing.subjects(), resource, action) {
        for (subject, through) in held(standing) {
            let sources = policy.sources(&subject, resource, action);
            granted_by.extend(grants(sources, |it| policy.called(it), through));
        }
    }
    let granted_to = if granted_by.is_empty() {
        would_be_granted(policy, knows_roles, check)
    } else {
        Vec::new()
    };
    Explanation {
        granted_by,
        granted_to,
    }
}

/// Every subject that somebody is in an organisation, and how: a role that he has in two ways twice.
fn held(standing: &Standing) -> Vec<(String, (Through, Option<TeamId>))> {
    let own = standing.member.iter().flat_map(|member| &member.roles);
    let own = own.map(|role| (role.subject(), (Through::Membership, None)));
    let of_teams = standing.teams.iter().flat_map(|place| {
        let team = (Through::Team, Some(place.team.id));
        let roles = place.team.roles.iter();
        roles.map(move |role| (role.subject(), team))
    });
    let of_place: Vec<_> = own.chain(of_teams).collect();
    let of_app = standing.subjects().iter().filter(|subject| {
        let is_same = |held: &(String, _)| held.0 == **subject;
        !of_place.iter().any(is_same)
    });
    let mut all: Vec<_> = of_app
        .map(|subject| (subject.clone(), (Through::App, None)))
        .collect();
    all.extend(of_place);
    all
}

fn grants(
    sources: Vec<Source>,
    called: impl Fn(&str) -> String,
    (through, team_id): (Through, Option<TeamId>),
) -> Vec<Grant> {
    let grant = |source: Source| Grant {
        path: source.path.iter().map(|subject| called(subject)).collect(),
        rule: source.line.to_string(),
        through,
        team_id,
    };
    sources.into_iter().map(grant).collect()
}

/// The roles that would allow it: built-in ones, highest first, and then those that are defined.
fn would_be_granted(policy: &OrgPolicy, knows_roles: bool, check: &Check) -> Vec<String> {
    let allows = |role: &OrgRole| policy.allows(&[role.subject()], &check.resource, &check.action);
    let built_in = BuiltInRole::ALL.into_iter().map(OrgRole::BuiltIn);
    let defined = policy.roles().iter().map(|role| OrgRole::Custom(role.id));
    let defined = defined.filter(|_| knows_roles);
    let defined = defined.filter(|role| allows(role)).take(MOST_TOLD);
    built_in
        .filter(allows)
        .chain(defined)
        .filter_map(|role| policy.name(role))
        .collect()
}
