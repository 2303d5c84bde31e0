//! Everything that serves, made of the foundation.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;

use super::foundation::Foundation;
use super::serving::Authsome;
use super::settings::{
    derived, host_of, lockout_settings, rate_settings, reach, telemetry_settings,
};
use super::{HOLDINGS, StartError, World};
use crate::access::{OrgPolicies, Policy};
use crate::api_keys::{LiveKeys, SecretKeys};
use crate::audit::{Audit, Denials};
use crate::branding::Brands;
use crate::client_config::ClientConfigs;
use crate::environments::Environments;
use crate::forms::Forms;
use crate::health::Health;
use crate::http::{Afterwards, Edge, InFlight, Leaving, Traffic};
use crate::idempotency::Idempotency;
use crate::jobs::Jobs;
use crate::kernel::id::AppId;
use crate::kernel::measure::Measured;
use crate::limits::{Limits, Lockouts};
use crate::mail::{Mailer, Templates};
use crate::memberships::{Footings, Memberships};
use crate::metrics::Metrics;
use crate::notifications::{Composer, Deliveries, Post};
use crate::outbound::Outbound;
use crate::rbac::Policies;
use crate::revocations::Feed;
use crate::session_rules::{Rules, SessionRules};
use crate::sessions::{self, BearerTokens, Sessions, Turns};
use crate::settings::Levels;
use crate::telemetry::Telemetry;
use crate::tokens::{AccessTokens, RefreshTokens, RevocationIndex};
use crate::users::Recent;
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
        let memberships = memberships(platform, &revocations).await?;
        let bell = Bell::default();
        let issuing = (access.clone(), memberships);
        let sessions = self.sessions(issuing, environments.clone(), revocations.clone());
        let edge = self.edge((access, platform), &sessions, policy.clone())?;
        Ok(Authsome {
            config: self.config.server.clone(),
            metrics_bind: self.config.metrics.bind,
            metrics: Data::new(self.metrics(&edge, &sessions)),
            health: Health::new(store.clone(), clock.clone(), edge.leaving.clone()),
            edge,
            post: self.post(environments, &sessions)?,
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

    pub(super) fn live_keys(&self, platform: AppId) -> LiveKeys {
        LiveKeys {
            store: self.store.clone(),
            platform,
        }
    }

    fn sessions(
        &self,
        (access, memberships): (AccessTokens, Memberships),
        environments: Environments,
        revocations: RevocationIndex,
    ) -> Sessions {
        let (store, World { clock, entropy }) = (self.store.clone(), self.world.clone());
        let forms = Forms::new(store.clone(), clock.clone(), entropy.clone());
        Sessions {
            environments,
            hasher: self.hasher.clone(),
            outbox: self.links.outbox.clone(),
            links: self.links.clone(),
            rules: self.session_rules(),
            client_configs: ClientConfigs::new(
                (store.clone(), clock.clone(), entropy.clone()),
                (forms.clone(), Brands::new(store.clone())),
            ),
            forms,
            memberships,
            turns: Turns::default(),
            recent: Recent::default(),
            refreshed: sessions::Refreshed::default(),
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

    fn post(&self, environments: Environments, sessions: &Sessions) -> Result<Post, StartError> {
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
                brands: sessions.client_configs.brands.clone(),
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
            Arc::new(sessions.memberships.footings.clone()),
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

    pub(super) fn webhooks(&self, sessions: &Sessions, bell: Bell) -> Webhooks {
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
            outbound: Outbound::new(reach(&self.config.webhooks), self.config.webhooks.timeout)?,
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
            leaving: Leaving::default(),
            traffic: Traffic::default(),
            telemetry: self.telemetry()?,
        })
    }
}

async fn memberships(
    platform: AppId,
    revocations: &RevocationIndex,
) -> Result<Memberships, StartError> {
    Ok(Memberships {
        policies: Policies::new(OrgPolicies::built_in().await?),
        footings: Footings::new(revocations.clone()),
        platform,
    })
}
