//! Roles: what a user of an app may be, and the subjects the policy knows them by.
//!
//! ```text
//!            in the platform app   in every other app
//! OWNER      platform:OWNER        nothing
//! ADMIN      platform:ADMIN        role:ADMIN
//! USER       role:USER             role:USER
//! ```
//!
//! Whoever is impersonated is `role:IMPERSONATED` and nothing else, whatever roles he has: who acts
//! as another may look at what he sees and stop, and change nothing in his name. An administrator's
//! rights are not lent either: who may impersonate one is an operator, and has them by himself.
//!
//! Subjects carry a prefix, so that neither a user nor an app can bear the name of one. Not here:
//! what a subject may do (`policies/roles.csv`), and who holds a role (`users`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::realm::Realm;
use super::rights::Pattern;
use super::scopes;

/// A role of a user in an app, written upper-case everywhere it is seen or stored.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    /// Owns the installation. Exists in the platform app only.
    Owner,
    /// Administers the app; in the platform app, every app.
    Admin,
    /// Has an account. Everybody is one.
    User,
}

/// A word that is no role of ours. Role names are compared exactly: `admin` is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such role")]
pub struct UnknownRole;

/// Every subject that a policy may speak of.
pub(super) const SUBJECTS: [&str; 6] = [
    PLATFORM_OWNER,
    PLATFORM_ADMIN,
    APP_ADMIN,
    ANY_USER,
    IMPERSONATED,
    OF_ORGANIZATION,
];

pub(super) const PLATFORM_OWNER: &str = "platform:OWNER";
pub(super) const PLATFORM_ADMIN: &str = "platform:ADMIN";
pub(super) const APP_ADMIN: &str = "role:ADMIN";
const ANY_USER: &str = "role:USER";
const IMPERSONATED: &str = "role:IMPERSONATED";
const OF_ORGANIZATION: &str = "role:ORGANIZATION";

/// The subjects that `roles` amount to, in the platform app or in another.
///
/// An `OWNER` outside the platform app, which only a tampered store can hold, gives nothing.
pub fn subjects(is_platform: bool, roles: &[Role]) -> Vec<String> {
    roles
        .iter()
        .filter_map(|role| subject(is_platform, *role))
        .map(str::to_owned)
        .collect()
}

/// What remains of anybody's subjects while another acts as him.
pub fn impersonated() -> Vec<String> {
    vec![IMPERSONATED.to_owned()]
}

/// What an organisation is in its app, where it acts by a key of its own.
pub fn of_organization() -> Vec<String> {
    vec![OF_ORGANIZATION.to_owned()]
}

fn subject(is_platform: bool, role: Role) -> Option<&'static str> {
    match (role, is_platform) {
        (Role::Owner, true) => Some(PLATFORM_OWNER),
        (Role::Owner, false) => None,
        (Role::Admin, true) => Some(PLATFORM_ADMIN),
        (Role::Admin, false) => Some(APP_ADMIN),
        (Role::User, _) => Some(ANY_USER),
    }
}

/// What a role in an app is called where people see it; `None` for any other subject. Operators keep
/// their prefix, which tells them from administrators.
pub(super) fn called(subject: &str) -> Option<&str> {
    subject.strip_prefix("role:")
}

/// Whether `subjects` amount to holding `role` in the platform app or in another one: who operates
/// every app holds their roles, and an owner holds an administrator's. Whoever is limited by scopes
/// holds none, unless they leave nothing out: `*:*`, and each right that no `*` covers.
pub fn holds(subjects: &[String], role: Role, is_platform: bool) -> bool {
    let operators: &[&str] = match (role, is_platform) {
        (Role::Owner, true) => &[PLATFORM_OWNER],
        (Role::Owner, false) => &[],
        (Role::Admin, true) => &[PLATFORM_OWNER, PLATFORM_ADMIN],
        (Role::Admin, false) => &[PLATFORM_OWNER, PLATFORM_ADMIN, APP_ADMIN],
        (Role::User, _) => &[ANY_USER],
    };
    let is_one = |subject: &String| operators.contains(&subject.as_str());
    let everywhere = [Realm::App, Realm::Organization];
    scopes::admit_right(subjects, &Pattern::everything(), &everywhere)
        && subjects.iter().any(is_one)
}

/// The roles that can be given in an app, highest first.
pub fn assignable(is_platform: bool) -> &'static [Role] {
    if is_platform {
        &[Role::Owner, Role::Admin, Role::User]
    } else {
        &[Role::Admin, Role::User]
    }
}

/// The role of which an app must never lose its last holder.
pub fn guarding(is_platform: bool) -> Role {
    if is_platform {
        Role::Owner
    } else {
        Role::Admin
    }
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "OWNER",
            Self::Admin => "ADMIN",
            Self::User => "USER",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(word: &str) -> Result<Self, UnknownRole> {
        assignable(true)
            .iter()
            .copied()
            .find(|role| role.as_str() == word)
            .ok_or(UnknownRole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_outside_the_platform_app_is_nobody() {
        assert!(subjects(false, &[Role::Owner]).is_empty());
        assert!(!assignable(false).contains(&Role::Owner));
    }

    #[test]
    fn the_same_role_is_another_subject_in_the_platform_app() {
        assert_eq!(
            subjects(true, &[Role::Admin, Role::User]),
            ["platform:ADMIN", "role:USER"]
        );
        assert_eq!(
            subjects(false, &[Role::Admin, Role::User]),
            ["role:ADMIN", "role:USER"]
        );
    }

    #[test]
    fn who_is_impersonated_holds_no_role() {
        assert!(SUBJECTS.contains(&impersonated()[0].as_str()));
        for role in assignable(true) {
            assert!(!holds(&impersonated(), *role, true));
            assert!(!holds(&impersonated(), *role, false));
        }
    }

    #[test]
    fn no_roles_are_no_subjects() {
        assert!(subjects(true, &[]).is_empty());
    }

    #[test]
    fn a_role_is_written_and_read_as_its_upper_case_name() {
        for role in assignable(true) {
            let written = serde_json::to_string(role).unwrap();

            assert_eq!(written, format!("\"{role}\""));
            assert_eq!(serde_json::from_str::<Role>(&written).unwrap(), *role);
            assert_eq!(role.as_str().parse(), Ok(*role));
        }
        assert_eq!("admin".parse::<Role>(), Err(UnknownRole));
        assert_eq!("ADMIN ".parse::<Role>(), Err(UnknownRole));
    }

    #[test]
    fn every_role_has_a_subject_the_policy_knows() {
        for is_platform in [true, false] {
            let named = subjects(is_platform, assignable(is_platform));

            assert_eq!(named.len(), assignable(is_platform).len());
            assert!(
                named
                    .iter()
                    .all(|subject| SUBJECTS.contains(&subject.as_str()))
            );
        }
    }
}
