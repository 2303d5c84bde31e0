//! The composition root: the only place that knows every module.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::HttpServer;
use actix_web::dev::Server;
use actix_web::web::Data;
use url::{Host, Url};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::access::{Policy, PolicyError};
use crate::api_keys::{ApiKey, SecretKeys};
use crate::apps::{self, App};
use crate::config::{self, Config, Secrets, StoreUrl};
use crate::credentials::{Credential, Hasher, HasherSettings, Pepper};
use crate::discovery::Issuer;
use crate::environments::{Environment, Environments};
use crate::events::Event;
use crate::health::Health;
use crate::http::{self, Edge, InFlight};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::AppId;
use crate::kernel::secret::{ExposeSecret, MacKey};
use crate::kernel::time::Clock;
use crate::mail::{MailError, Mailer, Templates, Unrenderable};
use crate::notifications::{self, Composer, Deliveries, Notification, Notifications, Outbox, Post};
use crate::sessions::{self, BearerTokens, Session, Sessions};
use crate::setup::{Report, Setup, SetupError, Wanted};
use crate::store::{Location, Schema, Store, StoreError, StoreSettings, Synchronous};
use crate::tokens::{
    AccessTokens, LinkTokens, RefreshTokens, Revocation, RevocationIndex, SigningKey, SigningKeys,
    TokenSettings,
};
use crate::users::{User, Users};
use crate::{discovery, environments, health, jobs, users};

/// Every collection of the product.
const SCHEMAS: &[Schema] = &[
    Schema::of::<App>(),
    Schema::of::<Environment>(),
    Schema::of::<User>(),
    Schema::of::<Credential>(),
    Schema::of::<Notification>(),
    Schema::of::<Session>(),
    Schema::of::<ApiKey>(),
    Schema::of::<SigningKey>(),
    Schema::of::<Revocation>(),
    Schema::of::<Event>(),
];

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
    #[error("the platform app is missing: run `authsome bootstrap`")]
    NoPlatform,
    #[error(transparent)]
    Mail(#[from] MailError),
    #[error(transparent)]
    Letters(#[from] Unrenderable),
    #[error("the hashing threads cannot be started: {0}")]
    Hasher(std::io::Error),
    #[error("the server cannot listen: {0}")]
    Listen(std::io::Error),
}

/// The foundation: the store brought up to date, and what works on it.
#[derive(Debug, Clone)]
pub struct Foundation {
    pub config: Config,
    pub world: World,
    pub store: Store,
    pub hasher: Hasher,
    pub keys: SigningKeys,
    pub tokens: TokenSettings,
    pub outbox: Outbox,
    pub links: LinkTokens,
    secrets: Secrets,
}

impl Foundation {
    /// Opens and migrates the store. `bound` is where the server listens, or would.
    pub async fn lay(
        config: Config,
        secrets: Secrets,
        world: World,
        bound: SocketAddr,
    ) -> Result<Self, StartError> {
        let store = Store::open(&store_settings(&config.store)).await?;
        store.migrate(SCHEMAS, world.clock.now()).await?;
        let tokens = token_settings(&config, bound);
        let hasher = hasher(&config.security, &secrets, &world).map_err(StartError::Hasher)?;
        let ring = secrets.encryption.clone();
        let outbox = Outbox::new(ring.clone(), world.entropy.clone());
        let links = LinkTokens::new(derived(&secrets, "link tokens"));
        let keys = SigningKeys::new(store.clone(), ring, world.entropy.clone(), tokens.clone());
        Ok(Self {
            config,
            world,
            store,
            hasher,
            keys,
            tokens,
            outbox,
            links,
            secrets,
        })
    }

    /// Makes or finds the platform, its operator and an app.
    pub async fn bootstrap(&self, wanted: &Wanted) -> Result<Report, StartError> {
        let setup = Setup {
            store: &self.store,
            clock: &self.world.clock,
            entropy: &self.world.entropy,
            hasher: &self.hasher,
            keys: &self.keys,
        };
        let installed = setup.run(wanted).await?;
        Report::of(&installed).ok_or(StartError::NoPlatform)
    }

    /// The app that holds the operators, if there is one yet.
    pub async fn platform(&self) -> Result<Option<AppId>, StartError> {
        let slug = crate::kernel::text::Slug::parse(apps::PLATFORM_SLUG);
        let slug = slug.map_err(|_| StartError::NoPlatform)?;
        let app = apps::by_slug(&mut self.store.once().shared(), &slug).await?;
        Ok(app.map(|app| app.id))
    }

    /// Everything that serves. The platform must exist.
    pub async fn raise(&self) -> Result<Authsome, StartError> {
        let platform = self.platform().await?.ok_or(StartError::NoPlatform)?;
        let (store, World { clock, entropy }) = (self.store.clone(), self.world.clone());
        let revocations = RevocationIndex::new();
        revocations.load(&store, clock.now()).await?;
        let access = AccessTokens::new(
            self.keys.clone(),
            revocations.clone(),
            self.tokens.clone(),
            clock.clone(),
            entropy.clone(),
        );
        let environments = Environments::new(store.clone(), clock.clone(), entropy.clone());
        let issuer = Issuer {
            url: self.tokens.issuer.clone(),
            keys: self.keys.clone(),
            clock: clock.clone(),
        };
        Ok(Authsome {
            config: self.config.server.clone(),
            sessions: self.sessions(access.clone(), environments.clone(), revocations.clone()),
            edge: self.edge(access, environments.clone(), platform).await?,
            users: Users::new(store.clone(), clock.clone(), entropy, revocations.clone()),
            notifications: Notifications {
                store: store.clone(),
                outbox: self.outbox.clone(),
            },
            post: self.post(environments.clone())?,
            deliveries: Deliveries::default(),
            health: Health::new(store.clone()),
            store,
            clock,
            revocations,
            environments,
            issuer,
        })
    }

    fn sessions(
        &self,
        access: AccessTokens,
        environments: Environments,
        revocations: RevocationIndex,
    ) -> Sessions {
        Sessions {
            store: self.store.clone(),
            clock: self.world.clock.clone(),
            entropy: self.world.entropy.clone(),
            hasher: self.hasher.clone(),
            environments,
            outbox: self.outbox.clone(),
            issuer: sessions::Issuer {
                access,
                refresh: RefreshTokens::new(&self.secrets.refresh),
                access_ttl: self.tokens.access_ttl,
                refresh_ttl: self.tokens.refresh_ttl,
                entropy: self.world.entropy.clone(),
            },
            revocations,
        }
    }

    fn post(&self, environments: Environments) -> Result<Post, StartError> {
        let settings = &self.config.mail;
        let public_url = self.tokens.issuer.clone();
        let destination = settings.destination(&self.config.store);
        Ok(Post {
            store: self.store.clone(),
            clock: self.world.clock.clone(),
            entropy: self.world.entropy.clone(),
            outbox: self.outbox.clone(),
            mailer: Mailer::new(settings, destination, &host_of(&public_url))?,
            composer: Composer {
                store: self.store.clone(),
                environments,
                links: self.links.clone(),
                templates: Templates::built_in()?,
                public_url,
            },
        })
    }

    async fn edge(
        &self,
        access: AccessTokens,
        environments: Environments,
        platform: AppId,
    ) -> Result<Edge, StartError> {
        let server = &self.config.server;
        Ok(Edge {
            policy: Policy::built_in().await?,
            authenticators: vec![
                Arc::new(BearerTokens { access, platform }),
                Arc::new(SecretKeys {
                    store: self.store.clone(),
                    platform,
                }),
            ],
            directory: Arc::new(environments),
            clock: self.world.clock.clone(),
            entropy: self.world.entropy.clone(),
            trusted_proxies: server.trusted_proxies.clone(),
            cursor_key: derived(&self.secrets, "page cursors"),
            base_path: server.base_path.as_str().to_owned(),
            body_timeout: server.body_timeout,
            handler_timeout: server.handler_timeout,
            in_flight: InFlight::default(),
        })
    }
}

/// The server, ready to listen.
#[derive(Debug, Clone)]
pub struct Authsome {
    config: config::Server,
    store: Store,
    clock: Clock,
    revocations: RevocationIndex,
    pub health: Health,
    edge: Edge,
    environments: Environments,
    users: Users,
    sessions: Sessions,
    issuer: Issuer,
    notifications: Notifications,
    post: Post,
    deliveries: Deliveries,
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

    /// Serves on `listener` until the handle of the answer stops it.
    pub fn serve(self, listener: TcpListener) -> Result<Server, StartError> {
        let (config, store) = (self.config.clone(), self.store.clone());
        jobs::follow_revocations(self.revocations.clone(), store, self.clock.clone());
        self.deliveries.start(self.post);
        let edge = Data::new(self.edge);
        let (environments, users) = (Data::new(self.environments), Data::new(self.users));
        let (sessions, health) = (Data::new(self.sessions), Data::new(self.health));
        let issuer = Data::new(self.issuer);
        let notifications = Data::new(self.notifications);
        let server = HttpServer::new(move || {
            http::app(edge.clone(), routes)
                .app_data(environments.clone())
                .app_data(users.clone())
                .app_data(sessions.clone())
                .app_data(health.clone())
                .app_data(issuer.clone())
                .app_data(notifications.clone())
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

/// Every route of the product; registering one is documenting it.
pub fn routes(config: &mut ServiceConfig) {
    config
        .configure(sessions::routes)
        .configure(users::routes)
        .configure(environments::routes)
        .configure(notifications::routes)
        .configure(discovery::routes)
        .configure(health::routes);
}

/// The OpenAPI document of [`routes`], as it is served and committed.
pub fn document() -> serde_json::Value {
    http::document(routes)
}

fn hasher(
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
fn derived(secrets: &Secrets, purpose: &str) -> MacKey {
    let root = MacKey::new(secrets.refresh.expose_secret().as_bytes());
    MacKey::new(&root.tag("derive", &[purpose.as_bytes()]))
}

/// What this server calls itself to others, of the URL it is reached by.
fn host_of(url: &str) -> String {
    let host = Url::parse(url).ok().and_then(|url| match url.host()? {
        Host::Domain(name) => Some(name.to_owned()),
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(address.to_string()),
    });
    host.unwrap_or_else(|| "localhost".to_owned())
}

fn token_settings(config: &Config, bound: SocketAddr) -> TokenSettings {
    TokenSettings {
        issuer: config.server.url(bound).as_str().to_owned(),
        access_ttl: config.tokens.access_ttl,
        refresh_ttl: config.tokens.refresh_ttl,
        algorithm: config.tokens.algorithm,
        publish_ahead: config.tokens.publish_ahead,
    }
}

fn store_settings(store: &config::Store) -> StoreSettings {
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
