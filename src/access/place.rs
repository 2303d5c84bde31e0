//! Places: what a user is in an organisation and in its teams, and the subjects the policy of the
//! organisation knows them by.
//!
//! ```text
//! owner admin member viewer    org:owner …   built in, the same in every organisation
//! a role of the app            arol_…        a template: defined once, for all its organisations
//! a role of the organisation   arol_…        defined there, for its own members
//! lead member                  team:lead …   in one team, and only there
//! ```
//!
//! Subjects of roles that somebody defines are identifiers, never names: nobody can call a role what
//! is another's subject. Not here: what a subject may do (`policies/organization.csv`, and
//! [`super::OrgPolicy`]).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use super::roles::{APP_ADMIN, PLATFORM_ADMIN, PLATFORM_OWNER};
use crate::kernel::id::RoleId;
use crate::kernel::text::Word;

/// A role that the product defines in every organisation.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum BuiltInRole {
    /// Owns the organisation: everything. It has one at least, always.
    Owner,
    /// Runs the organisation, but cannot delete it or make owners.
    Admin,
    Member,
    /// Sees who is there, and changes nothing.
    Viewer,
}

/// A role that a member can have. Stored as the name of a built-in one, or by identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrgRole {
    BuiltIn(BuiltInRole),
    Custom(RoleId),
}

/// What a member is in a team.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum TeamRole {
    /// Changes the team and who is in it.
    Lead,
    Member,
}

/// A text that names no role as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither a built-in role of organisations nor the identifier of a role")]
pub struct NotARole;

/// Every subject that the built-in grants in organisations may speak of.
pub(super) const SUBJECTS: [&str; 9] = [
    "org:owner",
    "org:admin",
    "org:member",
    "org:viewer",
    "team:lead",
    "team:member",
    APP_ADMIN,
    PLATFORM_ADMIN,
    PLATFORM_OWNER,
];

/// Names that nobody may give to a role, without separators: they belong to the product, or would be
/// taken for something that is more than a role of one organisation.
const RESERVED: [&str; 20] = [
    "owner",
    "admin",
    "member",
    "viewer",
    "lead",
    "user",
    "operator",
    "administrator",
    "superadmin",
    "superuser",
    "sysadmin",
    "root",
    "system",
    "platform",
    "platformowner",
    "platformadmin",
    "orgowner",
    "orgadmin",
    "appadmin",
    "impersonated",
];

impl BuiltInRole {
    /// Highest first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Member, Self::Viewer];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }

    pub const fn description(self) -> &'static str {
        match self {
            Self::Owner => "Owns the organisation: everything",
            Self::Admin => "Runs the organisation, but cannot delete it or make owners",
            Self::Member => "Works in the organisation",
            Self::Viewer => "Sees who is there, and changes nothing",
        }
    }

    pub(super) const fn subject(self) -> &'static str {
        match self {
            Self::Owner => "org:owner",
            Self::Admin => "org:admin",
            Self::Member => "org:member",
            Self::Viewer => "org:viewer",
        }
    }
}

impl OrgRole {
    pub const OWNER: Self = Self::BuiltIn(BuiltInRole::Owner);
    pub const ADMIN: Self = Self::BuiltIn(BuiltInRole::Admin);
    pub const MEMBER: Self = Self::BuiltIn(BuiltInRole::Member);

    /// The subject that the policy of an organisation knows the role by.
    pub fn subject(self) -> String {
        match self {
            Self::BuiltIn(role) => role.subject().to_owned(),
            Self::Custom(id) => id.to_string(),
        }
    }

    pub fn custom(self) -> Option<RoleId> {
        match self {
            Self::BuiltIn(_) => None,
            Self::Custom(id) => Some(id),
        }
    }
}

impl TeamRole {
    pub const fn subject(self) -> &'static str {
        match self {
            Self::Lead => "team:lead",
            Self::Member => "team:member",
        }
    }
}

/// Whether a name is kept from roles that somebody defines, separators aside.
pub fn is_reserved(name: &Word) -> bool {
    let plain: String = name
        .as_str()
        .chars()
        .filter(|c| !"-_".contains(*c))
        .collect();
    RESERVED.contains(&plain.as_str())
}

/// Whether a text is a subject that built-in grants may speak of, in apps or organisations.
pub fn is_subject(text: &str) -> bool {
    SUBJECTS.contains(&text) || super::roles::SUBJECTS.contains(&text)
}

impl fmt::Display for OrgRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(role) => f.write_str(role.as_str()),
            Self::Custom(id) => id.fmt(f),
        }
    }
}

impl FromStr for OrgRole {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        let built_in = BuiltInRole::ALL
            .into_iter()
            .find(|role| role.as_str() == text);
        match built_in {
            Some(role) => Ok(Self::BuiltIn(role)),
            None => text.parse().map(Self::Custom).map_err(|_| NotARole),
        }
    }
}

impl Serialize for OrgRole {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OrgRole {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::entropy::Entropy;
    use crate::kernel::time::Timestamp;

    #[test]
    fn a_role_is_stored_by_name_or_identifier_and_read_back() {
        let id = RoleId::new(Timestamp::from_millis(1), &Entropy::system());
        for role in [OrgRole::OWNER, OrgRole::MEMBER, OrgRole::Custom(id)] {
            let stored = serde_json::to_value(role).unwrap();

            assert_eq!(stored, role.to_string());
            assert_eq!(serde_json::from_value::<OrgRole>(stored).unwrap(), role);
        }
        for text in ["Owner", "lead", "org:owner", "", "arol_x", "*"] {
            assert_eq!(text.parse::<OrgRole>(), Err(NotARole), "{text}");
        }
    }

    #[test]
    fn reserved_names_are_kept_with_any_separators() {
        let reserved = |name: &str| is_reserved(&Word::parse(name).unwrap());

        for name in [
            "owner",
            "super-admin",
            "super_admin",
            "platform-admin",
            "root",
        ] {
            assert!(reserved(name), "{name}");
        }
        assert!(!reserved("billing") && !reserved("owners-deputy"));
    }
}
