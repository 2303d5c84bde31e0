//! The permissions of a role of the app, one by one.

use actix_web::web::Data;
use actix_web::{delete, get, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::ground::Visit;
use super::reading::KnownRole;
use super::requests::{PermissionBody, RoleReference};
use super::service::Roles;
use crate::access::{ManageRoles, Pattern, Permission, ReadRoles};
use crate::http::{
    Allowed, Answer, Body, Created, NoContent, Ok200, PathId, PathIds, ProblemKind, Routing,
};

pub(super) fn routes(config: &mut Routing) {
    config.service(list).service(grant).service(withdraw);
}

/// A permission of a role.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RolePermission)]
struct PermissionView {
    /// `resource:action`, as a path names it.
    #[schema(example = "documents:read")]
    id: String,
    resource: String,
    action: String,
}

impl From<Pattern> for PermissionView {
    fn from(line: Pattern) -> Self {
        Self {
            id: line.to_string(),
            resource: line.resource,
            action: line.action,
        }
    }
}

/// What a role grants itself: at most 100, in the order in which it was granted.
#[derive(Debug, Serialize, ToSchema)]
struct RolePermissions {
    permissions: Vec<PermissionView>,
    /// Always false: there are few.
    has_more: bool,
}

impl From<KnownRole> for RolePermissions {
    fn from(role: KnownRole) -> Self {
        let lines = match role {
            KnownRole::BuiltIn { permissions, .. } => permissions,
            KnownRole::Custom(role) => role.permissions,
        };
        Self {
            permissions: lines.into_iter().map(PermissionView::from).collect(),
            has_more: false,
        }
    }
}

/// List the permissions of a role
///
/// Those that it grants itself, without what it inherits.
#[utoipa::path(
    tag = "roles", operation_id = "roles.permissions.list",
    params(("role" = RoleReference, Path, description = "The role")),
    responses((status = 200, description = "Its permissions", body = RolePermissions)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadRoles::NAME))),
)]
#[get("/v1/roles/{role}/permissions")]
async fn list(
    access: Allowed<ReadRoles>,
    id: PathId<RoleReference>,
    roles: Data<Roles>,
) -> Answer<Ok200<RolePermissions>> {
    let visit = Visit::to_app(access.caller(), access.origin());
    let role = roles.get(&visit, id.into_inner().as_str()).await?;
    Ok(Ok200::new(role.into()))
}

/// Grant a permission to a role
///
/// In all organisations of the app, whose access tokens are refused; refreshing gives new ones. What
/// the role grants already stays as it is. A role has at most 100.
#[utoipa::path(
    tag = "roles", operation_id = "roles.permissions.grant",
    params(("role" = RoleReference, Path, description = "The role")),
    request_body(
        content = PermissionBody,
        example = json!({"resource": "members", "action": "*"}),
    ),
    responses((status = 201, description = "The permission", body = PermissionView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ManageRoles::NAME)),
        ("x-problems" = json!([
            ProblemKind::RoleFixed, ProblemKind::RoleNotHeld, ProblemKind::RoleLimit,
        ])),
    ),
)]
#[post("/v1/roles/{role}/permissions")]
async fn grant(
    access: Allowed<ManageRoles>,
    id: PathId<RoleReference>,
    new: Body<PermissionBody>,
    roles: Data<Roles>,
) -> Answer<Created<PermissionView>> {
    let visit = Visit::to_app(access.caller(), access.origin());
    let line = Pattern::from(new.into_inner());
    roles.grant(&visit, id.into_inner().as_str(), &line).await?;
    Ok(Created::new(line.into()))
}

/// Take a permission from a role
///
/// Named as the role grants it: `members:read`, or `members:*` for a role that grants every action.
/// Access tokens for any organisation of the app are refused.
#[utoipa::path(
    tag = "roles", operation_id = "roles.permissions.withdraw",
    params(
        ("role" = RoleReference, Path, description = "The role"),
        ("permission" = String, Path, description = "`resource:action`", example = "members:read"),
    ),
    responses((status = 204, description = "The role does not grant it any more")),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ManageRoles::NAME)),
        ("x-problems" = json!([ProblemKind::RoleFixed, ProblemKind::RoleNotHeld])),
    ),
)]
#[delete("/v1/roles/{role}/permissions/{permission}")]
async fn withdraw(
    access: Allowed<ManageRoles>,
    ids: PathIds<(RoleReference, Pattern)>,
    roles: Data<Roles>,
) -> Answer<NoContent> {
    let (role, line) = ids.into_inner();
    let visit = Visit::to_app(access.caller(), access.origin());
    roles.withdraw(&visit, role.as_str(), &line).await?;
    Ok(NoContent)
}
