use actix_web::post;
use actix_web::web::Data;
use utoipa::ToSchema;

use super::service::{MagicLinkError, MagicLinks};
use crate::devices::{DeviceSecret, Presented};
use crate::http::{
    Accepted, Afterwards, Answer, Anyone, Body, Cookies, Fields, FromFields, Ok200, Problem,
    ProblemKind, Public, Routing, WithCookie,
};
use crate::limits::Rule;
use crate::links::{LinkPurpose, Outcome, Recipient};
use crate::sessions::{Sessions, SignedIn, Visit};

pub fn routes(config: &mut Routing) {
    config.service(send).service(verify);
}

/// The token of a link.
#[derive(Debug, ToSchema)]
struct VerifyMagicLink {
    token: String,
    /// What names the device: what the server told it before, or a secret of its own.
    device_id: Option<DeviceSecret>,
}

impl FromFields for VerifyMagicLink {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token", str::parse::<String>);
        let device_id = fields.optional("device_id", DeviceSecret::parse);
        Some(Self {
            token: token?,
            device_id: device_id?,
        })
    }
}

/// Ask for a magic link
///
/// Sends a letter with a link that signs in, if there is such an account; it never makes one. The
/// answer is the same whether or not there is.
#[utoipa::path(
    tag = "authentication", operation_id = "auth.send_magic_link",
    request_body(content = Recipient, example = json!({"email": "mia@example.org"})),
    responses((status = 202, description = "A letter goes out if there is an account", body = Outcome)),
    security(("publishable_key" = []), ("api_key" = [])),
    extensions(("x-idempotent" = json!(true)), ("x-problems" = json!([
        ProblemKind::InvalidEmail, ProblemKind::TooManyAttempts, ProblemKind::MethodDisabled,
    ]))),
)]
#[post("/v1/magic-link/send")]
async fn send(
    access: Anyone,
    body: Body<Recipient>,
    magic_links: Data<MagicLinks>,
    later: Afterwards,
) -> Answer<Accepted<Outcome>> {
    let sessions = &magic_links.accounts;
    magic_links.admitted(access.tenant()).await?;
    let letter = (LinkPurpose::MagicLink, body.into_inner().email);
    sessions.ask_for_letter(&access, letter, &later).await?;
    Ok(Accepted::new(Outcome::ACCEPTED))
}

/// Sign in by magic link
///
/// The link is good once, for ten minutes. Following it proves the address as well; where that had
/// not been proven before, password, names, number, metadata, devices and sessions of the account are
/// gone, because somebody else may have left them there.
#[utoipa::path(
    tag = "authentication", operation_id = "auth.verify_magic_link",
    request_body(content = VerifyMagicLink, example = json!({"token": "W3b9…"})),
    responses((status = 200, description = "Signed in", body = SignedIn)),
    security((), ("publishable_key" = []), ("api_key" = [])),
    extensions(("x-problems" = json!([
        ProblemKind::TooManyAttempts, ProblemKind::InvalidLink, ProblemKind::LinkExpired, ProblemKind::AccountDisabled,
        ProblemKind::MethodDisabled,
        ProblemKind::InvalidPublishableKey, ProblemKind::TenantMismatch,
    ]))),
)]
#[post("/v1/magic-link/verify")]
async fn verify(
    access: Public,
    cookies: Cookies,
    body: Body<VerifyMagicLink>,
    magic_links: Data<MagicLinks>,
    sessions: Data<Sessions>,
) -> Answer<WithCookie<Ok200<SignedIn>>> {
    let VerifyMagicLink { token, device_id } = body.into_inner();
    let (named, origin) = (access.tenant()?, access.origin());
    let device = Presented::of(device_id, &cookies, &sessions.entropy);
    let visit = Visit {
        origin,
        device: &device.secret,
        organization: None,
    };
    sessions.limits.admit_ip(Rule::Code, named, origin).await?;
    let issued = magic_links.follow(named, &token, visit).await?;
    let signed_in = SignedIn::from(issued).on(&device.secret);
    Ok(WithCookie::new(Ok200::new(signed_in), device.cookie()))
}

impl From<MagicLinkError> for Problem {
    fn from(error: MagicLinkError) -> Self {
        match error {
            MagicLinkError::Link(refused) => refused.into(),
            MagicLinkError::SignIn(refused) => refused.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<VerifyMagicLink>();
    }
}
