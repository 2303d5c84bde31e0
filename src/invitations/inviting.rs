//! Inviting: the offer and its letter, sending it anew, and taking it back.

use std::time::Duration;

use super::record::State;
use super::repo::{self, Renewal};
use super::service::{
    Invitations, InviteError, KnownInvitation, changed, inviter_name, may_place, named, teams_of,
};
use crate::access::OrgRole;
use crate::environments;
use crate::events::{self, Name};
use crate::http::Entrance;
use crate::kernel::id::{InvitationId, OrgId, TeamId, UserId};
use crate::kernel::language::Language;
use crate::kernel::secret::ExposeSecret;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Email, Reason};
use crate::kernel::time::Timestamp;
use crate::limits::Rule;
use crate::memberships::{
    self, ALREADY_INVITED, EnterError, Invitation, InvitationStatus, Inviter, Standing,
};
use crate::notifications::{self, Invited, Letter, Message};
use crate::settings::Key;
use crate::store::{StoreError, Stored, Tx};
use crate::tokens::LinkTokens;
use crate::users;

/// Whom somebody wants to invite, and as what.
#[derive(Debug, Clone)]
pub(super) struct NewInvitation {
    pub email: Email,
    /// Names or identifiers.
    pub roles: Vec<String>,
    pub team_ids: Vec<TeamId>,
    pub message: Option<Reason>,
}

/// What one of several invitations has come to.
pub(super) type Outcome = (Email, Result<KnownInvitation, InviteError>);

/// When an invitation is sent, until when it is good, and in which language its letter is, if it goes
/// out: that of the environment, because nothing is known of its reader's.
#[derive(Debug, Clone, Copy)]
struct Sending {
    now: Timestamp,
    expires_at: Timestamp,
    letter: Option<Language>,
}

impl Invitations {
    /// Invites whoever holds an address. An address that is a user's and one that is nobody's are
    /// one answer; only that of a member is told, whom the inviter could see in the list.
    pub(super) async fn invite(
        &self,
        entrance: &Entrance<'_>,
        org: OrgId,
        new: &NewInvitation,
    ) -> Result<KnownInvitation, InviteError> {
        let (tenant, now) = (entrance.caller.tenant, self.accounts.clock.now());
        // What would be refused must not use up what may be sent.
        let looked = self.accounts.store.read(async |tx| {
            let mut tx = tx.within(tenant);
            self.offered(&mut tx, entrance, (org, new), now).await
        });
        looked.await?;
        let sending = self.sending(entrance, (org, &new.email), now).await?;
        let made = self
            .accounts
            .store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                self.invite_in(&mut tx, entrance, (org, new), sending).await
            })
            .await?;
        self.accounts.outbox.hurry();
        Ok(made)
    }

    /// Invites several, each for himself: what one is refused for hinders no other.
    pub(super) async fn invite_all(
        &self,
        entrance: &Entrance<'_>,
        org: OrgId,
        all: Vec<NewInvitation>,
    ) -> Result<Vec<Outcome>, InviteError> {
        let tenant = entrance.caller.tenant;
        let entering = self.accounts.store.read(async |tx| {
            let mut tx = tx.within(tenant);
            let memberships = &self.accounts.memberships;
            memberships.enter(&mut tx, entrance, org).await
        });
        entering.await?;
        let mut outcomes = Vec::new();
        for new in all {
            let outcome = self.invite(entrance, org, &new).await;
            outcomes.push((new.email, outcome));
        }
        Ok(outcomes)
    }

    /// Counts the invitation among those of its organisation, and says whether its letter may go
    /// out: nobody is answered otherwise where an address has had as many as strangers may cause.
    async fn sending(
        &self,
        entrance: &Entrance<'_>,
        (org, email): (OrgId, &Email),
        now: Timestamp,
    ) -> Result<Sending, InviteError> {
        let (tenant, origin) = (entrance.caller.tenant, entrance.origin);
        let (accounts, subject) = (&self.accounts, org.to_string());
        let limits = &accounts.limits;
        limits
            .admit(Rule::Invitations, tenant, &subject, origin)
            .await?;
        let chosen = accounts.environments.chosen_within(tenant, org).await?;
        let life = Duration::from_secs(chosen.number(Key::InvitationTtl).into());
        let writes = accounts.may_write_to(tenant, email, origin).await?;
        Ok(Sending {
            now,
            expires_at: now.plus(life),
            letter: writes.then(|| environments::language(&chosen)),
        })
    }

    /// Whether the caller may offer this now, and the roles that he means.
    async fn offered(
        &self,
        tx: &mut Tx<'_, Tenant>,
        entrance: &Entrance<'_>,
        (org, new): (OrgId, &NewInvitation),
        now: Timestamp,
    ) -> Result<(Standing, Vec<OrgRole>), InviteError> {
        let memberships = &self.accounts.memberships;
        let standing = memberships.enter(tx, entrance, org).await?;
        let roles = standing.meant(&new.roles)?;
        standing.may_touch(&roles)?;
        let teams = teams_of(tx, (org, &new.team_ids)).await?;
        if teams.len() != new.team_ids.len() {
            return Err(EnterError::Unknown.into());
        }
        may_place(&standing, &teams)?;
        let known = users::by_email(tx, &new.email).await?;
        // The look that follows for nobody too: an unknown address costs what a known one costs.
        let looked_at = || UserId::new(now, &self.accounts.entropy);
        let whose = known.map_or_else(looked_at, |user| user.id);
        if memberships::member_of(tx, org, whose).await?.is_some() {
            return Err(InviteError::AlreadyMember);
        }
        match repo::pending(tx, (org, &new.email), now).await? {
            Some(_) => Err(InviteError::AlreadyInvited),
            None => Ok((standing, roles)),
        }
    }

    async fn invite_in(
        &self,
        tx: &mut Tx<'_, Tenant>,
        entrance: &Entrance<'_>,
        (org, new): (OrgId, &NewInvitation),
        sending: Sending,
    ) -> Result<KnownInvitation, InviteError> {
        let now = sending.now;
        let (standing, roles) = self.offered(tx, entrance, (org, new), now).await?;
        changed(tx, org, now).await?;
        if let Some(lapsed) = repo::supersede(tx, (org, &new.email), now).await? {
            let name = Name::InvitationSuperseded;
            self.tell(tx, name, (entrance, &lapsed), now).await?;
        }
        let inviter = Inviter::of(entrance.caller);
        let invitation = self.made((tx.scope(), org), (new, roles), (inviter, sending));
        repo::insert(tx, &invitation).await.map_err(taken)?;
        let known = named(&standing, invitation);
        self.write(tx, &standing, &known, sending).await?;
        let name = Name::InvitationCreated;
        self.tell(tx, name, (entrance, &known.invitation), now)
            .await?;
        Ok(known)
    }

    fn made(
        &self,
        (tenant, org): (Tenant, OrgId),
        (new, roles): (&NewInvitation, Vec<OrgRole>),
        (inviter, sending): (Inviter, Sending),
    ) -> Invitation {
        let now = sending.now;
        let id = InvitationId::new(now, &self.accounts.entropy);
        Invitation {
            id,
            app_id: tenant.app_id,
            env_id: tenant.env_id,
            org_id: org,
            email: new.email.clone(),
            roles,
            team_ids: new.team_ids.clone(),
            inviter_id: inviter.id,
            authority: inviter.authority,
            message: new.message.clone(),
            status: InvitationStatus::Pending,
            token: self.digest(id, 1),
            generation: 1,
            expires_at: sending.expires_at,
            user_id: None,
            created_at: now,
            updated_at: now,
        }
    }

    fn digest(&self, id: InvitationId, generation: i64) -> String {
        let token = self.accounts.links.tokens.invitation(id, generation);
        LinkTokens::digest(token.expose_secret())
    }

    /// Gives an invitation another secret and another term, and writes again. Whoever sends it anew
    /// stands behind it from then on, so that he must hold what it offers; what offers a role that is
    /// gone could not be accepted, and is not sent.
    pub(super) async fn resend(
        &self,
        entrance: &Entrance<'_>,
        which: (OrgId, InvitationId),
    ) -> Result<KnownInvitation, InviteError> {
        let (tenant, now) = (entrance.caller.tenant, self.accounts.clock.now());
        let looked = self.accounts.store.read(async |tx| {
            let mut tx = tx.within(tenant);
            self.renewable(&mut tx, entrance, which, now).await
        });
        let (_, seen) = looked.await?;
        let sending = self.sending(entrance, (which.0, &seen.email), now).await?;
        let sent = self
            .accounts
            .store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                self.resend_in(&mut tx, entrance, which, sending).await
            })
            .await?;
        self.accounts.outbox.hurry();
        Ok(sent)
    }

    async fn renewable(
        &self,
        tx: &mut Tx<'_, Tenant>,
        entrance: &Entrance<'_>,
        which: (OrgId, InvitationId),
        now: Timestamp,
    ) -> Result<(Standing, Invitation), InviteError> {
        let (standing, invitation) = self.whom(tx, entrance, which).await?;
        let teams = teams_of(tx, (which.0, &invitation.team_ids)).await?;
        may_place(&standing, &teams)?;
        open_or_expired(&invitation, now)?;
        let is_there = |role: &OrgRole| standing.policy.name(*role).is_some();
        if !invitation.roles.iter().all(is_there) {
            return Err(InviteError::Void);
        }
        Ok((standing, invitation))
    }

    async fn resend_in(
        &self,
        tx: &mut Tx<'_, Tenant>,
        entrance: &Entrance<'_>,
        which: (OrgId, InvitationId),
        sending: Sending,
    ) -> Result<KnownInvitation, InviteError> {
        let now = sending.now;
        let (standing, seen) = self.renewable(tx, entrance, which, now).await?;
        changed(tx, which.0, now).await?;
        let renewal = Renewal {
            digest: self.digest(seen.id, seen.generation + 1),
            expires_at: sending.expires_at,
            inviter: Inviter::of(entrance.caller),
        };
        let renewed = repo::renew(tx, &seen, &renewal, now).await?;
        let known = named(&standing, renewed.ok_or(StoreError::Conflict)?);
        notifications::retract(tx, seen.id).await?;
        self.write(tx, &standing, &known, sending).await?;
        let name = Name::InvitationResent;
        self.tell(tx, name, (entrance, &known.invitation), now)
            .await?;
        Ok(known)
    }

    /// Takes an invitation back. Nobody takes back one whose roles amount to more than he has.
    pub(super) async fn revoke(
        &self,
        entrance: &Entrance<'_>,
        which: (OrgId, InvitationId),
    ) -> Result<(), InviteError> {
        let (tenant, now) = (entrance.caller.tenant, self.accounts.clock.now());
        self.accounts
            .store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let (_, seen) = self.whom(&mut tx, entrance, which).await?;
                open_or_expired(&seen, now)?;
                changed(&mut tx, which.0, now).await?;
                let revoked = repo::revoke(&mut tx, &seen, now).await?;
                let revoked = revoked.ok_or(StoreError::Conflict)?;
                notifications::retract(&mut tx, seen.id).await?;
                let name = Name::InvitationRevoked;
                Ok(self.tell(&mut tx, name, (entrance, &revoked), now).await?)
            })
            .await
    }

    async fn whom(
        &self,
        tx: &mut Tx<'_, Tenant>,
        entrance: &Entrance<'_>,
        (org, id): (OrgId, InvitationId),
    ) -> Result<(Standing, Invitation), InviteError> {
        let memberships = &self.accounts.memberships;
        let standing = memberships.enter(tx, entrance, org).await?;
        let found = repo::of_organization(tx, org, id).await?;
        let found = found.ok_or(EnterError::Unknown)?;
        standing.may_touch(&found.roles)?;
        Ok((standing, found))
    }

    /// Queues the letter. It concerns an address and nobody known, so that it says the same whether
    /// or not there is an account.
    async fn write(
        &self,
        tx: &mut Tx<'_, Tenant>,
        standing: &Standing,
        known: &KnownInvitation,
        sending: Sending,
    ) -> Stored<()> {
        let Some(language) = sending.letter else {
            return Ok(());
        };
        let (invitation, organization) = (&known.invitation, &standing.organization);
        let invited = Invited {
            invitation_id: invitation.id,
            generation: invitation.generation,
            org_id: invitation.org_id,
            organization: organization.name.to_string(),
            logo: organization.logo.clone(),
            inviter: inviter_name(tx, invitation).await?,
            roles: known.roles.clone(),
            message: invitation.message.as_ref().map(ToString::to_string),
            expires_at: invitation.expires_at,
        };
        let letter = Letter {
            user: None,
            to: invitation.email.clone(),
            language,
            message: Message::Invitation(invited),
        };
        self.accounts.outbox.enqueue(tx, letter, sending.now).await
    }

    async fn tell(
        &self,
        tx: &mut Tx<'_, Tenant>,
        name: Name,
        (entrance, invitation): (&Entrance<'_>, &Invitation),
        now: Timestamp,
    ) -> Stored<()> {
        let whose = (invitation, entrance.caller.party());
        let told = self.event(name, whose, (now, entrance.origin));
        let roles: Vec<String> = invitation.roles.iter().map(ToString::to_string).collect();
        events::record(tx, &told.with("roles", roles)).await
    }
}

/// Refuses one that has ended; one whose term is over has not.
fn open_or_expired(invitation: &Invitation, now: Timestamp) -> Result<(), InviteError> {
    let state = invitation.state(now);
    match state.refusal().filter(|_| state != State::Expired) {
        Some(kind) => Err(InviteError::Over(kind)),
        None => Ok(()),
    }
}

fn taken(error: StoreError) -> InviteError {
    match error.duplicate() {
        Some(ALREADY_INVITED) => InviteError::AlreadyInvited,
        Some(_) | None => InviteError::Store(error),
    }
}
