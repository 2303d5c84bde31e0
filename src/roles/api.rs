//! The roles of an app: templates for all its organisations.

use actix_web::web::Data;
use actix_web::{delete, get, patch, post};

use super::changing::NewRole;
use super::ground::Visit;
use super::requests::{Deleting, DryRun, NewRoleBody, RolePatch, RoleReference};
use super::service::Roles;
use super::wire::{RolePage, RoleView};
use super::{assigning_api, organization_api, permissions_api};
use crate::access::{ManageRoles, Permission, ReadRoles};
use crate::http::{
    Allowed, Answer, Body, Created, NoContent, Ok200, Paging, PathId, ProblemKind, Query, Routing,
};
use crate::rbac::RoleChanges;

pub fn routes(config: &mut Routing) {
    config
        .service(list)
        .service(create)
        .service(read)
        .service(update)
        .service(remove)
        .configure(permissions_api::routes)
        .configure(assigning_api::routes)
        .configure(organization_api::routes);
}

/// List the roles of the app
///
/// Built-in ones, and those that the app has defined for members of all its organisations.
/// Oldest first.
#[utoipa::path(
    tag = "roles", operation_id = "roles.list",
    params(Paging),
    responses((status = 200, description = "A page of roles", body = RolePage)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadRoles::NAME))),
)]
#[get("/v1/roles")]
async fn list(
    access: Allowed<ReadRoles>,
    paging: Query<Paging>,
    roles: Data<Roles>,
) -> Answer<Ok200<RolePage>> {
    let paging = paging.into_inner();
    let page = (paging.after.as_ref(), paging.limit);
    let visit = Visit::to_app(access.caller(), access.origin());
    let found = roles.list(&visit, page).await?;
    Ok(Ok200::new(RolePage::of(found, &paging)))
}

/// Define a role for all organisations
///
/// It amounts to the same in each of them, and changes in all at once. An app has at most 100, with 2,000
/// permissions in all.
#[utoipa::path(
    tag = "roles", operation_id = "roles.create",
    request_body(
        content = NewRoleBody,
        example = json!({
            "name": "billing", "parent_id": "viewer",
            "permissions": [{"resource": "organization", "action": "update"}],
        }),
    ),
    responses((status = 201, description = "The role", body = RoleView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ManageRoles::NAME)),
        ("x-problems" = json!([
            ProblemKind::RoleReserved, ProblemKind::RoleNameTaken, ProblemKind::UnknownRole,
            ProblemKind::RoleCycle, ProblemKind::RoleTooDeep, ProblemKind::RoleNotHeld,
            ProblemKind::RoleLimit,
        ])),
    ),
)]
#[post("/v1/roles")]
async fn create(
    access: Allowed<ManageRoles>,
    new: Body<NewRoleBody>,
    roles: Data<Roles>,
) -> Answer<Created<RoleView>> {
    let new = NewRole::from(new.into_inner());
    let visit = Visit::to_app(access.caller(), access.origin());
    let made = roles.create(&visit, &new).await?;
    Ok(Created::new(made.into()))
}

/// Read a role
///
/// By its identifier or its name; built-in ones too.
#[utoipa::path(
    tag = "roles", operation_id = "roles.read",
    params(("role" = RoleReference, Path, description = "The role")),
    responses((status = 200, description = "The role", body = RoleView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadRoles::NAME))),
)]
#[get("/v1/roles/{role}")]
async fn read(
    access: Allowed<ReadRoles>,
    id: PathId<RoleReference>,
    roles: Data<Roles>,
) -> Answer<Ok200<RoleView>> {
    let role = id.into_inner();
    let visit = Visit::to_app(access.caller(), access.origin());
    let known = roles.get(&visit, role.as_str()).await?;
    Ok(Ok200::new(known.into()))
}

/// Change a role of all organisations
///
/// Access tokens for any organisation of the app are refused; refreshing gives new ones. With
/// `dry_run=true` nothing changes, and the answer says whose rights would, in every organisation.
/// Built-in roles are not changed.
#[utoipa::path(
    tag = "roles", operation_id = "roles.update",
    params(("role" = RoleReference, Path, description = "The role"), DryRun),
    request_body(
        content = RolePatch,
        example = json!({"permissions": [{"resource": "members", "action": "read"}]}),
    ),
    responses((status = 200, description = "The role, or what it would be", body = RoleView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ManageRoles::NAME)),
        ("x-problems" = json!([
            ProblemKind::RoleReserved, ProblemKind::RoleNameTaken, ProblemKind::UnknownRole,
            ProblemKind::RoleCycle, ProblemKind::RoleTooDeep, ProblemKind::RoleNotHeld,
            ProblemKind::RoleLimit, ProblemKind::RoleFixed,
        ])),
    ),
)]
#[patch("/v1/roles/{role}")]
async fn update(
    access: Allowed<ManageRoles>,
    id: PathId<RoleReference>,
    dry: Query<DryRun>,
    wanted: Body<RolePatch>,
    roles: Data<Roles>,
) -> Answer<Ok200<RoleView>> {
    let changes = RoleChanges::from(wanted.into_inner());
    let role = id.into_inner();
    let visit = Visit::to_app(access.caller(), access.origin());
    if dry.into_inner().is_dry {
        let preview = roles.preview(&visit, role.as_str(), &changes).await?;
        return Ok(Ok200::new(preview.into()));
    }
    let role = roles.update(&visit, role.as_str(), &changes).await?;
    Ok(Ok200::new(role.into()))
}

/// Delete a role of all organisations
///
/// Members and teams of any organisation that have it, and roles that inherit from it, have
/// `replacement` instead from then on, all at once; access tokens for any organisation are refused.
#[utoipa::path(
    tag = "roles", operation_id = "roles.delete",
    params(("role" = RoleReference, Path, description = "The role"), Deleting),
    responses((status = 204, description = "It is gone")),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ManageRoles::NAME)),
        ("x-problems" = json!([
            ProblemKind::UnknownRole, ProblemKind::RoleCycle, ProblemKind::RoleTooDeep,
            ProblemKind::RoleNotHeld, ProblemKind::RoleFixed, ProblemKind::RoleInUse,
            ProblemKind::TooManyHolders,
        ])),
    ),
)]
#[delete("/v1/roles/{role}")]
async fn remove(
    access: Allowed<ManageRoles>,
    id: PathId<RoleReference>,
    how: Query<Deleting>,
    roles: Data<Roles>,
) -> Answer<NoContent> {
    let role = id.into_inner();
    let visit = Visit::to_app(access.caller(), access.origin());
    let how = how.into_inner();
    roles
        .delete(&visit, role.as_str(), how.replacement())
        .await?;
    Ok(NoContent)
}
