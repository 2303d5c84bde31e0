//! What clients send to the token endpoint and to introspection, and get.

use serde::Serialize;
use utoipa::ToSchema;

use super::service::{Exchanged, Told};
use crate::access::Role;
use crate::api_keys::Live;
use crate::http::{Fields, FromFields};
use crate::kernel::id::{AppId, EnvId, OrgId, SessionId, UserId};
use crate::kernel::time::Timestamp;
use crate::sessions::Session;
use crate::tokens::AccessClaims;
use crate::users::User;

const BEARER: &str = "Bearer";

/// Longer texts are nothing of ours.
const LONGEST_TOKEN: usize = 16 * 1024;

/// What is to be exchanged, where it is not in the header `X-API-Key`.
#[derive(Debug, Default, ToSchema)]
pub(super) struct TokenRequest {
    /// `client_credentials`.
    #[schema(nullable = false)]
    pub grant_type: Option<String>,
    /// Whose key it is: a service account, or the key itself.
    #[schema(nullable = false)]
    pub client_id: Option<String>,
    /// The key.
    #[schema(nullable = false, format = Password)]
    pub client_secret: Option<String>,
    /// What the token is to be for, of all that the key is for: `resource:action`, with one space
    /// between. All of it, where nothing is said.
    #[schema(nullable = false, example = "users:list users:read")]
    pub scope: Option<String>,
}

impl FromFields for TokenRequest {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let grant_type = fields.optional("grant_type", str::parse);
        let client_id = fields.optional("client_id", str::parse);
        let client_secret = fields.optional("client_secret", str::parse);
        let scope = fields.optional("scope", str::parse);
        Some(Self {
            grant_type: grant_type?,
            client_id: client_id?,
            client_secret: client_secret?,
            scope: scope?,
        })
    }
}

/// A token that a key was exchanged for (RFC 6749 §5.1).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExchangedToken {
    access_token: String,
    #[schema(pattern = "^Bearer$")]
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
    /// What it is good for at most: `resource:action`, with a space between.
    scope: String,
    /// The organisation that it is good for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    org_id: Option<OrgId>,
}

impl From<Exchanged> for ExchangedToken {
    fn from(exchanged: Exchanged) -> Self {
        Self {
            access_token: exchanged.access_token,
            token_type: BEARER,
            expires_in: exchanged.expires_in,
            scope: exchanged.scope,
            org_id: exchanged.org_id,
        }
    }
}

/// A key or a token to look into (RFC 7662 §2.1).
#[derive(Debug, ToSchema)]
pub(super) struct IntrospectionRequest {
    /// An access token, a refresh token or an API key.
    #[schema(max_length = 16384)]
    pub token: String,
    /// Not needed: what it is can be seen.
    #[schema(nullable = false)]
    #[expect(dead_code, reason = "clients send it, and nothing follows from it")]
    pub token_type_hint: Option<String>,
}

impl FromFields for IntrospectionRequest {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token", bounded);
        let token_type_hint = fields.optional("token_type_hint", str::parse);
        Some(Self {
            token: token?,
            token_type_hint: token_type_hint?,
        })
    }
}

fn bounded(text: &str) -> Result<String, &'static str> {
    if text.len() > LONGEST_TOKEN {
        return Err("is longer than anything of ours");
    }
    Ok(text.to_owned())
}

/// What a key or a token is good for (RFC 7662 §2.2). Where it is good for nothing, nothing is said
/// but that.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Introspection {
    active: bool,
    /// What it is good for at most, where it is limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    scope: Option<String>,
    /// The API key, of one and of a token that one was exchanged for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    client_id: Option<String>,
    /// `Bearer`, `refresh_token` or `api_key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token_type: Option<&'static str>,
    /// The first second in which it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    aud: Option<AppId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    user_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    app_id: Option<AppId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    env_id: Option<EnvId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    org_id: Option<OrgId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    session_id: Option<SessionId>,
    /// In the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    roles: Option<Vec<String>>,
    /// In the organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    org_roles: Option<Vec<String>>,
    /// In the organisation; absent where they are too many to be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    permissions: Option<Vec<String>>,
    /// Who acts as the user, where somebody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    act: Option<ActorView>,
}

/// Who acts in another's name (RFC 8693 §4.1).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Actor)]
struct ActorView {
    sub: UserId,
}

impl Introspection {
    pub(super) fn of_claims(claims: &AccessClaims) -> Self {
        Self {
            active: true,
            scope: claims.scope.clone(),
            client_id: claims.client_id.map(|id| id.to_string()),
            token_type: Some(BEARER),
            exp: Some(claims.exp),
            iat: Some(claims.iat),
            sub: Some(claims.sub.to_string()),
            aud: Some(claims.aud),
            iss: Some(claims.iss.clone()),
            jti: Some(claims.jti.to_string()),
            user_id: claims.sub.user(),
            app_id: Some(claims.app_id),
            env_id: Some(claims.env_id),
            org_id: claims.org_id,
            session_id: (!claims.is_of_key()).then_some(claims.sid),
            roles: Some(claims.roles.clone()),
            org_roles: claims.org_roles.clone(),
            permissions: claims.permissions.clone(),
            act: claims
                .act
                .as_ref()
                .map(|actor| ActorView { sub: actor.sub }),
        }
    }

    pub(super) fn of_session(session: &Session, user: &User, issuer: &str) -> Self {
        Self {
            active: true,
            token_type: Some("refresh_token"),
            exp: Some(session.expires_at.as_secs()),
            iat: Some(session.last_activity_at.as_secs()),
            sub: Some(user.id.to_string()),
            aud: Some(session.app_id),
            iss: Some(issuer.to_owned()),
            user_id: Some(user.id),
            app_id: Some(session.app_id),
            env_id: Some(session.env_id),
            org_id: session.org_id,
            session_id: Some(session.id),
            roles: Some(user.roles.iter().map(Role::to_string).collect()),
            ..Self::default()
        }
    }

    pub(super) fn of_key(live: &Live, told: Told, issuer: &str) -> Self {
        let key = &live.key;
        let organization = told.organization;
        Self {
            active: true,
            scope: Some(told.scope),
            client_id: Some(key.id.to_string()),
            token_type: Some("api_key"),
            exp: live.secret.until.map(Timestamp::as_secs),
            iat: Some(key.created_at.as_secs()),
            sub: Some(told.subject.to_string()),
            aud: Some(key.app_id),
            iss: Some(issuer.to_owned()),
            user_id: told.subject.user(),
            app_id: Some(key.app_id),
            env_id: Some(key.env_id),
            org_id: key.org_id,
            roles: Some(told.roles),
            permissions: organization.map(|it| it.permissions),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<TokenRequest>();
        assert_documented::<IntrospectionRequest>();
    }

    #[test]
    fn of_what_is_good_for_nothing_nothing_else_is_said() {
        let said = serde_json::to_string(&Introspection::default()).unwrap();

        assert_eq!(said, r#"{"active":false}"#);
    }
}
