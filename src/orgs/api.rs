use actix_web::web::Data;
use actix_web::{delete, get, patch, post};
use utoipa::ToSchema;

use super::founding::{NewOrganization, oneself};
use super::service::Orgs;
use super::wire::OrganizationView;
use super::{list_api, members_api};
use crate::access::{
    CreateOrganization, DeleteOrganization, LimitSeats, Permission, ReadOrganization,
    TransferOrganization, UpdateOrganization,
};
use crate::http::{
    Allowed, Answer, Body, Change, Created, Entering, Fields, FromFields, NoContent, Ok200, PathId,
    ProblemKind, Routing,
};
use crate::kernel::id::{MemberId, OrgId, UserId};
use crate::kernel::metadata::Metadata;
use crate::kernel::text::{Label, Slug};
use crate::memberships::OrganizationChanges;
use crate::users::image_url;

/// How many seats an organisation can be limited to.
const SEATS: std::ops::RangeInclusive<u32> = 1..=1_000_000;

pub fn routes(config: &mut Routing) {
    config
        .configure(list_api::routes)
        .service(create)
        .service(read)
        .service(update)
        .service(remove)
        .service(leave)
        .service(transfer)
        .configure(members_api::routes);
}

/// An organisation to found.
#[derive(Debug, ToSchema)]
struct NewOrganizationBody {
    name: Label,
    /// Absent: made of the name.
    #[schema(nullable = false)]
    slug: Option<Slug>,
    /// The https address of a picture.
    #[schema(nullable = false, format = "uri")]
    logo: Option<String>,
    #[schema(nullable = false)]
    metadata: Option<Metadata>,
    /// How many members there may be. Only administrators of the app say so.
    #[schema(nullable = false, minimum = 1, maximum = 1_000_000)]
    max_members: Option<u32>,
    /// Who is to own it. Only administrators of the app found for others, and keys must.
    #[schema(nullable = false)]
    owner_id: Option<UserId>,
}

impl FromFields for NewOrganizationBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", Label::parse);
        let slug = fields.optional("slug", Slug::parse);
        let logo = fields.optional("logo", image_url);
        let metadata = fields.map("metadata", Metadata::parse);
        let max_members = fields.number("max_members", SEATS);
        let owner_id = fields.optional("owner_id", str::parse::<UserId>);
        Some(Self {
            name: name?,
            slug: slug?,
            logo: logo?,
            metadata: metadata?,
            max_members: max_members?,
            owner_id: owner_id?,
        })
    }
}

impl From<NewOrganizationBody> for NewOrganization {
    fn from(body: NewOrganizationBody) -> Self {
        Self {
            name: body.name,
            slug: body.slug,
            logo: body.logo,
            metadata: body.metadata.unwrap_or_default(),
            max_members: body.max_members.map(i64::from),
            owner: body.owner_id,
        }
    }
}

/// What is to become of an organisation. `null` takes away the logo or the limit.
#[derive(Debug, ToSchema)]
struct OrganizationPatch {
    #[schema(nullable = false)]
    name: Option<Label>,
    #[schema(nullable = false)]
    slug: Option<Slug>,
    #[schema(value_type = Option<String>, format = "uri")]
    logo: Change<String>,
    /// Replaces all of it.
    #[schema(nullable = false)]
    metadata: Option<Metadata>,
    /// Only administrators of the app limit seats. Fewer than there are members keeps others out.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000)]
    max_members: Change<u32>,
}

impl FromFields for OrganizationPatch {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional("name", Label::parse);
        let slug = fields.optional("slug", Slug::parse);
        let logo = fields.change("logo", image_url);
        let metadata = fields.map("metadata", Metadata::parse);
        let max_members = fields.number_change("max_members", SEATS);
        Some(Self {
            name: name?,
            slug: slug?,
            logo: logo?,
            metadata: metadata?,
            max_members: max_members?,
        })
    }
}

impl From<OrganizationPatch> for OrganizationChanges {
    fn from(body: OrganizationPatch) -> Self {
        Self {
            name: body.name,
            slug: body.slug,
            logo: body.logo,
            metadata: body.metadata,
            max_members: match body.max_members {
                Change::Keep => Change::Keep,
                Change::Clear => Change::Clear,
                Change::Set(most) => Change::Set(i64::from(most)),
            },
        }
    }
}

/// Found an organisation
///
/// The caller becomes its owner. A key, and an administrator for somebody else, names the owner in
/// `owner_id`.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.create",
    request_body(content = NewOrganizationBody, example = json!({"name": "Acme", "slug": "acme"})),
    responses((status = 201, description = "The organisation", body = OrganizationView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(CreateOrganization::NAME)),
        ("x-problems" = json!([ProblemKind::OrganizationCreationClosed, 
            ProblemKind::SlugTaken, ProblemKind::SlugReserved, ProblemKind::UserRequired,
            ProblemKind::NotFound, ProblemKind::MemberInactive,
        ])),
    ),
)]
#[post("/v1/orgs")]
async fn create(
    access: Allowed<CreateOrganization>,
    new: Body<NewOrganizationBody>,
    orgs: Data<Orgs>,
) -> Answer<Created<OrganizationView>> {
    let caller = (access.caller(), access.also::<LimitSeats>());
    let new = NewOrganization::from(new.into_inner());
    let founded = orgs.found(caller, &new, access.origin()).await?;
    let is_own = oneself(access.caller()).ok() == founded.created_by;
    let roles = is_own.then(|| vec!["owner".to_owned()]);
    Ok(Created::new(OrganizationView::of(founded, roles)))
}

/// Read an organisation
///
/// To whoever is no member it does not exist, unless he administers the app.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.read",
    params(("org" = OrgId, Path, description = "The organisation")),
    responses((status = 200, description = "The organisation", body = OrganizationView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadOrganization::NAME))),
)]
#[get("/v1/orgs/{org}")]
async fn read(
    access: Entering<ReadOrganization>,
    org: PathId<OrgId>,
    orgs: Data<Orgs>,
) -> Answer<Ok200<OrganizationView>> {
    let standing = orgs.get(&access.entrance(), org.into_inner()).await?;
    Ok(Ok200::new(standing.into()))
}

/// Change an organisation
///
/// A field that is absent stays as it is; `logo` and `max_members` are cleared by `null`.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.update",
    params(("org" = OrgId, Path, description = "The organisation")),
    request_body(content = OrganizationPatch, example = json!({"name": "Acme Research"})),
    responses((status = 200, description = "The organisation", body = OrganizationView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(UpdateOrganization::NAME)),
        ("x-problems" = json!([ProblemKind::SlugTaken, ProblemKind::SlugReserved])),
    ),
)]
#[patch("/v1/orgs/{org}")]
async fn update(
    access: Entering<UpdateOrganization>,
    org: PathId<OrgId>,
    changes: Body<OrganizationPatch>,
    orgs: Data<Orgs>,
) -> Answer<Ok200<OrganizationView>> {
    let changes = OrganizationChanges::from(changes.into_inner());
    let is_administrator = access.also::<LimitSeats>();
    let wanted = (org.into_inner(), &changes);
    let standing = orgs
        .update(&access.entrance(), is_administrator, wanted)
        .await?;
    Ok(Ok200::new(standing.into()))
}

/// Delete an organisation
///
/// With its members, invitations, teams and roles. Access tokens for it are refused.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.delete",
    params(("org" = OrgId, Path, description = "The organisation")),
    responses((status = 204, description = "It is gone")),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(DeleteOrganization::NAME))),
)]
#[delete("/v1/orgs/{org}")]
async fn remove(
    access: Entering<DeleteOrganization>,
    org: PathId<OrgId>,
    orgs: Data<Orgs>,
) -> Answer<NoContent> {
    orgs.delete(&access.entrance(), org.into_inner()).await?;
    Ok(NoContent)
}

/// Leave an organisation
///
/// The last owner cannot leave: he hands it over, or deletes it.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.leave",
    params(("org" = OrgId, Path, description = "The organisation")),
    responses((status = 204, description = "The caller is no member any more")),
    security(("session" = [])),
    extensions(
        ("x-permission" = json!(ReadOrganization::NAME)),
        ("x-problems" = json!([ProblemKind::LastOwner, ProblemKind::UserRequired])),
    ),
)]
#[post("/v1/orgs/{org}/leave")]
async fn leave(
    access: Entering<ReadOrganization>,
    org: PathId<OrgId>,
    orgs: Data<Orgs>,
) -> Answer<NoContent> {
    orgs.leave(&access.entrance(), org.into_inner()).await?;
    Ok(NoContent)
}

/// Whom an organisation is handed to.
#[derive(Debug, ToSchema)]
struct Transfer {
    member_id: MemberId,
}

impl FromFields for Transfer {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let member_id = fields.required("member_id", str::parse::<MemberId>);
        Some(Self {
            member_id: member_id?,
        })
    }
}

/// Hand over an organisation
///
/// The caller's ownership goes to another member in one step; he stays as an administrator of the
/// organisation. Other owners stay owners.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.transfer",
    params(("org" = OrgId, Path, description = "The organisation")),
    request_body(
        content = Transfer,
        example = json!({"member_id": "amem_01h2xcejqtf2nbrexx3vqjhp41"}),
    ),
    responses((status = 200, description = "The organisation", body = OrganizationView)),
    security(("session" = [])),
    extensions(
        ("x-permission" = json!(TransferOrganization::NAME)),
        ("x-problems" = json!([ProblemKind::MemberInactive, ProblemKind::UserRequired])),
    ),
)]
#[post("/v1/orgs/{org}/transfer")]
async fn transfer(
    access: Entering<TransferOrganization>,
    org: PathId<OrgId>,
    to: Body<Transfer>,
    orgs: Data<Orgs>,
) -> Answer<Ok200<OrganizationView>> {
    let wanted = (org.into_inner(), to.into_inner().member_id);
    let organization = orgs.transfer(&access.entrance(), wanted).await?;
    Ok(Ok200::new(OrganizationView::of(organization, None)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<NewOrganizationBody>();
        assert_documented::<OrganizationPatch>();
        assert_documented::<Transfer>();
    }
}
