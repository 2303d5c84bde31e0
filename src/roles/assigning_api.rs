//! Roles of one user, given and taken one by one.

use actix_web::web::Data;
use actix_web::{get, post};
use utoipa::IntoParams;

use super::assigning::{Step, Whom};
use super::requests::{RoleHolder, RoleReference};
use super::service::Roles;
use super::wire::UserRolesView;
use crate::access::{AssignRoles, Permission, ReadMembers, ReadUser, UpdateMember};
use crate::http::{
    Answer, Body, Entering, Fields, FromFields, Ok200, PathId, ProblemKind, Query, Routing,
};
use crate::kernel::id::{OrgId, UserId};

pub(super) fn routes(config: &mut Routing) {
    config.service(assign).service(unassign).service(of_user);
}

/// Give a user a role
///
/// With `org_id`, a role of the organisation, to one of its members: built in, of the app, or its
/// own. Without it, `USER` or `ADMIN` of the app, which wants `users:assign_roles` there. Nobody
/// gives a role that amounts to more than he has. The user's older access tokens are refused.
#[utoipa::path(
    tag = "roles", operation_id = "roles.assign",
    params(("role" = RoleReference, Path, description = "The role")),
    request_body(
        content = RoleHolder,
        example = json!({
            "user_id": "ausr_01h2xcejqtf2nbrexx3vqjhp41", "org_id": "aorg_01h2xcejqtf2nbrexx3vqjhp41",
        }),
    ),
    responses((status = 200, description = "His roles there", body = UserRolesView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(UpdateMember::NAME)),
        ("x-problems" = json!([
            ProblemKind::UnknownRole, ProblemKind::RoleNotHeld, ProblemKind::LastAdmin,
            ProblemKind::LastOwner,
        ])),
    ),
)]
#[post("/v1/roles/{role}/assign")]
async fn assign(
    access: Entering<UpdateMember>,
    id: PathId<RoleReference>,
    whom: Body<RoleHolder>,
    roles: Data<Roles>,
) -> Answer<Ok200<UserRolesView>> {
    let (entrance, role) = (access.entrance(), id.into_inner());
    let who = (&entrance, access.also::<AssignRoles>());
    let given = roles
        .step(who, (role.as_str(), Step::Give), whom.into_inner().into())
        .await?;
    Ok(Ok200::new(given.into()))
}

/// Take a role from a user
///
/// As it is given. The last owner of an organisation and the last administrator of the app stay what
/// they are, and a member has one role at least.
#[utoipa::path(
    tag = "roles", operation_id = "roles.unassign",
    params(("role" = RoleReference, Path, description = "The role")),
    request_body(
        content = RoleHolder,
        example = json!({
            "user_id": "ausr_01h2xcejqtf2nbrexx3vqjhp41", "org_id": "aorg_01h2xcejqtf2nbrexx3vqjhp41",
        }),
    ),
    responses((status = 200, description = "His roles there", body = UserRolesView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(UpdateMember::NAME)),
        ("x-problems" = json!([
            ProblemKind::UnknownRole, ProblemKind::RoleNotHeld, ProblemKind::LastAdmin,
            ProblemKind::LastOwner, ProblemKind::LastRole,
        ])),
    ),
)]
#[post("/v1/roles/{role}/unassign")]
async fn unassign(
    access: Entering<UpdateMember>,
    id: PathId<RoleReference>,
    whom: Body<RoleHolder>,
    roles: Data<Roles>,
) -> Answer<Ok200<UserRolesView>> {
    let (entrance, role) = (access.entrance(), id.into_inner());
    let who = (&entrance, access.also::<AssignRoles>());
    let left = roles
        .step(who, (role.as_str(), Step::Take), whom.into_inner().into())
        .await?;
    Ok(Ok200::new(left.into()))
}

/// Where the roles are that are asked for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct RolesQuery {
    /// The organisation; absent: the app.
    org_id: Option<OrgId>,
}

impl FromFields for RolesQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let org_id = fields.optional("org_id", str::parse::<OrgId>);
        Some(Self { org_id: org_id? })
    }
}

/// Read the roles of a user
///
/// With `org_id`, those of a member, for whoever may see the members. Without it, one's own roles in
/// the app, or anybody's for those who may read users. Everybody else is unknown.
#[utoipa::path(
    tag = "roles", operation_id = "users.roles",
    params(("user" = UserId, Path, description = "The user"), RolesQuery),
    responses((status = 200, description = "His roles there", body = UserRolesView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadMembers::NAME))),
)]
#[get("/v1/users/{user}/roles")]
async fn of_user(
    access: Entering<ReadMembers>,
    id: PathId<UserId>,
    query: Query<RolesQuery>,
    roles: Data<Roles>,
) -> Answer<Ok200<UserRolesView>> {
    let whom = Whom {
        user: id.into_inner(),
        org: query.into_inner().org_id,
    };
    let who = (&access.entrance(), access.also::<ReadUser>());
    let known = roles.of_user(who, whom).await?;
    Ok(Ok200::new(known.into()))
}
