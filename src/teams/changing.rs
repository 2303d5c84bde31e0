//! Teams themselves: making, reading, changing and deleting them.

use super::service::{TeamError, Teams, granted};
use crate::access::{OrgRole, UpdateTeam};
use crate::events::{self, Name, Party};
use crate::http::{Change, Entrance};
use crate::kernel::id::{OrgId, TeamId};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Label, Slug};
use crate::memberships::{self, EnterError, Standing, TEAM_SLUG_TAKEN, Team, TeamChanges};
use crate::rbac;
use crate::settings::Key;
use crate::store::{StoreError, Stored, Tx};
use crate::tokens::Revocation;

/// What a team begins with.
#[derive(Debug, Clone)]
pub(super) struct NewTeam {
    pub name: Label,
    /// Absent: made of the name.
    pub slug: Option<Slug>,
    pub description: Option<Label>,
    /// Names or identifiers.
    pub roles: Vec<String>,
}

/// What is to become of a team.
#[derive(Debug, Clone)]
pub(super) struct WantedChanges {
    pub name: Option<Label>,
    pub slug: Option<Slug>,
    pub description: Change<Label>,
    /// Names or identifiers.
    pub roles: Option<Vec<String>>,
}

/// A team, with what its roles are called and how many are in it, where somebody has counted.
#[derive(Debug, Clone)]
pub(super) struct KnownTeam {
    pub team: Team,
    pub roles: Vec<String>,
    pub member_count: Option<u64>,
}

impl Teams {
    pub(super) async fn list(
        &self,
        entrance: &Entrance<'_>,
        org: OrgId,
        page: (Option<&Position>, Limit),
    ) -> Result<Slice<KnownTeam>, TeamError> {
        self.store
            .read(async |tx| {
                let mut tx = tx.within(entrance.caller.tenant);
                let standing = self.memberships.enter(&mut tx, entrance, org).await?;
                let found = memberships::teams(&mut tx, org, page).await?;
                let items = found.items.into_iter().map(|team| named(&standing, team));
                Ok(Slice {
                    items: items.collect(),
                    next: found.next,
                })
            })
            .await
    }

    pub(super) async fn get(
        &self,
        entrance: &Entrance<'_>,
        which: (OrgId, TeamId),
    ) -> Result<KnownTeam, TeamError> {
        self.store
            .read(async |tx| {
                let mut tx = tx.within(entrance.caller.tenant);
                let (standing, team) = self
                    .memberships
                    .enter_team(&mut tx, entrance, which)
                    .await?;
                Ok(counted(&mut tx, &standing, team).await?)
            })
            .await
    }

    /// Makes a team, with no member in it.
    pub(super) async fn create(
        &self,
        entrance: &Entrance<'_>,
        org: OrgId,
        new: &NewTeam,
    ) -> Result<KnownTeam, TeamError> {
        if let Some(slug) = &new.slug {
            return self.try_create(entrance, org, (new, slug)).await;
        }
        // A slug that nobody asked for may be another one.
        let mut made = Err(TeamError::SlugTaken);
        for slug in Slug::tries(Slug::from_name(new.name.as_str()), "team", &self.entropy) {
            made = self.try_create(entrance, org, (new, &slug)).await;
            if !matches!(made, Err(TeamError::SlugTaken)) {
                break;
            }
        }
        made
    }

    async fn try_create(
        &self,
        entrance: &Entrance<'_>,
        org: OrgId,
        new: (&NewTeam, &Slug),
    ) -> Result<KnownTeam, TeamError> {
        let environment = self.environments.of(entrance.caller.tenant).await?;
        let most = environment.chosen.number(Key::TeamsPerOrganization);
        self.store
            .write(async |tx| self.create_in(tx, entrance, (org, most.into()), new).await)
            .await
    }

    async fn create_in(
        &self,
        tx: &mut Tx<'_>,
        entrance: &Entrance<'_>,
        (org, most): (OrgId, u64),
        (new, slug): (&NewTeam, &Slug),
    ) -> Result<KnownTeam, TeamError> {
        let (now, tenant) = (self.clock.now(), entrance.caller.tenant);
        let mut tx = tx.within(tenant);
        let standing = self.memberships.enter(&mut tx, entrance, org).await?;
        let roles = granted(&standing, &new.roles)?;
        memberships::changed(&mut tx, org, now).await?;
        if memberships::team_count(&mut tx, org).await? >= most {
            return Err(TeamError::TooManyTeams);
        }
        let team = Team {
            id: TeamId::new(now, &self.entropy),
            app_id: tenant.app_id,
            env_id: tenant.env_id,
            org_id: org,
            name: new.name.clone(),
            slug: slug.clone(),
            description: new.description.clone(),
            roles,
            created_at: now,
            updated_at: now,
        };
        rbac::hold_templates(&mut tx, &team.roles).await?;
        memberships::insert_team(&mut tx, &team)
            .await
            .map_err(taken)?;
        let known = KnownTeam {
            member_count: Some(0),
            ..named(&standing, team)
        };
        let told = self
            .event(Name::TeamCreated, (entrance, org), now)
            .on(Party::new("team", known.team.id))
            .with("slug", slug.as_str())
            .with("roles", known.roles.clone());
        events::record(&mut tx, &told).await?;
        Ok(known)
    }

    /// Changes a team. Its members' older tokens are refused where it gives other roles from then on.
    pub(super) async fn update(
        &self,
        entrance: &Entrance<'_>,
        which: (OrgId, TeamId),
        wanted: &WantedChanges,
    ) -> Result<KnownTeam, TeamError> {
        let (known, revoked) = self
            .store
            .write(async |tx| self.update_in(tx, entrance, which, wanted).await)
            .await?;
        self.revocations.apply_all(&revoked);
        Ok(known)
    }

    async fn update_in(
        &self,
        tx: &mut Tx<'_>,
        entrance: &Entrance<'_>,
        which: (OrgId, TeamId),
        wanted: &WantedChanges,
    ) -> Result<(KnownTeam, Vec<Revocation>), TeamError> {
        let now = self.clock.now();
        let mut tx = tx.within(entrance.caller.tenant);
        let (standing, team) = self
            .memberships
            .enter_team(&mut tx, entrance, which)
            .await?;
        standing.may_touch(&team.roles)?;
        let changes = TeamChanges {
            name: wanted.name.clone(),
            slug: wanted.slug.clone(),
            description: wanted.description.clone(),
            roles: other_roles(&standing, &team, wanted.roles.as_deref())?,
        };
        let organization = memberships::changed(&mut tx, which.0, now).await?;
        rbac::hold_templates(&mut tx, changes.roles.as_deref().unwrap_or_default()).await?;
        let updated = memberships::update_team(&mut tx, &team, &changes, now).await;
        let updated = updated.map_err(taken)?.ok_or(StoreError::Conflict)?;
        let mut revoked = Vec::new();
        if changes.roles.is_some() {
            let older = (which.0, organization.version);
            revoked =
                memberships::revoke_team(&mut tx, team.id, older, (now, &self.entropy)).await?;
        }
        let known = counted(&mut tx, &standing, updated).await?;
        let told = self
            .event(Name::TeamUpdated, (entrance, which.0), now)
            .on(Party::new("team", team.id))
            .with("roles", known.roles.clone());
        events::record(&mut tx, &told).await?;
        Ok((known, revoked))
    }

    /// Deletes a team with every place in it; older tokens of its members are refused.
    pub(super) async fn delete(
        &self,
        entrance: &Entrance<'_>,
        which: (OrgId, TeamId),
    ) -> Result<(), TeamError> {
        let revoked = self
            .store
            .write(async |tx| self.delete_in(tx, entrance, which).await)
            .await?;
        self.revocations.apply_all(&revoked);
        Ok(())
    }

    async fn delete_in(
        &self,
        tx: &mut Tx<'_>,
        entrance: &Entrance<'_>,
        which: (OrgId, TeamId),
    ) -> Result<Vec<Revocation>, TeamError> {
        let now = self.clock.now();
        let mut tx = tx.within(entrance.caller.tenant);
        let (standing, team) = self
            .memberships
            .enter_team(&mut tx, entrance, which)
            .await?;
        standing.may_touch(&team.roles)?;
        let organization = memberships::changed(&mut tx, which.0, now).await?;
        let (older, made) = ((which.0, organization.version), (now, &self.entropy));
        let revoked = memberships::revoke_team(&mut tx, team.id, older, made).await?;
        let gone = memberships::remove_team(&mut tx, team.id).await?;
        gone.ok_or(StoreError::Conflict)?;
        let told = self
            .event(Name::TeamDeleted, (entrance, which.0), now)
            .on(Party::new("team", team.id))
            .with("slug", team.slug.as_str());
        events::record(&mut tx, &told).await?;
        Ok(revoked)
    }
}

/// The roles that a team is to give from now on, if they are others. A place in the team does not
/// suffice to say which.
fn other_roles(
    standing: &Standing,
    team: &Team,
    names: Option<&[String]>,
) -> Result<Option<Vec<OrgRole>>, TeamError> {
    let Some(names) = names else {
        return Ok(None);
    };
    if !standing.allows::<UpdateTeam>() {
        return Err(EnterError::Forbidden.into());
    }
    let roles = granted(standing, names)?;
    Ok(Some(roles).filter(|roles| *roles != team.roles))
}

fn named(standing: &Standing, team: Team) -> KnownTeam {
    KnownTeam {
        roles: standing.policy.names(&team.roles),
        team,
        member_count: None,
    }
}

async fn counted(tx: &mut Tx<'_, Tenant>, standing: &Standing, team: Team) -> Stored<KnownTeam> {
    let count = memberships::team_member_count(tx, team.id).await?;
    Ok(KnownTeam {
        member_count: Some(count),
        ..named(standing, team)
    })
}

fn taken(error: StoreError) -> TeamError {
    match error.duplicate() {
        Some(TEAM_SLUG_TAKEN) => TeamError::SlugTaken,
        Some(_) | None => TeamError::Store(error),
    }
}
