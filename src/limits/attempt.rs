//! One try of a password, from before it is hashed to what became of it.

use super::lockout::{self, Step};
use super::lockouts::Lockouts;
use crate::kernel::id::AppId;
use crate::kernel::time::Timestamp;
use crate::store::{Stored, Tx};

/// A place that is taken for a try. It stays taken until it is settled by one of the verbs; what is
/// never settled, because the process ended, counts as a wrong password some minutes later.
#[must_use = "a try that is not settled counts as a wrong password"]
#[derive(Debug)]
pub struct Attempt {
    pub(super) lockouts: Lockouts,
    pub(super) id: String,
    pub(super) app_id: AppId,
    pub(super) place: Place,
}

/// Where the try came in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    InTheBudget,
    /// The one try after a lock; it has counted as wrong from its beginning.
    AfterALock {
        failed: i64,
        until: Timestamp,
    },
}

impl Attempt {
    /// The password was wrong.
    pub async fn failed(&self) -> Stored<()> {
        let now = self.lockouts.clock.now();
        let settings = &self.lockouts.settings;
        let Place::InTheBudget = self.place else {
            return self.step(lockout::give_back(&self.id, now)).await.map(drop);
        };
        // Either step fits, unless a right password elsewhere comes between the two.
        for _ in 0..2 {
            let is_done = self.step(lockout::fail(&self.id, settings, now)).await?
                || self
                    .step(lockout::fail_and_lock(&self.id, settings, now))
                    .await?;
            if is_done {
                break;
            }
        }
        Ok(())
    }

    /// The password was right: nothing is left of the wrong ones before. In the caller's unit of
    /// work, which may run more than once.
    pub async fn succeeded<S: Copy>(&self, tx: &mut Tx<'_, S>, now: Timestamp) -> Stored<()> {
        let mut tx = tx.within(self.app_id);
        if tx.take_one(lockout::is_last(&self.id)).await?.is_none() {
            let (others, right) = lockout::reset(&self.id, now);
            tx.update_one(others, right).await?;
        }
        Ok(())
    }

    /// The password was never judged.
    pub async fn withdrawn(&self) -> Stored<()> {
        let now = self.lockouts.clock.now();
        let step = match self.place {
            Place::InTheBudget => lockout::give_back(&self.id, now),
            Place::AfterALock { failed, until } => {
                lockout::withdraw_trial(&self.id, (failed, until), now)
            }
        };
        self.step(step).await.map(drop)
    }

    /// How many wrong passwords led to the lock that ran out before this try.
    pub fn failed_before(&self) -> Option<i64> {
        match self.place {
            Place::InTheBudget => None,
            Place::AfterALock { failed, .. } => Some(failed),
        }
    }

    async fn step(&self, (filter, update): Step) -> Stored<bool> {
        let mut once = self.lockouts.store.once();
        let mut tx = once.within(self.app_id);
        Ok(tx.update_one(filter, update).await?.is_some())
    }
}
