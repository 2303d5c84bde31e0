//! Accepting: the claim, the membership, the places in teams and the events, in one unit of work.

use super::answering::{AnswerError, Which, of_addressee};
use super::repo;
use super::service::{Invitations, changed, may_place, teams_of};
use crate::access::{Invite, OrgRole, TeamRole};
use crate::events::{self, Name, Origin, Party};
use crate::kernel::id::{InvitationId, TeamId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::memberships::{self, Invitation, Member, NewMember, Standing, Team, TeamMember};
use crate::notifications;
use crate::orgs::KnownMember;
use crate::store::{StoreError, Tx};
use crate::teams::MOST_MEMBERS;
use crate::users::User;

/// Who has joined, and what his roles are called.
pub(super) struct Joined {
    pub member: Member,
    pub roles: Vec<String>,
}

impl Joined {
    fn of(self, user: User) -> KnownMember {
        KnownMember {
            member: self.member,
            roles: self.roles,
            user: Some(user),
        }
    }
}

impl Invitations {
    /// Accepts by the link of the letter, as the user who is signed in.
    pub(super) async fn accept(
        &self,
        token: &str,
        (named, user): (Option<Tenant>, UserId),
        origin: &Origin,
    ) -> Result<KnownMember, AnswerError> {
        let seen = self.by_token(token, named).await?;
        let seen = seen.ok_or(AnswerError::Unknown)?;
        let which = Which::Token(token);
        self.accept_seen((&seen, which), user, origin).await
    }

    /// Accepts an invitation to one's own address.
    pub(super) async fn accept_own(
        &self,
        (tenant, user): (Tenant, UserId),
        id: InvitationId,
        origin: &Origin,
    ) -> Result<KnownMember, AnswerError> {
        let mut once = self.accounts.store.once();
        let seen = repo::get(&mut once.within(tenant), id).await?;
        let seen = seen.ok_or(AnswerError::Unknown)?;
        self.accept_seen((&seen, Which::Own(id)), user, origin)
            .await
    }

    async fn accept_seen(
        &self,
        (seen, which): (&Invitation, Which<'_>),
        user: UserId,
        origin: &Origin,
    ) -> Result<KnownMember, AnswerError> {
        let _turn = self.accounts.turns.of(seen.org_id).await;
        let joined = self.accept_as((seen.tenant(), user), which, origin).await;
        if let Err(refused) = &joined {
            let known = (seen, Party::new("user", user));
            self.tell_refused(known, refused, origin).await?;
        }
        joined
    }

    async fn accept_as(
        &self,
        (tenant, user): (Tenant, UserId),
        which: Which<'_>,
        origin: &Origin,
    ) -> Result<KnownMember, AnswerError> {
        let (accounts, now) = (&self.accounts, self.accounts.clock.now());
        accounts
            .store
            .write(async |tx| {
                let mut scoped = tx.within(tenant);
                let (invitation, user) = of_addressee(&mut scoped, which, user, now).await?;
                let joined = self.join(tx, (&invitation, user.id), (now, origin)).await?;
                Ok(joined.of(user))
            })
            .await
    }

    /// Makes a user a member by an open invitation to him: of any number who accept it at once, one
    /// does. What was offered is judged by what the inviter is now.
    pub(super) async fn join(
        &self,
        tx: &mut Tx<'_>,
        (invitation, user): (&Invitation, UserId),
        (now, origin): (Timestamp, &Origin),
    ) -> Result<Joined, AnswerError> {
        let (tenant, org) = (invitation.tenant(), invitation.org_id);
        let mut scoped = tx.within(tenant);
        changed(&mut scoped, org, now).await?;
        let claimed = repo::accept(&mut scoped, invitation, user, now).await?;
        claimed.ok_or(StoreError::Conflict)?;
        notifications::retract(&mut scoped, invitation.id).await?;
        // A team that is gone gives nothing; whoever is invited joins without it.
        let teams = teams_of(&mut scoped, (org, &invitation.team_ids)).await?;
        let inviter = invitation.inviter();
        let memberships = &self.accounts.memberships;
        let present = memberships.present(tx, (tenant, org), inviter, now).await?;
        let standing = present.ok_or(AnswerError::Void)?;
        let roles = still_offered(&standing, &invitation.roles, &teams)?;
        let new = NewMember {
            user,
            roles: invitation.roles.clone(),
            invited_by: inviter.user(),
        };
        let made = (now, &self.accounts.entropy);
        let mut scoped = tx.within(tenant);
        let member = memberships::join(&mut scoped, org, new, made).await?;
        for team in &teams {
            self.place(&mut scoped, &member, team.id, now).await?;
        }
        let joined = Joined { member, roles };
        self.tell_joined(&mut scoped, (invitation, &joined), (now, origin))
            .await?;
        Ok(joined)
    }

    async fn place(
        &self,
        tx: &mut Tx<'_, Tenant>,
        member: &Member,
        team: TeamId,
        now: Timestamp,
    ) -> Result<(), AnswerError> {
        if memberships::team_member_count(tx, team).await? >= MOST_MEMBERS {
            return Err(AnswerError::TeamFull);
        }
        let made = (now, &self.accounts.entropy);
        let place = TeamMember::new(member, (team, TeamRole::Member), made);
        Ok(memberships::add_team_member(tx, &place).await?)
    }

    /// Of the invitation, and of the membership that it has come to.
    async fn tell_joined(
        &self,
        tx: &mut Tx<'_, Tenant>,
        (invitation, joined): (&Invitation, &Joined),
        from: (Timestamp, &Origin),
    ) -> Result<(), AnswerError> {
        let user = Party::new("user", joined.member.user_id);
        let name = Name::InvitationAccepted;
        let accepted = self.event(name, (invitation, user.clone()), from);
        events::record(tx, &accepted).await?;
        let added = self
            .event(Name::MemberAdded, (invitation, user.clone()), from)
            .on(user)
            .with("roles", joined.roles.clone())
            .with("invitation", invitation.id.to_string());
        Ok(events::record(tx, &added).await?)
    }
}

/// What the roles are called, if they are there and whoever has offered them could do so now.
fn still_offered(
    standing: &Standing,
    roles: &[OrgRole],
    teams: &[Team],
) -> Result<Vec<String>, AnswerError> {
    let names: Option<Vec<String>> = roles.iter().map(|it| standing.policy.name(*it)).collect();
    let names = names.ok_or(AnswerError::Void)?;
    let may_offer = standing.allows::<Invite>()
        && standing.may_touch(roles).is_ok()
        && may_place(standing, teams).is_ok();
    if may_offer {
        return Ok(names);
    }
    Err(AnswerError::Void)
}
