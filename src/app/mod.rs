//! The composition root: the only place that knows every module.
//!
//! ```text
//! settings     configuration as the modules want it
//! examined     what there is, looked at and left as it is
//! foundation   the store brought up to date, and what works on it: enough for a command
//! house        everything in a store, for a backup
//! parts        everything that serves, made of the foundation
//! serving      the server, with its jobs, from its first request to its last
//! ```

mod examined;
mod foundation;
mod house;
mod parts;
mod sealed;
mod services;
mod serving;
mod settings;

use std::net::SocketAddr;

pub use self::examined::{Examined, mailer};
pub use self::foundation::Foundation;
pub use self::house::{as_it_is, judge, up_to_date};
pub use self::sealed::SEALED;
pub use self::serving::{Authsome, Background};
use crate::access::PolicyError;
use crate::api_keys::{ApiKey, ServiceAccount};
use crate::apps::App;
use crate::backups::Restore;
use crate::branding::BrandingConfig;
use crate::client_config::ClientConfig;
use crate::credentials::Credential;
use crate::devices::Device;
use crate::environments::{Environment, Holdings, Removal, SupersededKey};
use crate::events::Event;
use crate::forms::{FormConfig, FormVersion};
use crate::http::Routing;
use crate::idempotency::IdempotencyKey;
use crate::jobs::Lease;
use crate::kernel::entropy::Entropy;
use crate::kernel::time::Clock;
use crate::limits::{Lockout, RateCounter};
use crate::links::{PasswordReset, Verification};
use crate::mail::{MailError, Unrenderable};
use crate::memberships::{Invitation, Member, Organization, Team, TeamMember};
use crate::notifications::Notification;
use crate::outbound::Unbuildable;
use crate::rbac::{Catalogue, CustomRole};
use crate::session_rules::SessionConfig;
use crate::sessions::Session;
use crate::settings::Setting;
use crate::setup::{SecretMark, SetupError};
use crate::store::{Schema, StoreError};
use crate::telemetry::TelemetryError;
use crate::tokens::{KeyError, Revocation, SigningKey};
use crate::users::User;
use crate::webhooks::{Delivery, Webhook};
use crate::{
    accounts, audit, client_config, cloning, departures, discovery, environments, exchange, forms,
    health, http, invitations, keys, locks, magic_links, metrics, notifications, orgs, passwords,
    permissions, revocations, roles, service_accounts, session_rules, sessions, statistics,
    styling, teams, tenancy, transfers, tuning, users, verification, webhooks,
};

/// Every collection of the product.
pub const SCHEMAS: &[Schema] = &[
    Schema::of::<App>(),
    Schema::of::<Setting>(),
    Schema::of::<Environment>(),
    Schema::of::<SupersededKey>(),
    Schema::of::<Removal>(),
    Schema::of::<User>(),
    Schema::of::<Credential>(),
    Schema::of::<Notification>(),
    Schema::of::<Verification>(),
    Schema::of::<PasswordReset>(),
    Schema::of::<Device>(),
    Schema::of::<SessionConfig>(),
    Schema::of::<FormConfig>(),
    Schema::of::<FormVersion>(),
    Schema::of::<ClientConfig>(),
    Schema::of::<BrandingConfig>(),
    Schema::of::<CustomRole>(),
    Schema::of::<Catalogue>(),
    Schema::of::<Organization>(),
    Schema::of::<Member>(),
    Schema::of::<Team>(),
    Schema::of::<TeamMember>(),
    Schema::of::<Invitation>(),
    Schema::of::<Session>(),
    Schema::of::<ApiKey>(),
    Schema::of::<ServiceAccount>(),
    Schema::of::<SigningKey>(),
    Schema::of::<Revocation>(),
    Schema::of::<RateCounter>(),
    Schema::of::<Lockout>(),
    Schema::of::<IdempotencyKey>(),
    Schema::of::<Event>(),
    Schema::of::<Webhook>(),
    Schema::of::<Delivery>(),
    Schema::of::<Lease>(),
    Schema::of::<SecretMark>(),
    Schema::of::<Restore>(),
];

/// What there may be in environments; a collection of keys has a line among the credentials.
pub const HOLDINGS: Holdings = Holdings {
    all: SCHEMAS,
    credentials: &[Schema::of::<ApiKey>()],
};

/// Time and chance, which a test replaces.
#[derive(Debug, Clone)]
pub struct World {
    pub clock: Clock,
    pub entropy: Entropy,
}

impl World {
    pub fn real() -> Self {
        Self {
            clock: Clock::system(),
            entropy: Entropy::system(),
        }
    }
}

/// Why the server does not start. The text is a sentence for its operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Mail(#[from] MailError),
    #[error(transparent)]
    Templates(#[from] Unrenderable),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    #[error(transparent)]
    Outbound(#[from] Unbuildable),
    #[error(
        "a backup is being brought back into this store, and is not all there yet: let `authsome \
         restore` come to its end, or run it again with the same file"
    )]
    NotWhole,
    #[error("the platform app is missing: run `authsome bootstrap`")]
    NoPlatform,
    #[error("the hashing threads cannot be started: {0}")]
    Hasher(std::io::Error),
    #[error("metrics cannot be served on {0}: {1}")]
    Metrics(SocketAddr, std::io::Error),
    #[error("the server cannot listen: {0}")]
    Listen(std::io::Error),
}

impl StartError {
    /// Whether the store cannot be used now, and may be a little later.
    pub fn is_passing(&self) -> bool {
        if let Self::Store(error)
        | Self::Setup(SetupError::Store(error))
        | Self::Keys(KeyError::Store(error)) = self
        {
            return error.is_passing();
        }
        false
    }
}

/// Every route of the product; registering one is documenting it.
pub fn routes(config: &mut Routing) {
    config
        .configure(sessions::routes)
        .configure(verification::routes)
        .configure(passwords::routes)
        .configure(magic_links::routes)
        .configure(session_rules::routes)
        .configure(forms::routes)
        .configure(client_config::routes)
        .configure(orgs::routes)
        .configure(teams::routes)
        .configure(permissions::routes)
        .configure(invitations::routes)
        .configure(roles::routes)
        .configure(users::routes)
        .configure(accounts::routes)
        .configure(transfers::routes)
        .configure(statistics::routes)
        .configure(tenancy::routes)
        .configure(locks::routes)
        .configure(departures::routes)
        .configure(environments::routes)
        .configure(cloning::routes)
        .configure(tuning::routes)
        .configure(styling::routes)
        .configure(keys::routes)
        .configure(service_accounts::routes)
        .configure(exchange::routes)
        .configure(notifications::routes)
        .configure(revocations::routes)
        .configure(audit::routes)
        .configure(webhooks::routes)
        .configure(discovery::routes)
        .configure(metrics::routes)
        .configure(health::routes);
}

/// The OpenAPI document of [`routes`], as it is served and committed.
pub fn document() -> serde_json::Value {
    http::document(routes)
}

#[cfg(test)]
mod tests {
    use super::SCHEMAS;

    #[test]
    fn what_goes_with_an_app_is_found_by_it() {
        for schema in SCHEMAS.iter().filter(|schema| schema.goes_with_app()) {
            assert!(schema.leads_from_app(), "{}", schema.collection());
        }
    }

    #[test]
    fn what_is_part_of_something_is_found_by_it() {
        for schema in SCHEMAS {
            let Some(part) = schema.part_of() else {
                continue;
            };
            let whole = SCHEMAS
                .iter()
                .find(|it| it.collection() == part.collection)
                .unwrap_or_else(|| panic!("{part:?} of {}", schema.collection()));
            assert_eq!(schema.owner(), ["app_id", "env_id"], "{schema:?}");
            assert_eq!(schema.owner(), whole.owner(), "{schema:?}");
            assert!(schema.leads_from(part.field), "{schema:?}");
        }
    }

    #[test]
    fn what_an_environment_owns_is_found_by_it() {
        for schema in SCHEMAS.iter().filter(|it| it.goes_with_environment()) {
            assert!(
                schema.leads_from_environment(),
                "no index leads from an environment: {schema:?}"
            );
        }
    }
}
