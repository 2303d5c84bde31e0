//! The roles of one organisation.

use actix_web::web::Data;
use actix_web::{delete, get, patch, post};

use super::changing::NewRole;
use super::ground::Visit;
use super::requests::{Deleting, DryRun, NewRoleBody, RolePatch, RoleReference};
use super::service::Roles;
use super::wire::{RolePage, RoleView};
use crate::access::{
    CreateOrganizationRole, DeleteOrganizationRole, Permission, ReadOrganizationRoles,
    UpdateOrganizationRole,
};
use crate::http::{
    Answer, Body, Created, Entering, NoContent, Ok200, Paging, PathId, PathIds, ProblemKind, Query,
    Routing,
};
use crate::kernel::id::OrgId;
use crate::rbac::RoleChanges;

pub(super) fn routes(config: &mut Routing) {
    config
        .service(list)
        .service(create)
        .service(read)
        .service(update)
        .service(remove);
}

/// List the roles of an organisation
///
/// All that its members can have: built-in ones, those of the app, and its own.
/// Oldest first.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.roles.list",
    params(("org" = OrgId, Path, description = "The organisation"),
        Paging),
    responses((status = 200, description = "A page of roles", body = RolePage)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadOrganizationRoles::NAME))),
)]
#[get("/v1/orgs/{org}/roles")]
async fn list(
    access: Entering<ReadOrganizationRoles>,
    org: PathId<OrgId>,
    paging: Query<Paging>,
    roles: Data<Roles>,
) -> Answer<Ok200<RolePage>> {
    let paging = paging.into_inner();
    let page = (paging.after.as_ref(), paging.limit);
    let visit = Visit::to_organization(access.entrance(), org.into_inner());
    let found = roles.list(&visit, page).await?;
    Ok(Ok200::new(RolePage::of(found, &paging)))
}

/// Define a role of an organisation
///
/// Nobody defines one that amounts to more than he has, what it inherits included. An organisation
/// has at most 100, with 2,000 permissions in all.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.roles.create",
    params(("org" = OrgId, Path, description = "The organisation")),
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
        ("x-permission" = json!(CreateOrganizationRole::NAME)),
        ("x-problems" = json!([
            ProblemKind::RoleReserved, ProblemKind::RoleNameTaken, ProblemKind::UnknownRole,
            ProblemKind::RoleCycle, ProblemKind::RoleTooDeep, ProblemKind::RoleNotHeld,
            ProblemKind::RoleLimit,
        ])),
    ),
)]
#[post("/v1/orgs/{org}/roles")]
async fn create(
    access: Entering<CreateOrganizationRole>,
    org: PathId<OrgId>,
    new: Body<NewRoleBody>,
    roles: Data<Roles>,
) -> Answer<Created<RoleView>> {
    let new = NewRole::from(new.into_inner());
    let visit = Visit::to_organization(access.entrance(), org.into_inner());
    let made = roles.create(&visit, &new).await?;
    Ok(Created::new(made.into()))
}

/// Read a role
///
/// By its identifier or its name; built-in ones too, and those of the app.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.roles.read",
    params(("org" = OrgId, Path, description = "The organisation"),
        ("role" = RoleReference, Path, description = "The role")),
    responses((status = 200, description = "The role", body = RoleView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadOrganizationRoles::NAME))),
)]
#[get("/v1/orgs/{org}/roles/{role}")]
async fn read(
    access: Entering<ReadOrganizationRoles>,
    ids: PathIds<(OrgId, RoleReference)>,
    roles: Data<Roles>,
) -> Answer<Ok200<RoleView>> {
    let (org, role) = ids.into_inner();
    let visit = Visit::to_organization(access.entrance(), org);
    let known = roles.get(&visit, role.as_str()).await?;
    Ok(Ok200::new(known.into()))
}

/// Change a role of an organisation
///
/// Nobody changes one that amounts to more than he has, before or after. Access tokens of members
/// whose rights change are refused; refreshing gives new ones. With `dry_run=true` nothing changes,
/// and the answer says whose rights would. Roles of the app and built-in ones are not changed here.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.roles.update",
    params(("org" = OrgId, Path, description = "The organisation"),
        ("role" = RoleReference, Path, description = "The role"), DryRun),
    request_body(
        content = RolePatch,
        example = json!({"permissions": [{"resource": "members", "action": "read"}]}),
    ),
    responses((status = 200, description = "The role, or what it would be", body = RoleView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(UpdateOrganizationRole::NAME)),
        ("x-problems" = json!([
            ProblemKind::RoleReserved, ProblemKind::RoleNameTaken, ProblemKind::UnknownRole,
            ProblemKind::RoleCycle, ProblemKind::RoleTooDeep, ProblemKind::RoleNotHeld,
            ProblemKind::RoleLimit, ProblemKind::RoleFixed,
        ])),
    ),
)]
#[patch("/v1/orgs/{org}/roles/{role}")]
async fn update(
    access: Entering<UpdateOrganizationRole>,
    ids: PathIds<(OrgId, RoleReference)>,
    dry: Query<DryRun>,
    wanted: Body<RolePatch>,
    roles: Data<Roles>,
) -> Answer<Ok200<RoleView>> {
    let changes = RoleChanges::from(wanted.into_inner());
    let (org, role) = ids.into_inner();
    let visit = Visit::to_organization(access.entrance(), org);
    if dry.into_inner().is_dry {
        let preview = roles.preview(&visit, role.as_str(), &changes).await?;
        return Ok(Ok200::new(preview.into()));
    }
    let role = roles.update(&visit, role.as_str(), &changes).await?;
    Ok(Ok200::new(role.into()))
}

/// Delete a role of an organisation
///
/// Members and teams that have it, and roles that inherit from it, have `replacement` instead from
/// then on, all at once; their access tokens are refused. Nobody deletes a role, or puts one in its
/// place, that amounts to more than he has.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.roles.delete",
    params(("org" = OrgId, Path, description = "The organisation"),
        ("role" = RoleReference, Path, description = "The role"), Deleting),
    responses((status = 204, description = "It is gone")),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(DeleteOrganizationRole::NAME)),
        ("x-problems" = json!([
            ProblemKind::UnknownRole, ProblemKind::RoleCycle, ProblemKind::RoleTooDeep,
            ProblemKind::RoleNotHeld, ProblemKind::RoleFixed, ProblemKind::RoleInUse,
            ProblemKind::TooManyHolders,
        ])),
    ),
)]
#[delete("/v1/orgs/{org}/roles/{role}")]
async fn remove(
    access: Entering<DeleteOrganizationRole>,
    ids: PathIds<(OrgId, RoleReference)>,
    how: Query<Deleting>,
    roles: Data<Roles>,
) -> Answer<NoContent> {
    let (org, role) = ids.into_inner();
    let visit = Visit::to_organization(access.entrance(), org);
    let how = how.into_inner();
    roles
        .delete(&visit, role.as_str(), how.replacement())
        .await?;
    Ok(NoContent)
}
