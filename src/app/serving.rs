//! The server, with its jobs, from its first request to its last.

use std::any::Any;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::{Extensions, Server};
use actix_web::rt::net::TcpStream;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpServer, rt};
use tokio::time::timeout;

use super::{SCHEMAS, StartError, routes};
use crate::accounts::Accounts;
use crate::audit::{self, Audit, OrganizationRecord};
use crate::client_config::ClientConfigs;
use crate::cloning::Cloning;
use crate::config;
use crate::departures::Departures;
use crate::discovery::Issuer;
use crate::environments::{self, Environments};
use crate::exchange::Exchange;
use crate::forms::Forms;
use crate::health::Health;
use crate::http::{self, Api, Edge, InFlight};
use crate::invitations::Invitations;
use crate::jobs::{self, Jobs};
use crate::kernel::measure::Stopwatch;
use crate::kernel::time::{Clock, Timestamp};
use crate::keys::Keys;
use crate::locks::Locks;
use crate::magic_links::MagicLinks;
use crate::metrics::{self, Metrics};
use crate::notifications::{Deliveries, Notifications, Post};
use crate::orgs::Orgs;
use crate::pages;
use crate::passwords::Passwords;
use crate::permissions::Permissions;
use crate::revocations::Feed;
use crate::roles::Roles;
use crate::service_accounts::ServiceAccounts;
use crate::session_rules::SessionRules;
use crate::sessions::Sessions;
use crate::statistics::Statistics;
use crate::store::{Store, Stored};
use crate::styling::Styling;
use crate::teams::Teams;
use crate::telemetry::Telemetry;
use crate::tenancy::{self, Tenancy};
use crate::tokens::RevocationIndex;
use crate::transfers::Transfers;
use crate::tuning::Tuning;
use crate::users::Users;
use crate::verification::Verification;
use crate::webhooks::{self, Courier, Couriers, EventFeed, Relay, Webhooks};

/// How often a stopping server looks whether it is done.
const LOOK: Duration = Duration::from_millis(20);
/// How long spans may take when everything else has taken its time.
const LAST_WORD: Duration = Duration::from_secs(1);

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
    pub(super) metrics: Data<Metrics>,
    pub(super) metrics_bind: Option<SocketAddr>,
    pub(super) post: Post,
    pub(super) deliveries: Deliveries,
    pub(super) relay: Relay,
    pub(super) courier: Courier,
    pub(super) couriers: Couriers,
    pub(super) events: EventFeed,
    pub(super) services: Services,
}

/// What handlers ask for.
#[derive(Debug, Clone)]
pub(super) struct Services {
    pub environments: EnvironmentServices,
    pub users: Data<Users>,
    pub rules: Data<SessionRules>,
    pub forms: Data<Forms>,
    pub client_configs: Data<ClientConfigs>,
    pub sessions: Data<Sessions>,
    pub verification: Data<Verification>,
    pub passwords: Data<Passwords>,
    pub magic_links: Data<MagicLinks>,
    pub organizations: OrganizationServices,
    pub administration: AdministrationServices,
    pub machines: MachineServices,
    pub departures: Data<Departures>,
    pub locks: Data<Locks>,
    pub notifications: Data<Notifications>,
    pub webhooks: Data<Webhooks>,
    pub issuer: Data<Issuer>,
}

/// What handlers ask for of apps and their users as a whole.
#[derive(Debug, Clone)]
pub(super) struct AdministrationServices {
    pub accounts: Data<Accounts>,
    pub statistics: Data<Statistics>,
    pub tenancy: Data<Tenancy>,
    pub transfers: Data<Transfers>,
}

/// What handlers ask for of environments.
#[derive(Debug, Clone)]
pub(super) struct EnvironmentServices {
    pub environments: Data<Environments>,
    pub cloning: Data<Cloning>,
    pub tuning: Data<Tuning>,
    pub styling: Data<Styling>,
}

/// What handlers ask for about machines.
#[derive(Debug, Clone)]
pub(super) struct MachineServices {
    pub keys: Data<Keys>,
    pub accounts: Data<ServiceAccounts>,
    pub exchange: Data<Exchange>,
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
    couriers: Couriers,
    in_flight: InFlight,
    telemetry: Option<Telemetry>,
}

impl Background {
    /// Gives what this node does for all to the others, while it still answers.
    pub async fn hand_over(&self, most: Duration) {
        in_time(most, self.jobs.stop(), "a job was not done in time").await;
    }

    /// Ends what would not end by itself, and waits until nothing is under way any more, also of
    /// clients who hung up, or the time is over: one time for everything.
    pub async fn wind_down(&self, most: Duration) {
        let watch = Stopwatch::start();
        self.feed.stop();
        // What is not given back in time is sent when its lease is over.
        tokio::join!(
            in_time(most, self.finished(), "a request was not done in time"),
            in_time(
                most,
                self.deliveries.stop(),
                "a letter was not given back in time"
            ),
            in_time(
                most,
                self.couriers.stop(),
                "an event was not given back in time"
            ),
        );
        if let Some(telemetry) = &self.telemetry {
            let rest = most.saturating_sub(watch.elapsed()).max(LAST_WORD);
            in_time(rest, telemetry.stop(), "spans were not sent in time").await;
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

async fn in_time(most: Duration, ending: impl Future<Output = ()>, otherwise: &'static str) {
    if timeout(most, ending).await.is_err() {
        tracing::warn!("{otherwise}");
    }
}

impl Services {
    fn register(&self, config: &mut ServiceConfig) {
        config
            .app_data(self.users.clone())
            .app_data(self.rules.clone())
            .app_data(self.forms.clone())
            .app_data(self.client_configs.clone())
            .app_data(self.sessions.clone())
            .app_data(self.verification.clone())
            .app_data(self.passwords.clone())
            .app_data(self.magic_links.clone())
            .app_data(self.departures.clone())
            .app_data(self.locks.clone())
            .app_data(self.notifications.clone())
            .app_data(self.webhooks.clone())
            .app_data(self.issuer.clone());
        self.environments.register(config);
        self.organizations.register(config);
        self.administration.register(config);
        self.machines.register(config);
    }
}

impl AdministrationServices {
    fn register(&self, config: &mut ServiceConfig) {
        config
            .app_data(self.accounts.clone())
            .app_data(self.statistics.clone())
            .app_data(self.tenancy.clone())
            .app_data(self.transfers.clone());
    }
}

impl EnvironmentServices {
    fn register(&self, config: &mut ServiceConfig) {
        config
            .app_data(self.environments.clone())
            .app_data(self.cloning.clone())
            .app_data(self.tuning.clone())
            .app_data(self.styling.clone());
    }
}

impl MachineServices {
    fn register(&self, config: &mut ServiceConfig) {
        config
            .app_data(self.keys.clone())
            .app_data(self.accounts.clone())
            .app_data(self.exchange.clone());
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
            couriers: self.couriers.clone(),
            in_flight: self.edge.in_flight.clone(),
            telemetry: self.edge.telemetry.clone(),
        }
    }

    /// Removes what is left of apps that were closed.
    pub async fn look_after_apps(&self, now: Timestamp) -> Stored<()> {
        self.services.administration.tenancy.look_after(now).await
    }

    fn start_jobs(&self) {
        jobs::follow_revocations(self.revocations.clone(), self.clock.clone());
        jobs::end_leftovers(&self.store);
        let store = self.store.clone();
        self.jobs.every(jobs::SWEEPING, async move |now| {
            jobs::sweep(&store, SCHEMAS, now).await.map(drop)
        });
        let audit = self.audit.clone();
        self.jobs.every(audit::RETENTION, async move |now| {
            audit.expire(now).await.map(drop)
        });
        let closing = self.clone();
        self.jobs.every(tenancy::CLOSING, async move |now| {
            closing.look_after_apps(now).await
        });
        let environments = self.services.environments.environments.clone();
        self.jobs.every(environments::REMOVING, async move |now| {
            environments.remove_rest(now).await.map(drop)
        });
        self.deliveries.start(self.post.clone());
        let relay = self.relay.clone();
        self.jobs
            .every(webhooks::RELAYING, async move |_| relay.pass().await);
        self.couriers.start(self.courier.clone());
    }

    /// Tells metrics where they have an address of their own, for as long as the system lives.
    fn tell_metrics(&self) -> Result<(), StartError> {
        let Some(bind) = self.metrics_bind else {
            return Ok(());
        };
        let failed = |error| StartError::Metrics(bind, error);
        let listener = TcpListener::bind(bind).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let server = metrics::listen(listener, self.metrics.clone()).map_err(failed)?;
        tracing::info!(%bound, "serving metrics");
        drop(rt::spawn(server));
        Ok(())
    }

    /// Serves on `listener` until the handle of the answer stops it.
    pub fn serve(self, listener: TcpListener) -> Result<Server, StartError> {
        self.start_jobs();
        self.tell_metrics()?;
        let config = self.config;
        let (edge, services) = (Data::new(self.edge), self.services);
        let (health, feed) = (Data::new(self.health), Data::new(self.feed));
        let (audit, metrics) = (Data::new(self.audit), self.metrics);
        let events = Data::new(self.events);
        let api = Api::of(routes).showing(pages::pages);
        let server = HttpServer::new(move || {
            http::app(edge.clone(), &api)
                .configure(|config| services.register(config))
                .app_data(health.clone())
                .app_data(feed.clone())
                .app_data(audit.clone())
                .app_data(metrics.clone())
                .app_data(events.clone())
        });
        let listening = server
            .on_connect(patience_of_answers(config.write_timeout))
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

/// Has the kernel end a connection whose client takes nothing of an answer for so long: nobody else would
/// notice that an answer is not over. What the kernel knows nothing of, it does not end.
fn patience_of_answers(patience: Duration) -> impl Fn(&dyn Any, &mut Extensions) + Send + Clone {
    move |connection, _| {
        let Some(stream) = connection.downcast_ref::<TcpStream>() else {
            return;
        };
        #[cfg(target_os = "linux")]
        if let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(patience)) {
            tracing::debug!(%error, "a connection has no end of its own");
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (stream, patience);
    }
}
