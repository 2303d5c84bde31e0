//! What an access token says (RFC 9068 §2.2, and our own names beside it).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::subject::Subject;
use crate::kernel::id::{AccessTokenId, ApiKeyId, AppId, EnvId, OrgId, SessionId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;

/// The `typ` of the header (RFC 9068 §2.1): no other JWT of ours passes for an access token.
pub(super) const TYPE: &str = "at+jwt";

/// How long a list of an organisation may be in a token, in bytes of JSON. Three of them leave room
/// for everything else within [`super::access::LONGEST_TEXT`].
const LONGEST_LIST: usize = 1024;

/// Where it is asked what somebody may do whose permissions do not fit into his token.
const PERMISSIONS_REF: &str = "/v1/permissions/check";

/// The claims of an access token. Times are seconds since 1970.
///
/// A token with a claim that is not here, or with one twice, is not ours.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessClaims {
    pub iss: String,
    pub sub: Subject,
    /// The app again, as its verifiers look for it.
    pub aud: AppId,
    /// The first second in which the token is over.
    pub exp: i64,
    pub iat: i64,
    pub jti: AccessTokenId,
    /// The session; of a token that an API key was exchanged for, what is revoked with the key.
    pub sid: SessionId,
    /// The version of the user's rights that the token was issued for.
    pub ver: i64,
    pub app_id: AppId,
    pub env_id: EnvId,
    pub roles: Vec<String>,
    /// Of people who have signed in, as is `email_verified`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// The API key that the token was given for (RFC 9068 §2.2), and what it is good for at most
    /// (RFC 9068 §2.2.3): `resource:action`, with a space between. Either is there if the other is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ApiKeyId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The organisation that the token is good for, if it is for one. What else is said of an
    /// organisation is said beside this only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<OrgId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_slug: Option<String>,
    /// The version of the organisation's rights that the token was issued for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_ver: Option<i64>,
    /// The version of the roles that the app defines for its organisations, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_ver: Option<i64>,
    /// What the user is there. Beside `org_id`, a list that is missing is over 1 KiB as JSON, as are
    /// `teams` and `permissions`: never empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_roles: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// Where to ask instead; there exactly if `permissions` is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_ref: Option<String>,
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

/// What an API key grants a token; see [`super::AccessTokens::claims_of_key`].
#[derive(Clone, Debug)]
pub struct KeyGrant {
    pub tenant: Tenant,
    pub key_id: ApiKeyId,
    pub subject: Subject,
    /// What is revoked with the key.
    pub session_id: SessionId,
    /// Of a user, see [`AccessClaims::ver`].
    pub rights_version: i64,
    pub roles: Vec<String>,
    pub scope: String,
    pub organization: Option<ActiveOrganization>,
}

/// The one organisation that a token is good for, and what its user is there.
#[derive(Clone, Debug, PartialEq)]
pub struct ActiveOrganization {
    pub id: OrgId,
    pub slug: String,
    pub roles: Vec<String>,
    pub teams: Vec<String>,
    pub permissions: Vec<String>,
    /// See [`AccessClaims::org_ver`].
    pub version: i64,
    /// See [`AccessClaims::app_ver`].
    pub app_version: i64,
}

/// For which organisation a token is good, and for which versions of rights there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Membership {
    pub org_id: OrgId,
    pub org_ver: i64,
    pub app_ver: i64,
}

impl AccessClaims {
    pub fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.env_id,
        }
    }

    /// The same, good for an organisation.
    pub(super) fn within(self, organization: ActiveOrganization) -> Self {
        let permissions = if_short(organization.permissions);
        let elsewhere = || format!("{}{PERMISSIONS_REF}", self.iss);
        Self {
            org_id: Some(organization.id),
            org_slug: Some(organization.slug),
            org_ver: Some(organization.version),
            app_ver: Some(organization.app_version),
            org_roles: if_short(organization.roles),
            teams: if_short(organization.teams),
            permissions_ref: permissions.is_none().then(elsewhere),
            permissions,
            ..self
        }
    }

    pub(super) fn membership(&self) -> Option<Membership> {
        Some(Membership {
            org_id: self.org_id?,
            org_ver: self.org_ver?,
            app_ver: self.app_ver?,
        })
    }

    /// Whether an API key was exchanged for it, and nobody has signed in.
    pub fn is_of_key(&self) -> bool {
        self.client_id.is_some()
    }

    /// Whether all is said that is to be said of a person or a key, and of an organisation, or nothing.
    pub(super) fn is_whole(&self) -> bool {
        self.is_of_one_kind() && self.is_whole_about_organization()
    }

    fn is_of_one_kind(&self) -> bool {
        if self.is_of_key() {
            let is_of_person = self.email.is_some() || self.email_verified.is_some();
            return self.scope.is_some() && !is_of_person && self.act.is_none();
        }
        let is_of_person = self.email.is_some() && self.email_verified.is_some();
        is_of_person && self.sub.user().is_some() && self.scope.is_none()
    }

    fn is_whole_about_organization(&self) -> bool {
        let has_permissions = self.permissions.is_some();
        if self.membership().is_some() {
            return self.org_slug.is_some() && has_permissions != self.permissions_ref.is_some();
        }
        let is_of_none = self.org_id.is_none() && self.org_ver.is_none() && self.app_ver.is_none();
        let has_lists = self.org_roles.is_some() || self.teams.is_some() || has_permissions;
        is_of_none && !has_lists && self.org_slug.is_none() && self.permissions_ref.is_none()
    }

    /// The first instant in which the token is over, leeway not counted.
    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.exp.saturating_mul(1_000))
    }
}

/// A list that fits into a token.
fn if_short(list: Vec<String>) -> Option<Vec<String>> {
    let is_short = |json: Vec<u8>| json.len() <= LONGEST_LIST;
    serde_json::to_vec(&list)
        .is_ok_and(is_short)
        .then_some(list)
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
