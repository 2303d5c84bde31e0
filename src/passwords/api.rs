use actix_web::post;
use actix_web::web::Data;
use utoipa::ToSchema;

use super::service::{PasswordError, Passwords};
use crate::access::{Permission, ResetPasswords, UpdateMe};
use crate::http::{
    Accepted, Afterwards, Allowed, Answer, Anyone, Body, Fields, FromFields, Ok200, PathId,
    Problem, ProblemKind, Public, Routing,
};
use crate::kernel::id::UserId;
use crate::kernel::password::Password;
use crate::limits::Rule;
use crate::links::{LinkPurpose, Outcome, Recipient};
use crate::sessions::Sessions;

pub fn routes(config: &mut Routing) {
    config
        .service(change)
        .service(forgot)
        .service(reset)
        .service(start_reset);
}

/// The present password, and the one to come.
#[derive(Debug, ToSchema)]
struct ChangePassword {
    /// Not needed where the account has none and the session began within ten minutes.
    #[schema(value_type = Option<String>, max_length = 128, format = Password)]
    current_password: Option<Password>,
    /// 8 to 128 characters, none of the common ones.
    #[schema(value_type = String, min_length = 8, max_length = 128, format = Password)]
    new_password: Password,
}

impl FromFields for ChangePassword {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let current = fields.optional("current_password", Password::presented);
        let new = fields.required_else("new_password", ProblemKind::WeakPassword, Password::parse);
        Some(Self {
            current_password: current?,
            new_password: new?,
        })
    }
}

/// The token of a link, and the new password.
#[derive(Debug, ToSchema)]
struct ResetPassword {
    token: String,
    /// 8 to 128 characters, none of the common ones.
    #[schema(value_type = String, min_length = 8, max_length = 128, format = Password)]
    new_password: Password,
}

impl FromFields for ResetPassword {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token", str::parse::<String>);
        let new = fields.required_else("new_password", ProblemKind::WeakPassword, Password::parse);
        Some(Self {
            token: token?,
            new_password: new?,
        })
    }
}

/// Change my password
///
/// Every other session of the user ends, in every environment; this one goes on. His API keys stay.
#[utoipa::path(
    tag = "authentication", operation_id = "auth.change_password",
    request_body(
        content = ChangePassword,
        example = json!({
            "current_password": "a long quiet river", "new_password": "a short loud brook",
        }),
    ),
    responses((status = 200, description = "The password is changed", body = Outcome)),
    security(("session" = [])),
    extensions(
        ("x-permission" = json!(UpdateMe::NAME)),
        ("x-problems" = json!([
            ProblemKind::InvalidCredentials, ProblemKind::ReauthRequired, ProblemKind::WeakPassword,
            ProblemKind::TooManyAttempts, ProblemKind::Busy,
        ])),
    ),
)]
#[post("/v1/change-password")]
async fn change(
    access: Allowed<UpdateMe>,
    body: Body<ChangePassword>,
    passwords: Data<Passwords>,
) -> Answer<Ok200<Outcome>> {
    let caller = access.user()?;
    let body = body.into_inner();
    let both = (body.current_password, body.new_password);
    Box::pin(passwords.change(access.tenant(), caller, both, access.origin())).await?;
    Ok(Ok200::new(Outcome::CHANGED))
}

/// Ask for a new password
///
/// Sends a letter with a link that sets one, if there is such an account. The answer is the same
/// whether or not there is; it is 200, where the others that send a letter say 202, because clients
/// expect it.
#[utoipa::path(
    tag = "authentication", operation_id = "auth.forgot_password",
    request_body(content = Recipient, example = json!({"email": "mia@example.org"})),
    responses((status = 200, description = "A letter goes out if there is an account", body = Outcome)),
    security(("publishable_key" = []), ("api_key" = [])),
    extensions(("x-idempotent" = json!(true)), ("x-problems" = json!([ProblemKind::InvalidEmail, ProblemKind::TooManyAttempts]))),
)]
#[post("/v1/forgot-password")]
async fn forgot(
    access: Anyone,
    body: Body<Recipient>,
    sessions: Data<Sessions>,
    later: Afterwards,
) -> Answer<Ok200<Outcome>> {
    let letter = (LinkPurpose::ResetPassword, body.into_inner().email);
    sessions.ask_for_letter(&access, letter, &later).await?;
    Ok(Ok200::new(Outcome::ACCEPTED))
}

/// Set a new password
///
/// By the link of a letter, which is good once. Every session of the user ends, his devices are
/// forgotten, and every other link he was sent is void. API keys of an account whose address had not
/// been proven before are gone; others stay (`GET /v1/keys`): whoever fears that somebody else was in
/// his account revokes those that are not his.
#[utoipa::path(
    tag = "authentication", operation_id = "auth.reset_password",
    request_body(
        content = ResetPassword,
        example = json!({"token": "W3b9…", "new_password": "a short loud brook"}),
    ),
    responses((status = 200, description = "The password is set", body = Outcome)),
    security((), ("publishable_key" = []), ("api_key" = [])),
    extensions(("x-problems" = json!([
        ProblemKind::TooManyAttempts, ProblemKind::InvalidLink, ProblemKind::LinkExpired, ProblemKind::WeakPassword,
        ProblemKind::Busy, ProblemKind::InvalidPublishableKey, ProblemKind::TenantMismatch,
    ]))),
)]
#[post("/v1/reset-password")]
async fn reset(
    access: Public,
    body: Body<ResetPassword>,
    passwords: Data<Passwords>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<Outcome>> {
    let ResetPassword {
        token,
        new_password,
    } = body.into_inner();
    let (named, origin) = (access.tenant()?, access.origin());
    sessions.limits.admit_ip(Rule::Code, named, origin).await?;
    passwords
        .reset(named, (&token, new_password), origin)
        .await?;
    Ok(Ok200::new(Outcome::RESET))
}

/// Have a user set a new password
///
/// Sends the user the letter of `forgot-password`. Nobody but its reader learns the link; the
/// present password stays good until it is used.
#[utoipa::path(
    tag = "administration", operation_id = "admin.users.reset_password",
    params(("id" = UserId, Path, description = "The user")),
    responses((status = 202, description = "The letter goes out", body = Outcome)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-idempotent" = json!(true)), ("x-permission" = json!(ResetPasswords::NAME))),
)]
#[post("/v1/admin/users/{id}/reset-password")]
async fn start_reset(
    access: Allowed<ResetPasswords>,
    id: PathId<UserId>,
    passwords: Data<Passwords>,
) -> Answer<Accepted<Outcome>> {
    passwords
        .start_reset(access.caller(), id.into_inner(), access.origin())
        .await?;
    Ok(Accepted::new(Outcome::ACCEPTED))
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Unknown => ProblemKind::NotFound.into(),
            PasswordError::Reauth(refused) => refused.into(),
            PasswordError::Refused(refused) => refused.at("/new_password"),
            PasswordError::Link(refused) => refused.into(),
            PasswordError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<ChangePassword>();
        assert_documented::<ResetPassword>();
    }
}
