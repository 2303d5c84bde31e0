//! Tokens: what a signed-in caller carries, and the keys behind it.
//!
//! ```text
//! access token    a JWT of minutes, judged in memory: signature, time, and nothing revoked
//! refresh token   a random secret of days, vouched for by a mac; its digest stands in the session
//! signing key     one environment's, published before it signs and accepted after it signed
//! revocation      "no longer accept": lives as long as a token it stops can
//! link, code      what a letter carries, derived from its document and in no collection
//! ```
//!
//! Whatever takes rights away writes a [`Revocation`] in its own transaction and applies it to the
//! [`RevocationIndex`] after the commit. Sessions issue and refresh; `http` only verifies. Not
//! here: sessions themselves, and API keys.

mod access;
mod chain;
mod claims;
mod examined;
#[cfg(test)]
mod fuzz;
mod index;
mod jwks;
mod keys;
mod links;
mod low_s;
mod material;
mod refresh;
mod revocation;
mod signing;
mod subject;
#[cfg(test)]
mod world;

use std::time::Duration;

use crate::kernel::algorithm::Algorithm;

pub use access::{AccessTokens, Refused};
pub use claims::{AccessClaims, ActiveOrganization, Actor, Grant, KeyGrant, Membership};
pub use examined::KeyReport;
pub use index::{RevocationIndex, STALE_AFTER};
pub use jwks::{Jwk, Jwks};
pub use keys::{
    GENERATION_OF_ENVIRONMENT, KeyError, PreparedKey, SigningKey, publish, publish_other,
    remove_all_keys, revoke_all_keys, withdraw, withdraw_all,
};
pub use links::{LinkTokens, Purpose};
pub use refresh::{Forged, Presented, RefreshTokens};
pub use revocation::{
    Member, Revocation, revoke_app_roles, revoke_member, revoke_organization, revoke_session,
    revoke_user,
};
pub use signing::SigningKeys;
pub use subject::Subject;

/// How tokens of this installation are made.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// The `iss` of every access token: the public URL of the server, as clients spell it.
    pub issuer: String,
    /// The life of an access token where nothing shorter is asked for; at most [`LONGEST_LIFE`].
    pub access_ttl: Duration,
    /// The life of a session that nobody refreshes.
    pub refresh_ttl: Duration,
    /// What an environment's first key signs with.
    pub algorithm: Algorithm,
    /// How long a new key is published before it signs.
    pub publish_ahead: Duration,
}

/// The longest life that any access token has, whatever the settings are or were: revocations and
/// superseded keys must outlive tokens that were issued under other settings.
pub const LONGEST_LIFE: Duration = Duration::from_hours(1);

/// How far clocks may disagree, on every check of a time in a token (ASVS 9.2.1).
pub const LEEWAY: Duration = Duration::from_secs(30);

/// How long a revocation or a superseded key outlives the longest token: the leeway, and what a
/// node may take to hear of a new key.
const MARGIN: Duration = Duration::from_mins(1);
