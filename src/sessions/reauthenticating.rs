//! Proving again that it is oneself, before what cannot be undone (OWASP ASVS 7.5.1).

use std::time::Duration;

use super::record::Session;
use super::repo;
use super::service::Sessions;
use crate::credentials::{self, Busy, Credential};
use crate::events::{self, Name, Origin, Party};
use crate::kernel::id::{SessionId, UserId};
use crate::kernel::password::Password;
use crate::kernel::tenant::Tenant;
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
    Busy(#[from] Busy),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What there is to judge a proof by.
struct Known {
    user: User,
    session: Session,
    credential: Option<Credential>,
}

impl Sessions {
    /// The user, proven: by his password where he has one, else by a session that began within ten
    /// minutes. What is then done in a unit of its own holds the user it finds there against
    /// `rights_version` of this one, which every change of a password and every sign-out
    /// everywhere raises: a proof is no older than they are.
    pub async fn reauthenticate(
        &self,
        tenant: Tenant,
        (user, session): (UserId, SessionId),
        password: Option<Password>,
        origin: &Origin,
    ) -> Result<User, ReauthError> {
        let proven = match self.known(tenant, (user, session)).await? {
            Some(known) => self.prove(known, password).await,
            None => Err(ReauthError::Required),
        };
        let reason = match &proven {
            Err(ReauthError::Wrong) => "invalid_credentials",
            Err(ReauthError::Required) => "reauth_required",
            Ok(_) | Err(ReauthError::Busy(_) | ReauthError::Store(_)) => return proven,
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
                Ok(Some(Known {
                    user,
                    session,
                    credential,
                }))
            })
            .await
    }

    async fn prove(&self, known: Known, password: Option<Password>) -> Result<User, ReauthError> {
        let Known { user, session, .. } = known;
        let now = self.clock.now();
        // An access token may outlive both by the second that a revocation takes to be known here.
        if !session.is_live(now) || !user.may_sign_in(now) {
            return Err(ReauthError::Required);
        }
        let Some(credential) = known.credential else {
            let is_recent = now.since(session.auth_time) < RECENT;
            return is_recent.then_some(user).ok_or(ReauthError::Required);
        };
        let password = password.ok_or(ReauthError::Required)?;
        let stored = Some(credential.password_hash);
        let is_right = self.hasher.verify(password, stored).await?;
        is_right.then_some(user).ok_or(ReauthError::Wrong)
    }
}
