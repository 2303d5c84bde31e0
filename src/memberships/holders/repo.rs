use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::super::record::{Member, Team};
use super::super::repo::all_changed;
use super::super::teams::everybody_in;
use crate::access::OrgRole;
use crate::kernel::id::{MemberId, OrgId, TeamId};
use crate::kernel::time::Timestamp;
use crate::store::{Field, OfEnvironment, Query, Reaches, StoreError, Stored, Tx};

const ID: Field<Member, MemberId> = Field::at("_id");
const ORG_ID: Field<Member, OrgId> = Field::at("org_id");
const ROLES: Field<Member, Vec<OrgRole>> = Field::at("roles");
const UPDATED_AT: Field<Member, Timestamp> = Field::at("updated_at");

const TEAM_ID: Field<Team, TeamId> = Field::at("_id");
const TEAM_IN: Field<Team, OrgId> = Field::at("org_id");
const GIVEN: Field<Team, Vec<OrgRole>> = Field::at("roles");
const CHANGED_AT: Field<Team, Timestamp> = Field::at("updated_at");

/// How many documents one filter names.
const AT_ONCE: usize = 500;

/// Those who have a role themselves.
#[derive(Debug, Clone)]
pub struct Holders {
    pub members: Vec<Member>,
    pub teams: Vec<Team>,
}

/// Those whom roles reach.
#[derive(Debug, Clone)]
pub struct Reached {
    pub members: Vec<Member>,
    /// Whether there are, or may be, more than these.
    pub has_more: bool,
}

impl Holders {
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.teams.is_empty()
    }

    /// Members and teams together.
    pub fn count(&self) -> usize {
        self.members.len() + self.teams.len()
    }
}

/// Members and teams that have this role, of one organisation or of all within the scope; at most
/// `most` of each.
pub async fn holders<S>(
    tx: &mut Tx<'_, S>,
    org: Option<OrgId>,
    role: OrgRole,
    most: u32,
) -> Stored<Holders>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let mut members = ROLES.has(&role);
    let mut teams = GIVEN.has(&role);
    if let Some(org) = org {
        members = ORG_ID.eq(org) & members;
        teams = TEAM_IN.eq(org) & teams;
    }
    Ok(Holders {
        members: tx.find(Query::of(members).window(0, most)).await?,
        teams: tx.find(Query::of(teams).window(0, most)).await?,
    })
}

/// The members whom any of these roles reaches, by themselves or through a team: `most` at most, each
/// once. Of more teams than `most` that have one of them, not everybody is looked for.
pub async fn reached_by<S>(
    tx: &mut Tx<'_, S>,
    org: Option<OrgId>,
    roles: &[OrgRole],
    most: u32,
) -> Stored<Reached>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let (mut known, mut members) = (HashSet::new(), Vec::new());
    let (limit, one_more) = (most as usize, most + 1);
    let mut has_more = false;
    for role in roles {
        let found = holders(tx, org, *role, one_more).await?;
        // Whoever is in a team that was not found may be somebody else.
        has_more |= found.teams.len() > limit;
        let mut some = found.members;
        for team in found.teams {
            some.extend(members_in(tx, team.id, one_more).await?);
        }
        some.retain(|member| known.insert(member.id));
        members.extend(some);
        if members.len() > limit {
            has_more = true;
            break;
        }
    }
    members.truncate(limit);
    Ok(Reached { members, has_more })
}

async fn members_in<S>(tx: &mut Tx<'_, S>, team: TeamId, most: u32) -> Stored<Vec<Member>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let places = everybody_in(tx, team, most).await?;
    let mut members = Vec::new();
    for some in places.chunks(AT_ONCE) {
        let ids = some.iter().map(|place| place.member_id);
        members.extend(tx.find(Query::of(ID.one_of(ids))).await?);
    }
    Ok(members)
}

/// Gives everybody who has `from` the role `to` instead, whatever other roles he has, and notes the
/// change in each organisation. `to` makes no owners. [`StoreError::Conflict`] where one of them is
/// not as he was found.
pub async fn exchange_role<S>(
    tx: &mut Tx<'_, S>,
    holders: &Holders,
    roles: (OrgRole, OrgRole),
    now: Timestamp,
) -> Stored<()>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let of_members = holders.members.iter().map(|member| member.org_id);
    let of_teams = holders.teams.iter().map(|team| team.org_id);
    let orgs: BTreeSet<OrgId> = of_members.chain(of_teams).collect();
    let orgs: Vec<OrgId> = orgs.into_iter().collect();
    for some in orgs.chunks(AT_ONCE) {
        expect(all_changed(tx, some, now).await?, some.len())?;
    }
    let members = holders.members.iter().map(|it| (it.roles.clone(), it.id));
    for (had, ids) in alike(members) {
        let has = exchanged(&had, roles);
        for some in ids.chunks(AT_ONCE) {
            let update = ROLES.set(has.clone()).and(UPDATED_AT.set(now));
            let which = ID.one_of(some.iter().copied());
            expect(tx.update_many(which, update).await?, some.len())?;
        }
    }
    let teams = holders.teams.iter().map(|it| (it.roles.clone(), it.id));
    for (had, ids) in alike(teams) {
        let gives = exchanged(&had, roles);
        for some in ids.chunks(AT_ONCE) {
            let update = GIVEN.set(gives.clone()).and(CHANGED_AT.set(now));
            let which = TEAM_ID.one_of(some.iter().copied());
            expect(tx.update_many(which, update).await?, some.len())?;
        }
    }
    Ok(())
}

/// Those who have the same roles, together.
fn alike<T>(all: impl Iterator<Item = (Vec<OrgRole>, T)>) -> BTreeMap<Vec<OrgRole>, Vec<T>> {
    let mut alike: BTreeMap<Vec<OrgRole>, Vec<T>> = BTreeMap::new();
    for (roles, id) in all {
        alike.entry(roles).or_default().push(id);
    }
    alike
}

/// Each once, in their order, as all roles are kept.
fn exchanged(had: &[OrgRole], (from, to): (OrgRole, OrgRole)) -> Vec<OrgRole> {
    let others = had.iter().copied().filter(|role| *role != from);
    let has: BTreeSet<OrgRole> = others.chain([to]).collect();
    has.into_iter().collect()
}

fn expect(changed: u64, all: usize) -> Stored<()> {
    if changed == all as u64 {
        return Ok(());
    }
    Err(StoreError::Conflict)
}
