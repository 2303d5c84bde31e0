//! The document port: a closed language, two spellings, one meaning.
//!
//! Repositories are written once, in the typed language of [`Field`], [`Filter`] and [`Update`];
//! two drivers spell it in SQL over JSON documents and in MongoDB's query language, and
//! `reference` says what it means. Tenancy is in the type: see [`Tx`].
//!
//! | law | |
//! |---|---|
//! | absent | an optional field is left out, never null; `ne` matches where it is absent |
//! | unique | on an optional field only `when_present` |
//! | errors | any error ends its unit of work |
//! | conflicts | a unit that lost to another is run again, so closures have no side effects |
//! | time | milliseconds; expiry is always in the filter, TTL indexes are brooms |
//! | skew | snapshots allow write skew: guard an invariant by a precondition on *one* document |

mod error;
mod follow;
mod marks;
mod measures;
mod mongo;
mod op;
mod query;
mod reference;
mod schema;
mod sealed;
mod settings;
mod sqlite;
mod tx;
mod unit;
mod update;
mod value;
mod version;
mod whole;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use error::{StoreError, Stored};
pub use follow::{Follower, News};
pub use marks::Moment;
pub use measures::Calls;
pub use query::{Field, Filter, Query};
pub use schema::{
    AcrossTenants, Entity, Index, Nobody, OfApp, OfEnvironment, Outlives, Ownership, PartOf,
    Reaches, Schema, Unscoped,
};
pub use sealed::{Resealed, Sealed, opens, reseal, survey};
pub use settings::{Location, StoreSettings, Synchronous};
pub use tx::{Tx, by_id};
pub use update::Update;
pub use version::VERSION;
pub use whole::Whole;

use crate::kernel::id::AppId;
use crate::kernel::measure::Measured;
use crate::kernel::time::Timestamp;
use marks::Marks;
use measures::Measures;
use op::{Op, Verb};
use unit::{Driver, Unit};

/// A process that lives sends the next verb of its unit of work much sooner.
const A_MOMENT: Duration = Duration::from_secs(1);

/// How often a unit of work is run again after conflicts before [`StoreError::Conflict`] is told.
const ATTEMPTS: u32 = 40;

/// A handle on the database; clones share one client.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    measures: Arc<Measures>,
    marks: Arc<Marks>,
}

#[derive(Debug, Clone)]
enum Database {
    Sqlite(sqlite::Sqlite),
    Mongo(mongo::Mongo),
}

impl Store {
    /// Connects. [`StoreError::Unsuitable`] carries the sentence for the operator: a standalone
    /// `mongod`, a URL without a database, a file that cannot be opened.
    pub async fn open(settings: &StoreSettings) -> Stored<Self> {
        let database = match &settings.location {
            Location::Sqlite(_) | Location::Memory => {
                Database::Sqlite(sqlite::Sqlite::open(settings)?)
            }
            Location::Mongo(url) => Database::Mongo(mongo::Mongo::connect(url, settings).await?),
        };
        Ok(Self {
            database,
            measures: Arc::default(),
            marks: Arc::default(),
        })
    }

    /// Makes what `schemas` declare and is missing, and records it in `authsome_migrations`. Safe
    /// when several nodes do it at once. A same-named index with another definition is refused
    /// with a sentence ([`StoreError::Unsuitable`]), and so is a store that a newer server has
    /// written in; [`VERSION`] is the one it is of from then on.
    pub async fn migrate(&self, schemas: &[Schema], now: Timestamp) -> Stored<()> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.migrate(schemas, now),
            Database::Mongo(mongo) => mongo.migrate(schemas, now).await,
        }
    }

    /// What [`Store::migrate`] would do or refuse: a sentence for each collection or index that is
    /// missing or has another definition. Changes nothing.
    pub async fn examine(&self, schemas: &[Schema]) -> Stored<Vec<String>> {
        let refusal = version::refusal(self.version().await?);
        let flaws = match &self.database {
            Database::Sqlite(sqlite) => sqlite.examine(schemas).await,
            Database::Mongo(mongo) => mongo.examine(schemas).await,
        };
        let refusal = refusal.map(|why| why.to_string());
        Ok(refusal.into_iter().chain(flaws?).collect())
    }

    /// The version of the server's schema that the store was last brought to; `None` where that was
    /// before versions were kept, or never.
    pub async fn version(&self) -> Stored<Option<i64>> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.version().await,
            Database::Mongo(mongo) => mongo.version().await,
        }
    }

    /// Fails where a newer server has written in the store.
    pub async fn refuse_newer(&self) -> Stored<()> {
        let found = self.version().await?;
        version::refusal(found).map_or(Ok(()), Err)
    }

    /// The collections that there are, others than ours too.
    pub async fn collections(&self) -> Stored<Vec<String>> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.collections().await,
            Database::Mongo(mongo) => mongo.collections().await,
        }
    }

    /// Writes the embedded database as it is at one instant into an empty file, while others read
    /// and write on. [`StoreError::Unsuitable`] on MongoDB, whose servers have tools for it.
    pub async fn copy_into(&self, file: &Path) -> Stored<()> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.copy_into(file).await,
            Database::Mongo(_) => Err(StoreError::Unsuitable(
                "a database on MongoDB is no file: leave --database away, or ask its own tools"
                    .to_owned(),
            )),
        }
    }

    /// What the database is called.
    pub fn kind(&self) -> &'static str {
        match &self.database {
            Database::Sqlite(_) => "sqlite",
            Database::Mongo(_) => "mongodb",
        }
    }

    /// What processes that were killed may leave open; `None` where nothing outlives its process.
    pub fn leftovers(&self) -> Option<Leftovers> {
        match &self.database {
            Database::Sqlite(_) => None,
            Database::Mongo(mongo) => Some(Leftovers(mongo.leftovers())),
        }
    }

    /// What the clock of the database says; `None` where it has none of its own.
    pub async fn time(&self) -> Stored<Option<Timestamp>> {
        match &self.database {
            Database::Sqlite(_) => Ok(None),
            Database::Mongo(mongo) => mongo.time().await.map(Some),
        }
    }

    /// Whether the database answers, and accepts writes where it can say so.
    pub async fn ping(&self) -> Stored<()> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.ping().await,
            Database::Mongo(mongo) => mongo.ping().await,
        }
    }

    /// One consistent look: everything `look` reads is of one instant. The database is asked
    /// nothing before the first read.
    pub async fn read<T, E, F>(&self, look: F) -> Result<T, E>
    where
        F: AsyncFnOnce(&mut Tx<'_>) -> Result<T, E>,
        E: From<StoreError>,
    {
        let mut unit = Unit::of_a_look(self.database.clone(), self.kept());
        let seen = look(&mut Tx::new(&mut unit)).await;
        unit.abort().await?;
        seen
    }

    /// All or nothing. An `Err` of `work`, or of any verb in it, leaves nothing behind; a write
    /// conflict runs `work` again, so it must not act outside the transaction.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: AsyncFn(&mut Tx<'_>) -> Result<T, E>,
        E: From<StoreError>,
    {
        for attempt in 0..ATTEMPTS {
            let mut unit = self.begin().await?;
            let worked = work(&mut Tx::new(&mut unit)).await;
            let conflicted = matches!(unit.failure(), Some(StoreError::Conflict));
            match worked {
                Ok(value) => match unit.commit().await {
                    Ok(()) => return Ok(value),
                    Err(StoreError::Conflict) => {}
                    Err(error) => return Err(error.into()),
                },
                Err(error) => {
                    unit.abort().await?;
                    if !conflicted {
                        return Err(error);
                    }
                }
            }
            pause(attempt).await;
        }
        Err(StoreError::Conflict.into())
    }

    /// Verbs that are each a unit by themselves: the cheapest way to one look or one conditional write.
    pub fn once(&self) -> Once {
        let driver = match &self.database {
            Database::Sqlite(sqlite) => Driver::SqliteOnce(sqlite.once()),
            Database::Mongo(mongo) => Driver::Mongo(mongo.once()),
        };
        Once {
            unit: Unit::of_single_verbs(driver, self.kept()),
        }
    }

    /// Removes documents that are over: those whose time, in a field that `schema` declares with
    /// [`Index::expires_after`], is that long before `now`. The oldest first, of each such field
    /// `most` at most; the number removed, which is 0 when nothing is left to do.
    ///
    /// Whoever they belong to: being over is a matter of the declaration, not of a tenant.
    pub async fn sweep(&self, schema: &Schema, now: Timestamp, most: u32) -> Stored<u64> {
        let mut once = self.once();
        let mut removed = 0;
        for sweep in schema.sweeps(now, most) {
            let verb = Verb::Sweep(sweep);
            let schema = *schema;
            removed += once.unit.run(Op { schema, verb }).await?.count();
        }
        Ok(removed)
    }

    /// Removes documents of one collection that an app owns which is no more, `most` at most; the
    /// number removed, which is 0 when nothing is left, or the collection outlives apps.
    pub async fn remove_owned(&self, schema: &Schema, app: AppId, most: u32) -> Stored<u64> {
        let Some(sweep) = schema.owned(app, most) else {
            return Ok(0);
        };
        let (schema, verb) = (*schema, Verb::Sweep(sweep));
        let removed = self.once().unit.run(Op { schema, verb }).await?;
        Ok(removed.count())
    }

    /// Verbs sent to the database since this handle's family was opened.
    pub fn calls(&self) -> u64 {
        self.counted().verbs()
    }

    /// The same by kind, with the commits: tests hold endpoints to numbers.
    pub fn counted(&self) -> Calls {
        self.measures.calls()
    }

    /// How the database fares, as this handle's family sees it.
    pub fn measured(&self) -> Arc<dyn Measured> {
        self.measures.clone()
    }

    fn kept(&self) -> (Arc<Measures>, Arc<Marks>) {
        (self.measures.clone(), self.marks.clone())
    }

    async fn begin(&self) -> Stored<Unit> {
        let driver = match &self.database {
            Database::Sqlite(sqlite) => Driver::SqliteWrite(sqlite.write()?),
            Database::Mongo(mongo) => Driver::Mongo(mongo.transaction().await?),
        };
        Ok(Unit::new(driver, self.kept()))
    }
}

impl Database {
    /// A look that has been opened.
    async fn look(&self) -> Stored<Driver> {
        match self {
            Self::Sqlite(sqlite) => Ok(Driver::SqliteRead(sqlite.read().await?)),
            Self::Mongo(mongo) => Ok(Driver::Mongo(mongo.snapshot().await?)),
        }
    }
}

/// See [`Store::leftovers`].
#[derive(Debug)]
pub struct Leftovers(mongo::Leftovers);

impl Leftovers {
    /// Ends the units of work that have done nothing since the last call; how many. Whoever began one,
    /// should he still be there, runs it again.
    pub async fn end(&mut self) -> Stored<usize> {
        self.0.end().await
    }

    /// Ends those that do nothing for [`A_MOMENT`]; returns at once where there are none.
    #[expect(
        clippy::disallowed_methods,
        reason = "whether something goes on is seen by looking again"
    )]
    pub async fn end_now(&mut self) -> Stored<usize> {
        let ended = self.end().await?;
        if !self.0.has_seen_some() {
            return Ok(ended);
        }
        tokio::time::sleep(A_MOMENT).await;
        self.end().await
    }
}

/// See [`Store::once`].
#[derive(Debug)]
pub struct Once {
    unit: Unit,
}

impl Once {
    /// Limited to what `scope` owns.
    pub fn within<S: Copy>(&mut self, scope: S) -> Tx<'_, S> {
        Tx::new(&mut self.unit).into_scope(scope)
    }

    /// Ownerless documents.
    pub fn shared(&mut self) -> Tx<'_> {
        Tx::new(&mut self.unit)
    }

    /// Without a tenant, for the reason given; see [`Tx::across_tenants`].
    pub fn across_tenants(&mut self, why: &'static str) -> Tx<'_, AcrossTenants> {
        debug_assert!(!why.is_empty(), "the escape from tenancy needs its reason");
        Tx::new(&mut self.unit).into_scope(AcrossTenants)
    }
}

/// Waits a little longer after every lost race, so that racers spread out.
#[expect(
    clippy::disallowed_methods,
    reason = "the one wait below a unit of work that lost a race"
)]
async fn pause(attempt: u32) {
    let most = 1_u64 << attempt.min(6);
    tokio::time::sleep(Duration::from_millis(most)).await;
}
