//! What an access token says (RFC 9068 §2.2, and our own names beside it).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kernel::id::{AccessTokenId, AppId, EnvId, SessionId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;

/// The `typ` of the header (RFC 9068 §2.1): no other JWT of ours passes for an access token.
pub(super) const TYPE: &str = "at+jwt";

/// The claims of an access token. Times are seconds since 1970.
///
/// A token with a claim that is not here, or with one twice, is not ours.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessClaims {
    pub iss: String,
    pub sub: UserId,
    /// The app again, as its verifiers look for it.
    pub aud: AppId,
    /// The first second in which the token is over.
    pub exp: i64,
    pub iat: i64,
    pub jti: AccessTokenId,
    pub sid: SessionId,
    /// The version of the user's rights that the token was issued for.
    pub ver: i64,
    pub app_id: AppId,
    pub env_id: EnvId,
    pub roles: Vec<String>,
    pub email: String,
    pub email_verified: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_slug: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_roles: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// How the person signed in (RFC 8176).
    pub amr: Vec<String>,
    /// When the person last showed a credential, not when the token was refreshed.
    pub auth_time: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
}

/// Who acts in the name of `sub` (RFC 8693 §4.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    pub sub: UserId,
}

/// What a session grants a token; see [`super::AccessTokens::claims`].
#[derive(Clone)]
pub struct Grant {
    pub tenant: Tenant,
    pub user_id: UserId,
    pub session_id: SessionId,
    /// See [`AccessClaims::ver`].
    pub rights_version: i64,
    pub roles: Vec<String>,
    pub email: String,
    pub email_verified: bool,
    pub organization: Option<ActiveOrganization>,
    pub amr: Vec<String>,
    pub auth_time: Timestamp,
    /// The operator, where one impersonates the user.
    pub impersonated_by: Option<UserId>,
}

/// The one organisation that a token is good for, and what its user is there.
#[derive(Clone, Debug, PartialEq)]
pub struct ActiveOrganization {
    pub id: String,
    pub slug: String,
    pub roles: Vec<String>,
    pub teams: Vec<String>,
    pub permissions: Vec<String>,
}

impl AccessClaims {
    pub fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.env_id,
        }
    }

    /// The first instant in which the token is over, leeway not counted.
    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.exp.saturating_mul(1_000))
    }
}

// Claims hold an address, and logs hold none.
impl fmt::Debug for AccessClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessClaims")
            .field("sub", &self.sub)
            .field("sid", &self.sid)
            .field("jti", &self.jti)
            .field("env_id", &self.env_id)
            .field("exp", &self.exp)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("tenant", &self.tenant)
            .field("user_id", &self.user_id)
            .field("session_id", &self.session_id)
            .finish_non_exhaustive()
    }
}
