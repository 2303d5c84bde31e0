use crate::access::OrgRole;
use crate::environments::{EnvironmentError, Environments};
use crate::events::{Event, Name};
use crate::http::{Entrance, Problem, ProblemKind};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::OrgId;
use crate::kernel::time::{Clock, Timestamp};
use crate::memberships::{EnterError, GrantError, Memberships, Standing};
use crate::store::{Store, StoreError};
use crate::tokens::RevocationIndex;

/// How many members a team has at most.
pub const MOST_MEMBERS: u64 = 1_000;

/// The verbs on teams.
#[derive(Debug, Clone)]
pub struct Teams {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub revocations: RevocationIndex,
    pub memberships: Memberships,
    pub environments: Environments,
}

#[derive(Debug, thiserror::Error)]
pub enum TeamError {
    #[error(transparent)]
    Enter(#[from] EnterError),
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error("another team of the organisation has the slug")]
    SlugTaken,
    #[error("owners are made one by one, never by a team")]
    OwnerRole,
    #[error("the organisation has as many teams as it may have")]
    TooManyTeams,
    #[error("the team has as many members as it may have")]
    Full,
    #[error("the member is in the team")]
    AlreadyInTeam,
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Teams {
    pub(super) fn event(
        &self,
        name: Name,
        (entrance, org): (&Entrance<'_>, OrgId),
        now: Timestamp,
    ) -> Event {
        let (caller, made) = (entrance.caller, (now, &self.entropy));
        Event::new(name, caller.tenant, caller.party(), entrance.origin, made).within(org)
    }
}

/// The roles that a team is to give, all of which the caller holds.
pub(super) fn granted(standing: &Standing, names: &[String]) -> Result<Vec<OrgRole>, TeamError> {
    let roles = standing.meant(names)?;
    if roles.contains(&OrgRole::OWNER) {
        return Err(TeamError::OwnerRole);
    }
    standing.may_touch(&roles)?;
    Ok(roles)
}

impl From<TeamError> for Problem {
    fn from(error: TeamError) -> Self {
        match error {
            TeamError::Enter(error) => error.into(),
            TeamError::Grant(error) => error.into(),
            TeamError::SlugTaken => ProblemKind::SlugTaken.into(),
            TeamError::OwnerRole => Problem::new(ProblemKind::InvalidBody).field(
                "/roles",
                "owner_not_for_teams",
                "a team cannot make owners: make a member one",
            ),
            TeamError::TooManyTeams => ProblemKind::TeamLimit.into(),
            TeamError::Environment(error) => error.into(),
            TeamError::Full => ProblemKind::TeamFull.into(),
            TeamError::AlreadyInTeam => ProblemKind::AlreadyInTeam.into(),
            TeamError::Store(error) => error.into(),
        }
    }
}
