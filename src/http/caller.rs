//! Callers: who asks, on whose behalf, and the two doors through which the edge finds out.
//!
//! The edge reads what a request presents ([`Presented`]) and asks every [`Authenticator`] in turn
//! whose credential it is; a [`Directory`] knows apps, environments and their web origins. Features
//! implement both; the composition root hands them over in [`super::Edge`].

use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use futures_util::future::LocalBoxFuture;
use url::form_urlencoded;

use super::problem::Problem;
use super::problems::ProblemKind;
use crate::access::{Role, holds};
use crate::events::{Origin, Party};
use crate::kernel::id::{ApiKeyId, AppId, EnvId, OrgId, ServiceAccountId, SessionId, UserId};
use crate::kernel::secret::SecretString;
use crate::kernel::tenant::Tenant;
use crate::kernel::text;

/// The query parameters that name a tenant; every operation takes them.
pub(super) const TENANT_PARAMETERS: [&str; 3] = ["publishable_key", "app_id", "env_id"];

const PUBLISHABLE_KEY: HeaderName = HeaderName::from_static("x-publishable-key");
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const SECRET_KEY_PREFIX: &str = "sk_";

/// A credential as it came; nothing has been verified yet.
#[derive(Clone, Debug)]
pub enum Credential {
    Bearer(SecretString),
    /// From `X-API-Key`, or a bearer that begins with `sk_`.
    ApiKey(SecretString),
}

/// Finds the caller behind a credential.
pub trait Authenticator: Send + Sync {
    /// `None` means: not a credential of my kind. A credential of my kind that is not valid is
    /// [`ProblemKind::InvalidToken`]; every other problem (the store is away) is passed on.
    fn caller<'a>(
        &'a self,
        credential: &'a Credential,
    ) -> LocalBoxFuture<'a, Result<Option<Caller>, Problem>>;

    /// As [`Authenticator::caller`], where the request has been let in and goes on: what a request uses
    /// up is not used up again.
    fn caller_still<'a>(
        &'a self,
        credential: &'a Credential,
    ) -> LocalBoxFuture<'a, Result<Option<Caller>, Problem>> {
        self.caller(credential)
    }

    /// Hears of a request that a caller, whom some authenticator has found, makes from there.
    fn seen(&self, _caller: &Caller, _from: &Origin) {}
}

/// Knows apps and environments, by their public names.
pub trait Directory: Send + Sync {
    fn by_publishable_key<'a>(
        &'a self,
        key: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Tenant>, Problem>>;

    /// The environment of this app, or the app's default one.
    fn environment(
        &self,
        app: AppId,
        environment: Option<EnvId>,
    ) -> LocalBoxFuture<'_, Result<Option<Tenant>, Problem>>;

    /// Whether pages of this origin may call; without a tenant, whether those of any app may.
    fn allows_origin<'a>(
        &'a self,
        tenant: Option<Tenant>,
        origin: &'a text::Origin,
    ) -> LocalBoxFuture<'a, Result<bool, Problem>>;
}

/// An authenticated caller.
///
/// `home` is the tenant of the credential, `tenant` the one acted on: they differ only for
/// operators of the platform app. `subjects` are what the policy judges.
#[derive(Clone, Debug)]
pub struct Caller {
    pub principal: Principal,
    pub home: Tenant,
    pub tenant: Tenant,
    pub subjects: Vec<String>,
}

impl Caller {
    /// The caller as events name one.
    pub fn party(&self) -> Party {
        match self.principal {
            Principal::User { user_id, .. } => Party::new("user", user_id),
            Principal::Key { key_id, .. } => Party::new("key", key_id),
        }
    }

    /// Who acts as the caller, where somebody does.
    pub fn acting(&self) -> Option<UserId> {
        match self.principal {
            Principal::User { acting, .. } => acting,
            Principal::Key { .. } => None,
        }
    }

    /// The user of the app acted on whom the caller is, in person or by a key of his own. An operator
    /// who acts on another app is none of it.
    pub fn user(&self) -> Option<UserId> {
        let user = match self.principal {
            Principal::User { user_id, .. } => Some(user_id),
            Principal::Key { owner, .. } => owner.user(),
        };
        user.filter(|_| self.home == self.tenant)
    }

    /// Whether the caller's own roles include `role` in the app acted on.
    pub fn holds(&self, role: Role, is_platform: bool) -> bool {
        holds(&self.subjects, role, is_platform)
    }
}

/// Who is behind a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal {
    User {
        user_id: UserId,
        session_id: SessionId,
        /// Who impersonates him. What such a caller may do is in `subjects`, as of everybody.
        acting: Option<UserId>,
    },
    Key {
        key_id: ApiKeyId,
        owner: KeyOwner,
        /// The `sid` of tokens that the secret is exchanged for which was presented.
        session_id: SessionId,
        /// Whether it came as an access token that the key was exchanged for.
        is_exchanged: bool,
    },
}

/// Whose key it is: on whose behalf a machine acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyOwner {
    /// The environment's own, with roles.
    Environment,
    Organization(OrgId),
    User(UserId),
    ServiceAccount(ServiceAccountId),
}

impl KeyOwner {
    pub fn user(self) -> Option<UserId> {
        match self {
            Self::User(id) => Some(id),
            Self::Environment | Self::Organization(_) | Self::ServiceAccount(_) => None,
        }
    }
}

/// What a request presents. A malformed credential is kept as the problem it will be.
#[derive(Clone, Debug)]
pub(super) struct Presented {
    pub(super) publishable_key: Option<String>,
    pub(super) credential: Option<Result<Credential, Problem>>,
    pub(super) act_on: Option<ActOn>,
}

/// The tenant that `?app_id=&env_id=` names, unparsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ActOn {
    pub(super) app_id: String,
    pub(super) env_id: Option<String>,
}

impl Presented {
    /// Reads headers and query; fails with `ambiguous_credentials` when two keys, two credentials
    /// or two tenants are named.
    pub(super) fn of(headers: &HeaderMap, query: &str) -> Result<Self, Problem> {
        let keys = headers
            .get_all(PUBLISHABLE_KEY)
            .filter_map(|v| v.to_str().ok());
        let keys = keys
            .map(str::to_owned)
            .chain(parameters(query, "publishable_key"));
        let app_id = only(parameters(query, "app_id"))?;
        let env_id = only(parameters(query, "env_id"))?;
        if env_id.is_some() && app_id.is_none() {
            let problem = Problem::new(ProblemKind::InvalidQuery);
            return Err(
                problem.detail("`env_id` names an environment of `app_id`, which is missing")
            );
        }
        Ok(Self {
            publishable_key: only(keys)?,
            credential: credential(headers)?,
            act_on: app_id.map(|app_id| ActOn { app_id, env_id }),
        })
    }
}

fn parameters<'a>(query: &'a str, name: &'a str) -> impl Iterator<Item = String> + 'a {
    let pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .filter(move |(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn only(mut values: impl Iterator<Item = String>) -> Result<Option<String>, Problem> {
    let first = values.next();
    if values.any(|value| Some(&value) != first.as_ref()) {
        return Err(ProblemKind::AmbiguousCredentials.into());
    }
    Ok(first)
}

/// Both headers may be there if they say the same; neither may be there twice (RFC 9110 §5.3).
fn credential(headers: &HeaderMap) -> Result<Option<Result<Credential, Problem>>, Problem> {
    let is_repeated = |name| headers.get_all(name).count() > 1;
    let bearer = headers.get(AUTHORIZATION).map(bearer);
    let key = headers.get(API_KEY).map(|value| token(value.as_bytes()));
    let differ = bearer.is_some_and(|bearer| key.is_some_and(|key| key != bearer));
    if differ || is_repeated(AUTHORIZATION) || is_repeated(API_KEY) {
        return Err(ProblemKind::AmbiguousCredentials.into());
    }
    let Some(text) = bearer.or(key) else {
        return Ok(None);
    };
    let Some(text) = text else {
        let malformed = Problem::new(ProblemKind::InvalidToken);
        return Ok(Some(Err(malformed.detail("the credential is malformed"))));
    };
    let is_key = key.is_some() || text.starts_with(SECRET_KEY_PREFIX);
    let secret = SecretString::from(text);
    Ok(Some(Ok(if is_key {
        Credential::ApiKey(secret)
    } else {
        Credential::Bearer(secret)
    })))
}

/// RFC 6750 §2.1, the scheme in any case (RFC 9110 §11.1).
fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, text) = value.as_bytes().split_at_checked("Bearer ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Bearer ") {
        return None;
    }
    token(text)
}

/// RFC 6750 §2.1: `b64token`.
fn token(bytes: &[u8]) -> Option<&str> {
    let text = str::from_utf8(bytes).ok()?.trim_matches(' ');
    let body = text.trim_end_matches('=');
    let is_legal = |c: char| c.is_ascii_alphanumeric() || "-._~+/".contains(c);
    (!body.is_empty() && body.chars().all(is_legal)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::secret::ExposeSecret;

    fn presents(headers: &[(&'static str, &str)], query: &str) -> Result<String, String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let presented = Presented::of(&map, query).map_err(|problem| problem.to_string())?;
        match presented.credential {
            None => Ok(format!("none {:?}", presented.publishable_key)),
            Some(Ok(Credential::Bearer(text))) => Ok(format!("bearer {}", text.expose_secret())),
            Some(Ok(Credential::ApiKey(text))) => Ok(format!("key {}", text.expose_secret())),
            Some(Err(problem)) => Ok(format!("malformed {problem}")),
        }
    }

    #[test]
    fn a_credential_is_read_from_either_header() {
        let table: [(&[(&'static str, &str)], &str); 10] = [
            (&[], "none None"),
            (&[("x-publishable-key", "pk_1")], r#"none Some("pk_1")"#),
            (&[("authorization", "Bearer abc.def")], "bearer abc.def"),
            (&[("authorization", "bEARER abc=")], "bearer abc="),
            (&[("authorization", "Bearer sk_x")], "key sk_x"),
            (&[("x-api-key", "sk_x")], "key sk_x"),
            (
                &[("x-api-key", "sk_x"), ("authorization", "Bearer sk_x")],
                "key sk_x",
            ),
            (&[("authorization", "Bearer")], "malformed invalid_token"),
            (&[("authorization", "Basic %%%")], "malformed invalid_token"),
            (
                &[("authorization", "Bearer a b")],
                "malformed invalid_token",
            ),
        ];
        for (headers, expected) in table {
            assert_eq!(
                presents(headers, "").as_deref(),
                Ok(expected),
                "{headers:?}"
            );
        }
    }

    #[test]
    fn two_different_credentials_are_ambiguous() {
        let table: [(&[(&'static str, &str)], &str); 6] = [
            (
                &[("authorization", "Bearer a"), ("authorization", "Bearer a")],
                "",
            ),
            (&[("authorization", "Bearer a"), ("x-api-key", "sk_b")], ""),
            (
                &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
                "",
            ),
            (&[("authorization", "Basic a"), ("x-api-key", "sk_b")], ""),
            (&[("x-publishable-key", "pk_1")], "publishable_key=pk_2"),
            (&[], "app_id=a&app_id=b"),
        ];
        for (headers, query) in table {
            let refused = presents(headers, query);
            assert_eq!(
                refused,
                Err("ambiguous_credentials".into()),
                "{headers:?} {query}"
            );
        }
    }

    #[test]
    fn an_authorization_header_of_raw_bytes_is_malformed() {
        let value = HeaderValue::from_bytes(b"Bearer \xff").unwrap();

        assert_eq!(bearer(&value), None);
    }
}
