//! The sessions of a user, as administrators see and end them.

use actix_web::web::Data;
use actix_web::{delete, get};

use super::ending::Ended;
use super::own::SessionPage;
use super::record::{Ending, Session};
use super::service::{SessionError, Sessions};
use crate::access::{ListUserSessions, Permission, RevokeUserSessions};
use crate::apps;
use crate::events::Origin;
use crate::http::{
    Allowed, Answer, Caller, NoContent, Ok200, Paging, PathId, ProblemKind, Query, Routing,
};
use crate::kernel::id::UserId;
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::users;

pub(super) fn routes(config: &mut Routing) {
    config.service(list).service(revoke);
}

impl Sessions {
    /// As [`Sessions::page`], of a user who must exist.
    async fn page_of(
        &self,
        tenant: Tenant,
        user: UserId,
        after: Option<&Position>,
        limit: Limit,
    ) -> Result<Slice<Session>, SessionError> {
        let found = users::get(&mut self.store.once().within(tenant), user).await?;
        found.ok_or(SessionError::Unknown)?;
        self.page(tenant, user, after, limit).await
    }

    /// Ends every session of a user, in every environment of his app, by another's hand: one who
    /// holds every role that the user has.
    async fn end_all_of(
        &self,
        caller: &Caller,
        user: UserId,
        origin: &Origin,
    ) -> Result<(), SessionError> {
        let (tenant, now) = (caller.tenant, self.clock.now());
        let ended = Ended {
            user,
            how: Ending::RevokedByAdmin,
            by: caller.party(),
        };
        let revoked = self
            .store
            .write(async |tx| {
                let app = apps::get(tx, tenant.app_id).await?;
                let found = users::get(&mut tx.within(tenant), user).await?;
                let (app, found) = app.zip(found).ok_or(SessionError::Unknown)?;
                if users::outranks(&found, caller, app.is_platform) {
                    return Err(SessionError::RoleNotHeld);
                }
                let revoked = self.end_all_in(tx, tenant, &ended, (now, origin)).await?;
                revoked.ok_or(SessionError::Unknown)
            })
            .await?;
        self.apply(&revoked);
        Ok(())
    }
}

/// List a user's sessions
///
/// The live sessions of a user in the environment that is acted on, newest first.
#[utoipa::path(
    tag = "administration", operation_id = "admin.users.sessions.list",
    params(("id" = UserId, Path, description = "The user"), Paging),
    responses((status = 200, description = "A page of sessions", body = SessionPage)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ListUserSessions::NAME))),
)]
#[get("/v1/admin/users/{id}/sessions")]
async fn list(
    access: Allowed<ListUserSessions>,
    id: PathId<UserId>,
    paging: Query<Paging>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<SessionPage>> {
    let paging = paging.into_inner();
    let current = access.user().ok().map(|(_, session)| session);
    let (user, tenant) = (id.into_inner(), access.tenant());
    let slice = sessions
        .page_of(tenant, user, paging.after.as_ref(), paging.limit)
        .await?;
    Ok(Ok200::new(SessionPage::of(slice, &paging, current)))
}

/// End a user's sessions
///
/// All of them, in every environment of the app. Nobody ends the sessions of a user who has a role
/// that he does not hold himself.
#[utoipa::path(
    tag = "administration", operation_id = "admin.users.sessions.revoke",
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 204, description = "Every session has ended")),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(RevokeUserSessions::NAME)),
        ("x-problems" = json!([ProblemKind::RoleNotHeld])),
    ),
)]
#[delete("/v1/admin/users/{id}/sessions")]
async fn revoke(
    access: Allowed<RevokeUserSessions>,
    id: PathId<UserId>,
    sessions: Data<Sessions>,
) -> Answer<NoContent> {
    sessions
        .end_all_of(access.caller(), id.into_inner(), access.origin())
        .await?;
    Ok(NoContent)
}
