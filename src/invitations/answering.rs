//! Answering an invitation: who may, why not, and saying no.

use super::repo;
use super::service::{Invitations, changed};
use crate::events::{self, Name, Origin, Party};
use crate::forms::FormError;
use crate::http::{Problem, ProblemKind};
use crate::kernel::id::{InvitationId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::limits::LimitError;
use crate::links::LinkRefused;
use crate::memberships::{EnterError, Invitation, JoinError};
use crate::notifications;
use crate::sessions::{PasswordRefused, SignInError};
use crate::store::{StoreError, Stored, Tx};
use crate::tokens::{KeyError, LinkTokens};
use crate::users::{self, User};

/// Which invitation somebody answers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    /// The one in a letter that he has.
    Token(&'a str),
    /// One of those to his own address.
    Own(InvitationId),
}

/// Why an invitation is not answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum AnswerError {
    /// Forged, of another tenant, of a letter before the newest one, or gone with its organisation.
    #[error("no such invitation")]
    Unknown,
    /// With what it is called.
    #[error("the invitation is over")]
    Over(ProblemKind),
    #[error("it went to another address")]
    NotAddressee,
    #[error("the address that it went to has an account")]
    SignInRequired,
    #[error("the address of the account is not proven")]
    Unverified,
    #[error("a newcomer chooses a password")]
    NoPassword,
    #[error("whoever invited could not do so now, or a role is gone")]
    Void,
    #[error("a team of it is full")]
    TeamFull,
    /// Somebody else took the address at this moment.
    #[error("somebody else was faster")]
    Raced,
    #[error(transparent)]
    Form(#[from] FormError),
    #[error(transparent)]
    Join(#[from] JoinError),
    #[error(transparent)]
    Password(#[from] PasswordRefused),
    #[error(transparent)]
    SignIn(#[from] SignInError),
    #[error(transparent)]
    Limit(#[from] LimitError),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AnswerError {
    /// Why, as the event tells it; `None` for what is not about the invitation.
    fn reason(&self) -> Option<ProblemKind> {
        match self {
            Self::Over(kind) => Some(*kind),
            Self::NotAddressee => Some(ProblemKind::NotAddressee),
            Self::Unverified => Some(ProblemKind::EmailNotVerified),
            Self::Void => Some(ProblemKind::InvitationVoid),
            Self::TeamFull => Some(ProblemKind::TeamFull),
            Self::Join(JoinError::NoSeat) => Some(ProblemKind::SeatLimit),
            Self::Join(JoinError::AlreadyMember) => Some(ProblemKind::AlreadyMember),
            Self::Join(JoinError::Inactive) | Self::SignIn(SignInError::Disabled) => {
                Some(ProblemKind::AccountDisabled)
            }
            Self::Unknown
            | Self::SignInRequired
            | Self::NoPassword
            | Self::Form(_)
            | Self::Raced
            | Self::Join(JoinError::UnknownUser | JoinError::Gone | JoinError::Store(_))
            | Self::Password(_)
            | Self::SignIn(_)
            | Self::Limit(_)
            | Self::Keys(_)
            | Self::Store(_) => None,
        }
    }
}

impl Invitations {
    /// Says no by the link of the letter, signed in or not.
    pub(super) async fn decline(
        &self,
        token: &str,
        (named, user): (Option<Tenant>, Option<UserId>),
        origin: &Origin,
    ) -> Result<(), AnswerError> {
        let (accounts, now) = (&self.accounts, self.accounts.clock.now());
        let seen = self.by_token(token, named).await?;
        let seen = seen.ok_or(AnswerError::Unknown)?;
        let actor = user.map_or_else(Party::anonymous, |user| Party::new("user", user));
        accounts
            .store
            .write(async |tx| {
                let mut tx = tx.within(seen.tenant());
                let invitation = found(&mut tx, Which::Token(token)).await?;
                open(&invitation, now)?;
                let by = (actor.clone(), (now, origin));
                self.decline_in(&mut tx, &invitation, by).await
            })
            .await
    }

    /// Says no to an invitation to one's own address.
    pub(super) async fn decline_own(
        &self,
        (tenant, user): (Tenant, UserId),
        id: InvitationId,
        origin: &Origin,
    ) -> Result<(), AnswerError> {
        let (accounts, now) = (&self.accounts, self.accounts.clock.now());
        accounts
            .store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let which = Which::Own(id);
                let (invitation, _) = of_addressee(&mut tx, which, user, now).await?;
                let by = (Party::new("user", user), (now, origin));
                self.decline_in(&mut tx, &invitation, by).await
            })
            .await
    }

    async fn decline_in(
        &self,
        tx: &mut Tx<'_, Tenant>,
        invitation: &Invitation,
        (actor, from): (Party, (Timestamp, &Origin)),
    ) -> Result<(), AnswerError> {
        changed(tx, invitation.org_id, from.0).await?;
        let declined = repo::decline(tx, invitation, from.0).await?;
        let declined = declined.ok_or(StoreError::Conflict)?;
        notifications::retract(tx, declined.id).await?;
        let told = self.event(Name::InvitationDeclined, (&declined, actor), from);
        Ok(events::record(tx, &told).await?)
    }

    /// Tells of an invitation that is known and could not be accepted.
    pub(super) async fn tell_refused(
        &self,
        (invitation, actor): (&Invitation, Party),
        refused: &AnswerError,
        origin: &Origin,
    ) -> Stored<()> {
        let Some(reason) = refused.reason() else {
            return Ok(());
        };
        let from = (self.accounts.clock.now(), origin);
        let told = self
            .event(Name::InvitationAccepted, (invitation, actor), from)
            .denied()
            .with("reason", reason.slug());
        let mut once = self.accounts.store.once();
        events::record(&mut once.within(invitation.tenant()), &told).await
    }
}

/// The invitation that a user answers, if it is his and open. What has become of one is told to
/// who has its link, and to who has proven that it went to him.
pub(super) async fn of_addressee(
    tx: &mut Tx<'_, Tenant>,
    which: Which<'_>,
    user: UserId,
    now: Timestamp,
) -> Result<(Invitation, User), AnswerError> {
    let invitation = found(tx, which).await?;
    let user = users::get(tx, user).await?.ok_or(AnswerError::Unknown)?;
    let is_his = user.email == invitation.email;
    match which {
        Which::Token(_) => {
            open(&invitation, now)?;
            if !is_his {
                return Err(AnswerError::NotAddressee);
            }
            proven(&user)?;
        }
        Which::Own(_) => {
            if !is_his {
                return Err(AnswerError::Unknown);
            }
            proven(&user)?;
            open(&invitation, now)?;
        }
    }
    Ok((invitation, user))
}

/// Refuses an invitation that has ended, or whose term is over.
pub(super) fn open(invitation: &Invitation, now: Timestamp) -> Result<(), AnswerError> {
    match invitation.state(now).refusal() {
        Some(kind) => Err(AnswerError::Over(kind)),
        None => Ok(()),
    }
}

/// The invitation, as it is in this unit of work.
pub(super) async fn found(
    tx: &mut Tx<'_, Tenant>,
    which: Which<'_>,
) -> Result<Invitation, AnswerError> {
    let found = match which {
        Which::Token(token) => repo::by_token_within(tx, &LinkTokens::digest(token)).await?,
        Which::Own(id) => repo::get(tx, id).await?,
    };
    found.ok_or(AnswerError::Unknown)
}

/// A link can be forwarded, and anybody can sign up with any address: only both together count.
fn proven(user: &User) -> Result<(), AnswerError> {
    if user.email_verified {
        return Ok(());
    }
    Err(AnswerError::Unverified)
}

impl From<EnterError> for AnswerError {
    fn from(error: EnterError) -> Self {
        match error {
            EnterError::Unknown | EnterError::Forbidden => Self::Unknown,
            EnterError::Store(error) => error.into(),
        }
    }
}

impl From<LinkRefused> for AnswerError {
    fn from(error: LinkRefused) -> Self {
        match error {
            // The account is another one than a moment before.
            LinkRefused::Invalid | LinkRefused::Over => Self::Raced,
            LinkRefused::Store(error) => error.into(),
        }
    }
}

impl From<AnswerError> for Problem {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Unknown => ProblemKind::NotFound.into(),
            AnswerError::Over(kind) => kind.into(),
            AnswerError::NotAddressee => ProblemKind::NotAddressee.into(),
            AnswerError::SignInRequired => ProblemKind::SignInRequired.into(),
            AnswerError::Unverified => ProblemKind::EmailNotVerified.into(),
            AnswerError::NoPassword => Problem::new(ProblemKind::InvalidBody).field(
                "/password",
                "required",
                "is missing: whoever is new chooses one",
            ),
            AnswerError::Form(refused) => refused.into(),
            AnswerError::Void => ProblemKind::InvitationVoid.into(),
            AnswerError::TeamFull => ProblemKind::TeamFull.into(),
            AnswerError::Raced => ProblemKind::Busy.into(),
            AnswerError::Join(JoinError::Inactive) => ProblemKind::AccountDisabled.into(),
            AnswerError::Join(error) => error.into(),
            AnswerError::Password(refused) => refused.at("/password"),
            AnswerError::SignIn(error) => error.into(),
            AnswerError::Limit(error) => error.into(),
            AnswerError::Keys(error) => error.into(),
            AnswerError::Store(error) => error.into(),
        }
    }
}
