use super::record::{BrandingConfig, Look, Place};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, OrgId};
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, OfApp, Query, Reaches, Stored, Tx};

const PLACE: Field<BrandingConfig, String> = Field::at("place");
const LOOK: Field<BrandingConfig, Look> = Field::at("look");
const UPDATED_AT: Field<BrandingConfig, Timestamp> = Field::at("updated_at");

fn is(place: Place) -> Filter<BrandingConfig> {
    PLACE.eq(place.name())
}

/// What is set in places of one app, in the order of the places; nothing is where nothing is set.
pub(super) async fn of<const N: usize>(
    tx: &mut Tx<'_, AppId>,
    places: [Place; N],
) -> Stored<[Look; N]> {
    let names = places.map(Place::name);
    let found = tx.find(Query::of(PLACE.one_of(names.clone()))).await?;
    Ok(names.map(|name| {
        let here = found.iter().find(|config| config.place == name);
        here.map(|config| config.look.clone()).unwrap_or_default()
    }))
}

/// Sets exactly this. Of two first times at once, one is refused as a duplicate.
pub async fn replace(
    tx: &mut Tx<'_, AppId>,
    place: Place,
    look: &Look,
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<()> {
    let update = LOOK.set(look.clone()).and(UPDATED_AT.set(now));
    if tx.update_one(is(place), update).await?.is_some() {
        return Ok(());
    }
    let made = BrandingConfig::new(place, look.clone(), (now, entropy));
    tx.insert(&made).await
}

/// Takes away what is set; whether anything was.
pub async fn remove(tx: &mut Tx<'_, AppId>, place: Place) -> Stored<bool> {
    let taken: Option<BrandingConfig> = tx.take_one(is(place)).await?;
    Ok(taken.is_some())
}

/// Removes what an organisation has set.
pub async fn forget_organization<S>(tx: &mut Tx<'_, S>, org: OrgId) -> Stored<u64>
where
    S: Copy + Reaches<OfApp>,
{
    tx.delete_many(PLACE.eq(org.to_string())).await
}
