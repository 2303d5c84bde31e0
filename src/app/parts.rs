//! Everything that serves, made of the foundation.

use std::sync::Arc;

use actix_web::web::Data;

use super::foundation::Foundation;
use super::serving::{Authsome, OrganizationServices, Services};
use super::settings::{derived, host_of, lockout_settings, rate_settings};
use super::{SCHEMAS, StartError, World};
use crate::access::{OrgPolicies, Policy};
use crate::api_keys::SecretKeys;
use crate::audit::{Audit, Denials, OrganizationRecord};
use crate::departures::Departures;
use crate::discovery::Issuer;
use crate::environments::Environments;
use crate::health::Health;
use crate::http::{Edge, InFlight};
use crate::invitations::Invitations;
use crate::jobs::Jobs;
use crate::kernel::id::AppId;
use crate::limits::{Limits, Lockouts};
use crate::locks::Locks;
use crate::magic_links::MagicLinks;
use crate::mail::{Mailer, Templates};
use crate::memberships::Memberships;
use crate::notifications::{Composer, Deliveries, Notifications, Post};
use crate::orgs::Orgs;
use crate::passwords::Passwords;
use crate::permissions::Permissions;
use crate::rbac::Policies;
use crate::revocations::Feed;
use crate::roles::Roles;
use crate::session_rules::{Rules, SessionRules};
use crate::sessions::{self, BearerTokens, Sessions, Turns};
use crate::teams::Teams;
use crate::tokens::{AccessTokens, RefreshTokens, RevocationIndex};
use crate::users::{Recent, Users};
use crate::verification::Verification;

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
        let environments = Environments::new(store.clone(), clock.clone(), entropy);
        let policy = Policy::built_in().await?;
        let policies = Policies::new(OrgPolicies::built_in().await?);
        let memberships = Memberships { policies, platform };
        let issuing = (access.clone(), memberships);
        let sessions = self.sessions(issuing, environments.clone(), revocations.clone());
        Ok(Authsome {
            config: self.config.server.clone(),
            edge: self.edge((access, platform), environments.clone(), policy.clone()),
            post: self.post(environments)?,
            deliveries: Deliveries::default(),
            jobs,
            audit: Audit::new(store.clone(), self.config.events.retention),
            health: Health::new(store.clone()),
            store: store.clone(),
            feed: Feed::new(store, clock.clone(), revocations.clone()),
            services: self.services(&sessions, policy),
            clock,
            revocations,
        })
    }

    /// What handlers ask for.
    fn services(&self, sessions: &Sessions, policy: Policy) -> Services {
        let (store, World { clock, entropy }) = (self.store.clone(), self.world.clone());
        Services {
            environments: Data::new(sessions.environments.clone()),
            rules: Data::new(sessions.rules.clone()),
            verification: Data::new(Verification {
                accounts: sessions.clone(),
            }),
            passwords: Data::new(Passwords {
                accounts: sessions.clone(),
            }),
            magic_links: Data::new(MagicLinks {
                accounts: sessions.clone(),
            }),
            organizations: self.organization_services(sessions, policy),
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
            users: Data::new(Users {
                store,
                clock,
                entropy,
                recent: sessions.recent.clone(),
            }),
            sessions: Data::new(sessions.clone()),
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
                schemas: SCHEMAS,
            }),
            teams: Data::new(Teams {
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

    fn edge(
        &self,
        (access, platform): (AccessTokens, AppId),
        environments: Environments,
        policy: Policy,
    ) -> Edge {
        let server = &self.config.server;
        Edge {
            policy,
            authenticators: vec![
                Arc::new(BearerTokens { access, platform }),
                Arc::new(SecretKeys {
                    store: self.store.clone(),
                    platform,
                }),
            ],
            directory: Arc::new(environments),
            witness: Arc::new(Denials::new(
                self.limits(),
                self.world.clock.clone(),
                self.world.entropy.clone(),
            )),
            clock: self.world.clock.clone(),
            entropy: self.world.entropy.clone(),
            trusted_proxies: server.trusted_proxies.clone(),
            cursor_key: derived(&self.secrets, "page cursors"),
            base_path: server.base_path.as_str().to_owned(),
            body_timeout: server.body_timeout,
            handler_timeout: server.handler_timeout,
            in_flight: InFlight::default(),
        }
    }
}
