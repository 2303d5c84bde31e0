//! The end of many sessions at once, by an administrator's hand.

use actix_web::delete;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::record::Ending;
use super::repo;
use super::service::{SessionError, Sessions};
use crate::access::{Permission, RevokeSessions, guarding};
use crate::apps;
use crate::events::{self, Name, Origin};
use crate::http::{Allowed, Answer, Body, Caller, Fields, FromFields, Ok200, ProblemKind, Routing};
use crate::idempotency;
use crate::kernel::id::UserId;
use crate::kernel::time::Timestamp;
use crate::store::Tx;
use crate::tokens::{self, KeyError, PreparedKey, Revocation, revoke_user};
use crate::users;

/// Users whose sessions end in one unit of work, at most.
const MOST: usize = 100;

pub(super) fn routes(config: &mut Routing) {
    config.service(revoke_together);
}

/// Whose sessions are to end: of these users, or of everybody; exactly one of them is said.
#[derive(Debug, ToSchema)]
struct SessionsToEnd {
    /// In every environment of the app. At most 100.
    #[schema(max_items = 100)]
    user_ids: Option<Vec<UserId>>,
    /// Everybody's in the environment that is acted on, one's own included.
    everybody: Option<bool>,
}

impl FromFields for SessionsToEnd {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let user_ids = fields.optional_list("user_ids", str::parse::<UserId>);
        let everybody = fields.flag("everybody");
        let (user_ids, everybody) = (user_ids?, everybody?);
        if user_ids.as_ref().is_some_and(|ids| ids.len() > MOST) {
            return fields.fault("user_ids", "too_many", "at most 100 users");
        }
        if user_ids.is_some() == everybody.unwrap_or(false) {
            let detail = "exactly one of `user_ids` and `everybody` is needed";
            return fields.fault("everybody", "required", detail);
        }
        Some(Self {
            user_ids,
            everybody,
        })
    }
}

/// What has ended.
#[derive(Debug, Serialize, ToSchema)]
struct SessionsEnded {
    /// How many sessions were live.
    sessions: u64,
}

/// End many sessions
///
/// Those of some users, in every environment, or everybody's in the environment that is acted on. Their
/// refresh tokens are void, and access tokens are refused everywhere within a second; for everybody's
/// the environment signs with a new key from then on. All of them end or none: nobody ends the
/// sessions of a user who has a role that he does not hold himself, and everybody's are ended by who
/// holds the highest role of the app.
#[utoipa::path(
    tag = "administration", operation_id = "admin.sessions.revoke",
    request_body(
        content = SessionsToEnd,
        example = json!({"user_ids": ["ausr_01h2xcejqtf2nbrexx3vqjhp41"]}),
    ),
    responses((status = 200, description = "How many have ended", body = SessionsEnded)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(RevokeSessions::NAME)),
        ("x-problems" = json!([ProblemKind::RoleNotHeld])),
    ),
)]
#[delete("/v1/admin/bulk/sessions")]
async fn revoke_together(
    access: Allowed<RevokeSessions>,
    whose: Body<SessionsToEnd>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<SessionsEnded>> {
    let ended = sessions
        .end_together(access.caller(), whose.into_inner(), access.origin())
        .await?;
    Ok(Ok200::new(SessionsEnded { sessions: ended }))
}

impl Sessions {
    async fn end_together(
        &self,
        caller: &Caller,
        whose: SessionsToEnd,
        origin: &Origin,
    ) -> Result<u64, SessionError> {
        match whose.user_ids {
            Some(users) => self.end_of(caller, &users, origin).await,
            None if whose.everybody == Some(true) => self.end_everybody_s(caller, origin).await,
            None => Ok(0),
        }
    }

    /// Ends every session of these users, in every environment of their app; how many there were.
    async fn end_of(
        &self,
        caller: &Caller,
        users: &[UserId],
        origin: &Origin,
    ) -> Result<u64, SessionError> {
        let now = self.clock.now();
        let (count, revoked) = self
            .store
            .write(async |tx| self.end_of_in(tx, caller, users, (now, origin)).await)
            .await?;
        self.apply(&revoked);
        Ok(count)
    }

    async fn end_of_in(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        users: &[UserId],
        (now, origin): (Timestamp, &Origin),
    ) -> Result<(u64, Vec<Revocation>), SessionError> {
        let (tenant, how) = (caller.tenant, Ending::RevokedByAdmin);
        let app = apps::get(tx, tenant.app_id).await?;
        let app = app.ok_or(SessionError::Unknown)?;
        let (mut count, mut revoked) = (0, Vec::new());
        for id in users {
            let mut scoped = tx.within(tenant);
            let user = users::get(&mut scoped, *id).await?;
            let user = user.ok_or(SessionError::Unknown)?;
            if users::outranks(&user, caller, app.is_platform) {
                return Err(SessionError::RoleNotHeld);
            }
            let version = users::bump_rights(&mut scoped, *id, now).await?;
            let version = version.ok_or(SessionError::Unknown)?;
            revoked.push(revoke_user(&mut scoped, *id, version, now, &self.entropy).await?);
            let mut everywhere = tx.within(tenant.app_id);
            let lent = self.release_all(&mut everywhere, (*id, how), (now, origin));
            revoked.extend(lent.await?);
            count += repo::end_all(&mut everywhere, *id, how, now).await?;
            idempotency::forget_sessions(tx, *id).await?;
        }
        let told = self
            .event(
                Name::SessionsRevokedTogether,
                tenant,
                caller.party(),
                (now, origin),
            )
            .with("sessions", count)
            .with("users", users.len());
        events::record(&mut tx.within(tenant), &told).await?;
        Ok((count, revoked))
    }

    /// Ends every session of the environment, and puts a new signing key in the place of those that
    /// signed for them; how many sessions there were.
    async fn end_everybody_s(&self, caller: &Caller, origin: &Origin) -> Result<u64, SessionError> {
        let (now, keys) = (self.clock.now(), self.issuer.access.keys());
        let successor = keys.prepare(caller.tenant, None, now).await?;
        let (count, revoked) = self
            .store
            .write(async |tx| {
                let from = (now, origin);
                self.end_everybody_s_in(tx, caller, &successor, from).await
            })
            .await?;
        self.apply(&revoked);
        keys.forget(caller.tenant);
        Ok(count)
    }

    async fn end_everybody_s_in(
        &self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        successor: &PreparedKey,
        (now, origin): (Timestamp, &Origin),
    ) -> Result<(u64, Vec<Revocation>), SessionError> {
        let (tenant, how) = (caller.tenant, Ending::RevokedByAdmin);
        let app = apps::get(tx, tenant.app_id).await?;
        let app = app.ok_or(SessionError::Unknown)?;
        if !caller.holds(guarding(app.is_platform), app.is_platform) {
            return Err(SessionError::RoleNotHeld);
        }
        let mut tx = tx.within(tenant);
        let mut revoked = Vec::new();
        for session in repo::lending(&mut tx, now).await? {
            let lent = self.release(&mut tx, &session, how, (now, origin));
            revoked.extend(lent.await?);
        }
        let count = repo::end_everybody_s(&mut tx, how, now).await?;
        revoked.extend(tokens::withdraw_all(&mut tx, successor, now, &self.entropy).await?);
        let told = self
            .event(
                Name::SessionsRevokedTogether,
                tenant,
                caller.party(),
                (now, origin),
            )
            .with("sessions", count);
        events::record(&mut tx, &told).await?;
        Ok((count, revoked))
    }
}

impl From<KeyError> for SessionError {
    fn from(error: KeyError) -> Self {
        Self::Keys(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<SessionsToEnd>();
    }
}
