use super::record::{Environment, Kind, Settings};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId};
use crate::kernel::text::{Label, Origin, Slug};
use crate::kernel::time::Timestamp;
use crate::store::{AcrossTenants, Field, Filter, OfApp, Query, Reaches, Stored, Tx, by_id};

const SLUG: Field<Environment, Slug> = Field::at("slug");
const PUBLISHABLE_KEY: Field<Environment, String> = Field::at("publishable_key");
const IS_DEFAULT: Field<Environment, bool> = Field::at("is_default");
const SETTINGS: Field<Environment, Settings> = Field::at("settings");
const ALLOWED_ORIGINS: Field<Environment, Vec<Origin>> = Field::at("settings.allowed_origins");
const CREATED_AT: Field<Environment, Timestamp> = Field::at("created_at");
const UPDATED_AT: Field<Environment, Timestamp> = Field::at("updated_at");

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

/// Makes an environment that nobody can sign up to: its users are appointed.
pub async fn create_closed<S>(
    tx: &mut Tx<'_, S>,
    app_id: AppId,
    named: (Label, Slug, Kind),
    made: (Timestamp, &Entropy),
) -> Stored<Environment>
where
    S: Copy + Reaches<OfApp>,
{
    let mut environment = Environment::new(app_id, named, true, made);
    environment.settings.signup_open = false;
    environment.settings.require_verification = false;
    tx.insert(&environment).await?;
    Ok(environment)
}

pub(super) async fn get<S>(tx: &mut Tx<'_, S>, id: EnvId) -> Stored<Option<Environment>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.get(id).await
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

pub(super) async fn by_publishable_key(
    tx: &mut Tx<'_, AcrossTenants>,
    key: &str,
) -> Stored<Option<Environment>> {
    tx.find_one(PUBLISHABLE_KEY.eq(key.to_owned())).await
}

pub(super) async fn some_allows(tx: &mut Tx<'_, AcrossTenants>, origin: &Origin) -> Stored<bool> {
    Ok(tx.find_one(ALLOWED_ORIGINS.has(origin)).await?.is_some())
}

/// Replaces the settings that were seen, unless they were changed meanwhile.
pub(super) async fn replace_settings<S>(
    tx: &mut Tx<'_, S>,
    seen: &Environment,
    settings: &Settings,
    now: Timestamp,
) -> Stored<Option<Environment>>
where
    S: Copy + Reaches<OfApp>,
{
    let unchanged = by_id(seen.id) & UPDATED_AT.eq(seen.updated_at);
    let later = UPDATED_AT.set(now.max(seen.updated_at.plus(std::time::Duration::from_millis(1))));
    tx.update_one(unchanged, SETTINGS.set(settings.clone()).and(later))
        .await
}
