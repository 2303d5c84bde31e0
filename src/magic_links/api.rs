use actix_web::post;
use actix_web::web::Data;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::service::{MagicLinkError, MagicLinks};
use crate::http::{
    Accepted, Afterwards, Answer, Anyone, Body, Fields, FromFields, Ok200, Problem, ProblemKind,
    Public,
};
use crate::kernel::text::Email;
use crate::limits::Rule;
use crate::sessions::{Sessions, SignedIn};

pub fn routes(config: &mut ServiceConfig) {
    config.service(send).service(verify);
}

/// An address to write to.
#[derive(Debug, ToSchema)]
struct SendMagicLink {
    email: Email,
}

impl FromFields for SendMagicLink {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required_else("email", ProblemKind::InvalidEmail, Email::parse);
        Some(Self { email: email? })
    }
}

/// The token of a link.
#[derive(Debug, ToSchema)]
struct VerifyMagicLink {
    token: String,
}

impl FromFields for VerifyMagicLink {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token", |text| Ok::<_, &str>(text.to_owned()));
        Some(Self { token: token? })
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct MagicLinkStatus {
    #[schema(example = "accepted")]
    status: &'static str,
}

/// Ask for a magic link
///
/// Sends a letter with a link that signs in, if there is such an account; it never makes one. The
/// answer is the same whether or not there is.
#[utoipa::path(
    tag = "authentication", operation_id = "auth.send_magic_link",
    request_body(content = SendMagicLink, example = json!({"email": "mia@example.org"})),
    responses((status = 202, description = "A letter goes out if there is an account", body = MagicLinkStatus)),
    security(("publishable_key" = []), ("api_key" = [])),
    extensions(("x-problems" = json!([ProblemKind::InvalidEmail, ProblemKind::TooManyAttempts]))),
)]
#[post("/v1/magic-link/send")]
async fn send(
    access: Anyone,
    body: Body<SendMagicLink>,
    magic_links: Data<MagicLinks>,
    sessions: Data<Sessions>,
    later: Afterwards,
) -> Answer<Accepted<MagicLinkStatus>> {
    let (tenant, origin) = (access.tenant(), access.origin().clone());
    let email = body.into_inner().email;
    sessions
        .limits
        .admit_ip(Rule::Recovery, tenant, &origin)
        .await?;
    later.run(async move {
        if let Err(error) = magic_links.send(tenant, &email, &origin).await {
            tracing::warn!(%error, "a letter was not queued");
        }
    });
    Ok(Accepted::new(MagicLinkStatus { status: "accepted" }))
}

/// Sign in by magic link
///
/// The link is good once, for ten minutes. Following it proves the address as well.
#[utoipa::path(
    tag = "authentication", operation_id = "auth.verify_magic_link",
    request_body(content = VerifyMagicLink, example = json!({"token": "W3b9…"})),
    responses((status = 200, description = "Signed in", body = SignedIn)),
    security((), ("publishable_key" = []), ("api_key" = [])),
    extensions(("x-problems" = json!([
        ProblemKind::TooManyAttempts, ProblemKind::InvalidLink, ProblemKind::LinkExpired, ProblemKind::AccountDisabled,
        ProblemKind::InvalidPublishableKey, ProblemKind::TenantMismatch,
    ]))),
)]
#[post("/v1/magic-link/verify")]
async fn verify(
    access: Public,
    body: Body<VerifyMagicLink>,
    magic_links: Data<MagicLinks>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<SignedIn>> {
    let token = body.into_inner().token;
    let (named, origin) = (access.tenant()?, access.origin());
    sessions.limits.admit_ip(Rule::Code, named, origin).await?;
    let issued = magic_links.follow(named, &token, origin).await?;
    Ok(Ok200::new(issued.into()))
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
        assert_documented::<SendMagicLink>();
        assert_documented::<VerifyMagicLink>();
    }
}
