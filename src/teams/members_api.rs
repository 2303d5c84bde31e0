use actix_web::web::Data;
use actix_web::{delete, get, patch, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::service::Teams;
use super::wire::{TeamMemberView, place};
use crate::access::{
    AddTeamMember, Permission, ReadTeamMembers, RemoveTeamMember, TeamRole, UpdateTeamMember,
};
use crate::http::{
    Answer, Body, Created, Entering, Fields, FromFields, NoContent, Ok200, Paging, PathIds,
    ProblemKind, Query, Routing,
};
use crate::kernel::id::{MemberId, OrgId, TeamId};

pub(super) fn routes(config: &mut Routing) {
    config
        .service(list)
        .service(add)
        .service(change)
        .service(remove);
}

/// A page of the members of a team, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct TeamMemberPage {
    members: Vec<TeamMemberView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
}

/// List the members of a team
///
/// Newest first.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.teams.members.list",
    params(
        ("org" = OrgId, Path, description = "The organisation"),
        ("team" = TeamId, Path, description = "The team"),
        Paging,
    ),
    responses((status = 200, description = "A page of members", body = TeamMemberPage)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadTeamMembers::NAME))),
)]
#[get("/v1/orgs/{org}/teams/{team}/members")]
async fn list(
    access: Entering<ReadTeamMembers>,
    ids: PathIds<(OrgId, TeamId)>,
    paging: Query<Paging>,
    teams: Data<Teams>,
) -> Answer<Ok200<TeamMemberPage>> {
    let paging = paging.into_inner();
    let page = (paging.after.as_ref(), paging.limit);
    let found = teams
        .members(&access.entrance(), ids.into_inner(), page)
        .await?;
    let next_cursor = paging.cursor(found.next.as_ref());
    let members = found.items.into_iter().map(TeamMemberView::from);
    Ok(Ok200::new(TeamMemberPage {
        members: members.collect(),
        has_more: next_cursor.is_some(),
        next_cursor,
    }))
}

/// A member of the organisation who is put into a team.
#[derive(Debug, ToSchema)]
struct NewTeamMemberBody {
    member_id: MemberId,
    /// `member` where it is absent.
    #[schema(nullable = false)]
    role: Option<TeamRole>,
}

impl FromFields for NewTeamMemberBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let member_id = fields.required("member_id", str::parse::<MemberId>);
        let role = fields.optional("role", place);
        Some(Self {
            member_id: member_id?,
            role: role?,
        })
    }
}

/// Put a member into a team
///
/// He has its roles from then on; his access tokens for the organisation are refused, and refreshing
/// gives new ones. Nobody does so whom the roles of the team, or a lead's rights in it, are beyond. A
/// team has at most 1,000 members.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.teams.members.add",
    params(
        ("org" = OrgId, Path, description = "The organisation"),
        ("team" = TeamId, Path, description = "The team"),
    ),
    request_body(
        content = NewTeamMemberBody,
        example = json!({"member_id": "amem_01h2xcejqtf2nbrexx3vqjhp41", "role": "lead"}),
    ),
    responses((status = 201, description = "His place in the team", body = TeamMemberView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(AddTeamMember::NAME)),
        ("x-problems" = json!([
            ProblemKind::RoleNotHeld, ProblemKind::AlreadyInTeam, ProblemKind::TeamFull,
        ])),
    ),
)]
#[post("/v1/orgs/{org}/teams/{team}/members")]
async fn add(
    access: Entering<AddTeamMember>,
    ids: PathIds<(OrgId, TeamId)>,
    new: Body<NewTeamMemberBody>,
    teams: Data<Teams>,
) -> Answer<Created<TeamMemberView>> {
    let new = new.into_inner();
    let new = (new.member_id, new.role.unwrap_or(TeamRole::Member));
    let added = teams.add(&access.entrance(), ids.into_inner(), new).await?;
    Ok(Created::new(added.into()))
}

/// What a member is to be in a team.
#[derive(Debug, ToSchema)]
struct TeamMemberPatch {
    role: TeamRole,
}

impl FromFields for TeamMemberPatch {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let role = fields.required("role", place);
        Some(Self { role: role? })
    }
}

/// Change what a member is in a team
///
/// A lead changes the team and who is in it. Nobody makes one, or makes one a mere member again, whom
/// the roles of the team, or a lead's rights in it, are beyond.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.teams.members.update",
    params(
        ("org" = OrgId, Path, description = "The organisation"),
        ("team" = TeamId, Path, description = "The team"),
        ("member" = MemberId, Path, description = "The member"),
    ),
    request_body(content = TeamMemberPatch, example = json!({"role": "lead"})),
    responses((status = 200, description = "His place in the team", body = TeamMemberView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(UpdateTeamMember::NAME)),
        ("x-problems" = json!([ProblemKind::RoleNotHeld])),
    ),
)]
#[patch("/v1/orgs/{org}/teams/{team}/members/{member}")]
async fn change(
    access: Entering<UpdateTeamMember>,
    ids: PathIds<(OrgId, TeamId, MemberId)>,
    patch: Body<TeamMemberPatch>,
    teams: Data<Teams>,
) -> Answer<Ok200<TeamMemberView>> {
    let (which, role) = (ids.into_inner(), patch.into_inner().role);
    let changed = teams.change_role(&access.entrance(), which, role).await?;
    Ok(Ok200::new(changed.into()))
}

/// Take a member out of a team
///
/// He stays in the organisation, without the team's roles; his access tokens for it are refused.
/// Nobody does so whom the roles of the team, or a lead's rights in it, are beyond.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.teams.members.remove",
    params(
        ("org" = OrgId, Path, description = "The organisation"),
        ("team" = TeamId, Path, description = "The team"),
        ("member" = MemberId, Path, description = "The member"),
    ),
    responses((status = 204, description = "He is not in the team any more")),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(RemoveTeamMember::NAME)),
        ("x-problems" = json!([ProblemKind::RoleNotHeld])),
    ),
)]
#[delete("/v1/orgs/{org}/teams/{team}/members/{member}")]
async fn remove(
    access: Entering<RemoveTeamMember>,
    ids: PathIds<(OrgId, TeamId, MemberId)>,
    teams: Data<Teams>,
) -> Answer<NoContent> {
    teams.remove(&access.entrance(), ids.into_inner()).await?;
    Ok(NoContent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<NewTeamMemberBody>();
        assert_documented::<TeamMemberPatch>();
    }
}
