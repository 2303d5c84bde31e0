use actix_web::web::Data;
use actix_web::{delete, get, patch, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::service::Orgs;
use super::wire::{MemberView, Roles};
use crate::access::{AddMember, Permission, ReadMembers, RemoveMember, UpdateMember};
use crate::http::{
    Answer, Body, Created, Entering, Fields, FromFields, NoContent, Ok200, Paging, PathId, PathIds,
    ProblemKind, Query, Routing,
};
use crate::kernel::id::{MemberId, OrgId, UserId};

pub(super) fn routes(config: &mut Routing) {
    config
        .service(list)
        .service(add)
        .service(read)
        .service(change)
        .service(remove);
}

/// A page of members, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct MemberPage {
    members: Vec<MemberView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
}

/// List members
///
/// Newest first.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.members.list",
    params(("org" = OrgId, Path, description = "The organisation"), Paging),
    responses((status = 200, description = "A page of members", body = MemberPage)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadMembers::NAME))),
)]
#[get("/v1/orgs/{org}/members")]
async fn list(
    access: Entering<ReadMembers>,
    org: PathId<OrgId>,
    paging: Query<Paging>,
    orgs: Data<Orgs>,
) -> Answer<Ok200<MemberPage>> {
    let paging = paging.into_inner();
    let page = (paging.after.as_ref(), paging.limit);
    let found = orgs
        .members(&access.entrance(), org.into_inner(), page)
        .await?;
    let next_cursor = paging.cursor(found.next.as_ref());
    Ok(Ok200::new(MemberPage {
        members: found.items.into_iter().map(MemberView::from).collect(),
        has_more: next_cursor.is_some(),
        next_cursor,
    }))
}

/// A user of the app who becomes a member.
#[derive(Debug, ToSchema)]
struct NewMemberBody {
    user_id: UserId,
    /// The name or identifier of a role; `member` where neither this nor `roles` is given.
    #[schema(nullable = false)]
    role: Option<String>,
    /// Names or identifiers, at least one.
    #[schema(nullable = false, min_items = 1, max_items = 20)]
    roles: Option<Vec<String>>,
}

impl FromFields for NewMemberBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let user_id = fields.required("user_id", str::parse::<UserId>);
        let roles = Roles::if_any(fields);
        let (role, roles) = roles?.map_or((None, None), |it| (it.role, it.roles));
        Some(Self {
            user_id: user_id?,
            role,
            roles,
        })
    }
}

impl NewMemberBody {
    fn role_names(self) -> Vec<String> {
        let one = self.role.unwrap_or_else(|| "member".to_owned());
        self.roles.unwrap_or_else(|| vec![one])
    }
}

/// Add a member
///
/// A user of the app, at once and without asking him; invite people instead. Nobody gives a role that
/// amounts to more than he has.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.members.add",
    params(("org" = OrgId, Path, description = "The organisation")),
    request_body(
        content = NewMemberBody,
        example = json!({"user_id": "ausr_01h2xcejqtf2nbrexx3vqjhp41", "role": "member"}),
    ),
    responses((status = 201, description = "The member", body = MemberView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(AddMember::NAME)),
        ("x-problems" = json!([
            ProblemKind::UnknownRole, ProblemKind::RoleNotHeld, ProblemKind::AlreadyMember,
            ProblemKind::MemberInactive, ProblemKind::SeatLimit,
        ])),
    ),
)]
#[post("/v1/orgs/{org}/members")]
async fn add(
    access: Entering<AddMember>,
    org: PathId<OrgId>,
    new: Body<NewMemberBody>,
    orgs: Data<Orgs>,
) -> Answer<Created<MemberView>> {
    let new = new.into_inner();
    let (user, roles) = (new.user_id, new.role_names());
    let joined = orgs
        .add(&access.entrance(), org.into_inner(), (user, &roles))
        .await?;
    Ok(Created::new(joined.into()))
}

/// Read a member
///
/// With the roles he has there, and what others may know of the user.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.members.read",
    params(
        ("org" = OrgId, Path, description = "The organisation"),
        ("member" = MemberId, Path, description = "The member"),
    ),
    responses((status = 200, description = "The member", body = MemberView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadMembers::NAME))),
)]
#[get("/v1/orgs/{org}/members/{member}")]
async fn read(
    access: Entering<ReadMembers>,
    ids: PathIds<(OrgId, MemberId)>,
    orgs: Data<Orgs>,
) -> Answer<Ok200<MemberView>> {
    let member = orgs.member(&access.entrance(), ids.into_inner()).await?;
    Ok(Ok200::new(member.into()))
}

/// Change the roles of a member
///
/// He has exactly these from then on. Nobody gives or takes a role that amounts to more than he has,
/// and the last owner stays one. The member's access tokens for the organisation are refused;
/// refreshing gives new ones.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.members.update",
    params(
        ("org" = OrgId, Path, description = "The organisation"),
        ("member" = MemberId, Path, description = "The member"),
    ),
    request_body(content = Roles, example = json!({"roles": ["admin"]})),
    responses((status = 200, description = "The member", body = MemberView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(UpdateMember::NAME)),
        ("x-problems" = json!([
            ProblemKind::UnknownRole, ProblemKind::RoleNotHeld, ProblemKind::LastOwner,
        ])),
    ),
)]
#[patch("/v1/orgs/{org}/members/{member}")]
async fn change(
    access: Entering<UpdateMember>,
    ids: PathIds<(OrgId, MemberId)>,
    roles: Body<Roles>,
    orgs: Data<Orgs>,
) -> Answer<Ok200<MemberView>> {
    let (which, names) = (ids.into_inner(), roles.into_inner().names());
    let changed = orgs.change_roles(&access.entrance(), which, &names).await?;
    Ok(Ok200::new(changed.into()))
}

/// Remove a member
///
/// Nobody removes a member with a role that amounts to more than he has, his own or a team's, or a
/// place in a team that does, and the last owner stays. The member leaves all teams; his access
/// tokens for the organisation are refused.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.members.remove",
    params(
        ("org" = OrgId, Path, description = "The organisation"),
        ("member" = MemberId, Path, description = "The member"),
    ),
    responses((status = 204, description = "He is no member any more")),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(RemoveMember::NAME)),
        ("x-problems" = json!([ProblemKind::RoleNotHeld, ProblemKind::LastOwner])),
    ),
)]
#[delete("/v1/orgs/{org}/members/{member}")]
async fn remove(
    access: Entering<RemoveMember>,
    ids: PathIds<(OrgId, MemberId)>,
    orgs: Data<Orgs>,
) -> Answer<NoContent> {
    orgs.remove(&access.entrance(), ids.into_inner()).await?;
    Ok(NoContent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<NewMemberBody>();
        assert_documented::<Roles>();
    }
}
