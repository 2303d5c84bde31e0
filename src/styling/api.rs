use actix_web::web::Data;
use actix_web::{delete, get, put};

use super::organization_api;
use super::service::{Hand, Styling};
use super::wire::BrandingView;
use crate::access::{Permission, ReadBranding, UpdateBranding};
use crate::branding::Look;
use crate::http::{Allowed, Answer, Body, NoContent, Ok200, PathId, Routing};
use crate::kernel::id::AppId;

pub fn routes(config: &mut Routing) {
    config
        .service(read)
        .service(replace)
        .service(reset)
        .configure(organization_api::routes);
}

/// Read the branding of an app
///
/// What is set, and what letters and pages wear: where nothing is set the name and the logo of the app,
/// and the product's own colours and fonts.
#[utoipa::path(
    tag = "administration", operation_id = "admin.branding.read",
    params(("app" = AppId, Path, description = "The app")),
    responses((status = 200, description = "The branding", body = BrandingView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadBranding::NAME))),
)]
#[get("/v1/admin/apps/{app}/branding")]
async fn read(
    access: Allowed<ReadBranding>,
    app: PathId<AppId>,
    styling: Data<Styling>,
) -> Answer<Ok200<BrandingView>> {
    let app = access.own(app.into_inner())?;
    let shown = styling.of_app(access.tenant()).await?;
    Ok(Ok200::new(BrandingView::of_app(app, shown)))
}

/// Set the branding of an app
///
/// Replaces all of it: what is left out is as if it had never been set. Letters that are sent from now
/// on wear it, in every environment of the app, and sign-in pages are told it within a second; it is
/// public. Organizations can set their own above it. `custom_css` is taken with simple selectors,
/// `@media` and properties of presentation alone, and refused with line and reason otherwise; the
/// classes of letters are `letter`, `logo`, `company`, `text`, `button`, `link`, `code`, `footer` and
/// `tagline`.
#[utoipa::path(
    tag = "administration", operation_id = "admin.branding.replace",
    params(("app" = AppId, Path, description = "The app")),
    request_body(
        content = Look,
        example = json!({
            "logo_url": "https://app.example.com/logo.png", "accent_color": "#0f766e",
            "font_family": "Inter, sans-serif", "company_name": "Acme Research",
            "custom_css": ".button { border-radius: 999px !important }",
        }),
    ),
    responses((status = 200, description = "What counts now", body = BrandingView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(UpdateBranding::NAME))),
)]
#[put("/v1/admin/apps/{app}/branding")]
async fn replace(
    access: Allowed<UpdateBranding>,
    app: PathId<AppId>,
    look: Body<Look>,
    styling: Data<Styling>,
) -> Answer<Ok200<BrandingView>> {
    let app = access.own(app.into_inner())?;
    styling.replace(hand(&access), &look.into_inner()).await?;
    let shown = styling.of_app(access.tenant()).await?;
    Ok(Ok200::new(BrandingView::of_app(app, shown)))
}

/// Reset the branding of an app
///
/// Letters and pages look like the product again, under the name and the logo of the app.
#[utoipa::path(
    tag = "administration", operation_id = "admin.branding.reset",
    params(("app" = AppId, Path, description = "The app")),
    responses((status = 204, description = "Nothing is set")),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(UpdateBranding::NAME))),
)]
#[delete("/v1/admin/apps/{app}/branding")]
async fn reset(
    access: Allowed<UpdateBranding>,
    app: PathId<AppId>,
    styling: Data<Styling>,
) -> Answer<NoContent> {
    access.own(app.into_inner())?;
    styling.reset(hand(&access)).await?;
    Ok(NoContent)
}

fn hand(access: &Allowed<UpdateBranding>) -> Hand<'_> {
    Hand {
        caller: access.caller(),
        origin: access.origin(),
        entrance: None,
    }
}
