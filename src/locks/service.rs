use crate::events::{self, Event, Name, Origin};
use crate::http::Caller;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::UserId;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Clock;
use crate::limits::{Lock, Lockouts};
use crate::store::{Store, StoreError};
use crate::users;

/// The locks of the users of an app.
#[derive(Debug, Clone)]
pub struct Locks {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub lockouts: Lockouts,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("no such user")]
    Unknown,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Locks {
    /// Wrong passwords in a row and the lock of a user, on devices that are not known as his.
    pub async fn of(&self, tenant: Tenant, id: UserId) -> Result<Lock, LockError> {
        self.store
            .read(async |tx| {
                let mut tx = tx.within(tenant);
                users::get(&mut tx, id).await?.ok_or(LockError::Unknown)?;
                Ok(self.lockouts.lock_of(&mut tx, tenant.app_id, id).await?)
            })
            .await
    }

    /// Lifts the locks of a user, on every device. Where there is nothing to lift, nothing happens.
    pub async fn lift(
        &self,
        caller: &Caller,
        id: UserId,
        origin: &Origin,
    ) -> Result<(), LockError> {
        let tenant = caller.tenant;
        let made = (self.clock.now(), &self.entropy);
        let told = Event::new(Name::UserUnlocked, tenant, caller.party(), origin, made);
        let told = told.on(events::Party::new("user", id));
        self.store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                users::get(&mut tx, id).await?.ok_or(LockError::Unknown)?;
                if self.lockouts.lift(&mut tx, tenant.app_id, id).await? {
                    events::record(&mut tx, &told).await?;
                }
                Ok(())
            })
            .await
    }
}
