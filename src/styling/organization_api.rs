use actix_web::web::Data;
use actix_web::{delete, get, put};

use super::service::{Hand, Styling};
use super::wire::BrandingView;
use crate::access::{Permission, ReadOrganizationBranding, UpdateOrganizationBranding};
use crate::branding::{Brand, Look};
use crate::http::{Answer, Body, Entering, Entrance, NoContent, Ok200, PathId, Routing};
use crate::kernel::id::OrgId;

pub(super) fn routes(config: &mut Routing) {
    config.service(read).service(replace).service(reset);
}

/// Read the branding of an organization
///
/// What is set, and how the organization looks: field by field what it has set, its own name and logo,
/// what the app has set, and the product's own look.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.branding.read",
    params(("org" = OrgId, Path, description = "The organisation")),
    responses((status = 200, description = "The branding", body = BrandingView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadOrganizationBranding::NAME))),
)]
#[get("/v1/orgs/{org}/branding")]
async fn read(
    access: Entering<ReadOrganizationBranding>,
    org: PathId<OrgId>,
    styling: Data<Styling>,
) -> Answer<Ok200<BrandingView>> {
    let (entrance, org) = (access.entrance(), org.into_inner());
    let shown = styling.of_organization(&entrance, org).await?;
    Ok(view(&entrance, org, shown))
}

/// Set the branding of an organization
///
/// Replaces all of it: what is left out is as the app has it. Invitations and letters about the
/// organization's webhooks wear it that are sent from now on, and whoever looks an invitation up is told
/// it. What would become a link in `company_name` or `tagline` is broken up in letters, their sentences
/// name the app as before, and `custom_css` is for pages: letters wear the app's.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.branding.replace",
    params(("org" = OrgId, Path, description = "The organisation")),
    request_body(
        content = Look,
        example = json!({"accent_color": "#b45309", "company_name": "Northwind", "tagline": "Fair winds"}),
    ),
    responses((status = 200, description = "What counts now", body = BrandingView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(UpdateOrganizationBranding::NAME))),
)]
#[put("/v1/orgs/{org}/branding")]
async fn replace(
    access: Entering<UpdateOrganizationBranding>,
    org: PathId<OrgId>,
    look: Body<Look>,
    styling: Data<Styling>,
) -> Answer<Ok200<BrandingView>> {
    let (entrance, org) = (access.entrance(), org.into_inner());
    styling
        .replace(hand(&entrance, org), &look.into_inner())
        .await?;
    let shown = styling.of_organization(&entrance, org).await?;
    Ok(view(&entrance, org, shown))
}

/// Reset the branding of an organization
///
/// It looks like the app again, under its own name and logo.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.branding.reset",
    params(("org" = OrgId, Path, description = "The organisation")),
    responses((status = 204, description = "Nothing is set")),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(UpdateOrganizationBranding::NAME))),
)]
#[delete("/v1/orgs/{org}/branding")]
async fn reset(
    access: Entering<UpdateOrganizationBranding>,
    org: PathId<OrgId>,
    styling: Data<Styling>,
) -> Answer<NoContent> {
    let entrance = access.entrance();
    styling.reset(hand(&entrance, org.into_inner())).await?;
    Ok(NoContent)
}

fn view(entrance: &Entrance<'_>, org: OrgId, shown: (Look, Brand)) -> Ok200<BrandingView> {
    let app = entrance.caller.tenant.app_id;
    Ok200::new(BrandingView::of_organization(app, org, shown))
}

fn hand<'a>(entrance: &'a Entrance<'a>, org: OrgId) -> Hand<'a> {
    Hand {
        caller: entrance.caller,
        origin: entrance.origin,
        entrance: Some((entrance, org)),
    }
}
