//! The server, with its jobs, from its first request to its last.

use std::net::TcpListener;

use actix_web::HttpServer;
use actix_web::dev::Server;
use actix_web::web::{Data, ServiceConfig};

use super::{SCHEMAS, StartError, routes};
use crate::audit::{self, Audit};
use crate::config;
use crate::departures::Departures;
use crate::discovery::Issuer;
use crate::environments::Environments;
use crate::health::Health;
use crate::http::{self, Edge, InFlight};
use crate::jobs::{self, Jobs};
use crate::kernel::time::Clock;
use crate::locks::Locks;
use crate::magic_links::MagicLinks;
use crate::notifications::{Deliveries, Notifications, Post};
use crate::pages;
use crate::passwords::Passwords;
use crate::revocations::Feed;
use crate::session_rules::SessionRules;
use crate::sessions::Sessions;
use crate::store::Store;
use crate::tokens::RevocationIndex;
use crate::users::Users;
use crate::verification::Verification;

/// The server, ready to listen.
#[derive(Debug, Clone)]
pub struct Authsome {
    pub health: Health,
    pub feed: Feed,
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
    pub departures: Data<Departures>,
    pub locks: Data<Locks>,
    pub notifications: Data<Notifications>,
    pub issuer: Data<Issuer>,
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
    }
}

impl Authsome {
    /// The units of work under way, to wait for before the process ends.
    pub fn in_flight(&self) -> InFlight {
        self.edge.in_flight.clone()
    }

    /// The job that sends letters, to be stopped before the process ends.
    pub fn deliveries(&self) -> Deliveries {
        self.deliveries.clone()
    }

    /// What this node does by itself from [`Authsome::serve`] on, to be stopped before the process
    /// ends, so that another node goes on with it at once.
    pub fn jobs(&self) -> Jobs {
        self.jobs.clone()
    }

    fn start_jobs(&self) {
        jobs::follow_revocations(self.revocations.clone(), self.clock.clone());
        let store = self.store.clone();
        self.jobs.every(jobs::SWEEPING, async move |now| {
            jobs::sweep(&store, SCHEMAS, now).await.map(drop)
        });
        let audit = self.audit.clone();
        self.jobs.every(audit::RETENTION, async move |now| {
            audit.forget(now).await.map(drop)
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
