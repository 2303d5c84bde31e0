//! Deleting an environment: at once for whoever uses it, and bit by bit in the store.
//!
//! ```text
//! one unit of work   the environment, what opens it, a revocation of every key that signs for it
//! a minute later     everything else that names it, in small units: what happened stays on record
//! ```
//!
//! The unit of work is small however much there is in the environment. The minute lets whoever has
//! not heard yet finish: what he signs is revoked, and what he writes is removed with the rest.

use std::time::Duration;

use super::removal::Removal;
use super::repo;
use super::service::{ChangeError, Environments, seen};
use crate::events::{self, Event, Name, Origin};
use crate::http::Caller;
use crate::jobs::{self, Schedule};
use crate::kernel::id::EnvId;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Schema, StoreError, Stored, Tx};
use crate::tokens::{Revocation, revoke_all_keys};

/// When what is left of deleted environments is removed.
pub const REMOVING: Schedule = Schedule {
    name: "environments",
    period: Duration::from_mins(1),
    term: jobs::TERM,
};

/// How long a node may take to hear that an environment is gone; far more than it does.
const SETTLED: Duration = Duration::from_mins(1);

impl Environments {
    pub(super) async fn delete(
        &self,
        caller: &Caller,
        id: EnvId,
        origin: &Origin,
    ) -> Result<(), ChangeError> {
        let now = self.clock.now();
        let revoked = self
            .store
            .write(async |tx| self.delete_in(tx, (caller, id), (now, origin)).await)
            .await?;
        self.revocations.apply_all(&revoked);
        self.keys.forget(caller.tenant);
        self.forget();
        Ok(())
    }

    async fn delete_in(
        &self,
        tx: &mut Tx<'_>,
        (caller, id): (&Caller, EnvId),
        (now, origin): (Timestamp, &Origin),
    ) -> Result<Vec<Revocation>, ChangeError> {
        let mut tx = tx.within(caller.tenant);
        seen(&mut tx, id).await?;
        let gone = repo::remove(&mut tx, id).await?;
        let gone = gone.ok_or(ChangeError::IsDefault)?;
        let default = repo::default_of(&mut tx).await?;
        let default = default.ok_or(StoreError::Conflict)?.tenant();
        for schema in self.holdings.credentials {
            remove_all(&mut tx, schema).await?;
        }
        tx.insert(&Removal::of(gone.tenant(), now)).await?;
        let told = self
            .event(Name::EnvironmentDeleted, (caller, id), (now, origin))
            .with("slug", gone.slug.as_str());
        // Nobody reads the record of an environment that is gone.
        let told = Event {
            env_id: default.env_id,
            ..told
        };
        events::record(&mut tx.within(default), &told).await?;
        Ok(revoke_all_keys(&mut tx, (now, &self.entropy)).await?)
    }

    /// Removes what is left of environments that were deleted a minute before `now` or earlier; the
    /// number of documents.
    pub async fn remove_rest(&self, now: Timestamp) -> Stored<u64> {
        let mut removed = 0;
        let mut once = self.store.once();
        let mut all = once.across_tenants("deleted environments of every app are cleared away");
        for due in repo::removals_due(&mut all, now.minus(SETTLED)).await? {
            removed += self.remove_rest_of(due.tenant()).await?;
            repo::removal_done(&mut self.store.once().within(due.app_id), &due).await?;
        }
        Ok(removed)
    }

    async fn remove_rest_of(&self, tenant: Tenant) -> Stored<u64> {
        let (mut removed, mut once) = (0, self.store.once());
        let left = self.holdings.all.iter();
        for schema in left.filter(|schema| schema.goes_with_environment()) {
            removed += remove_all(&mut once.within(tenant), schema).await?;
        }
        Ok(removed)
    }
}

/// Removes all that is in the environment of a kind, batch by batch; the number removed.
async fn remove_all(tx: &mut Tx<'_, Tenant>, schema: &Schema) -> Stored<u64> {
    let mut removed = 0;
    loop {
        match tx.remove_of_environment(schema, jobs::BATCH).await? {
            0 => return Ok(removed),
            some => removed += some,
        }
    }
}
