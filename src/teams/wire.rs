//! What clients send and get of teams.

use serde::Serialize;
use utoipa::ToSchema;

use super::changing::KnownTeam;
use super::members::KnownPlace;
use crate::access::TeamRole;
use crate::http::Fields;
use crate::kernel::id::{MemberId, OrgId, TeamId, UserId};
use crate::kernel::text::{Label, Slug};
use crate::kernel::time::Timestamp;
use crate::orgs::MemberUser;

/// How many roles a team can give.
const MOST_ROLES: usize = 20;

/// A team as members of the organisation see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Team)]
pub(super) struct TeamView {
    id: TeamId,
    org_id: OrgId,
    name: Label,
    slug: Slug,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<Label>,
    /// What its members have beside their own; built-in ones first.
    roles: Vec<String>,
    /// How many are in it; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    member_count: Option<u64>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<KnownTeam> for TeamView {
    fn from(known: KnownTeam) -> Self {
        let team = known.team;
        Self {
            id: team.id,
            org_id: team.org_id,
            name: team.name,
            slug: team.slug,
            description: team.description,
            roles: known.roles,
            member_count: known.member_count,
            created_at: team.created_at,
            updated_at: team.updated_at,
        }
    }
}

/// A member's place in a team.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TeamMember)]
pub(super) struct TeamMemberView {
    team_id: TeamId,
    member_id: MemberId,
    user_id: UserId,
    role: TeamRole,
    joined_at: Timestamp,
    updated_at: Timestamp,
    /// Who he is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user: Option<MemberUser>,
}

impl From<KnownPlace> for TeamMemberView {
    fn from(known: KnownPlace) -> Self {
        let place = known.place;
        Self {
            team_id: place.team_id,
            member_id: place.member_id,
            user_id: place.user_id,
            role: place.role,
            joined_at: place.created_at,
            updated_at: place.updated_at,
            user: known.user.map(MemberUser::from),
        }
    }
}

/// Reads what a team is to give: names or identifiers of roles, of which there may be none.
#[expect(
    clippy::option_option,
    reason = "`None` is a fault, and none inside is nothing said"
)]
pub(super) fn roles(fields: &mut Fields) -> Option<Option<Vec<String>>> {
    let roles = fields.optional_list("roles", str::parse::<String>)?;
    if roles.as_ref().is_some_and(|it| it.len() > MOST_ROLES) {
        return fields.fault("roles", "invalid_roles", "must name at most 20 roles");
    }
    Some(roles)
}

/// Reads what a member is to be in a team.
pub(super) fn place(text: &str) -> Result<TeamRole, &'static str> {
    serde_json::from_value(text.into()).map_err(|_| "must be `lead` or `member`")
}
