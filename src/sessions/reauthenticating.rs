//! Proving again that it is oneself, before what cannot be undone (OWASP ASVS 7.5.1).

use std::time::Duration;

use super::record::Session;
use super::repo;
use super::service::Sessions;
use crate::credentials::{self, Busy, Credential};
use crate::devices;
use crate::events::{self, Name, Origin, Party};
use crate::kernel::id::{SessionId, UserId};
use crate::kernel::password::Password;
use crate::kernel::tenant::Tenant;
use crate::limits::{LimitError, Subject};
use crate::store::StoreError;
use crate::users::{self, User};

/// How long ago somebody without a password may have signed in.
const RECENT: Duration = Duration::from_mins(10);

#[derive(Debug, thiserror::Error)]
pub enum ReauthError {
    #[error("another password")]
    Wrong,
    #[error("neither a password nor a sign-in of late")]
    Required,
    #[error(transparent)]
    Limit(#[from] LimitError),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A user who has proven again that it is he.
#[derive(Debug)]
pub struct Proven {
    pub user: User,
}

impl Proven {
    /// Whether the proof still stands for the user as he is now: a changed password and whatever
    /// ends every session make it void.
    pub fn holds_of(&self, user: &User) -> bool {
        let of = |user: &User| (user.id, user.rights_version, user.password_version);
        of(user) == of(&self.user)
    }
}

/// What there is to judge a proof by.
struct Known {
    user: User,
    session: Session,
    credential: Option<Credential>,
    /// As in a sign-in: strangers' guesses do not keep him from this.
    lane: Option<String>,
}

impl Sessions {
    /// The user, proven: by his password where he has one, else by a session that began within ten
    /// minutes. Wrong passwords count as in a sign-in. What is then done in a unit of its own asks
    /// there whether the proof [still holds](Proven::holds_of).
    pub async fn reauthenticate(
        &self,
        tenant: Tenant,
        (user, session): (UserId, SessionId),
        password: Option<Password>,
        origin: &Origin,
    ) -> Result<Proven, ReauthError> {
        let proven = match self.known(tenant, (user, session)).await? {
            Some(known) => self.prove(tenant, known, password, origin).await,
            None => Err(ReauthError::Required),
        };
        let reason = match &proven {
            Err(ReauthError::Wrong) => "invalid_credentials",
            Err(ReauthError::Required) => "reauth_required",
            Ok(_) | Err(ReauthError::Limit(_) | ReauthError::Busy(_) | ReauthError::Store(_)) => {
                return proven;
            }
        };
        let (now, who) = (self.clock.now(), Party::new("user", user));
        let name = Name::ReauthenticationDenied;
        let told = self
            .event(name, tenant, who.clone(), (now, origin))
            .denied()
            .on(who)
            .with("reason", reason);
        events::record(&mut self.store.once().within(tenant), &told).await?;
        proven
    }

    async fn known(
        &self,
        tenant: Tenant,
        (user, session): (UserId, SessionId),
    ) -> Result<Option<Known>, StoreError> {
        self.store
            .read(async |tx| {
                let mut tx = tx.within(tenant);
                let user = users::get(&mut tx, user).await?;
                let session = repo::get(&mut tx, session).await?;
                let Some((user, session)) = user.zip(session) else {
                    return Ok(None);
                };
                let credential = credentials::by_user(&mut tx, user.id).await?;
                let device = match session.device_id {
                    Some(device) => devices::get(&mut tx, user.id, device).await?,
                    None => None,
                };
                let changed = user.password_changed_at;
                let lane = device.and_then(|device| device.lane(changed).map(str::to_owned));
                Ok(Some(Known {
                    user,
                    session,
                    credential,
                    lane,
                }))
            })
            .await
    }

    async fn prove(
        &self,
        tenant: Tenant,
        known: Known,
        password: Option<Password>,
        origin: &Origin,
    ) -> Result<Proven, ReauthError> {
        let Known {
            user,
            session,
            credential,
            lane,
        } = known;
        let now = self.clock.now();
        // An access token may outlive both by the second that a revocation takes to be known here.
        if !session.is_live(now) || !user.may_sign_in(now) {
            return Err(ReauthError::Required);
        }
        let Some(known) = credential else {
            let is_recent = now.since(session.auth_time) < RECENT;
            let proven = is_recent.then_some(Proven { user });
            return proven.ok_or(ReauthError::Required);
        };
        let password = password.ok_or(ReauthError::Required)?;
        let subject = Subject::User(user.id);
        let attempt = self
            .lockouts
            .reserve(tenant, subject, lane.as_deref(), origin)
            .await?;
        let stored = Some(known.password_hash);
        match self.hasher.verify(tenant, password, stored).await {
            Ok(true) => {
                let mut once = self.store.once();
                attempt.succeeded(&mut once.within(tenant), now).await?;
                Ok(Proven { user })
            }
            Ok(false) => {
                attempt.failed().await?;
                Err(ReauthError::Wrong)
            }
            Err(busy) => {
                attempt.withdrawn().await?;
                Err(busy.into())
            }
        }
    }
}
