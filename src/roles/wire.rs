//! What clients get of roles.

use serde::Serialize;
use utoipa::ToSchema;

use super::assigning::RolesOf;
use super::previewing::{Difference, Preview};
use super::reading::KnownRole;
use super::requests::RoleReference;
use crate::access::Pattern;
use crate::http::Paging;
use crate::kernel::id::{MemberId, OrgId, UserId};
use crate::kernel::page::Slice;
use crate::kernel::time::Timestamp;
use crate::rbac::{CustomRole, Scope};

/// Who has defined a role.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RoleOrigin)]
enum Origin {
    /// The product: the same in every organisation, and never changed.
    BuiltIn,
    /// The app, for all its organisations.
    App,
    /// The organisation, for itself.
    Organization,
}

/// A role that members of organisations can have.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DefinedRole)]
pub(super) struct RoleView {
    /// Of a built-in role, its name.
    #[schema(value_type = RoleReference)]
    id: String,
    scope: Origin,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    org_id: Option<OrgId>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<String>,
    /// Whose permissions it has as well: the name of a built-in role, or an identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parent_id: Option<String>,
    /// What it grants itself.
    permissions: Vec<Pattern>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    created_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    updated_at: Option<Timestamp>,
    /// With `dry_run=true`: what the change would mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    impact: Option<Impact>,
}

/// What a change of a role would mean. Nothing has changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoleImpact)]
struct Impact {
    /// Members whose rights would be others; 100 at most.
    members: Vec<MemberImpact>,
    /// How many members the role reaches, by itself, through a team or by inheritance; at most 500
    /// are looked at.
    examined: usize,
    /// Whether there are, or may be, members whom the role reaches beyond those looked at, or told.
    has_more: bool,
}

/// A member whose rights would be others.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoleMemberImpact)]
struct MemberImpact {
    org_id: OrgId,
    member_id: MemberId,
    user_id: UserId,
    /// As `resource:action`.
    gained: Vec<String>,
    /// As `resource:action`.
    lost: Vec<String>,
}

impl From<CustomRole> for RoleView {
    fn from(role: CustomRole) -> Self {
        Self {
            id: role.id.to_string(),
            scope: match role.scope {
                Scope::App => Origin::App,
                Scope::Organization => Origin::Organization,
            },
            org_id: role.org_id,
            name: role.name.to_string(),
            description: role.description.map(|it| it.to_string()),
            parent_id: role.parent_id.map(|it| it.to_string()),
            permissions: role.permissions,
            created_at: Some(role.created_at),
            updated_at: Some(role.updated_at),
            impact: None,
        }
    }
}

impl From<KnownRole> for RoleView {
    fn from(role: KnownRole) -> Self {
        match role {
            KnownRole::Custom(role) => role.into(),
            KnownRole::BuiltIn {
                role,
                parent,
                permissions,
            } => Self {
                id: role.as_str().to_owned(),
                scope: Origin::BuiltIn,
                org_id: None,
                name: role.as_str().to_owned(),
                description: Some(role.description().to_owned()),
                parent_id: parent.map(|it| it.to_string()),
                permissions,
                created_at: None,
                updated_at: None,
                impact: None,
            },
        }
    }
}

impl From<Preview> for RoleView {
    fn from(preview: Preview) -> Self {
        let members = preview.members.into_iter().map(MemberImpact::from);
        let impact = Impact {
            members: members.collect(),
            examined: preview.examined,
            has_more: preview.has_more,
        };
        Self {
            impact: Some(impact),
            ..preview.role.into()
        }
    }
}

impl From<Difference> for MemberImpact {
    fn from(it: Difference) -> Self {
        Self {
            org_id: it.org,
            member_id: it.member,
            user_id: it.user,
            gained: it.gained,
            lost: it.lost,
        }
    }
}

/// A page of roles: built-in ones first, then the others, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RolePage {
    roles: Vec<RoleView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
}

impl RolePage {
    pub(super) fn of(found: Slice<KnownRole>, paging: &Paging) -> Self {
        let next_cursor = paging.cursor(found.next.as_ref());
        Self {
            roles: found.items.into_iter().map(RoleView::from).collect(),
            has_more: next_cursor.is_some(),
            next_cursor,
        }
    }
}

/// The roles that a user has himself, without those of his teams.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserRoles)]
pub(super) struct UserRolesView {
    user_id: UserId,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    org_id: Option<OrgId>,
    /// What they are called.
    roles: Vec<String>,
}

impl From<RolesOf> for UserRolesView {
    fn from(known: RolesOf) -> Self {
        Self {
            user_id: known.whom.user,
            org_id: known.whom.org,
            roles: known.roles,
        }
    }
}
