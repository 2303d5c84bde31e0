use super::ground::{Ground, Visit};
use crate::access::OrgRole;
use crate::events::{Event, Name, Party};
use crate::http::{Problem, ProblemKind};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::RoleId;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{Clock, Timestamp};
use crate::memberships::{self, EnterError, GrantError, LeaveError, Memberships};
use crate::rbac::{self, CustomRole, ROLE_NAME_TAKEN, TEMPLATE_NAME_TAKEN};
use crate::sessions::Sessions;
use crate::store::{Store, StoreError, Stored, Tx};
use crate::tokens::{Revocation, RevocationIndex, revoke_app_roles};
use crate::users::UserError;

/// How many roles an app, and how many an organisation, has at most.
pub(super) const MOST_ROLES: usize = 100;
/// How many permissions a role has at most, what it inherits aside.
pub(super) const MOST_PERMISSIONS: usize = 100;
/// How many permissions the roles of an app, or of an organisation, have in all: what a decision that
/// nobody has asked before is looked for in.
pub(super) const MOST_LINES: usize = 2_000;
/// How many roles that somebody has defined a chain of inheritance has at most.
pub(super) const MOST_DEEP: usize = 10;

/// The verbs on roles.
#[derive(Debug, Clone)]
pub struct Roles {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub revocations: RevocationIndex,
    pub memberships: Memberships,
    /// What is lent on roles of the app ends with them.
    pub accounts: Sessions,
}

#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    #[error(transparent)]
    Enter(#[from] EnterError),
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error(transparent)]
    Leave(#[from] LeaveError),
    #[error(transparent)]
    User(#[from] UserError),
    #[error("no such role, or none that the caller may know of")]
    Unknown,
    #[error("a role that is built in, or the app's, where an organisation's is meant")]
    Fixed,
    #[error("a name that is kept")]
    Reserved,
    #[error("another role of the app or organisation has the name")]
    NameTaken,
    #[error("a parent that is not there")]
    UnknownParent,
    #[error("a role that would inherit from itself")]
    Cycle,
    #[error("a chain of more roles than may inherit from one another")]
    TooDeep,
    /// Which of the permissions that were sent.
    #[error("a permission that the catalogue does not have")]
    UnknownPermission(usize),
    #[error("the one permission that was sent is not in the catalogue")]
    UnknownGrant,
    #[error("as many roles, or as many permissions, as there may be")]
    TooMany,
    #[error("members, teams or roles depend on it, and no replacement is named")]
    InUse,
    #[error("a replacement that is not there, or is the role itself")]
    UnknownReplacement,
    #[error("owners are made one by one")]
    OwnerReplacement,
    #[error("more depend on it than can be changed at once")]
    TooManyHolders,
    #[error("the only role that the member has")]
    LastRole,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A unit of work that has begun to change roles.
#[derive(Debug)]
pub(super) struct Begun {
    pub now: Timestamp,
    /// Of the organisation, or of all that the app's roles amount to.
    version: i64,
}

impl Roles {
    /// A unit of work. It runs again where another one makes the app's catalogue meanwhile.
    pub(super) async fn write<T>(
        &self,
        work: impl AsyncFn(&mut Tx<'_>) -> Result<T, RoleError>,
    ) -> Result<T, RoleError> {
        match self.store.write(&work).await {
            Err(RoleError::Store(StoreError::Duplicate(_))) => self.store.write(work).await,
            other => other,
        }
    }

    /// Begins to write among roles that are still there; every policy that follows is a new one.
    pub(super) async fn begin(
        &self,
        tx: &mut Tx<'_, Tenant>,
        ground: &Ground,
    ) -> Result<Begun, RoleError> {
        let now = self.clock.now();
        let made = (now, &self.entropy);
        let version = if let Some(org) = ground.org {
            let organization = memberships::own_roles_changed(tx, org, made).await?;
            organization.ok_or(EnterError::Unknown)?.version
        } else {
            let app = tx.scope().app_id;
            rbac::app_roles_changed(&mut tx.within(app), made)
                .await?
                .version
        };
        Ok(Begun { now, version })
    }

    /// Refuses the older tokens of everybody whom a role reaches, by itself or through those that
    /// inherit from it: of many, those of everybody in the organisation; of a template, those for any
    /// organisation of the app.
    pub(super) async fn revoke(
        &self,
        tx: &mut Tx<'_, Tenant>,
        (ground, role): (&Ground, RoleId),
        begun: &Begun,
    ) -> Stored<Vec<Revocation>> {
        let (now, below) = (begun.now, begun.version);
        let Some(org) = ground.org else {
            let all = revoke_app_roles(tx, below, now, &self.entropy).await?;
            return Ok(vec![all]);
        };
        let inheriting = ground.below(role).into_iter();
        let roles: Vec<OrgRole> = [role]
            .into_iter()
            .chain(inheriting)
            .map(OrgRole::Custom)
            .collect();
        memberships::revoke_reached(tx, &roles, (org, below), (now, &self.entropy)).await
    }

    pub(super) fn event(
        &self,
        name: Name,
        visit: &Visit<'_>,
        (role, now): (&CustomRole, Timestamp),
    ) -> Event {
        let (caller, made) = (visit.caller, (now, &self.entropy));
        Event::new(name, caller.tenant, caller.party(), visit.origin, made)
            .within(visit.org())
            .on(Party::new("role", role.id))
            .with("name", role.name.as_str())
    }
}

pub(super) fn taken(error: StoreError) -> RoleError {
    match error.duplicate() {
        Some(TEMPLATE_NAME_TAKEN | ROLE_NAME_TAKEN) => RoleError::NameTaken,
        Some(_) | None => RoleError::Store(error),
    }
}

impl From<RoleError> for Problem {
    fn from(error: RoleError) -> Self {
        let kind = match error {
            RoleError::Enter(error) => return error.into(),
            RoleError::Grant(error) => return error.into(),
            RoleError::Leave(error) => return error.into(),
            RoleError::User(error) => return error.into(),
            RoleError::Store(error) => return error.into(),
            RoleError::UnknownPermission(at) => {
                return unknown_permission(&format!("/permissions/{at}"));
            }
            RoleError::UnknownGrant => return unknown_permission("/resource"),
            RoleError::UnknownParent => {
                return Self::new(ProblemKind::UnknownRole).field(
                    "/parent_id",
                    "unknown_role",
                    "names no role that this one could inherit from",
                );
            }
            RoleError::UnknownReplacement => ProblemKind::UnknownRole,
            RoleError::OwnerReplacement => {
                return Self::new(ProblemKind::InvalidQuery)
                    .detail("`owner` replaces no role: make a member an owner");
            }
            RoleError::Unknown => ProblemKind::NotFound,
            RoleError::Fixed => ProblemKind::RoleFixed,
            RoleError::Reserved => ProblemKind::RoleReserved,
            RoleError::NameTaken => ProblemKind::RoleNameTaken,
            RoleError::Cycle => ProblemKind::RoleCycle,
            RoleError::TooDeep => ProblemKind::RoleTooDeep,
            RoleError::TooMany => ProblemKind::RoleLimit,
            RoleError::InUse => ProblemKind::RoleInUse,
            RoleError::TooManyHolders => ProblemKind::TooManyHolders,
            RoleError::LastRole => ProblemKind::LastRole,
        };
        kind.into()
    }
}

fn unknown_permission(pointer: &str) -> Problem {
    Problem::new(ProblemKind::InvalidBody).field(
        pointer,
        "unknown_permission",
        "grants nothing that the catalogue of the app has",
    )
}
