use crate::kernel::id::AppId;
use crate::kernel::page::Limit;
use crate::kernel::sweep::Sweep;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Stored, Tx};
use crate::tokens::Revocation;

/// The next revocations of a sweep that count at `now`, oldest first; and whether there are more.
pub(super) async fn next(
    tx: &mut Tx<'_, AppId>,
    tenant: Tenant,
    sweep: &Sweep,
    (now, limit): (Timestamp, Limit),
) -> Stored<(Vec<Revocation>, bool)> {
    let query = Revocation::behind(&sweep.behind, tenant, now);
    let mut found = tx.find(query.window(0, limit.get() + 1)).await?;
    let has_more = found.len() > limit.get() as usize;
    found.truncate(limit.get() as usize);
    Ok((found, has_more))
}
