use super::place::Sweep;
use crate::kernel::id::{AppId, EnvId, UserId};
use crate::kernel::page::Limit;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, Query, Stored, Tx};
use crate::tokens::Revocation;

const ID: Field<Revocation, String> = Field::at("_id");
const APP_ID: Field<Revocation, AppId> = Field::at("app_id");
const ENV_ID: Field<Revocation, EnvId> = Field::at("env_id");
const USER_ID: Field<Revocation, UserId> = Field::at("user_id");
const CREATED_AT: Field<Revocation, Timestamp> = Field::at("created_at");
const EXPIRES_AT: Field<Revocation, Timestamp> = Field::at("expires_at");

/// What an environment is told: what was revoked in it, and users of its app.
pub(super) fn concerns(tenant: Tenant) -> Filter<Revocation> {
    APP_ID.eq(tenant.app_id) & (ENV_ID.eq(tenant.env_id) | USER_ID.present())
}

/// The next revocations of a sweep that count at `now`, oldest first; and whether there are more.
pub(super) async fn next(
    tx: &mut Tx<'_, AppId>,
    tenant: Tenant,
    sweep: &Sweep,
    (now, limit): (Timestamp, Limit),
) -> Stored<(Vec<Revocation>, bool)> {
    let (at, id) = (sweep.behind.at, sweep.behind.id.clone());
    let further_on = CREATED_AT.gt(at) | (CREATED_AT.eq(at) & ID.gt(id));
    // The bound says nothing new, but where in the index to begin.
    let which = CREATED_AT.gte(at) & further_on & concerns(tenant) & EXPIRES_AT.gt(now);
    let query = Query::of(which).oldest_by(CREATED_AT);
    let mut found = tx.find(query.window(0, limit.get() + 1)).await?;
    let has_more = found.len() > limit.get() as usize;
    found.truncate(limit.get() as usize);
    Ok((found, has_more))
}
