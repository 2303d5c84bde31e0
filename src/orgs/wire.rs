//! What clients send and get wherever organisations and members are told.

use serde::Serialize;
use utoipa::ToSchema;

use super::members::KnownMember;
use crate::http::{Fields, FromFields};
use crate::kernel::id::{AppId, EnvId, MemberId, OrgId, UserId};
use crate::kernel::metadata::Metadata;
use crate::kernel::text::{Email, Label, Slug};
use crate::kernel::time::Timestamp;
use crate::memberships::{Organization, Standing};
use crate::users::User;

/// How many roles somebody can be given at once.
const MOST_ROLES: usize = 20;

/// An organisation as its members see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organization)]
pub(super) struct OrganizationView {
    id: OrgId,
    app_id: AppId,
    env_id: EnvId,
    name: Label,
    slug: Slug,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    logo: Option<String>,
    metadata: Metadata,
    /// Who has founded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    created_by: Option<UserId>,
    member_count: i64,
    /// How many members there may be; absent: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    max_members: Option<i64>,
    /// What the caller is in it; absent where he is no member.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    roles: Option<Vec<String>>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl OrganizationView {
    /// With what the caller is in it, where he is a member.
    pub(super) fn of(organization: Organization, roles: Option<Vec<String>>) -> Self {
        Self {
            id: organization.id,
            app_id: organization.app_id,
            env_id: organization.env_id,
            name: organization.name,
            slug: organization.slug,
            logo: organization.logo,
            metadata: organization.metadata,
            created_by: organization.created_by,
            member_count: organization.member_count,
            max_members: organization.max_members,
            roles,
            created_at: organization.created_at,
            updated_at: organization.updated_at,
        }
    }
}

impl From<Standing> for OrganizationView {
    fn from(standing: Standing) -> Self {
        let roles = standing.member.is_some().then(|| standing.role_names());
        Self::of(standing.organization.clone(), roles)
    }
}

/// A member as the others see him.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub struct MemberView {
    id: MemberId,
    org_id: OrgId,
    user_id: UserId,
    /// The first of `roles`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    role: Option<String>,
    /// His own, without those of his teams; built-in ones first, highest first.
    roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    invited_by: Option<UserId>,
    joined_at: Timestamp,
    updated_at: Timestamp,
    /// Who he is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user: Option<MemberUser>,
}

/// What members see of each other.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberUser {
    id: UserId,
    email: Email,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    first_name: Option<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_name: Option<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    image: Option<String>,
}

impl From<User> for MemberUser {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            first_name: user.first_name,
            last_name: user.last_name,
            image: user.image,
        }
    }
}

impl From<KnownMember> for MemberView {
    fn from(known: KnownMember) -> Self {
        let member = known.member;
        Self {
            id: member.id,
            org_id: member.org_id,
            user_id: member.user_id,
            role: known.roles.first().cloned(),
            roles: known.roles,
            invited_by: member.invited_by,
            joined_at: member.created_at,
            updated_at: member.updated_at,
            user: known.user.map(MemberUser::from),
        }
    }
}

/// The roles that somebody is to have: `role` for one, or `roles`.
#[derive(Debug, Clone, ToSchema)]
pub struct Roles {
    /// The name or identifier of a role of the organisation.
    #[schema(nullable = false)]
    pub role: Option<String>,
    /// Names or identifiers, at least one.
    #[schema(nullable = false, min_items = 1, max_items = 20)]
    pub roles: Option<Vec<String>>,
}

impl Roles {
    pub fn names(self) -> Vec<String> {
        self.roles
            .or(self.role.map(|role| vec![role]))
            .unwrap_or_default()
    }

    /// Reads them; neither is a fault, and both are one.
    pub fn or_fault(fields: &mut Fields) -> Option<Self> {
        let (named, both) = Self::asked(fields)?;
        if both {
            return fields.fault("roles", "invalid_roles", "give `role` or `roles`, not both");
        }
        if named.role.is_none() && named.roles.is_none() {
            return fields.fault("roles", "required", "is missing");
        }
        Some(named)
    }

    /// Reads them where they may be left out.
    pub fn if_any(fields: &mut Fields) -> Option<Option<Self>> {
        let (named, both) = Self::asked(fields)?;
        if both {
            return fields.fault("roles", "invalid_roles", "give `role` or `roles`, not both");
        }
        Some(Some(named).filter(|it| it.role.is_some() || it.roles.is_some()))
    }

    fn asked(fields: &mut Fields) -> Option<(Self, bool)> {
        let role = fields.optional("role", str::parse::<String>);
        let roles = fields.optional_list("roles", str::parse::<String>);
        let (role, roles) = (role?, roles?);
        if roles
            .as_ref()
            .is_some_and(|it| it.is_empty() || it.len() > MOST_ROLES)
        {
            return fields.fault("roles", "invalid_roles", "must name 1 to 20 roles");
        }
        let both = role.is_some() && roles.is_some();
        Some((Self { role, roles }, both))
    }
}

impl FromFields for Roles {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        Self::or_fault(fields)
    }
}
