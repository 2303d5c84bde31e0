//! What handlers ask for, made of the foundation.

use actix_web::web::Data;

use super::foundation::Foundation;
use super::serving::{
    AdministrationServices, EnvironmentServices, MachineServices, OrganizationServices, Services,
};
use super::{SCHEMAS, World};
use crate::access::Policy;
use crate::accounts::Accounts;
use crate::audit::OrganizationRecord;
use crate::cloning::Cloning;
use crate::departures::Departures;
use crate::discovery::Issuer;
use crate::exchange::Exchange;
use crate::invitations::Invitations;
use crate::keys::Keys;
use crate::locks::Locks;
use crate::magic_links::MagicLinks;
use crate::notifications::Notifications;
use crate::orgs::Orgs;
use crate::passwords::Passwords;
use crate::permissions::Permissions;
use crate::roles::Roles;
use crate::service_accounts::ServiceAccounts;
use crate::sessions::Sessions;
use crate::statistics::Statistics;
use crate::styling::Styling;
use crate::teams::Teams;
use crate::tenancy::Tenancy;
use crate::transfers::Transfers;
use crate::tuning::Tuning;
use crate::users::Users;
use crate::verification::Verification;
use crate::webhooks::Bell;

impl Foundation {
    /// What handlers ask for.
    pub(super) fn services(&self, sessions: &Sessions, policy: Policy, bell: Bell) -> Services {
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
            styling: Data::new(Styling {
                store: store.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
                environments: sessions.environments.clone(),
                memberships: sessions.memberships.clone(),
                brands: sessions.client_configs.brands.clone(),
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
                limits: sessions.limits.clone(),
                store,
                clock,
                entropy,
                policy,
            }),
            keys: Data::new(keys),
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
            // A form that this node has changed counts for its imports at once.
            transfers: Data::new(Transfers {
                forms: sessions.forms.clone(),
                ..self.transfers()
            }),
        }
    }
}
