use actix_web::post;
use actix_web::web::Data;
use utoipa_actix_web::service_config::ServiceConfig;

use super::service::{Exchange, ExchangeError};
use super::wire::{ExchangedToken, Introspection, IntrospectionRequest, TokenRequest};
use crate::access::{Introspect, Permission};
use crate::api_keys::Live;
use crate::http::{
    Allowed, Answer, FormOrJson, KeyOwner, OAuthAnswer, OAuthError, OAuthErrorKind, Ok200, Problem,
    ProblemKind, Public, Sent,
};
use crate::kernel::tenant::Tenant;

const GRANT_TYPE: &str = "client_credentials";

pub fn routes(config: &mut ServiceConfig) {
    config.service(issue).service(introspect);
}

/// Exchange a key for a token
///
/// An access token of at most 15 minutes, for backends that verify offline: it says whom the key is
/// of (`sub`), what it is good for at most (`scope`), and, of an organisation's key, `org_id` and
/// `permissions`. `roles` are there only where a scope of the key is `*:*`, or it has none: of any
/// other key nobody must take them for what it may. It cannot be refreshed, and is refused as soon as
/// the key, its secret or its owner is.
///
/// The key comes in the header, or as `client_secret` of a form (RFC 6749 §4.4); a form is refused in
/// the words of RFC 6749 §5.2.
#[utoipa::path(
    tag = "keys", operation_id = "tokens.exchange",
    request_body(content(
        (TokenRequest = "application/json", example = json!({})),
        (TokenRequest = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "The token", body = ExchangedToken),
        (status = 400, description = "A form that is refused", body = OAuthError),
        (status = 401, description = "A form with no key that is good", body = OAuthError),
    ),
    security((), ("api_key" = [])),
    extensions(("x-body-optional" = json!(true)), ("x-problems" = json!([
        ProblemKind::KeyNotExchangeable, ProblemKind::UserRequired,
    ]))),
)]
#[post("/v1/token/exchange")]
async fn issue(
    access: Public,
    body: FormOrJson<TokenRequest>,
    exchange: Data<Exchange>,
) -> Answer<OAuthAnswer<ExchangedToken>> {
    exchange.answer(&access, body.into_inner()).await
}

impl Exchange {
    async fn answer(
        &self,
        access: &Public,
        sent: Sent<TokenRequest>,
    ) -> Answer<OAuthAnswer<ExchangedToken>> {
        let asked = match sent {
            Sent::Nothing => None,
            Sent::Json(body) => Some(body).filter(|body| body.grant_type.is_some()),
            Sent::Form(Ok(body)) => Some(body),
            Sent::Form(Err(_)) => return Ok(OAuthErrorKind::InvalidRequest.into()),
        };
        let Some(asked) = asked else {
            let live = self.presented(access).await?;
            let exchanged = self.exchange(&live, access.origin()).await?;
            return Ok(OAuthAnswer::Granted(exchanged.into()));
        };
        match asked.grant_type.as_deref() {
            Some(GRANT_TYPE) => {}
            Some(_) => return Ok(OAuthErrorKind::UnsupportedGrantType.into()),
            None => return Ok(OAuthErrorKind::InvalidRequest.into()),
        }
        let tenant = access.tenant()?;
        let Some(live) = self.client(access, &asked, tenant).await? else {
            return Ok(OAuthErrorKind::InvalidClient.into());
        };
        match self.exchange(&live, access.origin()).await {
            Ok(exchanged) => Ok(OAuthAnswer::Granted(exchanged.into())),
            Err(ExchangeError::Invalid) => Ok(OAuthErrorKind::InvalidClient.into()),
            Err(ExchangeError::Counted) => Ok(OAuthErrorKind::UnauthorizedClient.into()),
            Err(error @ (ExchangeError::Keys(_) | ExchangeError::Store(_))) => Err(error.into()),
        }
    }

    /// The key in the header. A token that one was exchanged for is not exchanged again.
    async fn presented(&self, access: &Public) -> Result<Live, Problem> {
        let caller = access.caller()?.ok_or(ProblemKind::Unauthenticated)?;
        let live = self.live.of_caller(caller, self.clock.now()).await?;
        live.ok_or_else(|| ProblemKind::InvalidToken.into())
    }

    /// The key of the client that a form names; `None` where it is not the client's, or not one.
    async fn client(
        &self,
        access: &Public,
        asked: &TokenRequest,
        tenant: Option<Tenant>,
    ) -> Result<Option<Live>, Problem> {
        let found = match &asked.client_secret {
            Some(secret) => self.by_secret(secret).await,
            None => match access.caller() {
                Ok(Some(caller)) => {
                    let live = self.live.of_caller(caller, self.clock.now()).await?;
                    live.ok_or(ExchangeError::Invalid)
                }
                Ok(None) | Err(_) => Err(ExchangeError::Invalid),
            },
        };
        let live = match found {
            Ok(live) => live,
            Err(ExchangeError::Invalid | ExchangeError::Counted) => return Ok(None),
            Err(error @ (ExchangeError::Keys(_) | ExchangeError::Store(_))) => {
                return Err(error.into());
            }
        };
        let is_of = asked
            .client_id
            .as_deref()
            .is_none_or(|id| is_client(&live, id));
        let is_there = tenant.is_none_or(|tenant| tenant == live.key.tenant());
        Ok(Some(live).filter(|_| is_of && is_there))
    }
}

/// Whether a client is called so: as its service account, or as its key.
fn is_client(live: &Live, id: &str) -> bool {
    let account = match live.key.owner() {
        KeyOwner::ServiceAccount(account) => Some(account),
        KeyOwner::Environment | KeyOwner::Organization(_) | KeyOwner::User(_) => None,
    };
    account.is_some_and(|account| account.to_string() == id) || live.key.id.to_string() == id
}

/// Introspect a token or a key
///
/// RFC 7662, for backends with a secret key: what an access token, a refresh token or an API key of
/// the same environment is good for at this moment. Of anything else the answer is `{"active":
/// false}`, and no more.
#[utoipa::path(
    tag = "keys", operation_id = "tokens.introspect",
    request_body(content(
        (IntrospectionRequest = "application/json", example = json!({"token": "eyJhbGciOi…"})),
        (IntrospectionRequest = "application/x-www-form-urlencoded"),
    )),
    responses((status = 200, description = "What it is good for", body = Introspection)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(Introspect::NAME))),
)]
#[post("/v1/introspect")]
async fn introspect(
    access: Allowed<Introspect>,
    body: FormOrJson<IntrospectionRequest>,
    exchange: Data<Exchange>,
) -> Answer<Ok200<Introspection>> {
    let asked = match body.into_inner() {
        Sent::Json(asked) | Sent::Form(Ok(asked)) => asked,
        Sent::Form(Err(problem)) => return Err(problem),
        Sent::Nothing => {
            let missing = Problem::new(ProblemKind::InvalidBody);
            return Err(missing.field("/token", "required", "is missing"));
        }
    };
    let found = exchange.introspect(access.tenant(), &asked.token).await?;
    Ok(Ok200::new(found))
}
