//! Who is in a team, and as what.

use std::collections::HashMap;

use serde_json::json;

use super::service::{MOST_MEMBERS, TeamError, Teams};
use crate::access::TeamRole;
use crate::events::{self, Name, Party};
use crate::http::Entrance;
use crate::kernel::id::{MemberId, OrgId, TeamId, UserId};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::memberships::{
    self, ALREADY_IN_TEAM, EnterError, Organization, Standing, Team, TeamMember,
};
use crate::store::{StoreError, Stored, Tx};
use crate::tokens::{Revocation, revoke_member};
use crate::users::{self, User};

/// A place in a team, and whose it is.
#[derive(Debug, Clone)]
pub(super) struct KnownPlace {
    pub place: TeamMember,
    pub user: Option<User>,
}

impl Teams {
    pub(super) async fn members(
        &self,
        entrance: &Entrance<'_>,
        which: (OrgId, TeamId),
        page: (Option<&Position>, Limit),
    ) -> Result<Slice<KnownPlace>, TeamError> {
        self.store
            .read(async |tx| {
                let mut tx = tx.within(entrance.caller.tenant);
                let entered = self.memberships.enter_team(&mut tx, entrance, which);
                let (_, team) = entered.await?;
                let found = memberships::team_members(&mut tx, team.id, page).await?;
                Ok(Slice {
                    items: known(&mut tx, found.items).await?,
                    next: found.next,
                })
            })
            .await
    }

    /// Puts a member into a team: he has its roles from then on, and his older tokens are refused.
    /// Of any number of calls at once for the same member, one gives him a place.
    pub(super) async fn add(
        &self,
        entrance: &Entrance<'_>,
        which: (OrgId, TeamId),
        new: (MemberId, TeamRole),
    ) -> Result<KnownPlace, TeamError> {
        let (added, revoked) = self
            .store
            .write(async |tx| self.add_in(tx, entrance, which, new).await)
            .await?;
        self.revocations.apply(&revoked);
        Ok(added)
    }

    async fn add_in(
        &self,
        tx: &mut Tx<'_>,
        entrance: &Entrance<'_>,
        (org, team): (OrgId, TeamId),
        (id, role): (MemberId, TeamRole),
    ) -> Result<(KnownPlace, Revocation), TeamError> {
        let now = self.clock.now();
        let mut tx = tx.within(entrance.caller.tenant);
        let entered = self.memberships.enter_team(&mut tx, entrance, (org, team));
        let (standing, team) = entered.await?;
        standing.may_place(&team, &[role])?;
        let member = memberships::member(&mut tx, org, id).await?;
        let member = member.ok_or(EnterError::Unknown)?;
        let user = users::hold(&mut tx, member.user_id).await?;
        let user = user.ok_or(EnterError::Unknown)?;
        let organization = memberships::changed(&mut tx, org, now).await?;
        let is_in = memberships::team_member(&mut tx, team.id, id).await?;
        if is_in.is_some() {
            return Err(TeamError::AlreadyInTeam);
        }
        if memberships::team_member_count(&mut tx, team.id).await? >= MOST_MEMBERS {
            return Err(TeamError::Full);
        }
        let place = TeamMember::new(&member, (team.id, role), (now, &self.entropy));
        memberships::add_team_member(&mut tx, &place)
            .await
            .map_err(taken)?;
        let revoked = self.revoke(&mut tx, &organization, &place).await?;
        self.tell(&mut tx, Name::TeamMemberAdded, (entrance, &place), now)
            .await?;
        let user = Some(user);
        Ok((KnownPlace { place, user }, revoked))
    }

    /// Makes a member lead of a team, or lead no more. His tokens say nothing of it, and stay good.
    pub(super) async fn change_role(
        &self,
        entrance: &Entrance<'_>,
        which: (OrgId, TeamId, MemberId),
        role: TeamRole,
    ) -> Result<KnownPlace, TeamError> {
        let now = self.clock.now();
        self.store
            .write(async |tx| {
                let mut tx = tx.within(entrance.caller.tenant);
                let (standing, team, place) = self.whom(&mut tx, entrance, which).await?;
                if place.role == role {
                    return known_one(&mut tx, place).await;
                }
                standing.may_place(&team, &[place.role, role])?;
                memberships::changed(&mut tx, which.0, now).await?;
                let moved = memberships::move_team_member(&mut tx, &place, role, now).await?;
                let moved = moved.ok_or(StoreError::Conflict)?;
                self.tell(&mut tx, Name::TeamMemberChanged, (entrance, &moved), now)
                    .await?;
                known_one(&mut tx, moved).await
            })
            .await
    }

    /// Takes a member out of a team; his older tokens are refused.
    pub(super) async fn remove(
        &self,
        entrance: &Entrance<'_>,
        which: (OrgId, TeamId, MemberId),
    ) -> Result<(), TeamError> {
        let now = self.clock.now();
        let revoked = self
            .store
            .write(async |tx| {
                let mut tx = tx.within(entrance.caller.tenant);
                let (standing, team, place) = self.whom(&mut tx, entrance, which).await?;
                standing.may_place(&team, &[place.role])?;
                let organization = memberships::changed(&mut tx, which.0, now).await?;
                let gone = memberships::remove_team_member(&mut tx, &place).await?;
                let gone = gone.ok_or(StoreError::Conflict)?;
                let revoked = self.revoke(&mut tx, &organization, &gone).await?;
                self.tell(&mut tx, Name::TeamMemberRemoved, (entrance, &gone), now)
                    .await?;
                Ok::<_, TeamError>(revoked)
            })
            .await?;
        self.revocations.apply(&revoked);
        Ok(())
    }

    /// Refuses the older tokens of him whose place it is, in a unit of work that has changed the
    /// organisation.
    async fn revoke(
        &self,
        tx: &mut Tx<'_, Tenant>,
        organization: &Organization,
        place: &TeamMember,
    ) -> Stored<Revocation> {
        let (whose, below) = ((place.org_id, place.user_id), organization.version);
        let now = organization.updated_at;
        revoke_member(tx, whose, below, now, &self.entropy).await
    }

    async fn whom(
        &self,
        tx: &mut Tx<'_, Tenant>,
        entrance: &Entrance<'_>,
        (org, team, member): (OrgId, TeamId, MemberId),
    ) -> Result<(Standing, Team, TeamMember), TeamError> {
        let entered = self.memberships.enter_team(tx, entrance, (org, team));
        let (standing, team) = entered.await?;
        let place = memberships::team_member(tx, team.id, member).await?;
        Ok((standing, team, place.ok_or(EnterError::Unknown)?))
    }

    async fn tell(
        &self,
        tx: &mut Tx<'_, Tenant>,
        name: Name,
        (entrance, place): (&Entrance<'_>, &TeamMember),
        now: Timestamp,
    ) -> Stored<()> {
        let told = self
            .event(name, (entrance, place.org_id), now)
            .on(Party::new("user", place.user_id))
            .with("team", place.team_id.to_string())
            .with("role", json!(place.role));
        events::record(tx, &told).await
    }
}

async fn known_one(tx: &mut Tx<'_, Tenant>, place: TeamMember) -> Result<KnownPlace, TeamError> {
    let one = known(tx, vec![place]).await?.pop();
    Ok(one.ok_or(StoreError::Conflict)?)
}

/// Places with whose they are.
async fn known(tx: &mut Tx<'_, Tenant>, places: Vec<TeamMember>) -> Stored<Vec<KnownPlace>> {
    let ids = places.iter().map(|place| place.user_id);
    let users = users::by_ids(tx, ids).await?.into_iter();
    let mut users: HashMap<UserId, User> = users.map(|user| (user.id, user)).collect();
    let whole = |place: TeamMember| KnownPlace {
        user: users.remove(&place.user_id),
        place,
    };
    Ok(places.into_iter().map(whole).collect())
}

fn taken(error: StoreError) -> TeamError {
    match error.duplicate() {
        Some(ALREADY_IN_TEAM) => TeamError::AlreadyInTeam,
        Some(_) | None => TeamError::Store(error),
    }
}
