use std::time::Duration;

use super::record::{Begun, Ending, Session};
use crate::kernel::id::{AccessTokenId, DeviceId, OrgId, SessionId, UserId};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, OfEnvironment, Query, Reaches, Stored, Tx, Update, by_id};

const USER_ID: Field<Session, UserId> = Field::at("user_id");
const TOKEN: Field<Session, AccessTokenId> = Field::at("token");
const REFRESH_TOKEN: Field<Session, String> = Field::at("refresh_token");
const GENERATION: Field<Session, i64> = Field::at("generation");
const ORG_ID: Field<Session, OrgId> = Field::at("org_id");
const DEVICE_ID: Field<Session, DeviceId> = Field::at("device_id");
const LAST_ACTIVITY_AT: Field<Session, Timestamp> = Field::at("last_activity_at");
const EXPIRES_AT: Field<Session, Timestamp> = Field::at("expires_at");
const IMPERSONATED_BY: Field<Session, UserId> = Field::at("impersonated_by");
const IMPERSONATIONS: Field<Session, Vec<Begun>> = Field::at("impersonations");
const REVOKED_AT: Field<Session, Timestamp> = Field::at("revoked_at");
const REVOKE_REASON: Field<Session, Ending> = Field::at("revoke_reason");
const CREATED_AT: Field<Session, Timestamp> = Field::at("created_at");
const UPDATED_AT: Field<Session, Timestamp> = Field::at("updated_at");

/// More than one user has: a window must have a size, and MongoDB takes no larger one.
const ALL: u32 = 1 << 30;

/// Neither revoked nor over at `now`. The bound is exclusive: at `expires_at` it is over.
pub(super) fn live(now: Timestamp) -> Filter<Session> {
    REVOKED_AT.absent() & EXPIRES_AT.gt(now)
}

/// Live, and refreshed within the time that a session may be idle: what its user still has. The
/// same rule as [`Session::is_idle`].
pub(super) fn in_use(now: Timestamp, idle: Option<Duration>) -> Filter<Session> {
    match idle {
        Some(idle) => live(now) & LAST_ACTIVITY_AT.gt(now.minus(idle)),
        None => live(now),
    }
}

fn ended(how: Ending, now: Timestamp) -> Update<Session> {
    REVOKED_AT
        .set(now)
        .and(REVOKE_REASON.set(how))
        .and(UPDATED_AT.set(now))
}

pub(super) async fn get<S>(tx: &mut Tx<'_, S>, id: SessionId) -> Stored<Option<Session>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.get(id).await
}

/// Exchanges the refresh token of a session, as it was `seen`, for the one of `next`. Of any number
/// of racers with one token, exactly one is told that he did.
pub(super) async fn rotate<S>(tx: &mut Tx<'_, S>, seen: &Session, next: &Session) -> Stored<bool>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let now = next.last_activity_at;
    let unspent = by_id(seen.id) & REFRESH_TOKEN.eq(seen.refresh_token.clone()) & live(now);
    let org = next.org_id;
    let rotated = REFRESH_TOKEN
        .set(next.refresh_token.clone())
        .and(GENERATION.inc(1))
        .and(TOKEN.set(next.token))
        .and(org.map_or_else(|| ORG_ID.unset(), |org| ORG_ID.set(org)))
        .and(LAST_ACTIVITY_AT.set(now))
        .and(UPDATED_AT.set(now));
    tx.change_one(unspent, rotated).await
}

/// Ends a live session; `None` if it was not live, so that exactly one caller tells of its end.
pub(super) async fn end<S>(
    tx: &mut Tx<'_, S>,
    id: SessionId,
    how: Ending,
    now: Timestamp,
) -> Stored<Option<Session>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.update_one(by_id(id) & live(now), ended(how, now)).await
}

/// Ends a live session if it is this user's.
pub(super) async fn end_own<S>(
    tx: &mut Tx<'_, S>,
    (id, user): (SessionId, UserId),
    how: Ending,
    now: Timestamp,
) -> Stored<Option<Session>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.update_one(by_id(id) & USER_ID.eq(user) & live(now), ended(how, now))
        .await
}

/// Notes in a session what has been begun from it; `None` where it has ended. What is over is
/// dropped. So its end and this are one after the other, and never both unaware.
pub(super) async fn impersonates<S>(
    tx: &mut Tx<'_, S>,
    own: &Session,
    begun: Begun,
    now: Timestamp,
) -> Stored<Option<Session>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let mut all = own.impersonations.clone();
    all.retain(|before| before.expires_at > now);
    all.push(begun);
    let noted = IMPERSONATIONS.set(all).and(UPDATED_AT.set(now));
    tx.update_one(by_id(own.id) & live(now), noted).await
}

/// The live sessions of a user that impersonate somebody, or by which somebody impersonates him.
pub(super) async fn entangled<S>(
    tx: &mut Tx<'_, S>,
    user: UserId,
    now: Timestamp,
) -> Stored<Vec<Session>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let is_entangled = IMPERSONATED_BY.present() | IMPERSONATIONS.present();
    tx.find(Query::of(USER_ID.eq(user) & live(now) & is_entangled))
        .await
}

/// Ends every live session of a user; how many there were. The caller also ends the standing of
/// their access tokens: [`crate::users::bump_rights`].
pub(super) async fn end_all<S>(
    tx: &mut Tx<'_, S>,
    user: UserId,
    how: Ending,
    now: Timestamp,
) -> Stored<u64>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.update_many(USER_ID.eq(user) & live(now), ended(how, now))
        .await
}

/// Ends every live session of an environment; how many there were. Their access tokens are the
/// caller's to see to.
pub(super) async fn end_everybody_s(
    tx: &mut Tx<'_, Tenant>,
    how: Ending,
    now: Timestamp,
) -> Stored<u64> {
    tx.update_many(live(now), ended(how, now)).await
}

/// The live sessions of an environment from which somebody is impersonated.
pub(super) async fn lending(tx: &mut Tx<'_, Tenant>, now: Timestamp) -> Stored<Vec<Session>> {
    let lends = IMPERSONATED_BY.present() | IMPERSONATIONS.present();
    tx.find(Query::of(lends & live(now))).await
}

/// How many sessions of an environment are live.
pub async fn count_live(tx: &mut Tx<'_, Tenant>, now: Timestamp) -> Stored<u64> {
    tx.count(live(now)).await
}

/// The live sessions of a user but for one, in every environment in reach.
pub(super) async fn others<S>(
    tx: &mut Tx<'_, S>,
    user: UserId,
    kept: SessionId,
    now: Timestamp,
) -> Stored<Vec<Session>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let others = Field::<Session, SessionId>::at("_id").ne(kept);
    tx.find(Query::of(USER_ID.eq(user) & others & live(now)))
        .await
}

/// The sessions of a user, ended ones too, newest first, `most` at most.
pub async fn of_user<S>(tx: &mut Tx<'_, S>, user: UserId, most: u32) -> Stored<Vec<Session>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let newest = Query::of(USER_ID.eq(user)).newest_by(CREATED_AT);
    tx.find(newest.window(0, most)).await
}

/// Removes every session of a user who is deleted. A refresh token finds none then; that access
/// tokens are refused is the caller's to see to.
pub async fn forget<S>(tx: &mut Tx<'_, S>, user: UserId) -> Stored<()>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.delete_many(USER_ID.eq(user)).await.map(drop)
}

/// The sessions of a user that are `running`, but for the newest `kept`. Sessions by which somebody
/// impersonates him are not counted, and take nobody's place.
pub(super) async fn surplus<S>(
    tx: &mut Tx<'_, S>,
    user: UserId,
    running: Filter<Session>,
    kept: u32,
) -> Stored<Vec<Session>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let own = USER_ID.eq(user) & IMPERSONATED_BY.absent() & running;
    let newest = Query::of(own).newest_by(CREATED_AT);
    tx.find(newest.window(kept.into(), ALL)).await
}

/// The live sessions of a user on one device.
pub(super) async fn on_device<S>(
    tx: &mut Tx<'_, S>,
    (user, device): (UserId, DeviceId),
    now: Timestamp,
) -> Stored<Vec<Session>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let there = USER_ID.eq(user) & DEVICE_ID.eq(device) & live(now);
    tx.find(Query::of(there)).await
}

/// The sessions of a user that are `running`, newest first.
pub(super) async fn page<S>(
    tx: &mut Tx<'_, S>,
    user: UserId,
    running: Filter<Session>,
    (after, limit): (Option<&Position>, Limit),
) -> Stored<Slice<Session>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.page(USER_ID.eq(user) & running, CREATED_AT, after, limit)
        .await
}
