use super::repo;
use crate::access::TeamRole;
use crate::environments::{self, EnvironmentError};
use crate::events::{Event, Name, Origin, Party};
use crate::http::{Problem, ProblemKind};
use crate::kernel::id::{OrgId, TeamId};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;
use crate::limits::LimitError;
pub(super) use crate::memberships::changed;
use crate::memberships::{self, EnterError, GrantError, Invitation, Standing, Team};
use crate::sessions::Sessions;
use crate::store::{StoreError, Stored, Tx};
use crate::tokens::LinkTokens;
use crate::users::{self, User};

/// The verbs on invitations.
#[derive(Debug, Clone)]
pub struct Invitations {
    pub accounts: Sessions,
}

/// Why somebody does not invite, or does not change an invitation.
#[derive(Debug, thiserror::Error)]
pub(super) enum InviteError {
    #[error(transparent)]
    Enter(#[from] EnterError),
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error("an invitation to the address is pending")]
    AlreadyInvited,
    #[error("the address is a member's")]
    AlreadyMember,
    /// With what it is called.
    #[error("the invitation is over")]
    Over(ProblemKind),
    #[error("a role that it offers is gone")]
    Void,
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    #[error(transparent)]
    Limit(#[from] LimitError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An invitation, with what its roles are called.
#[derive(Debug, Clone)]
pub(super) struct KnownInvitation {
    pub invitation: Invitation,
    pub roles: Vec<String>,
}

impl Invitations {
    pub(super) fn now(&self) -> Timestamp {
        self.accounts.clock.now()
    }

    pub(super) fn event(
        &self,
        name: Name,
        (invitation, actor): (&Invitation, Party),
        (now, origin): (Timestamp, &Origin),
    ) -> Event {
        let told = self
            .accounts
            .event(name, invitation.tenant(), actor, (now, origin));
        told.within(invitation.org_id)
            .on(Party::new("invitation", invitation.id))
    }

    /// The invitation that a token names, whatever has become of it. `named` is the tenant that the
    /// request names, if any: another's is unknown there.
    pub(super) async fn by_token(
        &self,
        token: &str,
        named: Option<Tenant>,
    ) -> Stored<Option<Invitation>> {
        let mut once = self.accounts.store.once();
        let mut all = once.across_tenants("the token of an invitation names its tenant");
        let found = repo::by_token(&mut all, &LinkTokens::digest(token)).await?;
        let is_named = |it: &Invitation| named.is_none_or(|named| named == it.tenant());
        let Some(found) = found.filter(is_named) else {
            return Ok(None);
        };
        let is_removed = environments::is_removed(&mut all, found.tenant()).await?;
        Ok((!is_removed).then_some(found))
    }
}

/// Those of the teams of an invitation that are there.
pub(super) async fn teams_of(
    tx: &mut Tx<'_, Tenant>,
    (org, teams): (OrgId, &[TeamId]),
) -> Stored<Vec<Team>> {
    if teams.is_empty() {
        return Ok(Vec::new());
    }
    memberships::teams_by_id(tx, org, teams).await
}

/// Refuses to offer places in teams that amount to more than he has who offers them.
pub(super) fn may_place(standing: &Standing, teams: &[Team]) -> Result<(), GrantError> {
    for team in teams {
        standing.may_touch(&team.roles)?;
        standing.may_touch_places(team.id, &[TeamRole::Member])?;
    }
    Ok(())
}

/// An invitation with what its roles are called. One that is gone is left out.
pub(super) fn named(standing: &Standing, invitation: Invitation) -> KnownInvitation {
    KnownInvitation {
        roles: standing.policy.names(&invitation.roles),
        invitation,
    }
}

/// What an inviter is called; `None` for a backend, an operator, and who has no name or is gone.
pub(super) async fn inviter_name(
    tx: &mut Tx<'_, Tenant>,
    invitation: &Invitation,
) -> Stored<Option<String>> {
    let Some(user) = invitation.inviter().user() else {
        return Ok(None);
    };
    Ok(users::get(tx, user)
        .await?
        .and_then(|user| full_name(&user)))
}

fn full_name(user: &User) -> Option<String> {
    let parts = [&user.first_name, &user.last_name];
    let parts: Vec<&str> = parts.into_iter().flatten().map(Label::as_str).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

impl From<InviteError> for Problem {
    fn from(error: InviteError) -> Self {
        match error {
            InviteError::Enter(error) => error.into(),
            InviteError::Grant(error) => error.into(),
            InviteError::AlreadyInvited => ProblemKind::AlreadyInvited.into(),
            InviteError::AlreadyMember => ProblemKind::AlreadyMember.into(),
            InviteError::Over(kind) => kind.into(),
            InviteError::Void => ProblemKind::InvitationVoid.into(),
            InviteError::Environment(error) => error.into(),
            InviteError::Limit(error) => error.into(),
            InviteError::Store(error) => error.into(),
        }
    }
}
