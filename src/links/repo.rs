use super::record::{CODE_ATTEMPTS, Link};
use crate::credentials::StoredHash;
use crate::kernel::id::{Id, Kind, UserId};
use crate::kernel::time::Timestamp;
use crate::store::{
    AcrossTenants, Entity, Field, Filter, OfEnvironment, Query, Reaches, Stored, Tx, Update, by_id,
};
use crate::tokens::Purpose;

// The fields of either kind of link.
const fn token<K: Kind>() -> Field<Link<K>, String> {
    Field::at("token")
}

const fn user_id<K: Kind>() -> Field<Link<K>, UserId> {
    Field::at("user_id")
}

const fn purpose<K: Kind>() -> Field<Link<K>, Purpose> {
    Field::at("purpose")
}

const fn password_version<K: Kind>() -> Field<Link<K>, i64> {
    Field::at("password_version")
}

const fn password_hash<K: Kind>() -> Field<Link<K>, StoredHash> {
    Field::at("password_hash")
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

/// The newest link of the same purpose and bond: the only one that counts. Links of another bond
/// stand beside it, or strangers could make void what somebody waits for.
pub(super) async fn newest<K: Kind, S>(
    tx: &mut Tx<'_, S>,
    link: &Link<K>,
) -> Stored<Option<Link<K>>>
where
    Link<K>: Entity<Owner = OfEnvironment>,
    S: Copy + Reaches<OfEnvironment>,
{
    let version = link.password_version.map_or_else(
        || password_version().absent(),
        |version| password_version().eq(version),
    );
    let hash = link.password_hash.clone();
    let hash = hash.map_or_else(|| password_hash().absent(), |hash| password_hash().eq(hash));
    let alike = user_id().eq(link.user_id) & purpose().eq(link.purpose) & version & hash;
    let newest = Query::of(alike).newest_by(created_at());
    Ok(tx.find(newest.window(0, 1)).await?.into_iter().next())
}

/// The newest open links of a user for a purpose, `most` at most.
pub(super) async fn newest_open<K: Kind, S>(
    tx: &mut Tx<'_, S>,
    (user, of): (UserId, Purpose),
    most: u32,
    now: Timestamp,
) -> Stored<Vec<Link<K>>>
where
    Link<K>: Entity<Owner = OfEnvironment>,
    S: Copy + Reaches<OfEnvironment>,
{
    let open = user_id().eq(user) & purpose().eq(of) & open(now);
    tx.find(Query::of(open).newest_by(created_at()).window(0, most))
        .await
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

/// Removes every link of a user.
pub(super) async fn forget<K: Kind, S>(tx: &mut Tx<'_, S>, user: UserId) -> Stored<()>
where
    Link<K>: Entity<Owner = OfEnvironment>,
    S: Copy + Reaches<OfEnvironment>,
{
    tx.delete_many(user_id().eq(user)).await.map(drop)
}
