use actix_web::post;
use actix_web::web::Data;

use super::service::{Exchange, ExchangeError};
use super::wire::{ExchangedToken, Introspection, IntrospectionRequest, TokenRequest};
use crate::access::{Introspect, Permission};
use crate::api_keys::Live;
use crate::http::{
    Allowed, Answer, FormOrJson, KeyOwner, OAuthAnswer, OAuthError, OAuthErrorKind, Ok200, Problem,
    ProblemKind, Public, Routing, Sent,
};
use crate::kernel::tenant::Tenant;
use crate::limits::NodeRule;

const GRANT_TYPE: &str = "client_credentials";

pub fn routes(config: &mut Routing) {
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
/// the words of RFC 6749 §5.2. `scope` asks for less than all that the key is for: the token is for
/// exactly that, here as elsewhere. A scope that there is not, or that the key does not have, is
/// refused.
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
        ProblemKind::KeyNotExchangeable, ProblemKind::UserRequired, ProblemKind::ScopeNotHeld,
        ProblemKind::TooManyAttempts,
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
    /// Counts what is no key that is good by its client's address; a good one by itself, whatever
    /// comes from the same address.
    async fn answer(
        &self,
        access: &Public,
        sent: Sent<TokenRequest>,
    ) -> Answer<OAuthAnswer<ExchangedToken>> {
        let answered = self.judged(access, sent).await;
        let is_failed = match &answered {
            Ok(answer) => answer.refusal() == Some(OAuthErrorKind::InvalidClient),
            Err(problem) => problem.kind() == ProblemKind::InvalidToken,
        };
        if is_failed {
            let (rule, tenant) = (NodeRule::FailedExchange, access.tenant().ok().flatten());
            let admitted = self.limits.admit_ip_here(rule, tenant, access.origin());
            admitted.await?;
        }
        answered
    }

    async fn judged(
        &self,
        access: &Public,
        sent: Sent<TokenRequest>,
    ) -> Answer<OAuthAnswer<ExchangedToken>> {
        let asked = match sent {
            Sent::Nothing => TokenRequest::default(),
            Sent::Json(body) => body,
            Sent::Form(Ok(body)) if body.grant_type.is_some() => body,
            Sent::Form(_) => return Ok(OAuthErrorKind::InvalidRequest.into()),
        };
        match asked.grant_type.as_deref() {
            Some(GRANT_TYPE) => {}
            Some(_) => return Ok(OAuthErrorKind::UnsupportedGrantType.into()),
            None => {
                let (live, scope) = (self.presented(access).await?, asked.scope.as_deref());
                let exchanged = self.exchange(live, scope, access.origin()).await?;
                return Ok(OAuthAnswer::Granted(exchanged.into()));
            }
        }
        let tenant = access.tenant()?;
        let Some(live) = self.client(access, &asked, tenant).await? else {
            return Ok(OAuthErrorKind::InvalidClient.into());
        };
        let exchanged = self.exchange(live, asked.scope.as_deref(), access.origin());
        match exchanged.await {
            Ok(exchanged) => Ok(OAuthAnswer::Granted(exchanged.into())),
            Err(ExchangeError::Invalid) => Ok(OAuthErrorKind::InvalidClient.into()),
            Err(ExchangeError::Counted) => Ok(OAuthErrorKind::UnauthorizedClient.into()),
            Err(ExchangeError::Scope) => Ok(OAuthErrorKind::InvalidScope.into()),
            Err(
                error
                @ (ExchangeError::Limit(_) | ExchangeError::Keys(_) | ExchangeError::Store(_)),
            ) => Err(error.into()),
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
            Err(ExchangeError::Invalid) => return Ok(None),
            Err(error) => return Err(error.into()),
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
    extensions(
        ("x-permission" = json!(Introspect::NAME)),
        ("x-problems" = json!([ProblemKind::TooManyAttempts])),
    ),
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
    let found = exchange.looks_into(&access, &asked.token).await?;
    Ok(Ok200::new(found))
}

impl Exchange {
    /// Each who asks has a budget of his own.
    async fn looks_into(
        &self,
        access: &Allowed<Introspect>,
        text: &str,
    ) -> Result<Introspection, ExchangeError> {
        let (tenant, who) = (access.tenant(), access.caller().party());
        let rule = NodeRule::Introspection;
        let admitted = self.limits.admit_here(rule, tenant, who, access.origin());
        admitted.await?;
        self.introspect(tenant, text).await
    }
}
