use actix_web::web::Data;
use actix_web::{delete, get, put};
use utoipa::IntoParams;

use super::organization_api;
use super::service::{Hand, Tuning};
use super::wire::{NewChoice, SettingList, SettingView};
use crate::access::{OperateApps, Permission, ReadSettings, UpdateSettings};
use crate::http::{
    Allowed, Answer, Body, Fields, FromFields, NoContent, Ok200, PathId, Problem, ProblemKind,
    Query, Routing,
};
use crate::settings::{Key, Level, Place};

/// What is told of here: organisations have a list of their own.
const KNOWN: [Level; 3] = [Level::Platform, Level::App, Level::Environment];

pub fn routes(config: &mut Routing) {
    config
        .service(list)
        .service(read)
        .service(choose)
        .service(take_back)
        .configure(organization_api::routes);
}

/// Where something is chosen.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct At {
    /// `platform`, `app` or `environment`; organisations choose below `/v1/orgs/{org}/settings`.
    level: Level,
}

impl FromFields for At {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let level = fields.required("level", str::parse::<Level>);
        Some(Self { level: level? })
    }
}

impl At {
    /// The place that is meant, where the caller may choose in it.
    fn place(&self, access: &Allowed<UpdateSettings>, tuning: &Tuning) -> Result<Place, Problem> {
        let tenant = access.tenant();
        match self.level {
            Level::Platform if access.also::<OperateApps>() => Ok(tuning.platform()),
            Level::Platform => Err(ProblemKind::Forbidden.into()),
            Level::App => Ok(Place::App(tenant.app_id)),
            Level::Environment => Ok(Place::Environment(tenant)),
            Level::Organization => Err(Problem::new(ProblemKind::SettingLevel)
                .detail("organisations choose below `/v1/orgs/{org}/settings`")),
        }
    }
}

/// List settings
///
/// Every setting with its type, its bounds and what it is for; what counts in the environment acted
/// on, and whose choice that is. Of what is chosen at the levels from the platform to the environment
/// the most special choice counts, unless one above it is enforced. Secrets are told to nobody.
#[utoipa::path(
    tag = "settings", operation_id = "admin.settings.list",
    responses((status = 200, description = "The settings", body = SettingList)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadSettings::NAME))),
)]
#[get("/v1/admin/settings")]
async fn list(access: Allowed<ReadSettings>, tuning: Data<Tuning>) -> Answer<Ok200<SettingList>> {
    let chosen = tuning.of_environment(access.tenant()).await?;
    Ok(Ok200::new(SettingList::of(&chosen, &KNOWN)))
}

/// Read a setting
///
/// As the list of settings tells of it, for the environment acted on.
#[utoipa::path(
    tag = "settings", operation_id = "admin.settings.read",
    params(("setting" = String, Path, description = "The setting", example = "password_min_length")),
    responses((status = 200, description = "The setting", body = SettingView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadSettings::NAME))),
)]
#[get("/v1/admin/settings/{setting}")]
async fn read(
    access: Allowed<ReadSettings>,
    key: PathId<Key>,
    tuning: Data<Tuning>,
) -> Answer<Ok200<SettingView>> {
    let chosen = tuning.of_environment(access.tenant()).await?;
    Ok(Ok200::new(SettingView::of(
        &chosen,
        key.into_inner(),
        &KNOWN,
    )))
}

/// Choose a setting
///
/// At the level of the platform (for operators), of the app, or of the environment acted on. Counts
/// on every node within a second. What a level above enforces is not chosen below.
#[utoipa::path(
    tag = "settings", operation_id = "admin.settings.choose",
    params(
        ("setting" = String, Path, description = "The setting", example = "password_min_length"),
        At,
    ),
    request_body(content = NewChoice, example = json!({"value": 12, "enforced": true})),
    responses((status = 200, description = "The setting as it is now", body = SettingView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(UpdateSettings::NAME)),
        ("x-problems" = json!([
            ProblemKind::SettingLevel, ProblemKind::SettingEnforced, ProblemKind::Forbidden,
        ])),
    ),
)]
#[put("/v1/admin/settings/{setting}")]
async fn choose(
    access: Allowed<UpdateSettings>,
    key: PathId<Key>,
    at: Query<At>,
    new: Body<NewChoice>,
    tuning: Data<Tuning>,
) -> Answer<Ok200<SettingView>> {
    let place = at.into_inner().place(&access, &tuning)?;
    let key = key.into_inner();
    let wish = new.into_inner().of(key)?;
    tuning.choose(hand(&access), place, &wish).await?;
    let chosen = tuning.of_environment(access.tenant()).await?;
    Ok(Ok200::new(SettingView::of(&chosen, key, &KNOWN)))
}

/// Take back what is chosen
///
/// What is chosen above counts again, or the default.
#[utoipa::path(
    tag = "settings", operation_id = "admin.settings.take_back",
    params(
        ("setting" = String, Path, description = "The setting", example = "password_min_length"),
        At,
    ),
    responses((status = 204, description = "Nothing is chosen there")),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(UpdateSettings::NAME)),
        ("x-problems" = json!([ProblemKind::SettingLevel, ProblemKind::Forbidden])),
    ),
)]
#[delete("/v1/admin/settings/{setting}")]
async fn take_back(
    access: Allowed<UpdateSettings>,
    key: PathId<Key>,
    at: Query<At>,
    tuning: Data<Tuning>,
) -> Answer<NoContent> {
    let place = at.into_inner().place(&access, &tuning)?;
    tuning
        .take_back(hand(&access), place, key.into_inner())
        .await?;
    Ok(NoContent)
}

fn hand(access: &Allowed<UpdateSettings>) -> Hand<'_> {
    Hand {
        caller: access.caller(),
        origin: access.origin(),
        entrance: None,
    }
}
