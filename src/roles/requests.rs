//! What clients send of roles.

use std::str::FromStr;

use utoipa::openapi::{
    RefOr,
    schema::{ObjectBuilder, Schema, Type},
};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::assigning::Whom;
use super::changing::NewRole;
use crate::access::{OrgRole, Pattern};
use crate::http::{Change, Fields, FromFields};
use crate::kernel::id::{OrgId, UserId};
use crate::kernel::text::{Label, Word};
use crate::rbac::RoleChanges;

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

/// What a role grants: an action on a resource, `*` for every one. The catalogue of the app has
/// something that it covers.
#[derive(Debug, Clone, ToSchema)]
#[schema(as = RoleGrant)]
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
