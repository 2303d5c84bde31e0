//! The record of one organisation, for those who run it.

use crate::events::{self, Event, Which};
use crate::http::Entrance;
use crate::kernel::id::OrgId;
use crate::kernel::page::{Limit, Position, Slice};
use crate::memberships::{EnterError, Memberships};
use crate::store::Store;

/// What happened in organisations.
#[derive(Debug, Clone)]
pub struct OrganizationRecord {
    pub store: Store,
    pub memberships: Memberships,
}

impl OrganizationRecord {
    /// One page of what happened in an organisation, newest first.
    pub(super) async fn page(
        &self,
        entrance: &Entrance<'_>,
        (org, which): (OrgId, Which),
        (after, limit): (Option<&Position>, Limit),
    ) -> Result<Slice<Event>, EnterError> {
        let which = Which {
            org_id: Some(org),
            ..which
        };
        self.store
            .read(async |tx| {
                let mut tx = tx.within(entrance.caller.tenant);
                self.memberships.enter(&mut tx, entrance, org).await?;
                Ok(events::page(&mut tx, &which, after, limit).await?)
            })
            .await
    }
}
