use actix_web::web::Data;
use actix_web::{Either, post};

use super::opening::Visit;
use super::reauthenticating::ReauthError;
use super::record::Ending;
use super::refreshing::RefreshError;
use super::service::{SessionError, Sessions};
use super::signing_in::SignInError;
use super::signing_up::{SignUpError, SignedUp};
use super::wire::{Refresh, SignIn, SignUp, SignedIn, VerificationRequired};
use crate::access::{Permission, RevokeOwnSession, SignOut};
use crate::devices::{self, Presented};
use crate::http::{
    Accepted, Allowed, Answer, Anyone, Body, Cookies, Created, NoContent, Ok200, Problem,
    ProblemKind, Public, Routing, WithCookie,
};
use crate::kernel::id::AppId;
use crate::kernel::tenant::Tenant;

pub fn routes(config: &mut Routing) {
    config
        .service(sign_up)
        .service(sign_in)
        .service(refresh)
        .service(sign_out)
        .service(sign_out_all)
        .configure(super::own::routes)
        .service(super::own::switch_org)
        .configure(super::own_devices::routes)
        .configure(super::own_methods::routes)
        .configure(super::administration::routes)
        .configure(super::together::routes)
        .configure(super::impersonation::routes)
        .configure(super::roles::routes);
}

/// Sign up
///
/// Makes an account. Where the environment requires verified addresses the answer is 202, the same
/// for a new address and for a known one, and nobody is signed in; `username` and `phone` are not
/// kept then, and can be set after signing in. Where the app has a form, `metadata` answers it, and
/// must where a question needs an answer: `GET /v1/client-config` tells what is asked.
#[utoipa::path(
    tag = "authentication", operation_id = "auth.sign_up",
    request_body(
        content = SignUp,
        example = json!({"email": "mia@example.org", "password": "a long quiet river"}),
    ),
    responses(
        (status = 201, description = "The account exists and is signed in", body = SignedIn),
        (status = 202, description = "The address must be verified first", body = VerificationRequired),
    ),
    security(("publishable_key" = []), ("api_key" = [])),
    extensions(("x-problems" = json!([
        ProblemKind::EmailTaken, ProblemKind::UsernameTaken, ProblemKind::PhoneTaken,
        ProblemKind::WeakPassword, ProblemKind::InvalidEmail, ProblemKind::SignupClosed,
    ProblemKind::SignupCodeWrong, ProblemKind::TooManyAttempts, ProblemKind::Busy, ProblemKind::MethodDisabled,
    ]))),
)]
#[post("/v1/signup")]
async fn sign_up(
    access: Anyone,
    cookies: Cookies,
    account: Body<SignUp>,
    sessions: Data<Sessions>,
) -> Answer<Either<WithCookie<Created<SignedIn>>, Accepted<VerificationRequired>>> {
    let mut account = account.into_inner();
    let tenant = agreed(access.tenant(), account.app_id)?;
    let device = Presented::of(account.device_id.take(), &cookies, &sessions.entropy);
    let code = account.signup_code.take();
    let (user, password) = account.into_user();
    let visit = Visit {
        origin: access.origin(),
        device: &device.secret,
        organization: None,
    };
    match sessions
        .sign_up(tenant, (&user, password, code), visit)
        .await?
    {
        SignedUp::In(issued) => {
            let signed_in = SignedIn::from(*issued).on(&device.secret);
            let created = Created::new(signed_in);
            Ok(Either::Left(WithCookie::new(created, device.cookie())))
        }
        SignedUp::VerificationRequired => {
            let status = "verification_required";
            Ok(Either::Right(Accepted::new(VerificationRequired {
                status,
            })))
        }
    }
}

/// Sign in
///
/// By password. A wrong password and an unknown account are one answer, in one time. After wrong
/// passwords in a row the account is locked for a while, also for the right one; one that does not
/// exist answers the same.
///
/// The device is named by `device_id`, or else by the cookie `authsome_device`; where neither is
/// sent, one is made and the answer tells it. A user who has others is told of a new one by mail.
/// Wrong passwords of strangers do not lock out a device that is known.
///
/// The tokens are for the organisation `org_id`; where none is named, for the only one that the user
/// is in, and of a user of several, or of none, for no organisation.
///
/// A backend that signs its users in with a secret key names the user's address in
/// `X-Authsome-Client-IP`, so that each of them is limited for himself.
#[utoipa::path(
    tag = "authentication", operation_id = "auth.sign_in",
    request_body(
        content = SignIn,
        example = json!({"email": "mia@example.org", "password": "a long quiet river"}),
    ),
    responses((status = 200, description = "Signed in", body = SignedIn)),
    security(("publishable_key" = []), ("api_key" = [])),
    extensions(("x-idempotent" = json!(true)), ("x-problems" = json!([
        ProblemKind::InvalidCredentials, ProblemKind::EmailNotVerified,
        ProblemKind::AccountDisabled, ProblemKind::InvalidEmail, ProblemKind::NotAMember,
        ProblemKind::MethodDisabled, ProblemKind::TooManyAttempts, ProblemKind::Busy,
    ]))),
)]
#[post("/v1/signin")]
async fn sign_in(
    access: Anyone,
    cookies: Cookies,
    body: Body<SignIn>,
    sessions: Data<Sessions>,
) -> Answer<WithCookie<Ok200<SignedIn>>> {
    let mut body = body.into_inner();
    let tenant = agreed(access.tenant(), body.app_id)?;
    let device = Presented::of(body.device_id.take(), &cookies, &sessions.entropy);
    let organization = body.org_id;
    let (identifier, password) = body.into_identifier().ok_or(ProblemKind::InvalidBody)?;
    let visit = Visit {
        origin: access.origin(),
        device: &device.secret,
        organization,
    };
    let signing_in = sessions.sign_in(tenant, &identifier, password, visit);
    let issued = Box::pin(signing_in).await?;
    let signed_in = SignedIn::from(issued).on(&device.secret);
    Ok(WithCookie::new(Ok200::new(signed_in), device.cookie()))
}

/// Exchange a refresh token
///
/// The new tokens are for the organisation `org_id`, or for the one before where none is named.
/// Every refresh token is good once. Presenting a spent one ends its session. Roles are as they are, or
/// as they were within the last second: a token with those of before is refused as soon as this server
/// hears of it, and the next exchange gives the others. Where the app binds
/// sessions to their address or device, a refresh from elsewhere is refused and the token stays good.
#[utoipa::path(
    tag = "authentication", operation_id = "auth.refresh",
    request_body(content = Refresh, example = json!({"refresh_token": "ases_….0.….…"})),
    responses((status = 200, description = "The next pair of tokens", body = SignedIn)),
    security((), ("publishable_key" = []), ("api_key" = [])),
    extensions(("x-problems" = json!([
        ProblemKind::InvalidRefreshToken, ProblemKind::RefreshTokenReused,
        ProblemKind::TenantMismatch, ProblemKind::InvalidPublishableKey,
        ProblemKind::TooManyAttempts, ProblemKind::NotAMember,
    ]))),
)]
#[post("/v1/refresh")]
async fn refresh(
    access: Public,
    cookies: Cookies,
    body: Body<Refresh>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<SignedIn>> {
    let Refresh {
        refresh_token: token,
        device_id,
        org_id,
    } = body.into_inner();
    let device = devices::named(device_id, &cookies);
    let from = (access.origin(), device.as_ref());
    let refreshing = sessions.refresh(access.tenant()?, &token, org_id, from);
    let issued = Box::pin(refreshing).await?;
    Ok(Ok200::new(issued.into()))
}

/// Sign out
///
/// Ends the session of the access token; both its tokens are refused from then on.
#[utoipa::path(
    tag = "authentication", operation_id = "auth.sign_out",
    responses((status = 204, description = "The session has ended")),
    security(("session" = [])),
    extensions(("x-permission" = json!(SignOut::NAME))),
)]
#[post("/v1/signout")]
async fn sign_out(access: Allowed<SignOut>, sessions: Data<Sessions>) -> Answer<NoContent> {
    let (user, session) = access.user()?;
    let ending = (session, Ending::SignedOut);
    sessions
        .end(access.tenant(), user, ending, access.origin())
        .await?;
    Ok(NoContent)
}

/// Sign out everywhere
///
/// Ends every session of the user, in every environment of the app. His API keys are no sessions, and
/// stay; tokens that they were exchanged for are refused.
#[utoipa::path(
    tag = "authentication", operation_id = "auth.sign_out_all",
    responses((status = 204, description = "Every session has ended")),
    security(("session" = [])),
    extensions(("x-permission" = json!(RevokeOwnSession::NAME))),
)]
#[post("/v1/signout/all")]
async fn sign_out_all(
    access: Allowed<RevokeOwnSession>,
    sessions: Data<Sessions>,
) -> Answer<NoContent> {
    let (user, _) = access.user()?;
    sessions
        .end_all(access.tenant(), user, access.origin())
        .await?;
    Ok(NoContent)
}

/// An `app_id` in a body is no choice: it must be the app of the publishable key.
fn agreed(tenant: Tenant, app_id: Option<AppId>) -> Result<Tenant, Problem> {
    match app_id {
        Some(app_id) if app_id != tenant.app_id => Err(ProblemKind::TenantMismatch.into()),
        Some(_) | None => Ok(tenant),
    }
}

impl From<SignUpError> for Problem {
    fn from(error: SignUpError) -> Self {
        match error {
            SignUpError::Closed => ProblemKind::SignupClosed.into(),
            SignUpError::CodeWrong => ProblemKind::SignupCodeWrong.into(),
            SignUpError::Disabled(closed) => closed.into(),
            SignUpError::Form(refused) => refused.into(),
            SignUpError::Password(refused) => refused.at("/password"),
            SignUpError::EmailTaken => ProblemKind::EmailTaken.into(),
            SignUpError::UsernameTaken => ProblemKind::UsernameTaken.into(),
            SignUpError::PhoneTaken => ProblemKind::PhoneTaken.into(),
            SignUpError::Limit(error) => error.into(),
            SignUpError::Keys(error) => error.into(),
            SignUpError::Store(error) => error.into(),
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Closed(closed) => closed.into(),
            SignInError::Wrong => ProblemKind::InvalidCredentials.into(),
            SignInError::Disabled => ProblemKind::AccountDisabled.into(),
            SignInError::Unverified => ProblemKind::EmailNotVerified.into(),
            SignInError::NotAMember => ProblemKind::NotAMember.into(),
            SignInError::Limit(error) => error.into(),
            SignInError::Busy(_) => Problem::new(ProblemKind::Busy),
            SignInError::Keys(error) => error.into(),
            SignInError::Store(error) => error.into(),
        }
    }
}

impl From<ReauthError> for Problem {
    fn from(error: ReauthError) -> Self {
        match error {
            ReauthError::Wrong => ProblemKind::InvalidCredentials.into(),
            ReauthError::Required => ProblemKind::ReauthRequired.into(),
            ReauthError::Limit(error) => error.into(),
            ReauthError::Busy(_) => Problem::new(ProblemKind::Busy),
            ReauthError::Store(error) => error.into(),
        }
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Invalid => ProblemKind::InvalidRefreshToken.into(),
            RefreshError::Reused => ProblemKind::RefreshTokenReused.into(),
            RefreshError::OtherTenant => ProblemKind::TenantMismatch.into(),
            RefreshError::NotAMember => ProblemKind::NotAMember.into(),
            RefreshError::Limit(error) => error.into(),
            RefreshError::Keys(error) => error.into(),
            RefreshError::Store(error) => error.into(),
        }
    }
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Unknown => ProblemKind::NotFound.into(),
            SessionError::RoleNotHeld => ProblemKind::RoleNotHeld.into(),
            SessionError::Keys(error) => error.into(),
            SessionError::Store(error) => error.into(),
        }
    }
}
