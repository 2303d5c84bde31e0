use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::algorithm::Algorithm;
use crate::kernel::id::{AppId, SessionConfigId};
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfApp};

const HOUR: u32 = 60 * 60;
const DAY: u32 = 24 * HOUR;

pub(super) const TOKEN_TTL: RangeInclusive<u32> = 60..=HOUR;
pub(super) const REFRESH_TOKEN_TTL: RangeInclusive<u32> = HOUR..=90 * DAY;
pub(super) const IDLE_TIMEOUT: RangeInclusive<u32> = 300..=90 * DAY;
pub(super) const MAX_ACTIVE_SESSIONS: RangeInclusive<u32> = 1..=1_000;

/// What an administrator has set for an app; at most one document an app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SessionConfig {
    #[serde(rename = "_id")]
    pub id: SessionConfigId,
    pub app_id: AppId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_ttl_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token_ttl_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout_seconds: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_active_sessions: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind_to_ip: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind_to_device: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate_refresh_token: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_format: Option<TokenFormat>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_alg: Option<Algorithm>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Entity for SessionConfig {
    type Owner = OfApp;
    const COLLECTION: &'static str = "authsome_app_session_configs";
    const INDEXES: &'static [Index] = &[Index::unique("app_session_configs_app", &["app_id"])];
}

/// What is set, and nothing of what is left to the server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SessionConfig)]
pub(super) struct ChosenRules {
    /// How long an access token is good for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 60, maximum = 3600)]
    pub token_ttl_seconds: Option<u32>,
    /// How long a session lives, however often it is refreshed. Counts for sessions that begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 3600, maximum = 7_776_000)]
    pub refresh_token_ttl_seconds: Option<u32>,
    /// How long a session lives without being refreshed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 300, maximum = 7_776_000)]
    pub idle_timeout_seconds: Option<u32>,
    /// How many sessions a user has in one environment; the oldest ends for a newer one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    pub max_active_sessions: Option<u32>,
    /// Whether a session is refreshed from its own address only; of IPv6, from the same /64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind_to_ip: Option<bool>,
    /// Whether a session is refreshed by its own device only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind_to_device: Option<bool>,
    /// Whether a refresh token is good once, so that a copy of it is found out by its second use.
    /// Without, the same one is good until its session ends; switching gives another in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_refresh_token: Option<bool>,
    /// What access tokens are: there is one format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_format: Option<TokenFormat>,
    /// What new signing keys of the app's environments sign with: `ES256`, `EdDSA` or `RS256`. A key
    /// is published at the next sign-in, and signs when verifiers have had time to fetch it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_alg: Option<Algorithm>,
}

/// What access tokens are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenFormat {
    /// Signed, and verified without a look at the store (RFC 9068).
    Jwt,
}

/// Text that names no format of access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be `jwt`, which backends verify without asking: there are no opaque access tokens")]
pub struct NotAFormat;

impl FromStr for TokenFormat {
    type Err = NotAFormat;

    fn from_str(text: &str) -> Result<Self, NotAFormat> {
        match text {
            "jwt" => Ok(Self::Jwt),
            _ => Err(NotAFormat),
        }
    }
}

impl SessionConfig {
    pub(super) fn chosen(&self) -> ChosenRules {
        ChosenRules {
            token_ttl_seconds: self.token_ttl_seconds,
            refresh_token_ttl_seconds: self.refresh_token_ttl_seconds,
            idle_timeout_seconds: self.idle_timeout_seconds,
            max_active_sessions: self.max_active_sessions,
            bind_to_ip: self.bind_to_ip,
            bind_to_device: self.bind_to_device,
            rotate_refresh_token: self.rotate_refresh_token,
            token_format: self.token_format,
            signing_alg: self.signing_alg,
        }
    }
}

/// The rules that hold for the sessions of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    pub access_ttl: Duration,
    pub refresh_ttl: Duration,
    pub idle: Option<Duration>,
    pub most: Option<u32>,
    pub bind_to_ip: bool,
    pub bind_to_device: bool,
    /// Whether a refresh gives another refresh token.
    pub rotates: bool,
    /// Absent: whatever the keys sign with that there are.
    pub signing_alg: Option<Algorithm>,
}

impl Rules {
    /// The rules of an app for which nothing is set.
    pub fn new(access_ttl: Duration, refresh_ttl: Duration) -> Self {
        Self {
            access_ttl,
            refresh_ttl,
            idle: None,
            most: None,
            bind_to_ip: false,
            bind_to_device: false,
            rotates: true,
            signing_alg: None,
        }
    }

    /// These, but for what is set.
    pub(super) fn with(self, chosen: &ChosenRules) -> Self {
        let seconds = |set: Option<u32>| set.map(|seconds| Duration::from_secs(seconds.into()));
        Self {
            access_ttl: seconds(chosen.token_ttl_seconds).unwrap_or(self.access_ttl),
            refresh_ttl: seconds(chosen.refresh_token_ttl_seconds).unwrap_or(self.refresh_ttl),
            idle: seconds(chosen.idle_timeout_seconds).or(self.idle),
            most: chosen.max_active_sessions.or(self.most),
            bind_to_ip: chosen.bind_to_ip.unwrap_or(self.bind_to_ip),
            bind_to_device: chosen.bind_to_device.unwrap_or(self.bind_to_device),
            rotates: chosen.rotate_refresh_token.unwrap_or(self.rotates),
            signing_alg: chosen.signing_alg.or(self.signing_alg),
        }
    }

    /// How long an access token lives that is given when its session has `left`: never longer than
    /// the session, nor than the session may be idle.
    pub fn access_life(&self, left: Duration) -> Duration {
        let life = self.access_ttl.min(left);
        self.idle.map_or(life, |idle| life.min(idle))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn what_is_set_counts_and_the_rest_is_the_server_s() {
        let own = Rules::new(15 * MINUTE, 600 * MINUTE);
        let chosen = ChosenRules {
            token_ttl_seconds: Some(60),
            bind_to_ip: Some(true),
            ..ChosenRules::default()
        };

        let rules = own.with(&chosen);

        assert_eq!(
            (rules.access_ttl, rules.refresh_ttl),
            (MINUTE, 600 * MINUTE)
        );
        assert_eq!((rules.bind_to_ip, rules.bind_to_device), (true, false));
        assert_eq!(own.with(&ChosenRules::default()), own);
    }

    #[test]
    fn an_access_token_outlives_neither_its_session_nor_its_idleness() {
        let mut rules = Rules::new(15 * MINUTE, 600 * MINUTE);
        assert_eq!(rules.access_life(600 * MINUTE), 15 * MINUTE);
        assert_eq!(rules.access_life(2 * MINUTE), 2 * MINUTE);

        rules.idle = Some(5 * MINUTE);

        assert_eq!(rules.access_life(600 * MINUTE), 5 * MINUTE);
        assert_eq!(rules.access_life(2 * MINUTE), 2 * MINUTE);
    }
}
