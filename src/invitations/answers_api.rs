//! What whoever has the link of a letter does with it.

use actix_web::web::Data;
use actix_web::{Either, get, post};
use utoipa::{IntoParams, ToSchema};

use super::service::Invitations;
use super::welcoming::Newcomer;
use super::wire::OfferView;
use crate::access::ListOwnInvitations;
use crate::devices::{DeviceSecret, Presented};
use crate::http::{
    Answer, Body, Cookies, Created, Fields, FromFields, NoContent, Ok200, ProblemKind, Public,
    Query, Routing, WithCookie,
};
use crate::kernel::metadata::Metadata;
use crate::kernel::password::Password;
use crate::kernel::text::Label;
use crate::limits::Rule;
use crate::orgs::MemberView;
use crate::sessions::{SignedIn, Visit};

pub(super) fn routes(config: &mut Routing) {
    config.service(lookup).service(accept).service(decline);
}

/// The token of a link.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct LookupQuery {
    token: String,
}

impl FromFields for LookupQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token", str::parse::<String>);
        Some(Self { token: token? })
    }
}

/// Look up an invitation
///
/// What the link of a letter offers, by whom, how that looks, and what the app asks of who is new: those answers
/// go into `metadata` as it is accepted. Whether the address has an account is not told.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.invitations.lookup",
    params(LookupQuery),
    responses((status = 200, description = "The offer", body = OfferView)),
    security((), ("publishable_key" = []), ("api_key" = [])),
    extensions(("x-problems" = json!([
        ProblemKind::NotFound, ProblemKind::InvitationAccepted, ProblemKind::InvitationDeclined,
        ProblemKind::InvitationRevoked, ProblemKind::InvitationSuperseded,
        ProblemKind::InvitationExpired, ProblemKind::TooManyAttempts,
        ProblemKind::InvalidPublishableKey, ProblemKind::TenantMismatch,
    ]))),
)]
#[get("/v1/orgs/invitations/lookup")]
async fn lookup(
    access: Public,
    query: Query<LookupQuery>,
    invitations: Data<Invitations>,
) -> Answer<Ok200<OfferView>> {
    let (named, origin) = (access.tenant()?, access.origin());
    let limits = &invitations.accounts.limits;
    limits.admit_ip(Rule::Code, named, origin).await?;
    let offer = invitations.lookup(&query.into_inner().token, named).await?;
    let accounts = &invitations.accounts;
    let form = accounts.forms.of_signup(offer.invitation.app_id).await?;
    let tenant = offer.invitation.tenant();
    let app = accounts.environments.app(tenant).await?;
    let brands = &accounts.client_configs.brands;
    let worn = brands.of(tenant, Some(offer.organization.id)).await?;
    let brand = worn.by_organization(&app, offer.own());
    let view = OfferView::from(offer).asking(form.as_deref());
    Ok(Ok200::new(view.wearing(brand)))
}

/// A yes to the link of a letter.
#[derive(Debug, ToSchema)]
struct AcceptInvitation {
    token: String,
    /// Of who is new: 8 to 128 characters, none of the common ones.
    #[schema(value_type = Option<String>, min_length = 8, max_length = 128, format = Password)]
    password: Option<Password>,
    /// Of who is new.
    first_name: Option<Label>,
    /// Of who is new.
    last_name: Option<Label>,
    /// Of who is new: answers to the form of the app, as in a sign-up.
    metadata: Option<Metadata>,
    /// What names the device: what the server told it before, or a secret of its own.
    device_id: Option<DeviceSecret>,
}

impl FromFields for AcceptInvitation {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token", str::parse::<String>);
        let password = fields.optional_else("password", ProblemKind::WeakPassword, Password::parse);
        let first_name = fields.optional("first_name", Label::parse);
        let last_name = fields.optional("last_name", Label::parse);
        let metadata = fields.map("metadata", Metadata::parse);
        let device_id = fields.optional("device_id", DeviceSecret::parse);
        Some(Self {
            token: token?,
            password: password?,
            first_name: first_name?,
            last_name: last_name?,
            metadata: metadata?,
            device_id: device_id?,
        })
    }
}

/// Accept an invitation
///
/// Whoever is signed in joins as himself: his address must be the one that the letter went to, and
/// proven. Whoever is not, and has no account, makes one by `password` and names; the letter has proven
/// his address, and he is answered as by a sign-up, with tokens for the organisation. An account of the
/// address that nobody has proven becomes his alone. It counts what whoever has invited may do now. A
/// team that is gone meanwhile is left out.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.invitations.accept",
    request_body(
        content = AcceptInvitation,
        example = json!({"token": "W3b9…", "password": "a long quiet river", "first_name": "Mia"}),
    ),
    responses(
        (status = 200, description = "The membership of who is signed in", body = MemberView),
        (status = 201, description = "The account exists and is signed in", body = SignedIn),
    ),
    security((), ("publishable_key" = []), ("api_key" = []), ("session" = [])),
    extensions(("x-problems" = json!([
        ProblemKind::NotFound, ProblemKind::InvitationAccepted, ProblemKind::InvitationDeclined,
        ProblemKind::InvitationRevoked, ProblemKind::InvitationSuperseded,
        ProblemKind::InvitationExpired, ProblemKind::InvitationVoid, ProblemKind::NotAddressee,
        ProblemKind::SignInRequired, ProblemKind::EmailNotVerified, ProblemKind::AccountDisabled,
        ProblemKind::AlreadyMember, ProblemKind::SeatLimit, ProblemKind::TeamFull,
        ProblemKind::WeakPassword, ProblemKind::TooManyAttempts, ProblemKind::Busy,
        ProblemKind::Forbidden, ProblemKind::InvalidToken,
        ProblemKind::InvalidPublishableKey, ProblemKind::TenantMismatch,
    ]))),
)]
#[post("/v1/orgs/invitations/accept")]
async fn accept(
    access: Public,
    cookies: Cookies,
    body: Body<AcceptInvitation>,
    invitations: Data<Invitations>,
) -> Answer<Either<Ok200<MemberView>, WithCookie<Created<SignedIn>>>> {
    let mut body = body.into_inner();
    let (named, origin) = (access.tenant()?, access.origin());
    let person = access.person::<ListOwnInvitations>()?;
    let accounts = &invitations.accounts;
    accounts.limits.admit_ip(Rule::Code, named, origin).await?;
    if let Some(user) = person {
        let whose = (named, user);
        let joined = invitations.accept(&body.token, whose, origin).await?;
        return Ok(Either::Left(Ok200::new(joined.into())));
    }
    let device = Presented::of(body.device_id.take(), &cookies, &accounts.entropy);
    let visit = Visit {
        origin,
        device: &device.secret,
        organization: None,
    };
    let (token, newcomer) = body.into_newcomer();
    let whose = (named, newcomer);
    let accepting = invitations.accept_as_new(&token, whose, visit);
    let issued = Box::pin(accepting).await?;
    let signed_in = SignedIn::from(issued).on(&device.secret);
    let created = Created::new(signed_in);
    Ok(Either::Right(WithCookie::new(created, device.cookie())))
}

impl AcceptInvitation {
    fn into_newcomer(self) -> (String, Option<Newcomer>) {
        let (first_name, last_name) = (self.first_name, self.last_name);
        let metadata = self.metadata;
        let newcomer = self.password.map(|password| Newcomer {
            password,
            first_name,
            last_name,
            metadata,
        });
        (self.token, newcomer)
    }
}

/// A no to the link of a letter.
#[derive(Debug, ToSchema)]
struct DeclineInvitation {
    token: String,
}

impl FromFields for DeclineInvitation {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token", str::parse::<String>);
        Some(Self { token: token? })
    }
}

/// Decline an invitation
///
/// Whoever has the link can, signed in or not.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.invitations.decline",
    request_body(content = DeclineInvitation, example = json!({"token": "W3b9…"})),
    responses((status = 204, description = "It is declined")),
    security((), ("publishable_key" = []), ("api_key" = []), ("session" = [])),
    extensions(("x-problems" = json!([
        ProblemKind::NotFound, ProblemKind::InvitationAccepted, ProblemKind::InvitationDeclined,
        ProblemKind::InvitationRevoked, ProblemKind::InvitationSuperseded,
        ProblemKind::InvitationExpired, ProblemKind::TooManyAttempts,
        ProblemKind::Forbidden, ProblemKind::InvalidToken,
        ProblemKind::InvalidPublishableKey, ProblemKind::TenantMismatch,
    ]))),
)]
#[post("/v1/orgs/invitations/decline")]
async fn decline(
    access: Public,
    body: Body<DeclineInvitation>,
    invitations: Data<Invitations>,
) -> Answer<NoContent> {
    let (named, origin) = (access.tenant()?, access.origin());
    let person = access.person::<ListOwnInvitations>()?;
    let limits = &invitations.accounts.limits;
    limits.admit_ip(Rule::Code, named, origin).await?;
    let token = body.into_inner().token;
    invitations.decline(&token, (named, person), origin).await?;
    Ok(NoContent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<AcceptInvitation>();
        assert_documented::<DeclineInvitation>();
    }
}
