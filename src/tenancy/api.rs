use actix_web::web::Data;
use actix_web::{delete, get, patch, post};

use super::service::Tenancy;
use super::wire::{AppPage, AppView, Confirmation, FoundedApp, NewAppBody};
use crate::access::{OperateApps, Permission, ReadApp, UpdateApp};
use crate::apps::AppChanges;
use crate::http::{
    Allowed, Answer, Body, Created, NoContent, Ok200, Paging, PathId, Problem, ProblemKind, Query,
    Routing,
};
use crate::kernel::id::AppId;

pub fn routes(config: &mut Routing) {
    config
        .service(create_app)
        .service(list)
        .service(read)
        .service(change)
        .service(close)
        .configure(super::owners::routes);
}

/// Found an app
///
/// With two environments, production and development, which is the default one. Each has a signing
/// key, a publishable key and a secret key; the secret keys are in this answer and nowhere else.
#[utoipa::path(
    tag = "administration", operation_id = "admin.apps.create",
    request_body(content = NewAppBody, example = json!({"name": "Shop"})),
    responses((status = 201, description = "The app and its keys", body = FoundedApp)),
    security(("session" = [])),
    extensions(
        ("x-permission" = json!(OperateApps::NAME)),
        ("x-problems" = json!([ProblemKind::AppSlugTaken])),
    ),
)]
#[post("/v1/admin/apps")]
async fn create_app(
    access: Allowed<OperateApps>,
    new: Body<NewAppBody>,
    tenancy: Data<Tenancy>,
) -> Answer<Created<FoundedApp>> {
    let wanted = new.into_inner().into();
    let founded = tenancy
        .found(access.caller(), &wanted, access.origin())
        .await?;
    Ok(Created::new(founded.into()))
}

/// List the apps
///
/// All of the installation, newest first, the platform included.
#[utoipa::path(
    tag = "administration", operation_id = "admin.apps.list",
    params(Paging),
    responses((status = 200, description = "A page of apps", body = AppPage)),
    security(("session" = [])),
    extensions(("x-permission" = json!(OperateApps::NAME))),
)]
#[get("/v1/admin/apps")]
async fn list(
    _access: Allowed<OperateApps>,
    paging: Query<Paging>,
    tenancy: Data<Tenancy>,
) -> Answer<Ok200<AppPage>> {
    let paging = paging.into_inner();
    let slice = tenancy.page(paging.after.as_ref(), paging.limit).await?;
    Ok(Ok200::new(AppPage {
        next_cursor: paging.cursor(slice.next.as_ref()),
        has_more: slice.next.is_some(),
        apps: slice.items.into_iter().map(AppView::from).collect(),
    }))
}

/// Read an app
///
/// One's own, or any for operators.
#[utoipa::path(
    tag = "administration", operation_id = "admin.apps.read",
    params(("app" = AppId, Path, description = "The app")),
    responses((status = 200, description = "The app", body = AppView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadApp::NAME))),
)]
#[get("/v1/admin/apps/{app}")]
async fn read(
    access: Allowed<ReadApp>,
    app: PathId<AppId>,
    tenancy: Data<Tenancy>,
) -> Answer<Ok200<AppView>> {
    let app = tenancy.get(within_reach(&access, app)?).await?;
    Ok(Ok200::new(app.into()))
}

/// Change how an app is described
///
/// One's own, or any for operators. The platform app keeps its slug.
#[utoipa::path(
    tag = "administration", operation_id = "admin.apps.update",
    params(("app" = AppId, Path, description = "The app")),
    request_body(content = AppChanges, example = json!({"description": "What we sell"})),
    responses((status = 200, description = "The app, changed", body = AppView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(UpdateApp::NAME)),
        ("x-problems" = json!([ProblemKind::AppSlugTaken, ProblemKind::PlatformApp])),
    ),
)]
#[patch("/v1/admin/apps/{app}")]
async fn change(
    access: Allowed<UpdateApp>,
    app: PathId<AppId>,
    changes: Body<AppChanges>,
    tenancy: Data<Tenancy>,
) -> Answer<Ok200<AppView>> {
    let (id, changes) = (within_reach(&access, app)?, changes.into_inner());
    let app = tenancy
        .change(access.caller(), (id, &changes), access.origin())
        .await?;
    Ok(Ok200::new(app.into()))
}

/// Delete an app
///
/// For good, with everything that is its own: users, environments, organisations, keys, records. It
/// wants its slug typed. None of its keys is good from then on, and its tokens are refused everywhere
/// within a second; the slug is free. The platform app stays.
#[utoipa::path(
    tag = "administration", operation_id = "admin.apps.delete",
    params(("app" = AppId, Path, description = "The app"), Confirmation),
    responses((status = 204, description = "The app is gone")),
    security(("session" = [])),
    extensions(
        ("x-permission" = json!(OperateApps::NAME)),
        ("x-problems" = json!([ProblemKind::NotConfirmed, ProblemKind::PlatformApp])),
    ),
)]
#[delete("/v1/admin/apps/{app}")]
async fn close(
    access: Allowed<OperateApps>,
    app: PathId<AppId>,
    confirmation: Query<Confirmation>,
    tenancy: Data<Tenancy>,
) -> Answer<NoContent> {
    let confirmed = confirmation.into_inner().confirm;
    tenancy
        .close(
            access.caller(),
            (app.into_inner(), &confirmed),
            access.origin(),
        )
        .await?;
    Ok(NoContent)
}

/// The app acted on, or any for operators; another one is unknown.
fn within_reach<P>(access: &Allowed<P>, app: PathId<AppId>) -> Result<AppId, Problem> {
    let app = app.into_inner();
    if app == access.tenant().app_id || access.also::<OperateApps>() {
        return Ok(app);
    }
    Err(ProblemKind::NotFound.into())
}
