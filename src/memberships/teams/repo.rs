use super::super::record::{Team, TeamMember};
use crate::access::{OrgRole, TeamRole};
use crate::http::Change;
use crate::kernel::id::{AppId, MemberId, OrgId, TeamId, UserId};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Label, Slug};
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, OfEnvironment, Query, Reaches, Stored, Tx, by_id};

const ORG_ID: Field<Team, OrgId> = Field::at("org_id");
const NAME: Field<Team, Label> = Field::at("name");
const SLUG: Field<Team, Slug> = Field::at("slug");
const DESCRIPTION: Field<Team, Label> = Field::at("description");
const ROLES: Field<Team, Vec<OrgRole>> = Field::at("roles");
const CREATED_AT: Field<Team, Timestamp> = Field::at("created_at");
const UPDATED_AT: Field<Team, Timestamp> = Field::at("updated_at");

const IN_ORG: Field<TeamMember, OrgId> = Field::at("org_id");
const IN_TEAM: Field<TeamMember, TeamId> = Field::at("team_id");
const MEMBER_ID: Field<TeamMember, MemberId> = Field::at("member_id");
const USER_ID: Field<TeamMember, UserId> = Field::at("user_id");
const ROLE: Field<TeamMember, TeamRole> = Field::at("role");
const JOINED_AT: Field<TeamMember, Timestamp> = Field::at("created_at");
const CHANGED_AT: Field<TeamMember, Timestamp> = Field::at("updated_at");

/// What becomes of a team.
#[derive(Debug, Clone, Default)]
pub struct TeamChanges {
    pub name: Option<Label>,
    pub slug: Option<Slug>,
    pub description: Change<Label>,
    pub roles: Option<Vec<OrgRole>>,
}

/// A team of this organisation.
pub async fn team(tx: &mut Tx<'_, Tenant>, org: OrgId, id: TeamId) -> Stored<Option<Team>> {
    tx.find_one(by_id(id) & ORG_ID.eq(org)).await
}

/// Those of these teams that are of this organisation.
pub async fn teams_by_id(tx: &mut Tx<'_, Tenant>, org: OrgId, ids: &[TeamId]) -> Stored<Vec<Team>> {
    let wanted = Field::at("_id").one_of(ids.iter().copied()) & ORG_ID.eq(org);
    tx.find(Query::of(wanted)).await
}

/// One page of the teams of an organisation, newest first.
pub async fn teams(
    tx: &mut Tx<'_, Tenant>,
    org: OrgId,
    (after, limit): (Option<&Position>, Limit),
) -> Stored<Slice<Team>> {
    tx.page(ORG_ID.eq(org), CREATED_AT, after, limit).await
}

/// How many teams an organisation has.
pub async fn team_count(tx: &mut Tx<'_, Tenant>, org: OrgId) -> Stored<u64> {
    tx.count(ORG_ID.eq(org)).await
}

/// [`crate::memberships::TEAM_SLUG_TAKEN`] where another team of the organisation has the slug.
pub async fn insert_team(tx: &mut Tx<'_, Tenant>, team: &Team) -> Stored<()> {
    tx.insert(team).await
}

/// [`crate::memberships::TEAM_SLUG_TAKEN`] where another team of the organisation has the slug.
pub async fn update_team(
    tx: &mut Tx<'_, Tenant>,
    team: &Team,
    changes: &TeamChanges,
    now: Timestamp,
) -> Stored<Option<Team>> {
    let description = changes.description.applied_to(&team.description);
    let description = description.map_or_else(|| DESCRIPTION.unset(), |it| DESCRIPTION.set(it));
    let update = UPDATED_AT
        .set(now)
        .and(description)
        .and_if(changes.name.clone().map(|name| NAME.set(name)))
        .and_if(changes.slug.clone().map(|slug| SLUG.set(slug)))
        .and_if(changes.roles.clone().map(|roles| ROLES.set(roles)));
    tx.update_one(by_id(team.id), update).await
}

/// Removes a team and every place in it.
pub async fn remove_team(tx: &mut Tx<'_, Tenant>, team: TeamId) -> Stored<Option<Team>> {
    tx.delete_many(IN_TEAM.eq(team)).await?;
    tx.take_one(by_id(team)).await
}

/// [`crate::memberships::ALREADY_IN_TEAM`] where he has a place in it.
pub async fn add_team_member(tx: &mut Tx<'_, Tenant>, place: &TeamMember) -> Stored<()> {
    tx.insert(place).await
}

/// A member's place in a team.
pub async fn team_member(
    tx: &mut Tx<'_, Tenant>,
    team: TeamId,
    member: MemberId,
) -> Stored<Option<TeamMember>> {
    tx.find_one(IN_TEAM.eq(team) & MEMBER_ID.eq(member)).await
}

/// Makes a member something else in a team.
pub async fn move_team_member(
    tx: &mut Tx<'_, Tenant>,
    place: &TeamMember,
    role: TeamRole,
    now: Timestamp,
) -> Stored<Option<TeamMember>> {
    let update = ROLE.set(role).and(CHANGED_AT.set(now));
    tx.update_one(by_id(place.id), update).await
}

/// The place as it was; `None` where it is gone already.
pub async fn remove_team_member(
    tx: &mut Tx<'_, Tenant>,
    place: &TeamMember,
) -> Stored<Option<TeamMember>> {
    tx.take_one(by_id(place.id)).await
}

/// One page of the members of a team, newest first.
pub async fn team_members(
    tx: &mut Tx<'_, Tenant>,
    team: TeamId,
    (after, limit): (Option<&Position>, Limit),
) -> Stored<Slice<TeamMember>> {
    tx.page(IN_TEAM.eq(team), JOINED_AT, after, limit).await
}

/// How many members a team has.
pub async fn team_member_count(tx: &mut Tx<'_, Tenant>, team: TeamId) -> Stored<u64> {
    tx.count(IN_TEAM.eq(team)).await
}

/// The places in a team, `most` at most.
pub(in crate::memberships) async fn everybody_in<S>(
    tx: &mut Tx<'_, S>,
    team: TeamId,
    most: u32,
) -> Stored<Vec<TeamMember>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.find(Query::of(IN_TEAM.eq(team)).window(0, most)).await
}

/// A user's places in the teams of an organisation.
pub(in crate::memberships) async fn teams_of_member(
    tx: &mut Tx<'_, Tenant>,
    org: OrgId,
    user: UserId,
) -> Stored<Vec<TeamMember>> {
    tx.find(Query::of(of_member(org, user))).await
}

/// Every place of a user in the teams of his app, in every environment.
pub async fn all_teams_of(tx: &mut Tx<'_, AppId>, user: UserId) -> Stored<Vec<TeamMember>> {
    tx.find(Query::of(USER_ID.eq(user))).await
}

/// Takes a user out of every team of an organisation.
pub(in crate::memberships) async fn leave_teams<S>(
    tx: &mut Tx<'_, S>,
    org: OrgId,
    user: UserId,
) -> Stored<u64>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.delete_many(of_member(org, user)).await
}

fn of_member(org: OrgId, user: UserId) -> Filter<TeamMember> {
    IN_ORG.eq(org) & USER_ID.eq(user)
}
