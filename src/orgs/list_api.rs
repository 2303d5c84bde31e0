//! Lists of organisations, and whether a slug is free.

use actix_web::get;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::service::{Orgs, SlugAnswer};
use super::wire::OrganizationView;
use crate::access::{CheckSlug, ListOrganizations, ListOwnOrganizations, Permission};
use crate::http::{
    Allowed, Answer, Fields, FromFields, Ok200, Paging, ProblemKind, Query, Routing,
};
use crate::kernel::page::Slice;
use crate::memberships::Organization;

pub(super) fn routes(config: &mut Routing) {
    config
        .service(list)
        .service(check_slug)
        .service(own)
        .service(all);
}

/// A page of organisations, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct OrganizationPage {
    organizations: Vec<OrganizationView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
}

impl OrganizationPage {
    fn of(found: Slice<(Organization, Option<Vec<String>>)>, paging: &Paging) -> Self {
        let next_cursor = paging.cursor(found.next.as_ref());
        let shown = found.items.into_iter();
        let shown = shown.map(|(organization, roles)| OrganizationView::of(organization, roles));
        Self {
            organizations: shown.collect(),
            has_more: next_cursor.is_some(),
            next_cursor,
        }
    }
}

/// List my organisations
///
/// Newest membership first, with what the caller is in each.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.list",
    params(Paging),
    responses((status = 200, description = "A page of organisations", body = OrganizationPage)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ListOwnOrganizations::NAME)),
        ("x-problems" = json!([ProblemKind::UserRequired])),
    ),
)]
#[get("/v1/orgs")]
async fn list(
    access: Allowed<ListOwnOrganizations>,
    paging: Query<Paging>,
    orgs: Data<Orgs>,
) -> Answer<Ok200<OrganizationPage>> {
    own_page(&access, &paging.into_inner(), &orgs).await
}

/// List my organisations
///
/// The same as `GET /v1/orgs`.
#[utoipa::path(
    tag = "me", operation_id = "me.orgs",
    params(Paging),
    responses((status = 200, description = "A page of organisations", body = OrganizationPage)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ListOwnOrganizations::NAME)),
        ("x-problems" = json!([ProblemKind::UserRequired])),
    ),
)]
#[get("/v1/me/orgs")]
async fn own(
    access: Allowed<ListOwnOrganizations>,
    paging: Query<Paging>,
    orgs: Data<Orgs>,
) -> Answer<Ok200<OrganizationPage>> {
    own_page(&access, &paging.into_inner(), &orgs).await
}

async fn own_page(
    access: &Allowed<ListOwnOrganizations>,
    paging: &Paging,
    orgs: &Orgs,
) -> Answer<Ok200<OrganizationPage>> {
    let user = access.person()?;
    let page = (paging.after.as_ref(), paging.limit);
    let found = orgs.of_user(access.tenant(), user, page).await?;
    let items = found
        .items
        .into_iter()
        .map(|(organization, roles)| (organization, Some(roles)));
    let found = Slice {
        items: items.collect(),
        next: found.next,
    };
    Ok(Ok200::new(OrganizationPage::of(found, paging)))
}

/// Which organisations, and which page of them.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct AllQuery {
    #[param(ignore)]
    paging: Paging,
    /// The beginning of a slug.
    slug: Option<String>,
}

impl FromFields for AllQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let paging = Paging::from_fields(fields);
        let slug = fields.optional("slug", beginning_of_a_slug);
        Some(Self {
            paging: paging?,
            slug: slug?,
        })
    }
}

fn beginning_of_a_slug(text: &str) -> Result<String, &'static str> {
    if text.len() > 40 {
        return Err("is longer than a slug");
    }
    Ok(text.to_ascii_lowercase())
}

/// List all organisations
///
/// Of the environment, newest first.
#[utoipa::path(
    tag = "administration", operation_id = "admin.orgs.list",
    params(Paging, AllQuery),
    responses((status = 200, description = "A page of organisations", body = OrganizationPage)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ListOrganizations::NAME))),
)]
#[get("/v1/admin/orgs")]
async fn all(
    access: Allowed<ListOrganizations>,
    query: Query<AllQuery>,
    orgs: Data<Orgs>,
) -> Answer<Ok200<OrganizationPage>> {
    let AllQuery { paging, slug } = query.into_inner();
    let page = (paging.after.as_ref(), paging.limit);
    let found = orgs.page(access.tenant(), slug.as_deref(), page).await?;
    let items = found
        .items
        .into_iter()
        .map(|organization| (organization, None));
    let found = Slice {
        items: items.collect(),
        next: found.next,
    };
    Ok(Ok200::new(OrganizationPage::of(found, &paging)))
}

/// Whether an organisation could have a slug.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SlugAnswer)]
struct SlugView {
    /// As it would be kept.
    slug: String,
    available: bool,
    /// Why not: `invalid_slug`, `slug_reserved` or `slug_taken`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<&'static str>,
}

impl From<SlugAnswer> for SlugView {
    fn from(answer: SlugAnswer) -> Self {
        Self {
            slug: answer.slug,
            available: answer.available,
            reason: answer.reason,
        }
    }
}

/// The slug that somebody would like.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct SlugQuery {
    #[param(example = "acme", max_length = 200)]
    slug: String,
}

impl FromFields for SlugQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let slug = fields.required("slug", wanted_slug);
        Some(Self { slug: slug? })
    }
}

fn wanted_slug(text: &str) -> Result<String, &'static str> {
    if text.len() > 200 {
        return Err("is longer than 200 bytes");
    }
    Ok(text.to_owned())
}

/// Check a slug
///
/// Whether an organisation of this environment could have it now. It is not kept for the caller.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.check_slug",
    params(SlugQuery),
    responses((status = 200, description = "The answer", body = SlugView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(CheckSlug::NAME))),
)]
#[get("/v1/orgs/check-slug")]
async fn check_slug(
    access: Allowed<CheckSlug>,
    query: Query<SlugQuery>,
    orgs: Data<Orgs>,
) -> Answer<Ok200<SlugView>> {
    let slug = query.into_inner().slug;
    let answer = orgs.check_slug(access.tenant(), &slug).await?;
    Ok(Ok200::new(answer.into()))
}
