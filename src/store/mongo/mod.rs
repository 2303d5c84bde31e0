//! The MongoDB driver: one client a process, majority and journaled, a replica set only.

mod deployment;
mod errors;
mod follow;
mod leftovers;
mod migrate;
mod session;
mod translate;
mod verbs;

use std::time::Duration;

use mongodb::options::{ClientOptions, DatabaseOptions, ReadConcern, WriteConcern};
use mongodb::{Client, ClientSession, Database};

use self::deployment::{refuse_unsuitable, refuse_without_primary};
use self::errors::failure;
pub(super) use self::leftovers::Leftovers;
pub(super) use self::session::Session;
use super::error::{StoreError, Stored};
use super::schema::Schema;
use super::settings::StoreSettings;
use crate::kernel::time::Timestamp;

const SELECTION: Duration = Duration::from_secs(3);
const CONNECT: Duration = Duration::from_secs(2);
/// How often each server is looked at: one that hangs is given up after this and [`CONNECT`].
const HEARTBEAT: Duration = Duration::from_secs(1);

/// A database of a replica set.
#[derive(Debug, Clone)]
pub(super) struct Mongo {
    client: Client,
    database: Database,
    /// The same, for looks of one instant.
    instant: Database,
    /// What the server calls this product's connections.
    app_name: String,
}

impl Mongo {
    /// Connects; what the URL says of pools, timeouts, TLS and authentication wins over the settings.
    pub(super) async fn connect(url: &str, settings: &StoreSettings) -> Stored<Self> {
        let mut options = ClientOptions::parse(url).await.map_err(|error| {
            StoreError::Unsuitable(format!("the MongoDB URL cannot be used: {error}"))
        })?;
        let app_name = app_name(&options);
        options.app_name = Some(app_name.clone());
        options.server_selection_timeout.get_or_insert(SELECTION);
        options.connect_timeout.get_or_insert(CONNECT);
        options.heartbeat_freq.get_or_insert(HEARTBEAT);
        options.max_pool_size.get_or_insert(settings.pool_size);
        // Not for the URL to weaken: an acknowledged write must survive a failover.
        let mut durable = WriteConcern::majority();
        durable.journal = Some(true);
        options.write_concern = Some(durable);
        options.read_concern = Some(ReadConcern::majority());
        // Nor to read what is stale: transactions cannot, and the rest must not.
        options.selection_criteria = None;
        options.retry_writes = Some(true);
        let client = Client::with_options(options.clone()).map_err(|error| failure(&error))?;
        let database = client.default_database().ok_or_else(|| {
            StoreError::Unsuitable(
                "the MongoDB URL names no database; end it with one, as in \
                 mongodb://127.0.0.1:27017/authsome?replicaSet=rs0"
                    .to_owned(),
            )
        })?;
        // The driver asks for a snapshot only where no other concern has been set.
        let snapshot = DatabaseOptions::builder()
            .read_concern(ReadConcern::snapshot())
            .build();
        let instant = client.database_with_options(database.name(), snapshot);
        let mongo = Self {
            client,
            database,
            instant,
            app_name,
        };
        refuse_unsuitable(&mongo.database, options).await?;
        Ok(mongo)
    }

    pub(super) async fn migrate(&self, schemas: &[Schema], now: Timestamp) -> Stored<()> {
        migrate::migrate(&self.database, schemas, now).await
    }

    pub(super) async fn examine(&self, schemas: &[Schema]) -> Stored<Vec<String>> {
        migrate::examine(&self.database, schemas).await
    }

    pub(super) async fn version(&self) -> Stored<Option<i64>> {
        migrate::version(&self.database).await
    }

    pub(super) async fn collections(&self) -> Stored<Vec<String>> {
        let names = self.database.list_collection_names().await;
        names.map_err(|error| failure(&error))
    }

    pub(super) async fn time(&self) -> Stored<Timestamp> {
        deployment::time(&self.database).await
    }

    pub(super) async fn ping(&self) -> Stored<()> {
        refuse_without_primary(&self.database).await
    }

    pub(super) fn leftovers(&self) -> Leftovers {
        Leftovers::new(&self.client, self.app_name.clone())
    }

    pub(super) fn once(&self) -> Session {
        Session::once(self.database.clone())
    }

    pub(super) async fn snapshot(&self) -> Stored<Session> {
        let session = self.session(true).await?;
        Ok(Session::snapshot(self.instant.clone(), session))
    }

    pub(super) async fn transaction(&self) -> Stored<Session> {
        let mut session = self.session(false).await?;
        session
            .start_transaction()
            .read_concern(ReadConcern::snapshot())
            .await
            .map_err(|error| failure(&error))?;
        Ok(Session::transaction(self.database.clone(), session))
    }

    async fn session(&self, snapshot: bool) -> Stored<ClientSession> {
        let starting = self.client.start_session();
        let session = if snapshot {
            starting.snapshot(true).await
        } else {
            starting.await
        };
        session.map_err(|error| failure(&error))
    }
}

/// What the server calls the connections, with the database in it: who is called the same is of the
/// same installation, also where a provider's URL names something. 128 bytes are the most.
fn app_name(options: &ClientOptions) -> String {
    let database = options.default_database.as_deref().unwrap_or_default();
    let named = options.app_name.as_deref().unwrap_or_default();
    let room = 128_usize.saturating_sub(database.len() + " authsome ".len());
    let named: String = named.chars().take(room / 4).collect();
    format!("{named} authsome {database}")
        .trim_start()
        .to_owned()
}
