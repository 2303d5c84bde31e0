//! The end of an app: unknown at once, and removed bit by bit.

use std::time::Duration;

use super::service::{Tenancy, TenancyError};
use crate::api_keys;
use crate::apps;
use crate::environments::{self, Environment};
use crate::events::{self, Name, Origin};
use crate::http::Caller;
use crate::jobs::{BATCH, Schedule, TERM, by_batches};
use crate::kernel::id::AppId;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{StoreError, Stored, Tx};
use crate::tokens::{self, Revocation};

/// When apps that close are looked after.
pub const CLOSING: Schedule = Schedule {
    name: "app_closing",
    period: Duration::from_mins(1),
    term: TERM,
};

/// How long an app is looked after once it is closed: whatever was under way on another node, which
/// knew it for seconds more, has left what it leaves by then.
const LINGERS: Duration = Duration::from_mins(10);

impl Tenancy {
    /// Closes an app for good: it is unknown from here on, none of its keys and tokens is good, and
    /// what it owns is removed. What this node does not come to is removed by a job.
    pub(super) async fn close(
        &self,
        caller: &Caller,
        (id, confirmed): (AppId, &str),
        origin: &Origin,
    ) -> Result<(), TenancyError> {
        let now = self.accounts.clock.now();
        let (tenants, revoked) = self
            .store()
            .write(async |tx| {
                let closed = self.close_in(tx, (id, confirmed), now).await?;
                let told = self.event(Name::AppDeleted, caller, id, (now, origin));
                events::record(&mut tx.within(told.tenant()), &told).await?;
                Ok::<_, TenancyError>(closed)
            })
            .await?;
        self.accounts.apply(&revoked);
        self.environments().forget();
        for tenant in tenants {
            self.keys.forget(tenant);
        }
        self.clear(id).await?;
        Ok(())
    }

    async fn close_in(
        &self,
        tx: &mut Tx<'_>,
        (id, confirmed): (AppId, &str),
        now: Timestamp,
    ) -> Result<(Vec<Tenant>, Vec<Revocation>), TenancyError> {
        let made = (now, &self.accounts.entropy);
        let app = apps::get(tx, id).await?.ok_or(TenancyError::Unknown)?;
        if app.is_platform {
            return Err(TenancyError::Platform);
        }
        if app.slug.as_str() != confirmed {
            return Err(TenancyError::NotConfirmed);
        }
        apps::close(tx, &app, made)
            .await?
            .ok_or(TenancyError::Unknown)?;
        let mut scoped = tx.within(id);
        let all = environments::list(&mut scoped).await?;
        environments::remove_all(&mut scoped).await?;
        api_keys::remove_all(&mut scoped).await?;
        let revoked = tokens::remove_all_keys(&mut scoped, made).await?;
        Ok((all.iter().map(Environment::tenant).collect(), revoked))
    }

    /// Removes what a closed app owns, batch by batch. Revocations stay for as long as a token that
    /// they stop could be presented.
    async fn clear(&self, id: AppId) -> Stored<u64> {
        let mut removed = 0;
        for schema in self.schemas {
            removed +=
                by_batches(async || self.store().remove_owned(schema, id, BATCH).await).await?;
        }
        Ok(removed)
    }

    /// Looks after apps that close: refuses the tokens of keys that were made meanwhile, removes
    /// what is left, and at last the app.
    pub async fn look_after(&self, now: Timestamp) -> Result<(), StoreError> {
        let closing = apps::closing(&mut self.store().once().shared()).await?;
        for app in closing {
            let made = (now, &self.accounts.entropy);
            let revoked = self
                .store()
                .write(async |tx: &mut Tx<'_>| {
                    tokens::remove_all_keys(&mut tx.within(app.id), made).await
                })
                .await?;
            self.accounts.apply(&revoked);
            self.clear(app.id).await?;
            let is_over = app.closing_at.is_some_and(|at| at.plus(LINGERS) <= now);
            if is_over {
                apps::remove(&mut self.store().once().shared(), app.id).await?;
            }
        }
        Ok(())
    }
}
