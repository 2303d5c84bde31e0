use actix_web::web::Data;
use actix_web::{delete, get, post};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::inviting::NewInvitation;
use super::record::State;
use super::service::Invitations;
use super::wire::{InvitationOutcome, InvitationView, NewInvitationBody};
use super::{answers_api, own_api};
use crate::access::{Invite, Permission, ReadInvitations, ResendInvitation, RevokeInvitation};
use crate::http::{
    Answer, Body, Created, Entering, Fields, FromFields, NoContent, Ok200, Paging, PathId, PathIds,
    ProblemKind, Query, Routing,
};
use crate::kernel::id::{InvitationId, OrgId};

/// How many people can be invited at once.
const MOST_AT_ONCE: usize = 100;

pub fn routes(config: &mut Routing) {
    config
        .service(list)
        .service(create)
        .service(create_all)
        .service(read)
        .service(revoke)
        .service(resend)
        .configure(answers_api::routes)
        .configure(own_api::routes);
}

/// A page of invitations, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct InvitationPage {
    invitations: Vec<InvitationView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
}

/// Which invitations, and which page of them.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
struct InvitationQuery {
    #[param(ignore)]
    paging: Paging,
    /// Those of which this has become; `pending` ones are those that can be accepted.
    #[param(inline)]
    status: Option<State>,
}

impl FromFields for InvitationQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let paging = Paging::from_fields(fields);
        let status = fields.optional("status", state);
        Some(Self {
            paging: paging?,
            status: status?,
        })
    }
}

fn state(text: &str) -> Result<State, &'static str> {
    let known = serde_json::from_value(text.into());
    known.map_err(|_| "must be pending, accepted, declined, revoked, superseded or expired")
}

/// List invitations
///
/// Newest first; those that have ended too, for 30 days after their term.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.invitations.list",
    params(("org" = OrgId, Path, description = "The organisation"), Paging, InvitationQuery),
    responses((status = 200, description = "A page of invitations", body = InvitationPage)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadInvitations::NAME))),
)]
#[get("/v1/orgs/{org}/invitations")]
async fn list(
    access: Entering<ReadInvitations>,
    org: PathId<OrgId>,
    query: Query<InvitationQuery>,
    invitations: Data<Invitations>,
) -> Answer<Ok200<InvitationPage>> {
    let InvitationQuery { paging, status } = query.into_inner();
    let page = (paging.after.as_ref(), paging.limit);
    let which = (org.into_inner(), status);
    let found = invitations.list(&access.entrance(), which, page).await?;
    let next_cursor = paging.cursor(found.next.as_ref());
    let now = invitations.now();
    let shown = found.items.into_iter();
    Ok(Ok200::new(InvitationPage {
        invitations: shown.map(|it| InvitationView::at(now, it)).collect(),
        has_more: next_cursor.is_some(),
        next_cursor,
    }))
}

/// Invite a person
///
/// Sends a letter with a link to the address, which is good for the time that the environment is set
/// to, seven days by default. Whether the address has an account is not told. Nobody offers a role, or
/// a place in a team, that amounts to more than he has; and it counts what whoever has invited may do
/// when the invitation is accepted. Where the address has had as many letters as strangers may cause,
/// the invitation is made and no letter is sent.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.invitations.create",
    params(("org" = OrgId, Path, description = "The organisation")),
    request_body(
        content = NewInvitationBody,
        example = json!({"email": "mia@example.org", "role": "member", "message": "See you on Monday!"}),
    ),
    responses((status = 201, description = "The invitation", body = InvitationView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(Invite::NAME)),
        ("x-problems" = json!([
            ProblemKind::InvalidEmail, ProblemKind::UnknownRole, ProblemKind::RoleNotHeld,
            ProblemKind::AlreadyInvited, ProblemKind::AlreadyMember, ProblemKind::TooManyAttempts,
        ])),
    ),
)]
#[post("/v1/orgs/{org}/invitations")]
async fn create(
    access: Entering<Invite>,
    org: PathId<OrgId>,
    new: Body<NewInvitationBody>,
    invitations: Data<Invitations>,
) -> Answer<Created<InvitationView>> {
    let new = NewInvitation::from(new.into_inner());
    let made = invitations
        .invite(&access.entrance(), org.into_inner(), &new)
        .await?;
    Ok(Created::new(InvitationView::at(invitations.now(), made)))
}

/// People to invite.
#[derive(Debug, ToSchema)]
struct NewInvitations {
    #[schema(min_items = 1, max_items = 100)]
    invitations: Vec<NewInvitationBody>,
}

impl FromFields for NewInvitations {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let invitations = fields.objects("invitations", MOST_AT_ONCE)?;
        if invitations.is_empty() {
            return fields.fault("invitations", "required", "must name somebody");
        }
        Some(Self { invitations })
    }
}

/// What has come of each.
#[derive(Debug, Serialize, ToSchema)]
struct InvitationOutcomes {
    /// In the order of the request.
    results: Vec<InvitationOutcome>,
}

/// Invite several people
///
/// Each as by the operation for one, and each for himself: what one is refused for hinders no other. A
/// body that is not valid invites nobody.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.invitations.create_all",
    params(("org" = OrgId, Path, description = "The organisation")),
    request_body(
        content = NewInvitations,
        example = json!({"invitations": [{"email": "mia@example.org", "role": "member"}]}),
    ),
    responses((status = 200, description = "What has come of each", body = InvitationOutcomes)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-idempotent" = json!(true)),
        ("x-permission" = json!(Invite::NAME)),
        ("x-problems" = json!([ProblemKind::InvalidEmail])),
    ),
)]
#[post("/v1/orgs/{org}/invitations/bulk")]
async fn create_all(
    access: Entering<Invite>,
    org: PathId<OrgId>,
    all: Body<NewInvitations>,
    invitations: Data<Invitations>,
) -> Answer<Ok200<InvitationOutcomes>> {
    let all = all.into_inner().invitations.into_iter();
    let all = all.map(NewInvitation::from).collect();
    let outcomes = invitations
        .invite_all(&access.entrance(), org.into_inner(), all)
        .await?;
    let now = invitations.now();
    let results = outcomes.into_iter();
    Ok(Ok200::new(InvitationOutcomes {
        results: results.map(|it| InvitationOutcome::at(now, it)).collect(),
    }))
}

/// Read an invitation
///
/// As the organisation sees it: its secret is in the letter alone.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.invitations.read",
    params(
        ("org" = OrgId, Path, description = "The organisation"),
        ("invitation" = InvitationId, Path, description = "The invitation"),
    ),
    responses((status = 200, description = "The invitation", body = InvitationView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadInvitations::NAME))),
)]
#[get("/v1/orgs/{org}/invitations/{invitation}")]
async fn read(
    access: Entering<ReadInvitations>,
    ids: PathIds<(OrgId, InvitationId)>,
    invitations: Data<Invitations>,
) -> Answer<Ok200<InvitationView>> {
    let found = invitations
        .get(&access.entrance(), ids.into_inner())
        .await?;
    Ok(Ok200::new(InvitationView::at(invitations.now(), found)))
}

/// Revoke an invitation
///
/// Its link leads nowhere from then on. Nobody revokes one that offers more than he has.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.invitations.revoke",
    params(
        ("org" = OrgId, Path, description = "The organisation"),
        ("invitation" = InvitationId, Path, description = "The invitation"),
    ),
    responses((status = 204, description = "It is revoked")),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(RevokeInvitation::NAME)),
        ("x-problems" = json!([
            ProblemKind::RoleNotHeld, ProblemKind::InvitationAccepted,
            ProblemKind::InvitationDeclined, ProblemKind::InvitationRevoked,
            ProblemKind::InvitationSuperseded,
        ])),
    ),
)]
#[delete("/v1/orgs/{org}/invitations/{invitation}")]
async fn revoke(
    access: Entering<RevokeInvitation>,
    ids: PathIds<(OrgId, InvitationId)>,
    invitations: Data<Invitations>,
) -> Answer<NoContent> {
    invitations
        .revoke(&access.entrance(), ids.into_inner())
        .await?;
    Ok(NoContent)
}

/// Send an invitation anew
///
/// With another secret, so that the links before lead nowhere, and for another term, also when the
/// one before is over. Whoever sends it anew stands behind it from then on.
#[utoipa::path(
    tag = "organizations", operation_id = "orgs.invitations.resend",
    params(
        ("org" = OrgId, Path, description = "The organisation"),
        ("invitation" = InvitationId, Path, description = "The invitation"),
    ),
    responses((status = 200, description = "The invitation", body = InvitationView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-idempotent" = json!(true)),
        ("x-permission" = json!(ResendInvitation::NAME)),
        ("x-problems" = json!([
            ProblemKind::RoleNotHeld, ProblemKind::TooManyAttempts,
            ProblemKind::InvitationAccepted, ProblemKind::InvitationDeclined,
            ProblemKind::InvitationRevoked, ProblemKind::InvitationSuperseded,
            ProblemKind::InvitationVoid,
        ])),
    ),
)]
#[post("/v1/orgs/{org}/invitations/{invitation}/resend")]
async fn resend(
    access: Entering<ResendInvitation>,
    ids: PathIds<(OrgId, InvitationId)>,
    invitations: Data<Invitations>,
) -> Answer<Ok200<InvitationView>> {
    let sent = invitations
        .resend(&access.entrance(), ids.into_inner())
        .await?;
    Ok(Ok200::new(InvitationView::at(invitations.now(), sent)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<NewInvitations>();
    }
}
