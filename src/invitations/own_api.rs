//! Invitations to one's own address, once it is proven: no letter is needed to answer them.

use actix_web::web::Data;
use actix_web::{get, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::service::Invitations;
use super::wire::OfferView;
use crate::access::{ListOwnInvitations, Permission};
use crate::http::{Allowed, Answer, NoContent, Ok200, Paging, PathId, ProblemKind, Query, Routing};
use crate::kernel::id::InvitationId;
use crate::orgs::MemberView;

pub(super) fn routes(config: &mut Routing) {
    config.service(list).service(accept).service(decline);
}

/// A page of invitations to the caller, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct OfferPage {
    invitations: Vec<OfferView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
}

/// List my invitations
///
/// Those to the caller's address that can be accepted, newest first; none while the address is not
/// verified.
#[utoipa::path(
    tag = "me", operation_id = "me.invitations.list",
    params(Paging),
    responses((status = 200, description = "A page of invitations", body = OfferPage)),
    security(("session" = [])),
    extensions(("x-permission" = json!(ListOwnInvitations::NAME))),
)]
#[get("/v1/me/invitations")]
async fn list(
    access: Allowed<ListOwnInvitations>,
    paging: Query<Paging>,
    invitations: Data<Invitations>,
) -> Answer<Ok200<OfferPage>> {
    let (user, _) = access.user()?;
    let paging = paging.into_inner();
    let page = (paging.after.as_ref(), paging.limit);
    let found = invitations.of_user(access.tenant(), user, page).await?;
    let next_cursor = paging.cursor(found.next.as_ref());
    Ok(Ok200::new(OfferPage {
        invitations: found.items.into_iter().map(OfferView::from).collect(),
        has_more: next_cursor.is_some(),
        next_cursor,
    }))
}

/// Accept one of my invitations
///
/// The caller's address must be the one that was invited, and verified. It counts what whoever has
/// invited may do now.
#[utoipa::path(
    tag = "me", operation_id = "me.invitations.accept",
    params(("invitation" = InvitationId, Path, description = "The invitation")),
    responses((status = 200, description = "The membership", body = MemberView)),
    security(("session" = [])),
    extensions(
        ("x-permission" = json!(ListOwnInvitations::NAME)),
        ("x-problems" = json!([
            ProblemKind::EmailNotVerified, ProblemKind::InvitationAccepted,
            ProblemKind::InvitationDeclined, ProblemKind::InvitationRevoked,
            ProblemKind::InvitationSuperseded, ProblemKind::InvitationExpired,
            ProblemKind::InvitationVoid, ProblemKind::AccountDisabled,
            ProblemKind::AlreadyMember, ProblemKind::SeatLimit, ProblemKind::TeamFull,
        ])),
    ),
)]
#[post("/v1/me/invitations/{invitation}/accept")]
async fn accept(
    access: Allowed<ListOwnInvitations>,
    id: PathId<InvitationId>,
    invitations: Data<Invitations>,
) -> Answer<Ok200<MemberView>> {
    let (user, _) = access.user()?;
    let whose = (access.tenant(), user);
    let joined = invitations
        .accept_own(whose, id.into_inner(), access.origin())
        .await?;
    Ok(Ok200::new(joined.into()))
}

/// Decline one of my invitations
///
/// The caller's address must be the one that was invited, and verified.
#[utoipa::path(
    tag = "me", operation_id = "me.invitations.decline",
    params(("invitation" = InvitationId, Path, description = "The invitation")),
    responses((status = 204, description = "It is declined")),
    security(("session" = [])),
    extensions(
        ("x-permission" = json!(ListOwnInvitations::NAME)),
        ("x-problems" = json!([
            ProblemKind::EmailNotVerified, ProblemKind::InvitationAccepted,
            ProblemKind::InvitationDeclined, ProblemKind::InvitationRevoked,
            ProblemKind::InvitationSuperseded, ProblemKind::InvitationExpired,
        ])),
    ),
)]
#[post("/v1/me/invitations/{invitation}/decline")]
async fn decline(
    access: Allowed<ListOwnInvitations>,
    id: PathId<InvitationId>,
    invitations: Data<Invitations>,
) -> Answer<NoContent> {
    let (user, _) = access.user()?;
    let whose = (access.tenant(), user);
    invitations
        .decline_own(whose, id.into_inner(), access.origin())
        .await?;
    Ok(NoContent)
}
