use super::record::{CODE_ATTEMPTS, Link, LinkPurpose};
use crate::kernel::id::{Id, Kind, UserId};
use crate::kernel::time::Timestamp;
use crate::store::{
    AcrossTenants, Entity, Field, Filter, OfEnvironment, Query, Reaches, Stored, Tx, Update, by_id,
};

// The fields of either kind of link.
const fn token<K: Kind>() -> Field<Link<K>, String> {
    Field::at("token")
}

const fn user_id<K: Kind>() -> Field<Link<K>, UserId> {
    Field::at("user_id")
}

const fn purpose<K: Kind>() -> Field<Link<K>, LinkPurpose> {
    Field::at("purpose")
}

const fn attempts<K: Kind>() -> Field<Link<K>, i64> {
    Field::at("attempts")
}

const fn expires_at<K: Kind>() -> Field<Link<K>, Timestamp> {
    Field::at("expires_at")
}

const fn used_at<K: Kind>() -> Field<Link<K>, Timestamp> {
    Field::at("used_at")
}

const fn voided_at<K: Kind>() -> Field<Link<K>, Timestamp> {
    Field::at("voided_at")
}

const fn created_at<K: Kind>() -> Field<Link<K>, Timestamp> {
    Field::at("created_at")
}

const fn updated_at<K: Kind>() -> Field<Link<K>, Timestamp> {
    Field::at("updated_at")
}

/// Neither followed nor void.
fn unspent<K: Kind>() -> Filter<Link<K>> {
    used_at().absent() & voided_at().absent()
}

/// Unspent, and not over at `now`; the bound is exclusive.
fn open<K: Kind>(now: Timestamp) -> Filter<Link<K>> {
    unspent() & expires_at().gt(now)
}

fn stamped<K: Kind>(field: Field<Link<K>, Timestamp>, now: Timestamp) -> Update<Link<K>> {
    field.set(now).and(updated_at().set(now))
}

pub(super) async fn insert<K: Kind, S>(tx: &mut Tx<'_, S>, link: &Link<K>) -> Stored<()>
where
    Link<K>: Entity<Owner = OfEnvironment>,
    S: Copy + Reaches<OfEnvironment>,
{
    tx.insert(link).await
}

pub(super) async fn by_token<K: Kind>(
    tx: &mut Tx<'_, AcrossTenants>,
    digest: String,
) -> Stored<Option<Link<K>>>
where
    Link<K>: Entity<Owner = OfEnvironment>,
{
    tx.find_one(token().eq(digest)).await
}

/// The newest link of its purpose: the only one that counts.
pub(super) async fn newest<K: Kind, S>(
    tx: &mut Tx<'_, S>,
    user: UserId,
    of: LinkPurpose,
) -> Stored<Option<Link<K>>>
where
    Link<K>: Entity<Owner = OfEnvironment>,
    S: Copy + Reaches<OfEnvironment>,
{
    let newest = Query::of(user_id().eq(user) & purpose().eq(of)).newest_by(created_at());
    Ok(tx.find(newest.window(0, 1)).await?.into_iter().next())
}

/// Counts one attempt at the code of an open link; `None` when there are no more.
pub(super) async fn attempt<K: Kind, S>(
    tx: &mut Tx<'_, S>,
    id: Id<K>,
    now: Timestamp,
) -> Stored<Option<Link<K>>>
where
    Link<K>: Entity<Owner = OfEnvironment>,
    S: Copy + Reaches<OfEnvironment>,
{
    let left = by_id(id) & open(now) & attempts().lt(CODE_ATTEMPTS);
    let counted = attempts().inc(1).and(updated_at().set(now));
    tx.update_one(left, counted).await
}

/// Follows an open link. Of any number of racers, exactly one gets it.
pub(super) async fn spend<K: Kind, S>(
    tx: &mut Tx<'_, S>,
    link: &Link<K>,
    now: Timestamp,
) -> Stored<Option<Link<K>>>
where
    Link<K>: Entity<Owner = OfEnvironment>,
    S: Copy + Reaches<OfEnvironment>,
{
    tx.update_one(by_id(link.id) & open(now), stamped(used_at(), now))
        .await
}

/// Makes every unspent link of a user void.
pub(super) async fn void<K: Kind, S>(tx: &mut Tx<'_, S>, user: UserId, now: Timestamp) -> Stored<()>
where
    Link<K>: Entity<Owner = OfEnvironment>,
    S: Copy + Reaches<OfEnvironment>,
{
    let update = stamped(voided_at(), now);
    tx.update_many(user_id().eq(user) & unspent(), update)
        .await
        .map(drop)
}

/// The links of a user, spent ones too, newest first, `most` at most.
pub async fn of_user<K: Kind, S>(
    tx: &mut Tx<'_, S>,
    user: UserId,
    most: u32,
) -> Stored<Vec<Link<K>>>
where
    Link<K>: Entity<Owner = OfEnvironment>,
    S: Copy + Reaches<OfEnvironment>,
{
    let newest = Query::of(user_id().eq(user)).newest_by(created_at());
    tx.find(newest.window(0, most)).await
}

/// Removes every link of a user.
pub(super) async fn forget<K: Kind, S>(tx: &mut Tx<'_, S>, user: UserId) -> Stored<()>
where
    Link<K>: Entity<Owner = OfEnvironment>,
    S: Copy + Reaches<OfEnvironment>,
{
    tx.delete_many(user_id().eq(user)).await.map(drop)
}
