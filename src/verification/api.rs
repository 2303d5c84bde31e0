use actix_web::post;
use actix_web::web::Data;
use utoipa::ToSchema;

use super::service::{ChangeError, Verification, VerificationError};
use crate::access::{Permission, UpdateMe};
use crate::http::{
    Accepted, Afterwards, Allowed, Answer, Anyone, Body, Fields, FromFields, Ok200, Problem,
    ProblemKind, Public, Routing,
};
use crate::kernel::password::Password;
use crate::kernel::text::Email;
use crate::limits::Rule;
use crate::links::{CodeRefused, LinkPurpose, Outcome, Recipient};
use crate::sessions::Sessions;

pub fn routes(config: &mut Routing) {
    config
        .service(verify)
        .service(resend)
        .service(change_email)
        .service(confirm_change);
}

/// The `token` of a link; or the `code` of a letter and the `email` it went to.
#[derive(Debug, ToSchema)]
struct VerifyEmail {
    token: Option<String>,
    #[schema(pattern = "^[0-9]{6}$")]
    code: Option<String>,
    email: Option<Email>,
}

/// What proves the address.
enum Proof {
    Token(String),
    Code(Email, String),
}

impl FromFields for VerifyEmail {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token = fields.optional("token", str::parse::<String>);
        let code = fields.optional("code", str::parse::<String>);
        let email = fields.optional("email", Email::parse);
        let (token, code, email) = (token?, code?, email?);
        let by_token = token.is_some() && code.is_none() && email.is_none();
        let by_code = token.is_none() && code.is_some() && email.is_some();
        if !by_token && !by_code {
            let detail = "either `token`, or `code` and `email` are needed";
            return fields.fault("token", "required", detail);
        }
        Some(Self { token, code, email })
    }
}

impl VerifyEmail {
    fn into_proof(self) -> Option<Proof> {
        let by_code = self.email.zip(self.code);
        let by_code = by_code.map(|(email, code)| Proof::Code(email, code));
        self.token.map(Proof::Token).or(by_code)
    }
}

/// The new address, and the password of the account.
#[derive(Debug, ToSchema)]
struct ChangeEmail {
    email: Email,
    /// Not needed where the account has none and the session began within ten minutes.
    #[schema(value_type = Option<String>, max_length = 128, format = Password)]
    password: Option<Password>,
}

impl FromFields for ChangeEmail {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required_else("email", ProblemKind::InvalidEmail, Email::parse);
        let password = fields.optional("password", Password::presented);
        Some(Self {
            email: email?,
            password: password?,
        })
    }
}

/// The token of a link.
#[derive(Debug, ToSchema)]
struct ConfirmEmailChange {
    token: String,
}

impl FromFields for ConfirmEmailChange {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token", str::parse::<String>);
        Some(Self { token: token? })
    }
}

/// Verify an address
///
/// By the token of the link, or by the code of the letter and the address it went to. Either is good
/// once, and a code for five attempts. A code needs the publishable key of its environment.
///
/// Where somebody has signed up again with the address meanwhile, nobody knows whose the password is:
/// the account is then the reader's without a password, and a letter asks him to choose one.
#[utoipa::path(
    tag = "authentication", operation_id = "auth.verify_email",
    request_body(
        content = VerifyEmail,
        example = json!({"token": "W3b9…"}),
    ),
    responses((status = 200, description = "The address is verified", body = Outcome)),
    security((), ("publishable_key" = []), ("api_key" = [])),
    extensions(("x-problems" = json!([
        ProblemKind::TooManyAttempts, ProblemKind::InvalidLink, ProblemKind::LinkExpired, ProblemKind::InvalidCode,
        ProblemKind::AppContextRequired, ProblemKind::InvalidPublishableKey,
        ProblemKind::TenantMismatch,
    ]))),
)]
#[post("/v1/verify-email")]
async fn verify(
    access: Public,
    body: Body<VerifyEmail>,
    verification: Data<Verification>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<Outcome>> {
    let proof = body.into_inner().into_proof();
    let (named, origin) = (access.tenant()?, access.origin());
    sessions.limits.admit_ip(Rule::Code, named, origin).await?;
    match proof.ok_or(ProblemKind::InvalidBody)? {
        Proof::Token(token) => verification.by_token(named, &token, origin).await?,
        Proof::Code(email, code) => {
            let tenant = named.ok_or(ProblemKind::AppContextRequired)?;
            let proof = (&email, code.as_str());
            verification.by_code(tenant, proof, origin).await?;
        }
    }
    Ok(Ok200::new(Outcome::VERIFIED))
}

/// Send the letter again
///
/// Another letter that verifies an address, if there is an account that needs one. The answer is
/// the same whether or not there is.
#[utoipa::path(
    tag = "authentication", operation_id = "auth.resend_verification",
    request_body(content = Recipient, example = json!({"email": "mia@example.org"})),
    responses((status = 202, description = "A letter goes out if one is needed", body = Outcome)),
    security(("publishable_key" = []), ("api_key" = [])),
    extensions(("x-idempotent" = json!(true)), ("x-problems" = json!([ProblemKind::InvalidEmail, ProblemKind::TooManyAttempts]))),
)]
#[post("/v1/verify-email/resend")]
async fn resend(
    access: Anyone,
    body: Body<Recipient>,
    sessions: Data<Sessions>,
    later: Afterwards,
) -> Answer<Accepted<Outcome>> {
    let letter = (LinkPurpose::VerifyEmail, body.into_inner().email);
    sessions.ask_for_letter(&access, letter, &later).await?;
    Ok(Accepted::new(Outcome::ACCEPTED))
}

/// Change my address
///
/// Sends a letter to the new address, which must confirm; the old one is told. Nothing changes
/// before. The answer is the same whether or not another account has the new address.
#[utoipa::path(
    tag = "me", operation_id = "me.change_email",
    request_body(
        content = ChangeEmail,
        example = json!({"email": "mia@example.com", "password": "a long quiet river"}),
    ),
    responses((status = 202, description = "The new address must confirm", body = Outcome)),
    security(("session" = [])),
    extensions(
        ("x-idempotent" = json!(true)),
        ("x-permission" = json!(UpdateMe::NAME)),
        ("x-problems" = json!([
            ProblemKind::InvalidEmail, ProblemKind::InvalidCredentials, ProblemKind::ReauthRequired,
            ProblemKind::TooManyAttempts, ProblemKind::Busy,
        ])),
    ),
)]
#[post("/v1/me/change-email")]
async fn change_email(
    access: Allowed<UpdateMe>,
    body: Body<ChangeEmail>,
    verification: Data<Verification>,
    later: Afterwards,
) -> Answer<Accepted<Outcome>> {
    let own = access.user()?;
    let (tenant, origin) = (access.tenant(), access.origin().clone());
    let ChangeEmail { email, password } = body.into_inner();
    let proof = (&email, password);
    let proven = verification
        .confirm_change(tenant, own, proof, &origin)
        .await?;
    later.run("a change of address did not begin", async move {
        let change = (&proven, &email);
        verification.begin_change(tenant, change, &origin).await
    });
    Ok(Accepted::new(Outcome::ACCEPTED))
}

/// Confirm my new address
///
/// Follows the link in the letter to the new address. Access tokens that name the old one are
/// refused from then on; the sessions go on.
#[utoipa::path(
    tag = "me", operation_id = "me.confirm_email_change",
    request_body(content = ConfirmEmailChange, example = json!({"token": "W3b9…"})),
    responses((status = 200, description = "The address is changed", body = Outcome)),
    security((), ("publishable_key" = []), ("api_key" = [])),
    extensions(("x-problems" = json!([
        ProblemKind::TooManyAttempts, ProblemKind::InvalidLink, ProblemKind::LinkExpired, ProblemKind::EmailTaken,
        ProblemKind::InvalidPublishableKey, ProblemKind::TenantMismatch,
    ]))),
)]
#[post("/v1/me/change-email/confirm")]
async fn confirm_change(
    access: Public,
    body: Body<ConfirmEmailChange>,
    verification: Data<Verification>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<Outcome>> {
    let token = body.into_inner().token;
    let (named, origin) = (access.tenant()?, access.origin());
    sessions.limits.admit_ip(Rule::Code, named, origin).await?;
    verification.change(named, &token, origin).await?;
    Ok(Ok200::new(Outcome::CHANGED))
}

impl From<VerificationError> for Problem {
    fn from(error: VerificationError) -> Self {
        match error {
            VerificationError::Link(refused) => refused.into(),
            VerificationError::Code(CodeRefused::Wrong | CodeRefused::NoneOpen) => {
                ProblemKind::InvalidCode.into()
            }
            VerificationError::Limit(error) => error.into(),
            VerificationError::EmailTaken => ProblemKind::EmailTaken.into(),
            VerificationError::Code(CodeRefused::Store(error))
            | VerificationError::Store(error) => error.into(),
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Unchanged => Problem::new(ProblemKind::InvalidBody).field(
                "/email",
                "unchanged",
                "is your address already",
            ),
            ChangeError::Reauth(refused) => refused.into(),
            ChangeError::Limit(refused) => refused.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<VerifyEmail>();
        assert_documented::<ChangeEmail>();
        assert_documented::<ConfirmEmailChange>();
    }
}
