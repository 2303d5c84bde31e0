use super::record::{App, AppChanges, NewApp};
use crate::http::Change;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::AppId;
use crate::kernel::metadata::Metadata;
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::text::{Label, Slug};
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, Nobody, Query, Reaches, Stored, Tx, Update, by_id};

const SLUG: Field<App, Slug> = Field::at("slug");
const GUARDIAN_COUNT: Field<App, i64> = Field::at("guardian_count");
const NAME: Field<App, Label> = Field::at("name");
const DESCRIPTION: Field<App, String> = Field::at("description");
const LOGO: Field<App, String> = Field::at("logo");
const METADATA: Field<App, Metadata> = Field::at("metadata");
const CLOSING_AT: Field<App, Timestamp> = Field::at("closing_at");
const CREATED_AT: Field<App, Timestamp> = Field::at("created_at");
const ENVIRONMENTS_MADE: Field<App, i64> = Field::at("environments_made");
const INTAKES: Field<App, i64> = Field::at("intakes");
const UPDATED_AT: Field<App, Timestamp> = Field::at("updated_at");

/// Not closed.
fn open() -> Filter<App> {
    CLOSING_AT.absent()
}

pub async fn get<S>(tx: &mut Tx<'_, S>, id: AppId) -> Stored<Option<App>>
where
    S: Copy + Reaches<Nobody>,
{
    tx.find_one(by_id(id) & open()).await
}

pub async fn by_slug<S>(tx: &mut Tx<'_, S>, slug: &Slug) -> Stored<Option<App>>
where
    S: Copy + Reaches<Nobody>,
{
    tx.find_one(SLUG.eq(slug.clone()) & open()).await
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

/// One page, newest first.
pub async fn page(tx: &mut Tx<'_>, after: Option<&Position>, limit: Limit) -> Stored<Slice<App>> {
    tx.page(open(), CREATED_AT, after, limit).await
}

/// [`super::SLUG_TAKEN`] where another app has the slug.
pub async fn update(
    tx: &mut Tx<'_>,
    seen: &App,
    changes: &AppChanges,
    now: Timestamp,
) -> Stored<Option<App>> {
    let changes = changes.clone();
    let update = UPDATED_AT
        .set(now)
        .and_if(changes.name.map(|name| NAME.set(name)))
        .and_if(changes.slug.map(|slug| SLUG.set(slug)))
        .and_if(changed(DESCRIPTION, changes.description))
        .and_if(changed(LOGO, changes.logo))
        .and_if(changes.metadata.map(|metadata| METADATA.set(metadata)));
    tx.update_one(by_id(seen.id) & open(), update).await
}

fn changed(field: Field<App, String>, change: Change<String>) -> Option<Update<App>> {
    match change {
        Change::Keep => None,
        Change::Clear => Some(field.unset()),
        Change::Set(value) => Some(field.set(value)),
    }
}

/// Closes an app, and frees its slug. Of any number of racers, one gets it.
pub async fn close(
    tx: &mut Tx<'_>,
    seen: &App,
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<Option<App>> {
    let nowhere = Slug::tries(None, "closed", entropy).next();
    let update = CLOSING_AT
        .set(now)
        .and(UPDATED_AT.set(now))
        .and_if(nowhere.map(|slug| SLUG.set(slug)));
    tx.update_one(by_id(seen.id) & open(), update).await
}

/// Those that are closed and not yet removed.
pub async fn closing(tx: &mut Tx<'_>) -> Stored<Vec<App>> {
    tx.find(Query::of(CLOSING_AT.present())).await
}

/// Removes what is left of a closed app.
pub async fn remove(tx: &mut Tx<'_>, id: AppId) -> Stored<()> {
    tx.delete_many(by_id(id) & CLOSING_AT.present())
        .await
        .map(drop)
}

/// One more user holds the app's guarding role. `false`, and nothing changed, where it is closed.
pub async fn count_holder(tx: &mut Tx<'_>, app: AppId, now: Timestamp) -> Stored<bool> {
    let counted = GUARDIAN_COUNT.inc(1).and(UPDATED_AT.set(now));
    let counted = tx.update_one(by_id(app) & open(), counted).await?;
    Ok(counted.is_some())
}

/// Users are brought in, of whom so many hold the app's guarding role. `false`, and nothing changed,
/// where it is closed; whoever closes it at the same time changes the same document.
pub async fn takes_in(tx: &mut Tx<'_>, app: AppId, guardians: i64, now: Timestamp) -> Stored<bool> {
    let taken = INTAKES.inc(1);
    let taken = if guardians > 0 {
        taken
            .and(GUARDIAN_COUNT.inc(guardians))
            .and(UPDATED_AT.set(now))
    } else {
        taken
    };
    let found = tx.update_one(by_id(app) & open(), taken).await?;
    Ok(found.is_some())
}

/// One more environment is made. Of two units of work that do it at once, one sees the other's.
pub async fn adds_environment(tx: &mut Tx<'_>, app: AppId, now: Timestamp) -> Stored<Option<App>> {
    let counted = ENVIRONMENTS_MADE.inc(1).and(UPDATED_AT.set(now));
    tx.update_one(by_id(app), counted).await
}

/// One user fewer holds the app's guarding role. `false`, and nothing changed, where he is the
/// last: of two who are demoted at once, one stays.
pub async fn discount_holder(tx: &mut Tx<'_>, app: AppId, now: Timestamp) -> Stored<bool> {
    let others_remain = by_id(app) & GUARDIAN_COUNT.gt(1);
    let counted = GUARDIAN_COUNT.inc(-1).and(UPDATED_AT.set(now));
    Ok(tx.update_one(others_remain, counted).await?.is_some())
}
