use super::record::{App, NewApp};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::AppId;
use crate::kernel::text::Slug;
use crate::kernel::time::Timestamp;
use crate::store::{Field, Nobody, Reaches, Stored, Tx, by_id};

const SLUG: Field<App, Slug> = Field::at("slug");
const GUARDIAN_COUNT: Field<App, i64> = Field::at("guardian_count");
const UPDATED_AT: Field<App, Timestamp> = Field::at("updated_at");

pub async fn get<S>(tx: &mut Tx<'_, S>, id: AppId) -> Stored<Option<App>>
where
    S: Copy + Reaches<Nobody>,
{
    tx.get(id).await
}

pub async fn by_slug<S>(tx: &mut Tx<'_, S>, slug: &Slug) -> Stored<Option<App>>
where
    S: Copy + Reaches<Nobody>,
{
    tx.find_one(SLUG.eq(slug.clone())).await
}

/// Makes an app; [`super::SLUG_TAKEN`] where its slug is another's.
pub async fn create(
    tx: &mut Tx<'_>,
    new: NewApp,
    now: Timestamp,
    entropy: &Entropy,
) -> Stored<App> {
    let app = new.made(now, entropy);
    tx.insert(&app).await?;
    Ok(app)
}

/// One more user holds the app's guarding role.
pub async fn count_holder(tx: &mut Tx<'_>, app: AppId, now: Timestamp) -> Stored<()> {
    let counted = GUARDIAN_COUNT.inc(1).and(UPDATED_AT.set(now));
    tx.update_one(by_id(app), counted).await.map(drop)
}

/// One user fewer holds the app's guarding role. `false`, and nothing changed, where he is the
/// last: of two who are demoted at once, one stays.
pub async fn discount_holder(tx: &mut Tx<'_>, app: AppId, now: Timestamp) -> Stored<bool> {
    let others_remain = by_id(app) & GUARDIAN_COUNT.gt(1);
    let counted = GUARDIAN_COUNT.inc(-1).and(UPDATED_AT.set(now));
    Ok(tx.update_one(others_remain, counted).await?.is_some())
}
