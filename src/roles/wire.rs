//! What clients send and get of roles.

use std::str::FromStr;

use serde::Serialize;
use utoipa::openapi::{
    RefOr,
    schema::{ObjectBuilder, Schema, Type},
};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::assigning::{RolesOf, Whom};
use super::changing::NewRole;
use super::previewing::{Difference, Preview};
use super::reading::KnownRole;
use crate::access::{OrgRole, Pattern};
use crate::http::{Change, Fields, FromFields, Paging};
use crate::kernel::id::{MemberId, OrgId, UserId};
use crate::kernel::page::Slice;
use crate::kernel::text::{Label, Word};
use crate::kernel::time::Timestamp;
use crate::rbac::{CustomRole, RoleChanges, Scope};

/// How many permissions can be sent at once.
const MOST_SENT: usize = 100;

/// A role as a path names it: by identifier, or by name.
#[derive(Debug, Clone)]
pub(super) struct RoleReference(String);

/// A text that is neither.
#[derive(Debug, Clone, Copy)]
pub(super) struct NotAReference;

impl RoleReference {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoleReference {
    type Err = NotAReference;

    fn from_str(text: &str) -> Result<Self, NotAReference> {
        if (1..=64).contains(&text.len()) {
            return Ok(Self(text.to_owned()));
        }
        Err(NotAReference)
    }
}

impl PartialSchema for RoleReference {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(64))
            .description(Some("The identifier of a role, or its name."))
            .examples(["arol_01h2xcejqtf2nbrexx3vqjhp41"])
            .into()
    }
}

impl ToSchema for RoleReference {
    fn name() -> std::borrow::Cow<'static, str> {
        "RoleReference".into()
    }
}

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
#[schema(as = Role)]
pub(super) struct RoleView {
    /// Of a built-in role, its name.
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
    /// Whether there are members whom the role reaches beyond those looked at, or told.
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

/// What a role grants: an action on a resource, `*` for every one. The catalogue of the app has
/// something that it covers.
#[derive(Debug, Clone, ToSchema)]
#[schema(as = NewPermission)]
pub(super) struct PermissionBody {
    #[schema(example = "documents")]
    resource: String,
    #[schema(example = "read")]
    action: String,
}

impl FromFields for PermissionBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let resource = fields.required("resource", Pattern::side);
        let action = fields.required("action", Pattern::side);
        Some(Self {
            resource: resource?,
            action: action?,
        })
    }
}

impl From<PermissionBody> for Pattern {
    fn from(body: PermissionBody) -> Self {
        Self {
            resource: body.resource,
            action: body.action,
        }
    }
}

/// A role to define.
#[derive(Debug, ToSchema)]
#[schema(as = NewRole)]
pub(super) struct NewRoleBody {
    name: Word,
    #[schema(nullable = false)]
    description: Option<Label>,
    /// Whose permissions it has as well: the name of a built-in role, or the identifier of one that
    /// is defined for all organisations or in this one.
    #[schema(value_type = Option<String>, nullable = false)]
    parent_id: Option<OrgRole>,
    #[schema(nullable = false, max_items = 100)]
    permissions: Option<Vec<PermissionBody>>,
}

impl FromFields for NewRoleBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", Word::parse);
        let description = fields.optional("description", Label::parse);
        let parent_id = fields.optional("parent_id", str::parse::<OrgRole>);
        let permissions = fields.optional_objects("permissions", MOST_SENT);
        Some(Self {
            name: name?,
            description: description?,
            parent_id: parent_id?,
            permissions: permissions?,
        })
    }
}

impl From<NewRoleBody> for NewRole {
    fn from(body: NewRoleBody) -> Self {
        let permissions = body.permissions.unwrap_or_default().into_iter();
        Self {
            name: body.name,
            description: body.description,
            parent: body.parent_id,
            permissions: permissions.map(Pattern::from).collect(),
        }
    }
}

/// What is to become of a role. `null` takes away description or parent.
#[derive(Debug, ToSchema)]
pub(super) struct RolePatch {
    #[schema(nullable = false)]
    name: Option<Word>,
    #[schema(value_type = Option<String>)]
    description: Change<Label>,
    #[schema(value_type = Option<String>)]
    parent_id: Change<OrgRole>,
    /// All that it grants from then on.
    #[schema(nullable = false, max_items = 100)]
    permissions: Option<Vec<PermissionBody>>,
}

impl FromFields for RolePatch {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional("name", Word::parse);
        let description = fields.change("description", Label::parse);
        let parent_id = fields.change("parent_id", str::parse::<OrgRole>);
        let permissions = fields.optional_objects("permissions", MOST_SENT);
        Some(Self {
            name: name?,
            description: description?,
            parent_id: parent_id?,
            permissions: permissions?,
        })
    }
}

impl From<RolePatch> for RoleChanges {
    fn from(body: RolePatch) -> Self {
        let lines = |all: Vec<PermissionBody>| all.into_iter().map(Pattern::from).collect();
        Self {
            name: body.name,
            description: body.description,
            parent: body.parent_id,
            permissions: body.permissions.map(lines),
        }
    }
}

/// Whether a change is only thought through.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct DryRun {
    /// `true`: nothing changes, and the answer tells whose rights would.
    #[param(rename = "dry_run", value_type = Option<bool>)]
    pub is_dry: bool,
}

impl FromFields for DryRun {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let is_dry = fields.optional("dry_run", |text| {
            text.parse::<bool>().map_err(|_| "must be true or false")
        });
        Some(Self {
            is_dry: is_dry?.unwrap_or_default(),
        })
    }
}

/// Which role those have who had one that is deleted.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Deleting {
    /// Another role, by identifier or by name; never `owner`.
    #[param(value_type = Option<String>)]
    pub replacement: Option<RoleReference>,
}

impl FromFields for Deleting {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let replacement = fields.optional("replacement", |text| {
            text.parse::<RoleReference>()
                .map_err(|_| "must be 1 to 64 characters")
        });
        Some(Self {
            replacement: replacement?,
        })
    }
}

impl Deleting {
    pub(super) fn replacement(&self) -> Option<&str> {
        self.replacement.as_ref().map(RoleReference::as_str)
    }
}

/// Whose roles, and where.
#[derive(Debug, ToSchema)]
pub(super) struct RoleHolder {
    user_id: UserId,
    /// The organisation; absent: the app, whose roles are `USER` and `ADMIN`.
    #[schema(nullable = false)]
    org_id: Option<OrgId>,
}

impl FromFields for RoleHolder {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let user_id = fields.required("user_id", str::parse::<UserId>);
        let org_id = fields.optional("org_id", str::parse::<OrgId>);
        Some(Self {
            user_id: user_id?,
            org_id: org_id?,
        })
    }
}

impl From<RoleHolder> for Whom {
    fn from(body: RoleHolder) -> Self {
        Self {
            user: body.user_id,
            org: body.org_id,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<PermissionBody>();
        assert_documented::<NewRoleBody>();
        assert_documented::<RolePatch>();
        assert_documented::<RoleHolder>();
    }
}
