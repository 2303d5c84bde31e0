//! The server, with its jobs, from its first request to its last.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::dev::Server;
use actix_web::web::{Data, ServiceConfig};
use tokio::time::timeout;

use super::{SCHEMAS, StartError, routes};
use crate::audit::{self, Audit, OrganizationRecord};
use crate::config;
use crate::departures::Departures;
use crate::discovery::Issuer;
use crate::environments::Environments;
use crate::health::Health;
use crate::http::{self, Edge, InFlight};
use crate::invitations::Invitations;
use crate::jobs::{self, Jobs};
use crate::kernel::time::Clock;
use crate::locks::Locks;
use crate::magic_links::MagicLinks;
use crate::notifications::{Deliveries, Notifications, Post};
use crate::orgs::Orgs;
use crate::pages;
use crate::passwords::Passwords;
use crate::permissions::Permissions;
use crate::revocations::Feed;
use crate::roles::Roles;
use crate::session_rules::SessionRules;
use crate::sessions::Sessions;
use crate::store::Store;
use crate::teams::Teams;
use crate::tokens::RevocationIndex;
use crate::users::Users;
use crate::verification::Verification;

/// How often a stopping server looks whether it is done.
const LOOK: Duration = Duration::from_millis(20);

/// The server, ready to listen.
#[derive(Debug, Clone)]
pub struct Authsome {
    pub health: Health,
    pub(super) feed: Feed,
    pub(super) config: config::Server,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) jobs: Jobs,
    pub(super) audit: Audit,
    pub(super) revocations: RevocationIndex,
    pub(super) edge: Edge,
    pub(super) post: Post,
    pub(super) deliveries: Deliveries,
    pub(super) services: Services,
}

/// What handlers ask for.
#[derive(Debug, Clone)]
pub(super) struct Services {
    pub environments: Data<Environments>,
    pub users: Data<Users>,
    pub rules: Data<SessionRules>,
    pub sessions: Data<Sessions>,
    pub verification: Data<Verification>,
    pub passwords: Data<Passwords>,
    pub magic_links: Data<MagicLinks>,
    pub organizations: OrganizationServices,
    pub departures: Data<Departures>,
    pub locks: Data<Locks>,
    pub notifications: Data<Notifications>,
    pub issuer: Data<Issuer>,
}

/// What handlers ask for in organisations.
#[derive(Debug, Clone)]
pub(super) struct OrganizationServices {
    pub orgs: Data<Orgs>,
    pub teams: Data<Teams>,
    pub roles: Data<Roles>,
    pub permissions: Data<Permissions>,
    pub invitations: Data<Invitations>,
    pub record: Data<OrganizationRecord>,
}

/// What goes on beside requests, and after them.
#[derive(Debug, Clone)]
pub struct Background {
    jobs: Jobs,
    feed: Feed,
    deliveries: Deliveries,
    in_flight: InFlight,
}

impl Background {
    /// Gives what this node does for all to the others, while it still answers.
    pub async fn hand_over(&self, most: Duration) {
        if timeout(most, self.jobs.stop()).await.is_err() {
            tracing::warn!("a job was not done in time");
        }
    }

    /// Ends what would not end by itself, and waits until nothing is under way any more, also of
    /// clients who hung up, or the time is over.
    pub async fn wind_down(&self, most: Duration) {
        self.feed.stop();
        if timeout(most, self.finished()).await.is_err() {
            tracing::warn!("a request was not done in time");
        }
        // What is not given back in time is sent when its lease is over.
        if timeout(most, self.deliveries.stop()).await.is_err() {
            tracing::warn!("a letter was not given back in time");
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a process that stops looks again until others are done"
    )]
    async fn finished(&self) {
        while !self.in_flight.is_empty() {
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Services {
    fn register(&self, config: &mut ServiceConfig) {
        config
            .app_data(self.environments.clone())
            .app_data(self.users.clone())
            .app_data(self.rules.clone())
            .app_data(self.sessions.clone())
            .app_data(self.verification.clone())
            .app_data(self.passwords.clone())
            .app_data(self.magic_links.clone())
            .app_data(self.departures.clone())
            .app_data(self.locks.clone())
            .app_data(self.notifications.clone())
            .app_data(self.issuer.clone());
        self.organizations.register(config);
    }
}

impl OrganizationServices {
    fn register(&self, config: &mut ServiceConfig) {
        config
            .app_data(self.orgs.clone())
            .app_data(self.teams.clone())
            .app_data(self.roles.clone())
            .app_data(self.permissions.clone())
            .app_data(self.invitations.clone())
            .app_data(self.record.clone());
    }
}

impl Authsome {
    /// What goes on beside requests from [`Authsome::serve`] on, to be brought to an end before the
    /// process ends.
    pub fn background(&self) -> Background {
        Background {
            jobs: self.jobs.clone(),
            feed: self.feed.clone(),
            deliveries: self.deliveries.clone(),
            in_flight: self.edge.in_flight.clone(),
        }
    }

    fn start_jobs(&self) {
        jobs::follow_revocations(self.revocations.clone(), self.clock.clone());
        let store = self.store.clone();
        self.jobs.every(jobs::SWEEPING, async move |now| {
            jobs::sweep(&store, SCHEMAS, now).await.map(drop)
        });
        let audit = self.audit.clone();
        self.jobs.every(audit::RETENTION, async move |now| {
            audit.expire(now).await.map(drop)
        });
        self.deliveries.start(self.post.clone());
    }

    /// Serves on `listener` until the handle of the answer stops it.
    pub fn serve(self, listener: TcpListener) -> Result<Server, StartError> {
        self.start_jobs();
        let config = self.config;
        let (edge, services) = (Data::new(self.edge), self.services);
        let (health, feed) = (Data::new(self.health), Data::new(self.feed));
        let audit = Data::new(self.audit);
        let server = HttpServer::new(move || {
            http::app(edge.clone(), routes)
                .configure(pages::pages)
                .configure(|config| services.register(config))
                .app_data(health.clone())
                .app_data(feed.clone())
                .app_data(audit.clone())
        });
        let listening = server
            .workers(config.workers)
            .max_connections((config.max_connections / config.workers).max(1))
            .keep_alive(config.keep_alive)
            .client_request_timeout(config.header_timeout)
            .shutdown_timeout(config.shutdown_timeout.as_secs())
            .disable_signals()
            .listen(listener)
            .map_err(StartError::Listen)?;
        Ok(listening.run())
    }
}
