use super::field::FormField;
use super::record::{FormConfig, FormType, FormVersion, MOST_VERSIONS};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, OfApp, Query, Reaches, Stored, Tx, by_id};

const FORM_TYPE: Field<FormConfig, FormType> = Field::at("form_type");
const FIELDS: Field<FormConfig, Vec<FormField>> = Field::at("fields");
const ACTIVE: Field<FormConfig, bool> = Field::at("active");
const VERSION: Field<FormConfig, i64> = Field::at("version");
const UPDATED_AT: Field<FormConfig, Timestamp> = Field::at("updated_at");

const PAST_TYPE: Field<FormVersion, FormType> = Field::at("form_type");
const PAST_VERSION: Field<FormVersion, i64> = Field::at("version");
const PAST_CREATED: Field<FormVersion, Timestamp> = Field::at("created_at");

/// Every form of the app in scope, active or not: no more than there are types.
pub(super) async fn all<S>(tx: &mut Tx<'_, S>) -> Stored<Vec<FormConfig>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find(Query::of(Filter::all())).await
}

pub(super) async fn of_type<S>(tx: &mut Tx<'_, S>, which: FormType) -> Stored<Option<FormConfig>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find_one(FORM_TYPE.eq(which)).await
}

/// Of two first ones at once, one is refused as a duplicate.
pub(super) async fn insert<S>(tx: &mut Tx<'_, S>, form: &FormConfig) -> Stored<()>
where
    S: Copy + Reaches<OfApp>,
{
    tx.insert(form).await
}

/// Makes the form what `form` says, if it is still of the version `seen`.
pub(super) async fn replace<S>(
    tx: &mut Tx<'_, S>,
    form: &FormConfig,
    seen: i64,
) -> Stored<Option<FormConfig>>
where
    S: Copy + Reaches<OfApp>,
{
    let update = FIELDS
        .set(form.fields.clone())
        .and(ACTIVE.set(form.active))
        .and(VERSION.set(form.version))
        .and(UPDATED_AT.set(form.updated_at));
    tx.update_one(by_id(form.id) & VERSION.eq(seen), update)
        .await
}

pub(super) async fn take<S>(tx: &mut Tx<'_, S>, which: FormType) -> Stored<Option<FormConfig>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.take_one(FORM_TYPE.eq(which)).await
}

/// Keeps a version, and no more than the last ones.
pub(super) async fn keep<S>(tx: &mut Tx<'_, S>, version: &FormVersion) -> Stored<()>
where
    S: Copy + Reaches<OfApp>,
{
    tx.insert(version).await?;
    let oldest = version.version - MOST_VERSIONS;
    if oldest > 0 {
        let before = PAST_TYPE.eq(version.form_type) & PAST_VERSION.lte(oldest);
        tx.delete_many(before).await?;
    }
    Ok(())
}

/// The newest version that there ever was.
pub(super) async fn newest<S>(tx: &mut Tx<'_, S>, which: FormType) -> Stored<Option<FormVersion>>
where
    S: Copy + Reaches<OfApp>,
{
    let newest = Query::of(PAST_TYPE.eq(which))
        .newest_by(PAST_CREATED)
        .window(0, 1);
    Ok(tx.find(newest).await?.into_iter().next())
}

/// Versions, newest first.
pub(super) async fn page<S>(
    tx: &mut Tx<'_, S>,
    which: FormType,
    after: Option<&Position>,
    limit: Limit,
) -> Stored<Slice<FormVersion>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.page(PAST_TYPE.eq(which), PAST_CREATED, after, limit)
        .await
}
