//! Configuration as the modules want it.

use std::net::SocketAddr;

use base64::prelude::{BASE64_STANDARD, Engine};
use url::{Host, Url};

use super::World;
use crate::config::{self, Config, Secrets, StoreUrl};
use crate::credentials::{Hasher, HasherSettings, Pepper};
use crate::kernel::secret::{ExposeSecret, MacKey};
use crate::limits::{LockoutSettings, RateSettings};
use crate::outbound::Reach;
use crate::store::{Location, StoreSettings, Synchronous};
use crate::telemetry::TelemetrySettings;
use crate::tokens::TokenSettings;

pub(super) fn hasher(
    security: &config::Security,
    secrets: &Secrets,
    world: &World,
) -> std::io::Result<Hasher> {
    let pepper = Pepper::new(
        secrets.pepper.expose_secret().as_bytes(),
        security.bcrypt_cost,
    );
    let settings = HasherSettings {
        threads: security.hash_threads,
        queue: security.hash_queue_length,
        wait: security.hash_queue_seconds,
    };
    Hasher::start(pepper, world.entropy.clone(), settings)
}

/// A key of its own for `purpose`, so that no two purposes share one.
pub(super) fn derived(secrets: &Secrets, purpose: &str) -> MacKey {
    let root = MacKey::new(secrets.refresh.expose_secret().as_bytes());
    MacKey::new(&root.tag("derive", &[purpose.as_bytes()]))
}

/// What marks are of.
pub(super) const PEPPER: &str = "pepper";
pub(super) const REFRESH_SECRET: &str = "refresh_secret";

/// By what the pepper and the refresh secret are known again.
pub(super) fn marks(secrets: &Secrets) -> [String; 2] {
    [&secrets.pepper, &secrets.refresh].map(|secret| {
        let key = MacKey::new(secret.expose_secret().as_bytes());
        BASE64_STANDARD.encode(key.tag("mark", &[]))
    })
}

pub(super) fn rate_settings(limits: &config::Limits) -> RateSettings {
    let limits = limits.clone();
    RateSettings {
        signin: limits.signin,
        signup: limits.signup,
        recovery: limits.recovery,
        code: limits.code,
        letters: limits.letters,
        code_guesses: limits.code_guesses,
        invitations: limits.invitations,
        failed_signins: limits.failed_signins,
        refresh: limits.refresh,
        exchanges: limits.exchanges,
        failed_exchanges: limits.failed_exchanges,
        introspections: limits.introspections,
    }
}

pub(super) fn lockout_settings(limits: &config::Limits) -> LockoutSettings {
    LockoutSettings {
        after: limits.lockout_after,
        delay: limits.lockout_delay,
        longest: limits.lockout_longest,
    }
}

/// How far webhooks may lead.
pub(super) fn reach(webhooks: &config::Webhooks) -> Reach {
    if webhooks.allow_private {
        Reach::Anywhere
    } else {
        Reach::Public
    }
}

/// What this server calls itself to others, of the URL it is reached by.
pub(super) fn host_of(url: &str) -> String {
    let host = Url::parse(url).ok().and_then(|url| match url.host()? {
        Host::Domain(name) => Some(name.to_owned()),
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(address.to_string()),
    });
    host.unwrap_or_else(|| "localhost".to_owned())
}

pub(super) fn token_settings(config: &Config, bound: SocketAddr) -> TokenSettings {
    TokenSettings {
        issuer: config.server.url(bound).as_str().to_owned(),
        access_ttl: config.tokens.access_ttl,
        refresh_ttl: config.tokens.refresh_ttl,
        algorithm: config.tokens.algorithm,
        publish_ahead: config.tokens.publish_ahead,
    }
}

/// Nothing, where nobody collects spans.
pub(super) fn telemetry_settings(tracing: &config::Tracing) -> Option<TelemetrySettings> {
    let endpoint = tracing.otlp_endpoint.as_ref()?;
    Some(TelemetrySettings {
        endpoint: endpoint.as_str().to_owned(),
        headers: tracing.headers(),
        service_name: tracing.service_name.clone(),
        sample_ratio: tracing.sample_ratio,
        trusts_callers: tracing.trust_callers,
    })
}

pub(super) fn store_settings(store: &config::Store) -> StoreSettings {
    StoreSettings {
        location: match &store.url {
            StoreUrl::Memory => Location::Memory,
            StoreUrl::File(path) => Location::Sqlite(path.clone()),
            StoreUrl::Mongo { url, .. } => Location::Mongo(url.expose_secret().to_owned()),
        },
        pool_size: store.pool_size,
        readers: u32::try_from(store.readers).unwrap_or(u32::MAX),
        synchronous: match store.synchronous {
            config::Synchronous::Full => Synchronous::Full,
            config::Synchronous::Normal => Synchronous::Normal,
        },
    }
}
