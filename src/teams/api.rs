use actix_web::web::Data;
use actix_web::{delete, get, patch, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::changing::{NewTeam, WantedChanges};
use super::members_api;
use super::service::Teams;
use super::wire::{self, TeamView};
use crate::access::{CreateTeam, DeleteTeam, Permission, ReadTeams, UpdateTeam};
use crate::http::{
    Answer, Body, Change, Created, Entering, Fields, FromFields, NoContent, Ok200, Paging, PathId,
    PathIds, ProblemKind, Query, Routing,
};
use crate::kernel::id::{OrgId, TeamId};
use crate::kernel::text::{Label, Slug};

pub fn routes(config: &mut Routing) {
    config
        .service(list)
        .service(create)
        .service(read)
        .service(update)
        .service(remove)
        .configure(members_api::routes);
}

/// A page of teams, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct TeamPage {
    teams: Vec<TeamView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
}

/// List teams
///
/// Newest first.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.teams.list",
    params(("org" = OrgId, Path, description = "The organisation"), Paging),
    responses((status = 200, description = "A page of teams", body = TeamPage)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadTeams::NAME))),
)]
#[get("/v1/orgs/{org}/teams")]
async fn list(
    access: Entering<ReadTeams>,
    org: PathId<OrgId>,
    paging: Query<Paging>,
    teams: Data<Teams>,
) -> Answer<Ok200<TeamPage>> {
    let paging = paging.into_inner();
    let page = (paging.after.as_ref(), paging.limit);
    let found = teams
        .list(&access.entrance(), org.into_inner(), page)
        .await?;
    let next_cursor = paging.cursor(found.next.as_ref());
    Ok(Ok200::new(TeamPage {
        teams: found.items.into_iter().map(TeamView::from).collect(),
        has_more: next_cursor.is_some(),
        next_cursor,
    }))
}

/// A team to make.
#[derive(Debug, ToSchema)]
struct NewTeamBody {
    name: Label,
    /// Absent: made of the name. No other team of the organisation has it.
    #[schema(nullable = false)]
    slug: Option<Slug>,
    #[schema(nullable = false)]
    description: Option<Label>,
    /// Names or identifiers of roles that its members are to have; never `owner`.
    #[schema(nullable = false, max_items = 20)]
    roles: Option<Vec<String>>,
}

impl FromFields for NewTeamBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", Label::parse);
        let slug = fields.optional("slug", Slug::parse);
        let description = fields.optional("description", Label::parse);
        let roles = wire::roles(fields);
        Some(Self {
            name: name?,
            slug: slug?,
            description: description?,
            roles: roles?,
        })
    }
}

impl From<NewTeamBody> for NewTeam {
    fn from(body: NewTeamBody) -> Self {
        Self {
            name: body.name,
            slug: body.slug,
            description: body.description,
            roles: body.roles.unwrap_or_default(),
        }
    }
}

/// Make a team
///
/// With nobody in it. Nobody gives a team a role that amounts to more than he has. An organisation
/// has as many teams as the setting `teams_per_organization` allows, 500 by default.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.teams.create",
    params(("org" = OrgId, Path, description = "The organisation")),
    request_body(
        content = NewTeamBody,
        example = json!({"name": "Design", "slug": "design", "roles": ["member"]}),
    ),
    responses((status = 201, description = "The team", body = TeamView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(CreateTeam::NAME)),
        ("x-problems" = json!([
            ProblemKind::UnknownRole, ProblemKind::RoleNotHeld, ProblemKind::SlugTaken,
            ProblemKind::TeamLimit,
        ])),
    ),
)]
#[post("/v1/orgs/{org}/teams")]
async fn create(
    access: Entering<CreateTeam>,
    org: PathId<OrgId>,
    new: Body<NewTeamBody>,
    teams: Data<Teams>,
) -> Answer<Created<TeamView>> {
    let new = NewTeam::from(new.into_inner());
    let made = teams
        .create(&access.entrance(), org.into_inner(), &new)
        .await?;
    Ok(Created::new(made.into()))
}

/// Read a team
///
/// Whoever is in a team reads it, whatever his roles are.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.teams.read",
    params(
        ("org" = OrgId, Path, description = "The organisation"),
        ("team" = TeamId, Path, description = "The team"),
    ),
    responses((status = 200, description = "The team", body = TeamView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadTeams::NAME))),
)]
#[get("/v1/orgs/{org}/teams/{team}")]
async fn read(
    access: Entering<ReadTeams>,
    ids: PathIds<(OrgId, TeamId)>,
    teams: Data<Teams>,
) -> Answer<Ok200<TeamView>> {
    let team = teams.get(&access.entrance(), ids.into_inner()).await?;
    Ok(Ok200::new(team.into()))
}

/// What is to become of a team. `null` takes away the description.
#[derive(Debug, ToSchema)]
struct TeamPatch {
    #[schema(nullable = false)]
    name: Option<Label>,
    #[schema(nullable = false)]
    slug: Option<Slug>,
    #[schema(value_type = Option<String>)]
    description: Change<Label>,
    /// Names or identifiers of the roles that its members have from then on; never `owner`.
    #[schema(nullable = false, max_items = 20)]
    roles: Option<Vec<String>>,
}

impl FromFields for TeamPatch {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional("name", Label::parse);
        let slug = fields.optional("slug", Slug::parse);
        let description = fields.change("description", Label::parse);
        let roles = wire::roles(fields);
        Some(Self {
            name: name?,
            slug: slug?,
            description: description?,
            roles: roles?,
        })
    }
}

impl From<TeamPatch> for WantedChanges {
    fn from(body: TeamPatch) -> Self {
        Self {
            name: body.name,
            slug: body.slug,
            description: body.description,
            roles: body.roles,
        }
    }
}

/// Change a team
///
/// A lead changes his own team, but not its roles. Nobody changes a team whose roles, before or
/// after, amount to more than he has. Where the roles change, its members' access tokens for the
/// organisation are refused; refreshing gives new ones.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.teams.update",
    params(
        ("org" = OrgId, Path, description = "The organisation"),
        ("team" = TeamId, Path, description = "The team"),
    ),
    request_body(content = TeamPatch, example = json!({"name": "Design", "roles": ["admin"]})),
    responses((status = 200, description = "The team", body = TeamView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(UpdateTeam::NAME)),
        ("x-problems" = json!([
            ProblemKind::UnknownRole, ProblemKind::RoleNotHeld, ProblemKind::SlugTaken,
        ])),
    ),
)]
#[patch("/v1/orgs/{org}/teams/{team}")]
async fn update(
    access: Entering<UpdateTeam>,
    ids: PathIds<(OrgId, TeamId)>,
    changes: Body<TeamPatch>,
    teams: Data<Teams>,
) -> Answer<Ok200<TeamView>> {
    let wanted = WantedChanges::from(changes.into_inner());
    let team = teams
        .update(&access.entrance(), ids.into_inner(), &wanted)
        .await?;
    Ok(Ok200::new(team.into()))
}

/// Delete a team
///
/// Its members stay in the organisation, without its roles; their access tokens for the organisation
/// are refused. Nobody deletes a team whose roles amount to more than he has.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.teams.delete",
    params(
        ("org" = OrgId, Path, description = "The organisation"),
        ("team" = TeamId, Path, description = "The team"),
    ),
    responses((status = 204, description = "It is gone")),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(DeleteTeam::NAME)),
        ("x-problems" = json!([ProblemKind::RoleNotHeld])),
    ),
)]
#[delete("/v1/orgs/{org}/teams/{team}")]
async fn remove(
    access: Entering<DeleteTeam>,
    ids: PathIds<(OrgId, TeamId)>,
    teams: Data<Teams>,
) -> Answer<NoContent> {
    teams.delete(&access.entrance(), ids.into_inner()).await?;
    Ok(NoContent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<NewTeamBody>();
        assert_documented::<TeamPatch>();
    }
}
