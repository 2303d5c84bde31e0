//! Access tokens: signed here, judged here, and by nobody's word but the key's.
//!
//! ```text
//! text ─ seen before? ─────────────────────────────▶ over? revoked? ──▶ claims
//!   └─▶ header exact? key known? signature? claims ─┘
//! ```
//!
//! A token seen before costs a lookup of its whole text; time and revocations are asked every
//! time, in memory while this node is in step with the store. jsonwebtoken judges signature, issuer
//! and audience; the header is read more strictly than it would, and time is judged here, because it
//! reads the machine's clock and ours is an argument.
//! A token says nothing about its own trust: `alg` must be the key's, and members that point to
//! other keys (`jku`, `jwk`, `x5u`, `x5c`) do not exist (RFC 8725 §3.1, §3.9, §3.10).

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode};
use moka::Expiry;
use moka::sync::Cache;
use serde::Deserialize;

use super::chain::Key;
use super::claims::{AccessClaims, Actor, Grant, KeyGrant, TYPE};
use super::index::RevocationIndex;
use super::keys::{KeyError, in_jsonwebtoken};
use super::low_s;
use super::signing::SigningKeys;
use super::{LEEWAY, LONGEST_LIFE, TokenSettings};
use crate::kernel::algorithm::Algorithm;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AccessTokenId, SigningKeyId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{Clock, Timestamp};
use crate::store::StoreError;

/// The longest text that is looked at, in bytes.
pub(super) const LONGEST_TEXT: usize = 8 * 1024;

/// How many verified tokens are remembered, one of up to 1 KiB counting as one.
const REMEMBERED: u64 = 10_000;

/// Why a token is not accepted. Callers answer 401 to all but [`Refused::Keys`] and
/// [`Refused::Store`], which are a 503 or 500, and do not tell them apart on the wire.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("not an access token")]
    NotOne,
    #[error("not signed by a key of this server")]
    Unsigned,
    /// Well signed, for somebody else or another purpose.
    #[error("not meant for this server")]
    Foreign,
    #[error("the token is over")]
    Over,
    #[error("the token was revoked")]
    Revoked,
    /// Nothing is known about the token: keys could not be read.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Nothing is known about the token: this node may have missed its revocation, and cannot ask.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Signs and judges access tokens. Clones share what was verified.
#[derive(Clone, Debug)]
pub struct AccessTokens {
    keys: SigningKeys,
    revocations: RevocationIndex,
    settings: TokenSettings,
    clock: Clock,
    entropy: Entropy,
    verified: Cache<String, Verified>,
}

#[derive(Clone, Debug)]
struct Verified {
    claims: Arc<AccessClaims>,
    key_id: SigningKeyId,
    /// From when it was remembered until it is over.
    remaining: Duration,
}

/// A header of ours, whole: members beyond these, or one of them twice, are refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: Algorithm,
    kid: SigningKeyId,
    typ: String,
}

impl AccessTokens {
    pub fn new(
        keys: SigningKeys,
        revocations: RevocationIndex,
        settings: TokenSettings,
        clock: Clock,
        entropy: Entropy,
    ) -> Self {
        let verified = Cache::builder()
            .max_capacity(REMEMBERED)
            .weigher(|token: &String, _| u32::try_from(token.len() / 1024 + 1).unwrap_or(u32::MAX))
            .expire_after(WhenOver)
            .build();
        Self {
            keys,
            revocations,
            settings,
            clock,
            entropy,
            verified,
        }
    }

    /// The keys that sign.
    pub fn keys(&self) -> &SigningKeys {
        &self.keys
    }

    /// The claims of a token for `grant`, issued at `now`.
    ///
    /// It lives for `life`, by default as long as configured; never longer than
    /// [`LONGEST_LIFE`], nor less than a second.
    pub fn claims(&self, grant: Grant, life: Option<Duration>, now: Timestamp) -> AccessClaims {
        let life = life.unwrap_or(self.settings.access_ttl).min(LONGEST_LIFE);
        let seconds = i64::try_from(life.as_secs()).unwrap_or(0).max(1);
        let claims = AccessClaims {
            iss: self.settings.issuer.clone(),
            sub: grant.user_id.into(),
            aud: grant.tenant.app_id,
            exp: now.as_secs().saturating_add(seconds),
            iat: now.as_secs(),
            jti: AccessTokenId::new(now, &self.entropy),
            sid: grant.session_id,
            ver: grant.rights_version,
            app_id: grant.tenant.app_id,
            env_id: grant.tenant.env_id,
            roles: grant.roles,
            email: Some(grant.email),
            email_verified: Some(grant.email_verified),
            client_id: None,
            scope: None,
            org_id: None,
            org_slug: None,
            org_ver: None,
            app_ver: None,
            org_roles: None,
            teams: None,
            permissions: None,
            permissions_ref: None,
            amr: grant.amr,
            auth_time: grant.auth_time.as_secs(),
            act: grant.impersonated_by.map(|sub| Actor { sub }),
        };
        match grant.organization {
            Some(organization) => claims.within(organization),
            None => claims,
        }
    }

    /// The claims of a token that an API key is exchanged for at `now`. It lives for `life`, and never
    /// longer than configured.
    pub fn claims_of_key(&self, grant: KeyGrant, life: Duration, now: Timestamp) -> AccessClaims {
        let seconds = life
            .min(self.settings.access_ttl)
            .min(LONGEST_LIFE)
            .as_secs();
        let claims = AccessClaims {
            iss: self.settings.issuer.clone(),
            sub: grant.subject,
            aud: grant.tenant.app_id,
            exp: now.as_secs() + i64::try_from(seconds).unwrap_or(0).max(1),
            iat: now.as_secs(),
            jti: AccessTokenId::new(now, &self.entropy),
            sid: grant.session_id,
            ver: grant.rights_version,
            app_id: grant.tenant.app_id,
            env_id: grant.tenant.env_id,
            roles: grant.roles,
            email: None,
            email_verified: None,
            client_id: Some(grant.key_id),
            scope: Some(grant.scope),
            org_id: None,
            org_slug: None,
            org_ver: None,
            app_ver: None,
            org_roles: None,
            teams: None,
            permissions: None,
            permissions_ref: None,
            amr: Vec::new(),
            auth_time: now.as_secs(),
            act: None,
        };
        match grant.organization {
            Some(organization) => claims.within(organization),
            None => claims,
        }
    }

    /// The `iss` of every token: the public URL of the server.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Sees to it that tokens of `tenant` can be signed: before a unit of work whose success
    /// depends on it. Normally without the store.
    pub async fn prepare(&self, tenant: Tenant) -> Result<(), KeyError> {
        self.keys.ensure(tenant, self.clock.now()).await
    }

    /// The token over `claims`, signed by the environment's current key, which is made if there is
    /// none yet. Not to be called inside a transaction: it may write.
    pub async fn sign(&self, claims: &AccessClaims) -> Result<String, KeyError> {
        let now = self.clock.now();
        let mut key = self.keys.signing(claims.tenant(), now).await?;
        if self.revocations.is_withdrawn(key.id) {
            // Withdrawn by another node after the chain was read.
            self.keys.forget(claims.tenant());
            key = self.keys.signing(claims.tenant(), now).await?;
        }
        if key.tenant != claims.tenant() {
            return Err(KeyError::NoneSigns);
        }
        key.sign(&serde_json::to_vec(claims).map_err(|_| KeyError::NotSigned)?)
    }

    /// The claims of a token that this server signed, that is not over and not revoked.
    ///
    /// Asks the store at most for the key, and for an unknown key once a minute; and for revocations
    /// of this token while the node is not in step.
    pub async fn verify(&self, token: &str) -> Result<Arc<AccessClaims>, Refused> {
        let now = self.clock.now();
        if token.len() > LONGEST_TEXT {
            return Err(Refused::NotOne);
        }
        if let Some(seen) = self.verified.get(token) {
            self.check_still(&seen, now).await?;
            return Ok(seen.claims);
        }
        let header = header(token)?;
        let key = self
            .keys
            .accepted(header.kid, now)
            .await?
            .ok_or(Refused::Unsigned)?;
        if header.alg != key.algorithm {
            return Err(Refused::Unsigned);
        }
        let claims = self.judge(token, &key, now)?;
        let remaining = claims.expires_at().plus(LEEWAY).since(now);
        let verified = Verified {
            claims: Arc::new(claims),
            key_id: key.id,
            remaining,
        };
        self.check_still(&verified, now).await?;
        self.verified.insert(token.to_owned(), verified.clone());
        Ok(verified.claims)
    }

    /// What may have changed since a token was first seen.
    async fn check_still(&self, seen: &Verified, now: Timestamp) -> Result<(), Refused> {
        if now >= seen.claims.expires_at().plus(LEEWAY) {
            return Err(Refused::Over);
        }
        if self
            .revocations
            .stops(&seen.claims, seen.key_id, now)
            .await?
        {
            return Err(Refused::Revoked);
        }
        Ok(())
    }

    /// Signature and claims, apart from what [`Self::check_still`] asks.
    fn judge(&self, token: &str, key: &Key, now: Timestamp) -> Result<AccessClaims, Refused> {
        if key.algorithm == Algorithm::Es256 && !has_low_s(token) {
            return Err(Refused::Unsigned);
        }
        let judged = decode::<AccessClaims>(token, &key.decoding, &self.validation(key));
        let claims = judged.map_err(|error| refusal(error.kind()))?.claims;
        let life = claims.exp.saturating_sub(claims.iat);
        let issued_at = Timestamp::from_millis(claims.iat.saturating_mul(1_000));
        let ours = claims.tenant() == key.tenant
            && claims.is_whole()
            && (1..=LONGEST_LIFE.as_secs()).contains(&u64::try_from(life).unwrap_or(0))
            && issued_at <= now.plus(LEEWAY);
        if ours {
            Ok(claims)
        } else {
            Err(Refused::Foreign)
        }
    }

    fn validation(&self, key: &Key) -> Validation {
        let mut validation = Validation::new(in_jsonwebtoken(key.algorithm));
        validation.set_audience(&[key.tenant.app_id]);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = LEEWAY.as_secs();
        // By our clock instead: see `check_still`.
        validation.validate_exp = false;
        validation
    }
}

/// The first of exactly three parts, read to the letter.
fn header(token: &str) -> Result<Header, Refused> {
    let mut parts = token.split('.');
    let (Some(header), Some(_), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refused::NotOne);
    };
    let header = BASE64_URL_SAFE_NO_PAD
        .decode(header)
        .map_err(|_| Refused::NotOne)?;
    let header: Header = serde_json::from_slice(&header).map_err(|_| Refused::NotOne)?;
    if header.typ == TYPE {
        Ok(header)
    } else {
        Err(Refused::NotOne)
    }
}

fn has_low_s(token: &str) -> bool {
    let signature = token.rsplit('.').next().unwrap_or_default();
    BASE64_URL_SAFE_NO_PAD
        .decode(signature)
        .is_ok_and(|signature| low_s::is_low(&signature))
}

/// Which refusal a verdict of jsonwebtoken is. Its kinds are open-ended; a new one refuses too.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a foreign enum that is non-exhaustive"
)]
fn refusal(kind: &ErrorKind) -> Refused {
    match kind {
        ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => Refused::Foreign,
        ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => Refused::Unsigned,
        _ => Refused::NotOne,
    }
}

/// Verified tokens are forgotten when they are over. A broom: the rule is `check_still`.
#[derive(Debug)]
struct WhenOver;

impl Expiry<String, Verified> for WhenOver {
    fn expire_after_create(&self, _: &String, seen: &Verified, _: Instant) -> Option<Duration> {
        Some(seen.remaining)
    }
}

#[cfg(test)]
mod forgeries;
#[cfg(test)]
mod tests;
