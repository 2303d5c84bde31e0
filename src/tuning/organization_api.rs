use actix_web::web::Data;
use actix_web::{delete, get, put};

use super::service::{Hand, Tuning};
use super::wire::{NewChoice, SettingList, SettingView};
use crate::access::{Permission, ReadOrganizationSettings, UpdateOrganizationSettings};
use crate::http::{
    Answer, Body, Entering, Entrance, NoContent, Ok200, PathId, PathIds, ProblemKind, Routing,
};
use crate::kernel::id::OrgId;
use crate::settings::{Key, Level, Place};

/// What an organisation is told of: what it can choose, and whose choice counts.
const KNOWN: [Level; 1] = [Level::Organization];

pub(super) fn routes(config: &mut Routing) {
    config.service(list).service(choose).service(take_back);
}

/// List the settings of an organisation
///
/// Those that it can choose, with what counts and at which level that was decided.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.settings.list",
    params(("org" = OrgId, Path, description = "The organisation")),
    responses((status = 200, description = "The settings", body = SettingList)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadOrganizationSettings::NAME))),
)]
#[get("/v1/orgs/{org}/settings")]
async fn list(
    access: Entering<ReadOrganizationSettings>,
    org: PathId<OrgId>,
    tuning: Data<Tuning>,
) -> Answer<Ok200<SettingList>> {
    let chosen = tuning
        .of_organization(&access.entrance(), org.into_inner())
        .await?;
    Ok(Ok200::new(SettingList::of(&chosen, &KNOWN)))
}

/// Choose a setting of an organisation
///
/// It counts in this organisation alone, unless a level above enforces another choice.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.settings.choose",
    params(
        ("org" = OrgId, Path, description = "The organisation"),
        ("setting" = String, Path, description = "The setting", example = "default_language"),
    ),
    request_body(content = NewChoice, example = json!({"value": "de"})),
    responses((status = 200, description = "The setting as it is now", body = SettingView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(UpdateOrganizationSettings::NAME)),
        ("x-problems" = json!([ProblemKind::SettingLevel, ProblemKind::SettingEnforced])),
    ),
)]
#[put("/v1/orgs/{org}/settings/{setting}")]
async fn choose(
    access: Entering<UpdateOrganizationSettings>,
    ids: PathIds<(OrgId, Key)>,
    new: Body<NewChoice>,
    tuning: Data<Tuning>,
) -> Answer<Ok200<SettingView>> {
    let ((org, key), entrance) = (ids.into_inner(), access.entrance());
    let wish = new.into_inner().of(key)?;
    let place = Place::Organization(entrance.caller.tenant, org);
    tuning.choose(hand(&entrance, org), place, &wish).await?;
    let chosen = tuning.of_organization(&entrance, org).await?;
    Ok(Ok200::new(SettingView::of(&chosen, key, &KNOWN)))
}

/// Take back what an organisation has chosen
///
/// What is chosen above counts again, or the default.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.settings.take_back",
    params(
        ("org" = OrgId, Path, description = "The organisation"),
        ("setting" = String, Path, description = "The setting", example = "default_language"),
    ),
    responses((status = 204, description = "Nothing is chosen there")),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(UpdateOrganizationSettings::NAME))),
)]
#[delete("/v1/orgs/{org}/settings/{setting}")]
async fn take_back(
    access: Entering<UpdateOrganizationSettings>,
    ids: PathIds<(OrgId, Key)>,
    tuning: Data<Tuning>,
) -> Answer<NoContent> {
    let ((org, key), entrance) = (ids.into_inner(), access.entrance());
    let place = Place::Organization(entrance.caller.tenant, org);
    tuning.take_back(hand(&entrance, org), place, key).await?;
    Ok(NoContent)
}

fn hand<'a>(entrance: &'a Entrance<'a>, org: OrgId) -> Hand<'a> {
    Hand {
        caller: entrance.caller,
        origin: entrance.origin,
        entrance: Some((entrance, org)),
    }
}
