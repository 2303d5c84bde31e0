//! Everything that serves, made of the foundation.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;

use super::foundation::Foundation;
use super::serving::{
    AdministrationServices, Authsome, EnvironmentServices, MachineServices, OrganizationServices,
    Services,
};
use super::settings::{
    derived, host_of, lockout_settings, rate_settings, reach, telemetry_settings,
};
use super::{HOLDINGS, SCHEMAS, StartError, World};
use crate::access::{OrgPolicies, Policy};
use crate::accounts::Accounts;
use crate::api_keys::{LiveKeys, SecretKeys};
use crate::audit::{Audit, Denials, OrganizationRecord};
use crate::client_config::ClientConfigs;
use crate::cloning::Cloning;
use crate::departures::Departures;
use crate::discovery::Issuer;
use crate::environments::Environments;
use crate::exchange::Exchange;
use crate::forms::Forms;
use crate::health::Health;
use crate::http::{Afterwards, Edge, InFlight, Traffic};
use crate::idempotency::Idempotency;
use crate::invitations::Invitations;
use crate::jobs::Jobs;
use crate::kernel::id::AppId;
use crate::kernel::measure::Measured;
use crate::keys::Keys;
use crate::limits::{Limits, Lockouts};
use crate::locks::Locks;
use crate::magic_links::MagicLinks;
use crate::mail::{Mailer, Templates};
use crate::memberships::Memberships;
use crate::metrics::Metrics;
use crate::notifications::{Composer, Deliveries, Notifications, Post};
use crate::orgs::Orgs;
use crate::outbound::Outbound;
use crate::passwords::Passwords;
use crate::permissions::Permissions;
use crate::rbac::Policies;
use crate::revocations::Feed;
use crate::roles::Roles;
use crate::service_accounts::ServiceAccounts;
use crate::session_rules::{Rules, SessionRules};
use crate::sessions::{self, BearerTokens, Sessions, Turns};
use crate::settings::Levels;
use crate::statistics::Statistics;
use crate::teams::Teams;
use crate::telemetry::Telemetry;
use crate::tenancy::Tenancy;
use crate::tokens::{AccessTokens, RefreshTokens, RevocationIndex};
use crate::tuning::Tuning;
use crate::users::{Recent, Users};
use crate::verification::Verification;
use crate::webhooks::{Bell, Courier, Couriers, EventFeed, Relay, Webhooks};

/// How long after its deadline a request that was begun with an idempotency key is given up.
const CUT_OFF: Duration = Duration::from_mins(1);

impl Foundation {
    /// Everything that serves. The platform must exist.
    pub async fn raise(&self) -> Result<Authsome, StartError> {
        let platform = self.platform().await?.ok_or(StartError::NoPlatform)?;
        let (store, World { clock, entropy }) = (self.store.clone(), self.world.clone());
        self.keys.check(clock.now()).await?;
        let revocations = RevocationIndex::new(store.clone());
        revocations.load(clock.now()).await?;
        let access = AccessTokens::new(
            self.keys.clone(),
            revocations.clone(),
            self.tokens.clone(),
            clock.clone(),
            entropy.clone(),
        );
        let jobs = Jobs::new(store.clone(), clock.clone(), &entropy);
        let environments = Environments::new(
            (store.clone(), clock.clone(), entropy),
            (self.keys.clone(), revocations.clone()),
            (HOLDINGS, self.levels(platform)),
        );
        let policy = Policy::built_in().await?;
        let policies = Policies::new(OrgPolicies::built_in().await?);
        let memberships = Memberships { policies, platform };
        let bell = Bell::default();
        let issuing = (access.clone(), memberships);
        let sessions = self.sessions(issuing, environments.clone(), revocations.clone());
        let edge = self.edge((access, platform), &sessions, policy.clone())?;
        Ok(Authsome {
            config: self.config.server.clone(),
            metrics_bind: self.config.metrics.bind,
            metrics: Data::new(self.metrics(&edge, &sessions)),
            edge,
            post: self.post(environments)?,
            deliveries: Deliveries::default(),
            relay: self.relay(&bell),
            courier: self.courier(&sessions, &bell)?,
            couriers: Couriers::default(),
            events: EventFeed {
                store: store.clone(),
                clock: clock.clone(),
            },
            jobs,
            audit: Audit::new(store.clone(), self.config.events.retention),
            health: Health::new(store.clone(), clock.clone()),
            store: store.clone(),
            feed: Feed::new(store, clock.clone(), revocations.clone()),
            services: self.services(&sessions, policy, bell),
            clock,
            revocations,
        })
    }

    fn telemetry(&self) -> Result<Option<Telemetry>, StartError> {
        let settings = telemetry_settings(&self.config.tracing);
        Ok(settings.as_ref().map(Telemetry::to).transpose()?)
    }

    /// What handlers ask for.
    fn services(&self, sessions: &Sessions, policy: Policy, bell: Bell) -> Services {
        let (store, World { clock, entropy }) = (self.store.clone(), self.world.clone());
        Services {
            environments: self.environment_services(sessions, &bell),
            rules: Data::new(sessions.rules.clone()),
            forms: Data::new(sessions.forms.clone()),
            client_configs: Data::new(sessions.client_configs.clone()),
            verification: Data::new(Verification {
                accounts: sessions.clone(),
            }),
            passwords: Data::new(Passwords {
                accounts: sessions.clone(),
            }),
            magic_links: Data::new(MagicLinks {
                accounts: sessions.clone(),
            }),
            machines: self.machine_services(sessions, policy.clone()),
            organizations: self.organization_services(sessions, policy),
            administration: self.administration_services(sessions),
            departures: Data::new(Departures {
                store: store.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
                outbox: sessions.outbox.clone(),
                sessions: sessions.clone(),
            }),
            locks: Data::new(Locks {
                store: store.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
                lockouts: sessions.lockouts.clone(),
            }),
            notifications: Data::new(Notifications {
                store: store.clone(),
                outbox: sessions.outbox.clone(),
            }),
            issuer: Data::new(Issuer {
                url: self.tokens.issuer.clone(),
                keys: self.keys.clone(),
                clock: clock.clone(),
            }),
            webhooks: Data::new(self.webhooks(sessions, bell)),
            users: Data::new(Users {
                store,
                clock,
                entropy,
                forms: sessions.forms.clone(),
                recent: sessions.recent.clone(),
            }),
            sessions: Data::new(sessions.clone()),
        }
    }

    fn environment_services(&self, sessions: &Sessions, bell: &Bell) -> EnvironmentServices {
        let (store, World { clock, entropy }) = (self.store.clone(), self.world.clone());
        EnvironmentServices {
            environments: Data::new(sessions.environments.clone()),
            tuning: Data::new(Tuning {
                store: store.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
                environments: sessions.environments.clone(),
                memberships: sessions.memberships.clone(),
            }),
            cloning: Data::new(Cloning {
                store,
                clock,
                entropy,
                environments: sessions.environments.clone(),
                webhooks: self.webhooks(sessions, bell.clone()),
            }),
        }
    }

    fn machine_services(&self, sessions: &Sessions, policy: Policy) -> MachineServices {
        let (store, World { clock, entropy }) = (self.store.clone(), self.world.clone());
        let keys = Keys {
            store: store.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            environments: sessions.environments.clone(),
            memberships: sessions.memberships.clone(),
            revocations: sessions.revocations.clone(),
            policy: policy.clone(),
        };
        MachineServices {
            accounts: Data::new(ServiceAccounts {
                store: store.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
                revocations: sessions.revocations.clone(),
                keys: keys.clone(),
            }),
            exchange: Data::new(Exchange {
                live: self.live_keys(sessions.memberships.platform),
                access: sessions.issuer.access.clone(),
                memberships: sessions.memberships.clone(),
                sessions: sessions.clone(),
                store,
                clock,
                entropy,
                policy,
            }),
            keys: Data::new(keys),
        }
    }

    fn live_keys(&self, platform: AppId) -> LiveKeys {
        LiveKeys {
            store: self.store.clone(),
            platform,
        }
    }

    fn organization_services(&self, sessions: &Sessions, policy: Policy) -> OrganizationServices {
        let (store, World { clock, entropy }) = (self.store.clone(), self.world.clone());
        OrganizationServices {
            orgs: Data::new(Orgs {
                store: store.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
                revocations: sessions.revocations.clone(),
                memberships: sessions.memberships.clone(),
                turns: sessions.turns.clone(),
                environments: sessions.environments.clone(),
                schemas: SCHEMAS,
            }),
            teams: Data::new(Teams {
                environments: sessions.environments.clone(),
                store: store.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
                revocations: sessions.revocations.clone(),
                memberships: sessions.memberships.clone(),
            }),
            roles: Data::new(Roles {
                store: store.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
                revocations: sessions.revocations.clone(),
                memberships: sessions.memberships.clone(),
                accounts: sessions.clone(),
            }),
            permissions: Data::new(Permissions {
                store: store.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
                revocations: sessions.revocations.clone(),
                memberships: sessions.memberships.clone(),
                policy,
            }),
            invitations: Data::new(Invitations {
                accounts: sessions.clone(),
            }),
            record: Data::new(OrganizationRecord {
                store: store.clone(),
                memberships: sessions.memberships.clone(),
            }),
        }
    }

    fn administration_services(&self, sessions: &Sessions) -> AdministrationServices {
        AdministrationServices {
            accounts: Data::new(Accounts {
                accounts: sessions.clone(),
            }),
            statistics: Data::new(Statistics {
                store: self.store.clone(),
                clock: self.world.clock.clone(),
            }),
            tenancy: Data::new(Tenancy {
                accounts: sessions.clone(),
                keys: self.keys.clone(),
                schemas: SCHEMAS,
            }),
            transfers: Data::new(self.transfers()),
        }
    }

    fn sessions(
        &self,
        (access, memberships): (AccessTokens, Memberships),
        environments: Environments,
        revocations: RevocationIndex,
    ) -> Sessions {
        let (store, World { clock, entropy }) = (self.store.clone(), self.world.clone());
        Sessions {
            environments,
            hasher: self.hasher.clone(),
            outbox: self.links.outbox.clone(),
            links: self.links.clone(),
            rules: self.session_rules(),
            forms: Forms::new(store.clone(), clock.clone(), entropy.clone()),
            client_configs: ClientConfigs::new(store.clone(), clock.clone(), entropy.clone()),
            memberships,
            turns: Turns::default(),
            recent: Recent::default(),
            issuer: sessions::Issuer {
                access,
                refresh: RefreshTokens::new(&self.secrets.refresh),
                entropy: entropy.clone(),
            },
            revocations,
            limits: self.limits(),
            lockouts: self.lockouts(),
            store,
            clock,
            entropy,
        }
    }

    fn levels(&self, platform: AppId) -> Levels {
        Levels {
            store: self.store.clone(),
            entropy: self.world.entropy.clone(),
            ring: self.secrets.encryption.clone(),
            platform,
        }
    }

    fn session_rules(&self) -> SessionRules {
        let World { clock, entropy } = self.world.clone();
        let own = Rules::new(self.tokens.access_ttl, self.tokens.refresh_ttl);
        SessionRules::new(self.store.clone(), clock, entropy, own)
    }

    fn limits(&self) -> Limits {
        let World { clock, entropy } = self.world.clone();
        let key = derived(&self.secrets, "limits");
        let settings = rate_settings(&self.config.limits);
        Limits::new(self.store.clone(), clock, entropy, key, settings)
    }

    fn lockouts(&self) -> Lockouts {
        let World { clock, entropy } = self.world.clone();
        let key = derived(&self.secrets, "lockouts");
        let settings = lockout_settings(&self.config.limits);
        Lockouts::new(self.store.clone(), clock, entropy, key, settings)
    }

    fn post(&self, environments: Environments) -> Result<Post, StartError> {
        let settings = &self.config.mail;
        let public_url = self.tokens.issuer.clone();
        let destination = settings.destination(&self.config.store);
        Ok(Post {
            store: self.store.clone(),
            clock: self.world.clock.clone(),
            entropy: self.world.entropy.clone(),
            outbox: self.links.outbox.clone(),
            mailer: Mailer::new(settings, destination, &host_of(&public_url))?,
            composer: Composer {
                store: self.store.clone(),
                environments,
                links: self.links.tokens.clone(),
                templates: Templates::built_in()?,
                public_url,
            },
        })
    }

    /// Everything that counts while it works has a line here.
    fn metrics(&self, edge: &Edge, sessions: &Sessions) -> Metrics {
        let measured: Vec<Arc<dyn Measured>> = vec![
            Arc::new(edge.traffic.clone()),
            Arc::new(edge.in_flight.clone()),
            Arc::new(self.hasher.clone()),
            self.store.measured(),
            Arc::new(sessions.revocations.clone()),
            Arc::new(sessions.environments.clone()),
            Arc::new(sessions.rules.clone()),
            Arc::new(sessions.memberships.policies.clone()),
        ];
        let (store, clock) = (self.store.clone(), self.world.clock.clone());
        Metrics::new(store, clock, measured).elsewhere(self.config.metrics.bind.is_some())
    }

    fn idempotency(&self, memberships: Memberships) -> Idempotency {
        let World { clock, entropy } = self.world.clone();
        Idempotency {
            store: self.store.clone(),
            clock,
            entropy,
            ring: self.secrets.encryption.clone(),
            memberships,
            lease: self.config.server.handler_timeout + CUT_OFF,
        }
    }

    fn webhooks(&self, sessions: &Sessions, bell: Bell) -> Webhooks {
        Webhooks {
            store: self.store.clone(),
            clock: self.world.clock.clone(),
            entropy: self.world.entropy.clone(),
            ring: self.secrets.encryption.clone(),
            memberships: sessions.memberships.clone(),
            reach: reach(&self.config.webhooks),
            bell,
        }
    }

    fn relay(&self, bell: &Bell) -> Relay {
        Relay {
            store: self.store.clone(),
            clock: self.world.clock.clone(),
            entropy: self.world.entropy.clone(),
            bell: bell.clone(),
        }
    }

    fn courier(&self, sessions: &Sessions, bell: &Bell) -> Result<Courier, StartError> {
        Ok(Courier {
            store: self.store.clone(),
            clock: self.world.clock.clone(),
            entropy: self.world.entropy.clone(),
            ring: self.secrets.encryption.clone(),
            outbound: Outbound::new(reach(&self.config.webhooks))?,
            bell: bell.clone(),
            outbox: sessions.outbox.clone(),
            environments: sessions.environments.clone(),
            memberships: sessions.memberships.clone(),
        })
    }

    fn edge(
        &self,
        (access, platform): (AccessTokens, AppId),
        sessions: &Sessions,
        policy: Policy,
    ) -> Result<Edge, StartError> {
        let (server, in_flight) = (&self.config.server, InFlight::default());
        let noting = Afterwards::counted_by(in_flight.clone());
        let keys = SecretKeys::new(
            self.live_keys(platform),
            access.clone(),
            (self.world.clock.clone(), noting),
        );
        Ok(Edge {
            policy,
            authenticators: vec![Arc::new(BearerTokens { access, platform }), Arc::new(keys)],
            directory: Arc::new(sessions.environments.clone()),
            witness: Arc::new(Denials::new(
                self.limits(),
                self.world.clock.clone(),
                self.world.entropy.clone(),
            )),
            replays: Arc::new(self.idempotency(sessions.memberships.clone())),
            clock: self.world.clock.clone(),
            entropy: self.world.entropy.clone(),
            trusted_proxies: server.trusted_proxies.clone(),
            cursor_key: derived(&self.secrets, "page cursors"),
            replay_key: derived(&self.secrets, "idempotency keys"),
            base_path: server.base_path.as_str().to_owned(),
            body_timeout: server.body_timeout,
            handler_timeout: server.handler_timeout,
            in_flight,
            traffic: Traffic::default(),
            telemetry: self.telemetry()?,
        })
    }
}
