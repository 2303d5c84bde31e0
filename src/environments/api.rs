use std::time::Duration;

use actix_web::web::Data;
use actix_web::{delete, get, patch, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::changing::NewEnvironment;
use super::record::{Environment, Kind, Settings};
use super::repo::EnvironmentChanges;
use super::service::Environments;
use super::settings_api;
use crate::access::{
    CreateEnvironment, DeleteEnvironment, Permission, ReadEnvironments, UpdateEnvironments,
};
use crate::http::{
    Allowed, Answer, Body, Change, Created, Fields, FromFields, NoContent, Ok200, PathId,
    ProblemKind, Routing,
};
use crate::kernel::id::{AppId, EnvId};
use crate::kernel::text::{Color, Label, Slug};
use crate::kernel::time::Timestamp;

const DAY: u32 = 24 * 60 * 60;
/// How long a superseded key is good where nothing is said.
const GRACE: u32 = DAY;

pub fn routes(config: &mut Routing) {
    config
        .service(list)
        .service(create)
        .service(read)
        .service(update)
        .service(remove)
        .service(set_default)
        .service(rotate_key)
        .configure(settings_api::routes);
}

/// An environment as administrators see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Environment)]
pub struct EnvironmentView {
    id: EnvId,
    app_id: AppId,
    name: Label,
    slug: Slug,
    #[serde(rename = "type")]
    kind: Kind,
    /// What people tell it by at a glance.
    #[schema(value_type = Color)]
    color: String,
    is_default: bool,
    publishable_key: String,
    settings: Settings,
    /// The one that it was made like.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    cloned_from: Option<EnvId>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Environment> for EnvironmentView {
    fn from(environment: Environment) -> Self {
        let color = environment.color.as_ref().map(Color::as_str);
        Self {
            id: environment.id,
            app_id: environment.app_id,
            name: environment.name,
            slug: environment.slug,
            kind: environment.kind,
            color: color.unwrap_or(environment.kind.color()).to_owned(),
            is_default: environment.is_default,
            publishable_key: environment.publishable_key,
            settings: environment.settings,
            cloned_from: environment.cloned_from,
            created_at: environment.created_at,
            updated_at: environment.updated_at,
        }
    }
}

/// Every environment of the app.
#[derive(Debug, Serialize, ToSchema)]
struct EnvironmentList {
    environments: Vec<EnvironmentView>,
}

/// List environments
///
/// Every environment of the app, oldest first.
#[utoipa::path(
    tag = "environments", operation_id = "environments.list",
    responses((status = 200, description = "The environments", body = EnvironmentList)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadEnvironments::NAME))),
)]
#[get("/v1/environments")]
async fn list(
    access: Allowed<ReadEnvironments>,
    environments: Data<Environments>,
) -> Answer<Ok200<EnvironmentList>> {
    let found = environments.list(access.tenant()).await?;
    let environments = found.into_iter().map(EnvironmentView::from).collect();
    Ok(Ok200::new(EnvironmentList { environments }))
}

/// An environment to make.
#[derive(Debug, ToSchema)]
struct NewEnvironmentBody {
    name: Label,
    /// Absent: made of the name. No other environment of the app has it.
    #[schema(nullable = false)]
    slug: Option<Slug>,
    /// Its keys show it for ever. Production begins by wanting addresses verified.
    #[schema(rename = "type")]
    kind: Kind,
    /// Absent: the colour of its type.
    #[schema(nullable = false)]
    color: Option<Color>,
}

impl FromFields for NewEnvironmentBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", Label::parse);
        let slug = fields.optional("slug", Slug::parse);
        let kind = fields.required("type", str::parse::<Kind>);
        let color = fields.optional("color", Color::parse);
        Some(Self {
            name: name?,
            slug: slug?,
            kind: kind?,
            color: color?,
        })
    }
}

impl From<NewEnvironmentBody> for NewEnvironment {
    fn from(body: NewEnvironmentBody) -> Self {
        Self {
            name: body.name,
            slug: body.slug,
            kind: body.kind,
            color: body.color,
        }
    }
}

/// Make an environment
///
/// With keys of its own to sign with, and nothing in it but the users of the app. An app has at most
/// 20 environments. Secret keys of it are made by an administrator who signs in to it.
#[utoipa::path(
    tag = "environments", operation_id = "environments.create",
    request_body(
        content = NewEnvironmentBody,
        example = json!({"name": "Staging", "type": "staging", "color": "#f29900"}),
    ),
    responses((status = 201, description = "The environment", body = EnvironmentView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(CreateEnvironment::NAME)),
        ("x-problems" = json!([ProblemKind::SlugTaken, ProblemKind::EnvironmentLimit])),
    ),
)]
#[post("/v1/environments")]
async fn create(
    access: Allowed<CreateEnvironment>,
    new: Body<NewEnvironmentBody>,
    environments: Data<Environments>,
) -> Answer<Created<EnvironmentView>> {
    let new = NewEnvironment::from(new.into_inner());
    let made = environments
        .create(access.caller(), &new, access.origin())
        .await?;
    Ok(Created::new(made.into()))
}

/// Read an environment
///
/// The one acted on: to act on another one takes credentials of that one, or an operator.
#[utoipa::path(
    tag = "environments", operation_id = "environments.read",
    params(("id" = EnvId, Path, description = "The environment")),
    responses((status = 200, description = "The environment", body = EnvironmentView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadEnvironments::NAME))),
)]
#[get("/v1/environments/{id}")]
async fn read(
    access: Allowed<ReadEnvironments>,
    id: PathId<EnvId>,
    environments: Data<Environments>,
) -> Answer<Ok200<EnvironmentView>> {
    let found = environments.get(access.tenant(), id.into_inner()).await?;
    Ok(Ok200::new(found.into()))
}

/// What is to become of an environment. Its type stays: keys show it.
#[derive(Debug, ToSchema)]
struct EnvironmentPatch {
    #[schema(nullable = false)]
    name: Option<Label>,
    #[schema(nullable = false)]
    slug: Option<Slug>,
    /// `null`: the colour of its type.
    #[schema(value_type = Option<Color>)]
    color: Change<Color>,
}

impl FromFields for EnvironmentPatch {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional("name", Label::parse);
        let slug = fields.optional("slug", Slug::parse);
        let color = fields.change("color", Color::parse);
        Some(Self {
            name: name?,
            slug: slug?,
            color: color?,
        })
    }
}

impl From<EnvironmentPatch> for EnvironmentChanges {
    fn from(body: EnvironmentPatch) -> Self {
        Self {
            name: body.name,
            slug: body.slug,
            color: body.color,
        }
    }
}

/// Change an environment
///
/// What is absent stays as it is; a colour that is `null` is that of its type again.
#[utoipa::path(
    tag = "environments", operation_id = "environments.update",
    params(("id" = EnvId, Path, description = "The environment")),
    request_body(content = EnvironmentPatch, example = json!({"name": "Pre-production"})),
    responses((status = 200, description = "The changed environment", body = EnvironmentView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(UpdateEnvironments::NAME)),
        ("x-problems" = json!([ProblemKind::SlugTaken])),
    ),
)]
#[patch("/v1/environments/{id}")]
async fn update(
    access: Allowed<UpdateEnvironments>,
    id: PathId<EnvId>,
    changes: Body<EnvironmentPatch>,
    environments: Data<Environments>,
) -> Answer<Ok200<EnvironmentView>> {
    let changes = EnvironmentChanges::from(changes.into_inner());
    let what = (id.into_inner(), &changes);
    let updated = environments
        .update(access.caller(), what, access.origin())
        .await?;
    Ok(Ok200::new(updated.into()))
}

/// Delete an environment
///
/// The one acted on, with everything in it: organisations, sessions, keys. Within a second every
/// node refuses what was issued there; the documents follow in the background, a minute later. Users
/// are the app's, and stay; so does what happened, on record.
#[utoipa::path(
    tag = "environments", operation_id = "environments.delete",
    params(("id" = EnvId, Path, description = "The environment")),
    responses((status = 204, description = "The environment is gone")),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(DeleteEnvironment::NAME)),
        ("x-problems" = json!([ProblemKind::DefaultEnvironment])),
    ),
)]
#[delete("/v1/environments/{id}")]
async fn remove(
    access: Allowed<DeleteEnvironment>,
    id: PathId<EnvId>,
    environments: Data<Environments>,
) -> Answer<NoContent> {
    environments
        .delete(access.caller(), id.into_inner(), access.origin())
        .await?;
    Ok(NoContent)
}

/// Make an environment the default
///
/// The one that is meant where an app is named without an environment. There is exactly one.
#[utoipa::path(
    tag = "environments", operation_id = "environments.set_default",
    params(("id" = EnvId, Path, description = "The environment")),
    responses((status = 200, description = "The default environment", body = EnvironmentView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(UpdateEnvironments::NAME))),
)]
#[post("/v1/environments/{id}/set-default")]
async fn set_default(
    access: Allowed<UpdateEnvironments>,
    id: PathId<EnvId>,
    environments: Data<Environments>,
) -> Answer<Ok200<EnvironmentView>> {
    let updated = environments
        .set_default(access.caller(), id.into_inner(), access.origin())
        .await?;
    Ok(Ok200::new(updated.into()))
}

/// How the publishable key is to be superseded.
#[derive(Debug, ToSchema)]
struct KeyRotation {
    /// How long the old key is good yet; a day where nothing is said.
    #[schema(minimum = 0, maximum = 2_592_000, nullable = false)]
    grace_seconds: Option<u32>,
}

impl FromFields for KeyRotation {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let grace_seconds = fields.number("grace_seconds", 0..=30 * DAY);
        Some(Self {
            grace_seconds: grace_seconds?,
        })
    }
}

/// An environment with its new publishable key.
#[derive(Debug, Serialize, ToSchema)]
struct RotatedKey {
    publishable_key: String,
    /// From then on the key before names nothing.
    superseded_until: Timestamp,
    environment: EnvironmentView,
}

/// Rotate the publishable key
///
/// The environment has a new key at once. The one before names it as well until its time of grace is
/// over, on every node; then it is unknown. A `grace_seconds` of 0 also ends the grace of those before.
#[utoipa::path(
    tag = "environments", operation_id = "environments.rotate_key",
    params(("id" = EnvId, Path, description = "The environment")),
    request_body(content = KeyRotation, example = json!({"grace_seconds": 86400})),
    responses((status = 200, description = "The new key", body = RotatedKey)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(UpdateEnvironments::NAME))),
)]
#[post("/v1/environments/{id}/rotate-key")]
async fn rotate_key(
    access: Allowed<UpdateEnvironments>,
    id: PathId<EnvId>,
    how: Body<KeyRotation>,
    environments: Data<Environments>,
) -> Answer<Ok200<RotatedKey>> {
    let grace = how.into_inner().grace_seconds.unwrap_or(GRACE);
    let what = (id.into_inner(), Duration::from_secs(grace.into()));
    let (rotated, superseded_until) = environments
        .rotate_key(access.caller(), what, access.origin())
        .await?;
    Ok(Ok200::new(RotatedKey {
        publishable_key: rotated.publishable_key.clone(),
        superseded_until,
        environment: rotated.into(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<NewEnvironmentBody>();
        assert_documented::<EnvironmentPatch>();
        assert_documented::<KeyRotation>();
    }
}
