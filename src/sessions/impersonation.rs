//! Acting as a user, as administrators begin and stop it.

use actix_web::post;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;

use super::impersonating::{Impersonated, ImpersonationError, Wanted};
use super::record::Ending;
use super::service::Sessions;
use crate::access::{Impersonate, Permission, SignOut};
use crate::http::{
    Allowed, Answer, Body, Created, Fields, FromFields, Ok200, PathId, Problem, ProblemKind,
    Routing,
};
use crate::kernel::id::{OrgId, SessionId, UserId};
use crate::kernel::text::Reason;
use crate::kernel::time::Timestamp;
use crate::users::UserView;

pub(super) fn routes(config: &mut Routing) {
    // Before the path whose last segment is any user's.
    config.service(stop).service(start);
}

/// Why somebody is to be impersonated.
#[derive(Debug, ToSchema)]
struct ImpersonationReason {
    /// Kept with the session and in the events of both ends.
    reason: Reason,
    /// The organisation that the token is to be for; absent: the only one that the user is in.
    #[schema(nullable = false)]
    org_id: Option<OrgId>,
}

impl FromFields for ImpersonationReason {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let reason = fields.required("reason", Reason::parse);
        let org_id = fields.optional("org_id", str::parse);
        Some(Self {
            reason: reason?,
            org_id: org_id?,
        })
    }
}

/// The user as whom one acts, and the token to do it by. There is none to refresh it with.
#[derive(Debug, Serialize, ToSchema)]
struct Impersonation {
    user: UserView,
    session_id: SessionId,
    /// The access token again, for clients that know it by this name.
    session_token: String,
    /// A JWT (RFC 9068) whose `act` names the impersonator (RFC 8693 §4.1).
    access_token: String,
    #[schema(pattern = "^Bearer$")]
    token_type: &'static str,
    /// When the token ends, and with it the session; within the hour.
    expires_at: Timestamp,
    /// Seconds until then.
    expires_in: i64,
}

impl From<Impersonated> for Impersonation {
    fn from(begun: Impersonated) -> Self {
        Self {
            user: UserView::of(begun.user, begun.at),
            session_id: begun.session_id,
            session_token: begun.access_token.clone(),
            access_token: begun.access_token,
            token_type: "Bearer",
            expires_at: begun.expires_at,
            expires_in: begun.expires_at.as_secs() - begun.at.as_secs(),
        }
    }
}

/// What has ended: the session, and acting as this user.
#[derive(Debug, Serialize, ToSchema)]
struct StoppedImpersonation {
    session_id: SessionId,
    user_id: UserId,
}

/// Act as a user
///
/// For an hour at most, and no longer than the session of the caller lasts: however that ends, this
/// ends with it. By the token one sees what the user sees and changes nothing: whatever concerns
/// profile, credentials, sessions, devices or roles is refused, whatever roles the user has. Events
/// name both. Nobody acts as himself, as a user of his own level or above, or as an operator of the
/// platform; only operators act as an administrator. An API key cannot.
#[utoipa::path(
    tag = "administration", operation_id = "admin.impersonation.start",
    params(("user" = UserId, Path, description = "The user")),
    request_body(
        content = ImpersonationReason,
        example = json!({"reason": "Ticket 4711: cannot see her invoices"}),
    ),
    responses((status = 201, description = "The token to act as the user by", body = Impersonation)),
    security(("session" = [])),
    extensions(
        ("x-permission" = json!(Impersonate::NAME)),
        ("x-problems" = json!([
            ProblemKind::RoleNotHeld, ProblemKind::UserBanned, ProblemKind::InvalidToken,
            ProblemKind::NotAMember,
        ])),
    ),
)]
#[post("/v1/admin/impersonate/{user}")]
async fn start(
    access: Allowed<Impersonate>,
    user: PathId<UserId>,
    reason: Body<ImpersonationReason>,
    sessions: Data<Sessions>,
) -> Answer<Created<Impersonation>> {
    let (own, user) = (access.user()?, user.into_inner());
    let ImpersonationReason { reason, org_id } = reason.into_inner();
    let wanted = Wanted {
        user,
        reason,
        org: org_id,
    };
    let begun = sessions
        .impersonate(access.caller(), own, &wanted, access.origin())
        .await?;
    Ok(Created::new(begun.into()))
}

/// Stop acting as a user
///
/// Called with the token that was given for it, which is refused from then on. Signing out with it
/// does the same.
#[utoipa::path(
    tag = "administration", operation_id = "admin.impersonation.stop",
    responses((status = 200, description = "What has ended", body = StoppedImpersonation)),
    security(("session" = [])),
    extensions(
        ("x-permission" = json!(SignOut::NAME)),
        ("x-problems" = json!([ProblemKind::NotImpersonating])),
    ),
)]
#[post("/v1/admin/impersonate/stop")]
async fn stop(
    access: Allowed<SignOut>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<StoppedImpersonation>> {
    let (user_id, session_id) = access.user()?;
    if access.caller().acting().is_none() {
        return Err(ProblemKind::NotImpersonating.into());
    }
    let ending = (session_id, Ending::ImpersonationStopped);
    sessions
        .end(access.tenant(), user_id, ending, access.origin())
        .await?;
    Ok(Ok200::new(StoppedImpersonation {
        session_id,
        user_id,
    }))
}

impl From<ImpersonationError> for Problem {
    fn from(error: ImpersonationError) -> Self {
        let forbidden = |why: &'static str| Problem::new(ProblemKind::Forbidden).detail(why);
        match error {
            ImpersonationError::Unknown => ProblemKind::NotFound.into(),
            ImpersonationError::Oneself => forbidden("nobody acts as himself"),
            ImpersonationError::Operator => forbidden("nobody acts as an operator of the platform"),
            ImpersonationError::Equal => forbidden("nobody acts as a user of his own level"),
            ImpersonationError::RoleNotHeld => ProblemKind::RoleNotHeld.into(),
            ImpersonationError::Banned => ProblemKind::UserBanned.into(),
            ImpersonationError::NotAMember => ProblemKind::NotAMember.into(),
            ImpersonationError::SessionOver => ProblemKind::InvalidToken.into(),
            ImpersonationError::Keys(error) => error.into(),
            ImpersonationError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<ImpersonationReason>();
    }
}
