use serde_json::Value as Json;

use super::key::Key;
use super::level::Place;
use super::record::Setting;
use crate::kernel::id::{AppId, OrgId};
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, OfApp, Query, Reaches, Stored, Tx, by_id};

const PLACE: Field<Setting, String> = Field::at("place");
const KEY: Field<Setting, Key> = Field::at("key");
const VALUE: Field<Setting, Json> = Field::at("value");
const SEALED: Field<Setting, String> = Field::at("sealed");
const ENFORCED: Field<Setting, bool> = Field::at("enforced");
const UPDATED_AT: Field<Setting, Timestamp> = Field::at("updated_at");

/// Everything that is chosen in places of one app. What an earlier version let people choose, and this
/// one does not know, is nothing.
pub(super) async fn chosen(tx: &mut Tx<'_, AppId>, places: &[Place]) -> Stored<Vec<Setting>> {
    let names = places.iter().map(|place| place.name());
    let known = KEY.one_of(Key::ALL.iter().copied());
    tx.find(Query::of(PLACE.one_of(names) & known)).await
}

pub(super) async fn of(tx: &mut Tx<'_, AppId>, place: Place, key: Key) -> Stored<Option<Setting>> {
    tx.find_one(is(place, key)).await
}

fn is(place: Place, key: Key) -> Filter<Setting> {
    PLACE.eq(place.name()) & KEY.eq(key)
}

pub(super) async fn insert(tx: &mut Tx<'_, AppId>, setting: &Setting) -> Stored<()> {
    tx.insert(setting).await
}

/// Changes what is chosen, in the place of what was seen.
pub(super) async fn replace(
    tx: &mut Tx<'_, AppId>,
    seen: &Setting,
    (value, sealed): (Option<Json>, Option<String>),
    (enforced, now): (bool, Timestamp),
) -> Stored<Option<Setting>> {
    let value = value.map_or_else(|| VALUE.unset(), |value| VALUE.set(value));
    let sealed = sealed.map_or_else(|| SEALED.unset(), |sealed| SEALED.set(sealed));
    let rest = ENFORCED.set(enforced).and(UPDATED_AT.set(now));
    tx.update_one(by_id(seen.id), value.and(sealed).and(rest))
        .await
}

pub(super) async fn remove(
    tx: &mut Tx<'_, AppId>,
    place: Place,
    key: Key,
) -> Stored<Option<Setting>> {
    tx.take_one(is(place, key)).await
}

/// Removes what an organisation has chosen.
pub async fn forget_organization<S>(tx: &mut Tx<'_, S>, org: OrgId) -> Stored<u64>
where
    S: Copy + Reaches<OfApp>,
{
    tx.delete_many(PLACE.eq(org.to_string())).await
}
