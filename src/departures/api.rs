use actix_web::web::Data;
use actix_web::{delete, get, post};
use utoipa::ToSchema;

use super::export::Export;
use super::service::{DepartureError, Departures};
use crate::access::{BanUser, DeleteMe, DeleteUser, ExportMe, Permission, UnbanUser};
use crate::http::{
    Allowed, Answer, Attachment, Body, Fields, FromFields, NoContent, Ok200, PathId, Problem,
    ProblemKind, Routing,
};
use crate::kernel::id::UserId;
use crate::kernel::password::Password;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;
use crate::users::{Ban, UserView};

pub fn routes(config: &mut Routing) {
    config
        .service(delete_me)
        .service(export_me)
        .service(delete_user)
        .service(ban)
        .service(unban);
}

/// A proof that it is oneself.
#[derive(Debug, ToSchema)]
struct Proof {
    /// Needed where the account has one; without, the session must have begun within ten minutes.
    #[schema(value_type = Option<String>, max_length = 128, format = Password)]
    password: Option<Password>,
}

impl FromFields for Proof {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let password = fields.optional("password", Password::presented);
        Some(Self {
            password: password?,
        })
    }
}

/// Why somebody is banned, and until when.
#[derive(Debug, ToSchema)]
struct NewBan {
    /// Shown to administrators.
    reason: Option<Label>,
    /// When the ban ends by itself; it must lie in the future. Without, it ends when it is lifted.
    expires_at: Option<Timestamp>,
}

impl FromFields for NewBan {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let reason = fields.optional("reason", Label::parse);
        let expires_at = fields.optional("expires_at", str::parse);
        Some(Self {
            reason: reason?,
            expires_at: expires_at?,
        })
    }
}

/// Delete my account
///
/// For good, and at once: every session of every environment ends, the address is free again, and
/// nothing is kept about the person once the letter that says farewell is sent. The account must be
/// proven once more, by its password; wrong ones count as in a sign-in from the same device, and
/// lock it for both. The last administrator cannot go.
///
/// The proof is a body like any other, although this is a DELETE: a client must send it with
/// `Content-Type: application/json` and a `Content-Length` (RFC 9110 §9.3.5 leaves its meaning to
/// the server). An account without a password sends `{}`.
#[utoipa::path(
    tag = "me", operation_id = "me.delete",
    request_body(content = Proof, example = json!({"password": "a long quiet river"})),
    responses((status = 204, description = "The account is gone")),
    security(("session" = [])),
    extensions(
        ("x-permission" = json!(DeleteMe::NAME)),
        ("x-problems" = json!([
            ProblemKind::InvalidCredentials, ProblemKind::ReauthRequired, ProblemKind::LastAdmin,
            ProblemKind::LastOwner,
            ProblemKind::TooManyAttempts, ProblemKind::Busy,
        ])),
    ),
)]
#[delete("/v1/me")]
async fn delete_me(
    access: Allowed<DeleteMe>,
    proof: Body<Proof>,
    departures: Data<Departures>,
) -> Answer<NoContent> {
    let (own, password) = (access.user()?, proof.into_inner().password);
    let deleting = departures.delete_own(access.caller(), own, password, access.origin());
    Box::pin(deleting).await?;
    Ok(NoContent)
}

/// Take along all my data
///
/// Everything that is kept about the caller, as one document: the profile, and of every environment
/// the sessions, devices, letters, links, wrong passwords and events, without anything that proves
/// who somebody is. Of each kind the newest 10,000, newest first.
#[utoipa::path(
    tag = "me", operation_id = "me.export",
    responses((status = 200, description = "All that is kept about the caller", body = Export)),
    security(("session" = [])),
    extensions(("x-permission" = json!(ExportMe::NAME))),
)]
#[get("/v1/me/export")]
async fn export_me(
    access: Allowed<ExportMe>,
    departures: Data<Departures>,
) -> Answer<Attachment<Export>> {
    let (own, _) = access.user()?;
    let export = departures
        .export(access.caller(), own, access.origin())
        .await?;
    Ok(Attachment::new("my-account.json", export))
}

/// Delete a user
///
/// As the user himself would, and as finally. Nobody deletes a user who has a role that he does not
/// hold himself, and the last administrator stays.
#[utoipa::path(
    tag = "administration", operation_id = "admin.users.delete",
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 204, description = "The user is gone")),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(DeleteUser::NAME)),
        ("x-problems" = json!([
            ProblemKind::RoleNotHeld, ProblemKind::LastAdmin, ProblemKind::LastOwner,
        ])),
    ),
)]
#[delete("/v1/admin/users/{id}")]
async fn delete_user(
    access: Allowed<DeleteUser>,
    id: PathId<UserId>,
    departures: Data<Departures>,
) -> Answer<NoContent> {
    departures
        .delete(access.caller(), id.into_inner(), access.origin())
        .await?;
    Ok(NoContent)
}

/// Ban a user
///
/// Every session ends at once, and a right password is answered `account_disabled`. A second ban
/// takes the place of the first. An administrator who is banned no longer counts as one: the last
/// one cannot be.
#[utoipa::path(
    tag = "administration", operation_id = "admin.users.ban",
    params(("id" = UserId, Path, description = "The user")),
    request_body(
        content = NewBan,
        example = json!({"reason": "Sends spam", "expires_at": "2099-12-31T00:00:00Z"}),
    ),
    responses((status = 200, description = "The user, banned", body = UserView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(BanUser::NAME)),
        ("x-problems" = json!([
            ProblemKind::RoleNotHeld, ProblemKind::LastAdmin, ProblemKind::LastOwner,
        ])),
    ),
)]
#[post("/v1/admin/users/{id}/ban")]
async fn ban(
    access: Allowed<BanUser>,
    id: PathId<UserId>,
    wanted: Body<NewBan>,
    departures: Data<Departures>,
) -> Answer<Ok200<UserView>> {
    let NewBan { reason, expires_at } = wanted.into_inner();
    let ban = Ban {
        reason,
        expires: expires_at,
    };
    let user = departures
        .ban(access.caller(), id.into_inner(), &ban, access.origin())
        .await?;
    Ok(Ok200::new(departures.shown(user)))
}

/// Lift a ban
///
/// The user can sign in again. An administrator whose ban has run out counts as one again only
/// once it is lifted.
#[utoipa::path(
    tag = "administration", operation_id = "admin.users.unban",
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 200, description = "The user, not banned", body = UserView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(UnbanUser::NAME)),
        ("x-problems" = json!([ProblemKind::RoleNotHeld])),
    ),
)]
#[post("/v1/admin/users/{id}/unban")]
async fn unban(
    access: Allowed<UnbanUser>,
    id: PathId<UserId>,
    departures: Data<Departures>,
) -> Answer<Ok200<UserView>> {
    let user = departures
        .unban(access.caller(), id.into_inner(), access.origin())
        .await?;
    Ok(Ok200::new(departures.shown(user)))
}

impl From<DepartureError> for Problem {
    fn from(error: DepartureError) -> Self {
        match error {
            DepartureError::Unknown => ProblemKind::NotFound.into(),
            DepartureError::Oneself => Problem::new(ProblemKind::Forbidden).detail(
                "nobody bans or deletes himself here; DELETE /v1/me deletes one's own account",
            ),
            DepartureError::RoleNotHeld => ProblemKind::RoleNotHeld.into(),
            DepartureError::LastAdmin => ProblemKind::LastAdmin.into(),
            DepartureError::LastOwner => ProblemKind::LastOwner.into(),
            DepartureError::OverAlready => Problem::new(ProblemKind::InvalidBody).field(
                "/expires_at",
                "invalid_expires_at",
                "must lie in the future",
            ),
            DepartureError::Reauth(error) => error.into(),
            DepartureError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<Proof>();
        assert_documented::<NewBan>();
    }
}
