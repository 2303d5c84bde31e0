use actix_web::web::Data;
use actix_web::{Either, delete, get, post};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::issue::Issued;
use super::record::{Ending, Session};
use super::refreshing::RefreshError;
use super::service::{SessionError, Sessions};
use super::signing_in::{Identifier, SignInError};
use super::signing_up::{SignUpError, SignedUp};
use crate::access::{ListOwnSessions, Permission, RevokeOwnSession};
use crate::http::{
    Accepted, Allowed, Answer, Anyone, Body, Created, Fields, FromFields, NoContent, Ok200, Paging,
    PathId, Problem, ProblemKind, Public, Query,
};
use crate::kernel::id::{AppId, SessionId};
use crate::kernel::metadata::Metadata;
use crate::kernel::page::Limit;
use crate::kernel::password::Password;
use crate::kernel::secret::ExposeSecret;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Email, Label, Phone, Username};
use crate::kernel::time::Timestamp;
use crate::users::{NewUser, UserView};

pub fn routes(config: &mut ServiceConfig) {
    config
        .service(sign_up)
        .service(sign_in)
        .service(refresh)
        .service(sign_out)
        .service(sign_out_all)
        .service(list)
        .service(revoke);
}

/// A new account.
#[derive(Debug, ToSchema)]
struct SignUp {
    email: Email,
    /// 8 to 128 characters, none of the common ones.
    #[schema(value_type = String, min_length = 8, max_length = 128, format = Password)]
    password: Password,
    first_name: Option<Label>,
    last_name: Option<Label>,
    username: Option<Username>,
    phone: Option<Phone>,
    metadata: Option<Metadata>,
    /// Must agree with the publishable key.
    app_id: Option<AppId>,
}

impl FromFields for SignUp {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required_else("email", ProblemKind::InvalidEmail, Email::parse);
        let password =
            fields.required_else("password", ProblemKind::WeakPassword, Password::parse);
        let first_name = fields.optional("first_name", Label::parse);
        let last_name = fields.optional("last_name", Label::parse);
        let username = fields.optional("username", Username::parse);
        let phone = fields.optional("phone", Phone::parse);
        let metadata = fields.map("metadata", Metadata::parse);
        let app_id = fields.optional("app_id", str::parse);
        Some(Self {
            email: email?,
            password: password?,
            first_name: first_name?,
            last_name: last_name?,
            username: username?,
            phone: phone?,
            metadata: metadata?,
            app_id: app_id?,
        })
    }
}

impl SignUp {
    fn into_user(self) -> (NewUser, Password) {
        let user = NewUser {
            email: self.email,
            email_verified: false,
            phone: self.phone,
            username: self.username,
            first_name: self.first_name,
            last_name: self.last_name,
            roles: Vec::new(),
            metadata: self.metadata.unwrap_or_default(),
        };
        (user, self.password)
    }
}

/// Exactly one of `email`, `username` and `phone`, and the password.
#[derive(Debug, ToSchema)]
struct SignIn {
    email: Option<Email>,
    username: Option<Username>,
    phone: Option<Phone>,
    #[schema(value_type = String, max_length = 128, format = Password)]
    password: Password,
    /// Must agree with the publishable key.
    app_id: Option<AppId>,
}

impl FromFields for SignIn {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.optional("email", Email::parse);
        let username = fields.optional("username", Username::parse);
        let phone = fields.optional("phone", Phone::parse);
        let password = fields.required("password", Password::presented);
        let app_id = fields.optional("app_id", str::parse);
        let (email, username, phone) = (email?, username?, phone?);
        let named = [email.is_some(), username.is_some(), phone.is_some()];
        if named.into_iter().filter(|named| *named).count() != 1 {
            let detail = "exactly one of `email`, `username` and `phone` is needed";
            return fields.fault("email", "required", detail);
        }
        Some(Self { email, username, phone, password: password?, app_id: app_id? })
    }
}

impl SignIn {
    fn into_identifier(self) -> Option<(Identifier, Password)> {
        let email = self.email.map(Identifier::Email);
        let username = self.username.map(Identifier::Username);
        let identifier = email.or(username).or(self.phone.map(Identifier::Phone));
        Some((identifier?, self.password))
    }
}

/// A refresh token to exchange.
#[derive(Debug, ToSchema)]
struct Refresh {
    refresh_token: String,
}

impl FromFields for Refresh {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let refresh_token = fields.required("refresh_token", |text| Ok::<_, &str>(text.to_owned()));
        Some(Self { refresh_token: refresh_token? })
    }
}

/// A signed-in user and the tokens of the session.
#[derive(Debug, Serialize, ToSchema)]
struct SignedIn {
    user: UserView,
    session_id: SessionId,
    /// The access token again, for clients that know it by this name.
    session_token: String,
    /// A JWT (RFC 9068); verify it offline by the keys of `/.well-known/jwks.json`.
    access_token: String,
    /// Good for one exchange.
    refresh_token: String,
    #[schema(pattern = "^Bearer$")]
    token_type: &'static str,
    /// When the access token ends.
    expires_at: Timestamp,
    /// Seconds until then.
    expires_in: i64,
}

impl From<Issued> for SignedIn {
    fn from(issued: Issued) -> Self {
        Self {
            user: issued.user.into(),
            session_id: issued.session_id,
            session_token: issued.access_token.clone(),
            access_token: issued.access_token,
            refresh_token: issued.refresh_token.expose_secret().to_owned(),
            token_type: "Bearer",
            expires_at: issued.expires_at,
            expires_in: issued.expires_at.as_secs() - issued.at.as_secs(),
        }
    }
}

/// The address must be verified before its holder can sign in.
#[derive(Debug, Serialize, ToSchema)]
struct VerificationRequired {
    #[schema(pattern = "^verification_required$")]
    status: &'static str,
}

/// A live session, without any of its tokens.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
struct SessionView {
    id: SessionId,
    /// Whether it is the session of this request.
    current: bool,
    amr: Vec<String>,
    auth_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_agent: Option<String>,
    created_at: Timestamp,
    last_activity_at: Timestamp,
    expires_at: Timestamp,
}

impl SessionView {
    fn of(session: Session, current: SessionId) -> Self {
        Self {
            current: session.id == current,
            id: session.id,
            amr: session.amr,
            auth_time: session.auth_time,
            ip_address: session.ip_address,
            user_agent: session.user_agent,
            created_at: session.created_at,
            last_activity_at: session.last_activity_at,
            expires_at: session.expires_at,
        }
    }
}

/// A page of sessions, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct SessionPage {
    sessions: Vec<SessionView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
}

/// Which page of the sessions.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the documented shape of SessionQuery, which is parsed by hand")]
struct SessionParameters {
    #[param(inline)]
    limit: Option<Limit>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Sign up
///
/// Makes an account. Where the environment requires verified addresses the answer is 202, the same
/// for a new address and for a known one, and nobody is signed in.
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
        ProblemKind::Busy,
    ]))),
)]
#[post("/v1/signup")]
async fn sign_up(
    access: Anyone,
    account: Body<SignUp>,
    sessions: Data<Sessions>,
) -> Answer<Either<Created<SignedIn>, Accepted<VerificationRequired>>> {
    let account = account.into_inner();
    let tenant = agreed(access.tenant(), account.app_id)?;
    let (user, password) = account.into_user();
    match sessions.sign_up(tenant, &user, password, access.origin()).await? {
        SignedUp::In(issued) => Ok(Either::Left(Created::new((*issued).into()))),
        SignedUp::VerificationRequired => {
            let status = "verification_required";
            Ok(Either::Right(Accepted::new(VerificationRequired { status })))
        }
    }
}

/// Sign in
///
/// By password. A wrong password and an unknown account are one answer, in one time.
#[utoipa::path(
    tag = "authentication", operation_id = "auth.sign_in",
    request_body(
        content = SignIn,
        example = json!({"email": "mia@example.org", "password": "a long quiet river"}),
    ),
    responses((status = 200, description = "Signed in", body = SignedIn)),
    security(("publishable_key" = []), ("api_key" = [])),
    extensions(("x-problems" = json!([
        ProblemKind::InvalidCredentials, ProblemKind::EmailNotVerified,
        ProblemKind::AccountDisabled, ProblemKind::Busy,
    ]))),
)]
#[post("/v1/signin")]
async fn sign_in(
    access: Anyone,
    body: Body<SignIn>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<SignedIn>> {
    let body = body.into_inner();
    let tenant = agreed(access.tenant(), body.app_id)?;
    let (identifier, password) = body.into_identifier().ok_or(ProblemKind::InvalidBody)?;
    let issued = sessions.sign_in(tenant, &identifier, password, access.origin()).await?;
    Ok(Ok200::new(issued.into()))
}

/// Exchange a refresh token
///
/// Every refresh token is good once. Presenting a spent one ends its session.
#[utoipa::path(
    tag = "authentication", operation_id = "auth.refresh",
    request_body(content = Refresh, example = json!({"refresh_token": "ases_….0.….…"})),
    responses((status = 200, description = "The next pair of tokens", body = SignedIn)),
    security((), ("publishable_key" = [])),
    extensions(("x-problems" = json!([
        ProblemKind::InvalidRefreshToken, ProblemKind::RefreshTokenReused,
        ProblemKind::TenantMismatch, ProblemKind::InvalidPublishableKey,
    ]))),
)]
#[post("/v1/refresh")]
async fn refresh(
    access: Public,
    body: Body<Refresh>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<SignedIn>> {
    let token = body.into_inner().refresh_token;
    let issued = sessions.refresh(access.tenant()?, &token, access.origin()).await?;
    Ok(Ok200::new(issued.into()))
}

/// Sign out
///
/// Ends the session of the access token; both its tokens are refused from then on.
#[utoipa::path(
    tag = "authentication", operation_id = "auth.sign_out",
    responses((status = 204, description = "The session has ended")),
    security(("session" = [])),
    extensions(("x-permission" = json!(RevokeOwnSession::NAME))),
)]
#[post("/v1/signout")]
async fn sign_out(
    access: Allowed<RevokeOwnSession>,
    sessions: Data<Sessions>,
) -> Answer<NoContent> {
    let (user, session) = access.user()?;
    let ending = (session, Ending::SignedOut);
    sessions.end(access.tenant(), user, ending, access.origin()).await?;
    Ok(NoContent)
}

/// Sign out everywhere
///
/// Ends every session of the user, in every environment of the app.
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
    sessions.end_all(access.tenant(), user, access.origin()).await?;
    Ok(NoContent)
}

/// List my sessions
///
/// The live sessions of the caller in this environment, newest first.
#[utoipa::path(
    tag = "sessions", operation_id = "sessions.list",
    params(SessionParameters),
    responses((status = 200, description = "A page of sessions", body = SessionPage)),
    security(("session" = [])),
    extensions(("x-permission" = json!(ListOwnSessions::NAME))),
)]
#[get("/v1/sessions")]
async fn list(
    access: Allowed<ListOwnSessions>,
    paging: Query<SessionQuery>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<SessionPage>> {
    let (user, current) = access.user()?;
    let SessionQuery(paging) = paging.into_inner();
    let slice = sessions.page(access.tenant(), user, paging.after.as_ref(), paging.limit).await?;
    Ok(Ok200::new(SessionPage {
        next_cursor: paging.cursor(slice.next.as_ref()),
        has_more: slice.next.is_some(),
        sessions: slice.items.into_iter().map(|it| SessionView::of(it, current)).collect(),
    }))
}

/// A page without a total: the list is short.
#[derive(Debug)]
struct SessionQuery(Paging);

impl FromFields for SessionQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let paging = Paging::from_fields(fields)?;
        if paging.with_total {
            return fields.fault("include", "unknown_field", "is not a parameter here");
        }
        Some(Self(paging))
    }
}

/// End one of my sessions
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
    sessions.end(access.tenant(), user, ending, access.origin()).await?;
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
            SignUpError::CommonPassword => Problem::new(ProblemKind::WeakPassword).field(
                "/password",
                "weak_password",
                "is among the passwords that are guessed first",
            ),
            SignUpError::EmailTaken => ProblemKind::EmailTaken.into(),
            SignUpError::UsernameTaken => ProblemKind::UsernameTaken.into(),
            SignUpError::PhoneTaken => ProblemKind::PhoneTaken.into(),
            SignUpError::Busy(_) => Problem::new(ProblemKind::Busy),
            SignUpError::Keys(error) => error.into(),
            SignUpError::Store(error) => error.into(),
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Wrong => ProblemKind::InvalidCredentials.into(),
            SignInError::Disabled => ProblemKind::AccountDisabled.into(),
            SignInError::Unverified => ProblemKind::EmailNotVerified.into(),
            SignInError::Busy(_) => Problem::new(ProblemKind::Busy),
            SignInError::Keys(error) => error.into(),
            SignInError::Store(error) => error.into(),
        }
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Invalid => ProblemKind::InvalidRefreshToken.into(),
            RefreshError::Reused => ProblemKind::RefreshTokenReused.into(),
            RefreshError::OtherTenant => ProblemKind::TenantMismatch.into(),
            RefreshError::Keys(error) => error.into(),
            RefreshError::Store(error) => error.into(),
        }
    }
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Unknown => ProblemKind::NotFound.into(),
            SessionError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<SignUp>();
        assert_documented::<SignIn>();
        assert_documented::<Refresh>();
    }
}
