//! A person's own sessions: where one is signed in, and ending one of them from elsewhere.

use actix_web::web::Data;
use actix_web::{delete, get, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::record::{Ending, Session};
use super::service::Sessions;
use super::wire::{SignedIn, SwitchOrg};
use crate::access::{ListOwnSessions, Permission, RevokeOwnSession, SwitchOrganization};
use crate::devices;
use crate::http::{
    Allowed, Answer, Body, Cookies, NoContent, Ok200, Paging, PathId, ProblemKind, Query, Routing,
};
use crate::kernel::id::{OrgId, SessionId, UserId};
use crate::kernel::page::Slice;
use crate::kernel::time::Timestamp;

pub(super) fn routes(config: &mut Routing) {
    config.service(list).service(revoke);
}

/// A live session, without any of its tokens.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionView {
    id: SessionId,
    /// Whether it is the session of this request.
    current: bool,
    amr: Vec<String>,
    auth_time: Timestamp,
    /// The organisation that its newest tokens are for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    org_id: Option<OrgId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_agent: Option<String>,
    /// Who acts as the user by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    impersonated_by: Option<UserId>,
    created_at: Timestamp,
    last_activity_at: Timestamp,
    expires_at: Timestamp,
}

impl SessionView {
    pub(super) fn of(session: Session, current: Option<SessionId>) -> Self {
        Self {
            current: current == Some(session.id),
            id: session.id,
            amr: session.amr,
            org_id: session.org_id,
            auth_time: session.auth_time,
            ip_address: session.ip_address,
            user_agent: session.user_agent,
            impersonated_by: session.impersonated_by,
            created_at: session.created_at,
            last_activity_at: session.last_activity_at,
            expires_at: session.expires_at,
        }
    }
}

/// A page of sessions, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionPage {
    sessions: Vec<SessionView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
}

impl SessionPage {
    pub(super) fn of(slice: Slice<Session>, paging: &Paging, current: Option<SessionId>) -> Self {
        let shown = |session| SessionView::of(session, current);
        Self {
            next_cursor: paging.cursor(slice.next.as_ref()),
            has_more: slice.next.is_some(),
            sessions: slice.items.into_iter().map(shown).collect(),
        }
    }
}

/// List my sessions
///
/// The live sessions of the caller in this environment, newest first.
#[utoipa::path(
    tag = "sessions", operation_id = "sessions.list",
    params(Paging),
    responses((status = 200, description = "A page of sessions", body = SessionPage)),
    security(("session" = [])),
    extensions(("x-permission" = json!(ListOwnSessions::NAME))),
)]
#[get("/v1/sessions")]
async fn list(
    access: Allowed<ListOwnSessions>,
    paging: Query<Paging>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<SessionPage>> {
    let (user, current) = access.user()?;
    let paging = paging.into_inner();
    let slice = sessions
        .page(access.tenant(), user, paging.after.as_ref(), paging.limit)
        .await?;
    Ok(Ok200::new(SessionPage::of(slice, &paging, Some(current))))
}

/// Switch the organisation
///
/// The next tokens of the session, for another organisation that the caller is in, or for none. They
/// take the place of the session's refresh token. Whatever binds a refresh binds this: where the app
/// binds sessions to their address or device, it is refused from elsewhere.
#[utoipa::path(
    tag = "me", operation_id = "me.switch_org",
    request_body(
        content = SwitchOrg,
        example = json!({"org_id": "aorg_01h2xcejqtf2nbrexx3vqjhp41"}),
    ),
    responses((status = 200, description = "The next tokens", body = SignedIn)),
    security(("session" = [])),
    extensions(
        ("x-permission" = json!(SwitchOrganization::NAME)),
        ("x-problems" = json!([ProblemKind::NotAMember, ProblemKind::TooManyAttempts])),
    ),
)]
#[post("/v1/me/switch-org")]
pub(super) async fn switch_org(
    access: Allowed<SwitchOrganization>,
    cookies: Cookies,
    wanted: Body<SwitchOrg>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<SignedIn>> {
    let SwitchOrg { org_id, device_id } = wanted.into_inner();
    let device = devices::named(device_id, &cookies);
    let from = (access.origin(), device.as_ref());
    let issued = sessions
        .switch(access.tenant(), access.user()?, org_id, from)
        .await?;
    Ok(Ok200::new(issued.into()))
}

/// End one of my sessions
///
/// Its tokens are refused at once, on every node; the session that asks may be ended too.
#[utoipa::path(
    tag = "sessions", operation_id = "sessions.revoke",
    params(("id" = SessionId, Path, description = "The session")),
    responses((status = 204, description = "The session has ended")),
    security(("session" = [])),
    extensions(("x-permission" = json!(RevokeOwnSession::NAME))),
)]
#[delete("/v1/sessions/{id}")]
async fn revoke(
    access: Allowed<RevokeOwnSession>,
    id: PathId<SessionId>,
    sessions: Data<Sessions>,
) -> Answer<NoContent> {
    let (user, _) = access.user()?;
    let ending = (id.into_inner(), Ending::RevokedByUser);
    sessions
        .end(access.tenant(), user, ending, access.origin())
        .await?;
    Ok(NoContent)
}
