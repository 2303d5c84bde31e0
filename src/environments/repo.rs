use std::collections::HashSet;
use std::time::Duration;

use super::record::{Environment, Kept, Kind};
use super::removal::Removal;
use super::superseded::SupersededKey;
use crate::http::Change;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId, SupersededKeyId};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Color, Label, Origin, Slug};
use crate::kernel::time::Timestamp;
use crate::store::{
    AcrossTenants, Field, Filter, OfApp, Query, Reaches, Stored, Tx, Update, by_id,
};

const NAME: Field<Environment, Label> = Field::at("name");
const SLUG: Field<Environment, Slug> = Field::at("slug");
const COLOR: Field<Environment, Color> = Field::at("color");
const PUBLISHABLE_KEY: Field<Environment, String> = Field::at("publishable_key");
const IS_DEFAULT: Field<Environment, bool> = Field::at("is_default");
const KEPT: Field<Environment, Kept> = Field::at("settings");
const ALLOWED_ORIGINS: Field<Environment, Vec<Origin>> = Field::at("settings.allowed_origins");
const CREATED_AT: Field<Environment, Timestamp> = Field::at("created_at");
const UPDATED_AT: Field<Environment, Timestamp> = Field::at("updated_at");
const HOLD_COUNT: Field<Environment, i64> = Field::at("hold_count");

const SUPERSEDED_KEY: Field<SupersededKey, String> = Field::at("publishable_key");
const REMOVAL_ID: Field<Removal, String> = Field::at("_id");
const REMOVED_AT: Field<Removal, Timestamp> = Field::at("created_at");

/// How many removals are looked at in one go.
const MOST_REMOVALS: u32 = 100;

/// What is to become of an environment.
#[derive(Debug, Clone)]
pub(super) struct EnvironmentChanges {
    pub name: Option<Label>,
    pub slug: Option<Slug>,
    pub color: Change<Color>,
}

pub async fn create<S>(
    tx: &mut Tx<'_, S>,
    app_id: AppId,
    named: (Label, Slug, Kind),
    is_default: bool,
    made: (Timestamp, &Entropy),
) -> Stored<Environment>
where
    S: Copy + Reaches<OfApp>,
{
    let environment = Environment::new(app_id, named, is_default, made);
    tx.insert(&environment).await?;
    Ok(environment)
}

pub(super) async fn get<S>(tx: &mut Tx<'_, S>, id: EnvId) -> Stored<Option<Environment>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.get(id).await
}

/// The environment acted on as it is at this moment, and as it stays until the unit of work commits:
/// of those that count what it has before they add to it, one sees the other.
pub async fn hold(tx: &mut Tx<'_, Tenant>) -> Stored<Option<Environment>> {
    let id = tx.scope().env_id;
    tx.update_one(by_id(id), HOLD_COUNT.inc(1)).await
}

pub(super) async fn default_of<S>(tx: &mut Tx<'_, S>) -> Stored<Option<Environment>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find_one(IS_DEFAULT.eq(true)).await
}

pub async fn by_slug<S>(tx: &mut Tx<'_, S>, slug: &Slug) -> Stored<Option<Environment>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find_one(SLUG.eq(slug.clone())).await
}

/// All environments in scope, oldest first.
pub async fn list<S>(tx: &mut Tx<'_, S>) -> Stored<Vec<Environment>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find(Query::of(Filter::all()).oldest_by(CREATED_AT))
        .await
}

/// Removes every environment of an app that is closed.
pub async fn remove_all(tx: &mut Tx<'_, AppId>) -> Stored<u64> {
    tx.delete_many::<Environment>(Filter::all()).await
}

pub(super) async fn count(tx: &mut Tx<'_, AppId>) -> Stored<u64> {
    tx.count(Filter::<Environment>::all()).await
}

pub(super) async fn by_publishable_key(
    tx: &mut Tx<'_, AcrossTenants>,
    key: &str,
) -> Stored<Option<Environment>> {
    tx.find_one(PUBLISHABLE_KEY.eq(key.to_owned())).await
}

pub(super) async fn some_allows(tx: &mut Tx<'_, AcrossTenants>, origin: &Origin) -> Stored<bool> {
    Ok(tx.find_one(ALLOWED_ORIGINS.has(origin)).await?.is_some())
}

/// Keeps this in the place of what was seen, unless that was changed meanwhile.
pub(super) async fn keep(
    tx: &mut Tx<'_, Tenant>,
    seen: &Environment,
    kept: &Kept,
    now: Timestamp,
) -> Stored<Option<Environment>> {
    change(tx, seen, KEPT.set(kept.clone()), now).await
}

/// Changes what was seen, unless it was changed meanwhile.
pub(super) async fn update(
    tx: &mut Tx<'_, Tenant>,
    seen: &Environment,
    changes: &EnvironmentChanges,
    now: Timestamp,
) -> Stored<Option<Environment>> {
    let name = changes.name.clone().unwrap_or_else(|| seen.name.clone());
    let slug = changes.slug.clone().unwrap_or_else(|| seen.slug.clone());
    let color = match &changes.color {
        Change::Keep => None,
        Change::Clear => Some(COLOR.unset()),
        Change::Set(color) => Some(COLOR.set(color.clone())),
    };
    let named = NAME.set(name).and(SLUG.set(slug));
    let update = match color {
        Some(color) => named.and(color),
        None => named,
    };
    change(tx, seen, update, now).await
}

/// Gives the environment this key in the place of the one that was seen.
pub(super) async fn rotate(
    tx: &mut Tx<'_, Tenant>,
    seen: &Environment,
    key: &str,
    now: Timestamp,
) -> Stored<Option<Environment>> {
    change(tx, seen, PUBLISHABLE_KEY.set(key.to_owned()), now).await
}

/// Makes it the default one of its app, in the place of that which was. Whoever makes another one
/// the default at the same time changes the same document.
pub(super) async fn make_default(
    tx: &mut Tx<'_, Tenant>,
    seen: &Environment,
    now: Timestamp,
) -> Stored<Option<Environment>> {
    let other = IS_DEFAULT.set(false).and(UPDATED_AT.set(now));
    tx.update_many(IS_DEFAULT.eq(true), other).await?;
    change(tx, seen, IS_DEFAULT.set(true), now).await
}

/// Takes an environment away, unless it is the default one.
pub(super) async fn remove(tx: &mut Tx<'_, Tenant>, id: EnvId) -> Stored<Option<Environment>> {
    tx.take_one(by_id(id) & IS_DEFAULT.eq(false)).await
}

/// Every change makes the document a newer one, also within one millisecond.
async fn change(
    tx: &mut Tx<'_, Tenant>,
    seen: &Environment,
    update: Update<Environment>,
    now: Timestamp,
) -> Stored<Option<Environment>> {
    let unchanged = by_id(seen.id) & UPDATED_AT.eq(seen.updated_at);
    let later = now.max(seen.updated_at.plus(Duration::from_millis(1)));
    tx.update_one(unchanged, update.and(UPDATED_AT.set(later)))
        .await
}

/// Lets the key that `seen` has be good until then.
pub(super) async fn supersede(
    tx: &mut Tx<'_, Tenant>,
    seen: &Environment,
    expires_at: Timestamp,
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<()> {
    tx.insert(&SupersededKey {
        id: SupersededKeyId::new(now, entropy),
        app_id: seen.app_id,
        env_id: seen.id,
        publishable_key: seen.publishable_key.clone(),
        expires_at,
        created_at: now,
    })
    .await
}

/// Takes the grace of every superseded key of the environment in scope.
pub(super) async fn drop_superseded(tx: &mut Tx<'_, Tenant>) -> Stored<()> {
    let all = Filter::<SupersededKey>::all();
    tx.delete_many(all).await.map(drop)
}

/// The superseded key of this text, whether or not it is good still.
pub(super) async fn superseded(
    tx: &mut Tx<'_, AcrossTenants>,
    key: &str,
) -> Stored<Option<SupersededKey>> {
    tx.find_one(SUPERSEDED_KEY.eq(key.to_owned())).await
}

/// Whether an environment was deleted of which documents may be left: what they open is over.
pub async fn is_removed(tx: &mut Tx<'_, AcrossTenants>, tenant: Tenant) -> Stored<bool> {
    let found = tx.get::<Removal>(tenant.env_id).await?;
    Ok(found.is_some())
}

/// Those of these environments that were deleted, of which documents may be left.
pub async fn removed_of(
    tx: &mut Tx<'_, AcrossTenants>,
    places: impl IntoIterator<Item = Tenant>,
) -> Stored<HashSet<EnvId>> {
    let ids: HashSet<String> = places.into_iter().map(|it| it.env_id.to_string()).collect();
    let found = tx.find(Query::of(REMOVAL_ID.one_of(ids))).await?;
    Ok(found.into_iter().map(|removal| removal.id).collect())
}

/// Those of `before` and earlier, oldest first.
pub(super) async fn removals_due(
    tx: &mut Tx<'_, AcrossTenants>,
    before: Timestamp,
) -> Stored<Vec<Removal>> {
    let due = Query::of(REMOVED_AT.lte(before)).oldest_by(REMOVED_AT);
    tx.find(due.window(0, MOST_REMOVALS)).await
}

/// Notes that nothing is left.
pub(super) async fn removal_done(tx: &mut Tx<'_, AppId>, removal: &Removal) -> Stored<()> {
    tx.take_one(by_id::<Removal>(removal.id)).await.map(drop)
}
