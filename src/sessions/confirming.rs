//! Asking for the password again, before something that a stolen session must not do (ASVS 7.5.1).

use super::service::Sessions;
use crate::credentials::{self, Busy, Credential};
use crate::events::Origin;
use crate::kernel::id::UserId;
use crate::kernel::password::Password;
use crate::kernel::tenant::Tenant;
use crate::limits::{LimitError, Subject};
use crate::store::StoreError;
use crate::users::{self, User};

#[derive(Debug, thiserror::Error)]
pub enum Unconfirmed {
    #[error("another password, or none at all")]
    Wrong,
    #[error(transparent)]
    Limit(#[from] LimitError),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Sessions {
    /// The user and his credential, if `password` is his. Wrong ones count as in a sign-in.
    pub async fn confirm(
        &self,
        tenant: Tenant,
        user: UserId,
        password: Password,
        origin: &Origin,
    ) -> Result<(User, Credential), Unconfirmed> {
        let subject = Subject::User(user);
        let attempt = self.lockouts.reserve(tenant, subject, None, origin).await?;
        let judged = self.judge_again(tenant, user, password).await;
        match &judged {
            Ok(_) => {
                let mut once = self.store.once();
                let now = self.clock.now();
                attempt.succeeded(&mut once.within(tenant), now).await?;
            }
            Err(Unconfirmed::Wrong) => attempt.failed().await?,
            Err(Unconfirmed::Limit(_) | Unconfirmed::Busy(_) | Unconfirmed::Store(_)) => {
                attempt.withdrawn().await?;
            }
        }
        judged
    }

    async fn judge_again(
        &self,
        tenant: Tenant,
        user: UserId,
        password: Password,
    ) -> Result<(User, Credential), Unconfirmed> {
        let (user, credential) = self
            .store
            .read(async |tx| {
                let mut tx = tx.within(tenant);
                let found = users::get(&mut tx, user).await?;
                Ok::<_, StoreError>((found, credentials::by_user(&mut tx, user).await?))
            })
            .await?;
        let stored = credential.as_ref().map(|it| it.password_hash.clone());
        let right = self.hasher.verify(password, stored).await?;
        match (user, credential) {
            (Some(user), Some(credential)) if right => Ok((user, credential)),
            _ => Err(Unconfirmed::Wrong),
        }
    }
}
