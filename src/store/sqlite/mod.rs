//! The embedded driver: one file, one writer thread, readers inline on whoever asks.

mod connection;
mod migrate;
#[cfg(test)]
mod plans;
mod translate;
mod writer;

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use self::connection::{apply, copy, failure, open_reader, open_writer};
use self::writer::{Job, Step};
use super::error::{StoreError, Stored};
use super::op::{Op, Outcome};
use super::schema::Schema;
use super::settings::{Location, StoreSettings, Synchronous};
use crate::kernel::entropy::Entropy;
use crate::kernel::time::Timestamp;

/// How long a look waits for one of the read connections.
const PATIENCE: Duration = Duration::from_secs(3);

/// A database file.
#[derive(Debug, Clone)]
pub(super) struct Sqlite {
    file: Arc<File>,
    jobs: mpsc::Sender<Job>,
    readers: Arc<Readers>,
}

/// The file's path; one made for this process alone goes with it.
#[derive(Debug)]
struct File {
    path: PathBuf,
    passing: Option<PathBuf>,
    synchronous: Option<Synchronous>,
}

impl Drop for File {
    fn drop(&mut self) {
        if let Some(folder) = &self.passing {
            drop(std::fs::remove_dir_all(folder));
        }
    }
}

impl Sqlite {
    /// Opens or creates the file and starts its writer.
    pub(super) fn open(settings: &StoreSettings) -> Stored<Self> {
        let file = match &settings.location {
            Location::Sqlite(path) => {
                make_folder_of(path)?;
                let synchronous = Some(settings.synchronous);
                File {
                    path: path.clone(),
                    passing: None,
                    synchronous,
                }
            }
            // WAL needs files, and without WAL readers would wait for the writer: a private
            // folder, in memory where the system has one, stands in for `:memory:`.
            Location::Memory | Location::Mongo(_) => passing_file()?,
        };
        let connection = open_writer(&file.path, file.synchronous)?;
        let (jobs, waiting) = mpsc::channel();
        std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || writer::serve(&connection, &waiting))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let readers = Readers::new(settings.readers as usize);
        Ok(Self {
            file: Arc::new(file),
            jobs,
            readers: Arc::new(readers),
        })
    }

    pub(super) fn migrate(&self, schemas: &[Schema], now: Timestamp) -> Stored<()> {
        let connection = open_writer(&self.file.path, self.file.synchronous)?;
        migrate::migrate(&connection, schemas, now)
    }

    pub(super) async fn examine(&self, schemas: &[Schema]) -> Stored<Vec<String>> {
        let reader = self.reader().await?;
        migrate::examine(reader.connection()?, schemas)
    }

    pub(super) async fn version(&self) -> Stored<Option<i64>> {
        let reader = self.reader().await?;
        migrate::version(reader.connection()?)
    }

    pub(super) async fn collections(&self) -> Stored<Vec<String>> {
        let reader = self.reader().await?;
        migrate::tables(reader.connection()?)
    }

    /// Off the worker: it takes as long as the file is large.
    pub(super) async fn copy_into(&self, file: &Path) -> Stored<()> {
        let (from, to) = (self.file.clone(), file.to_owned());
        let copying = tokio::task::spawn_blocking(move || copy(&from.path, &to));
        copying
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))?
    }

    /// Reads a page of the file, and has the writer open and close a unit.
    pub(super) async fn ping(&self) -> Stored<()> {
        let reader = self.reader().await?;
        reader
            .connection()?
            .query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))
            .map_err(|error| failure(&error))?;
        let written = timeout(PATIENCE, self.write()?.end(true)).await;
        written.map_err(|_| StoreError::Timeout)?
    }

    pub(super) async fn read(&self) -> Stored<ReadUnit> {
        let reader = self.reader().await?;
        reader
            .connection()?
            .execute_batch("BEGIN")
            .map_err(|error| failure(&error))?;
        Ok(ReadUnit { reader })
    }

    pub(super) fn write(&self) -> Stored<WriteUnit> {
        let (steps, waiting) = mpsc::channel();
        self.submit(Job::Unit { steps: waiting })?;
        Ok(WriteUnit { steps })
    }

    pub(super) fn once(&self) -> Once {
        Once {
            sqlite: self.clone(),
        }
    }

    fn submit(&self, job: Job) -> Stored<()> {
        self.jobs.send(job).map_err(|_| gone())
    }

    async fn reader(&self) -> Stored<Reader> {
        let places = self.readers.places.clone();
        let place = timeout(PATIENCE, places.acquire_owned()).await;
        let place = place
            .map_err(|_| StoreError::Timeout)?
            .map_err(|_| gone())?;
        let idle = self
            .readers
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_reader(&self.file.path)?,
        };
        Ok(Reader {
            connection: Some(connection),
            home: self.readers.clone(),
            _place: place,
        })
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable("the writer has stopped".to_owned())
}

fn make_folder_of(path: &Path) -> Stored<()> {
    match path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        Some(folder) => std::fs::create_dir_all(folder).map_err(|error| {
            StoreError::Unsuitable(format!(
                "the folder {} cannot be made: {error}",
                folder.display()
            ))
        }),
        None => Ok(()),
    }
}

fn passing_file() -> Stored<File> {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    let folder = base.join(format!("authsome-{}", Entropy::system().token()));
    let made = std::fs::DirBuilder::new().mode(0o700).create(&folder);
    made.map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(File {
        path: folder.join("authsome.db"),
        passing: Some(folder),
        synchronous: None,
    })
}

/// Read connections: so many at most, kept while idle.
#[derive(Debug)]
struct Readers {
    idle: Mutex<Vec<Connection>>,
    places: Arc<Semaphore>,
}

impl Readers {
    fn new(most: usize) -> Self {
        Self {
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(most.max(1))),
        }
    }
}

/// A read connection on loan; it goes home when dropped.
#[derive(Debug)]
struct Reader {
    connection: Option<Connection>,
    home: Arc<Readers>,
    _place: OwnedSemaphorePermit,
}

impl Reader {
    fn connection(&self) -> Stored<&Connection> {
        self.connection.as_ref().ok_or_else(gone)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            let clean = connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok();
            if clean {
                self.home
                    .idle
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(connection);
            }
        }
    }
}

/// One consistent look: a read transaction on one connection.
#[derive(Debug)]
pub(super) struct ReadUnit {
    reader: Reader,
}

impl ReadUnit {
    pub(super) fn run(&mut self, op: &Op) -> Stored<Outcome> {
        apply(self.reader.connection()?, op)
    }
}

/// A unit of work in the hands of the writer thread.
#[derive(Debug)]
pub(super) struct WriteUnit {
    steps: mpsc::Sender<Step>,
}

impl WriteUnit {
    pub(super) async fn run(&mut self, op: Op) -> Stored<Outcome> {
        let (answer, answered) = oneshot::channel();
        self.steps
            .send(Step::Run { op, answer })
            .map_err(|_| StoreError::Timeout)?;
        answered.await.map_err(|_| StoreError::Timeout)?
    }

    /// Waits until the group that holds this unit is durable; without `commit`, forgets it.
    pub(super) async fn end(self, commit: bool) -> Stored<()> {
        if !commit {
            return Ok(());
        }
        let (answer, answered) = oneshot::channel();
        self.steps
            .send(Step::Commit { answer })
            .map_err(|_| StoreError::Timeout)?;
        answered.await.map_err(|_| StoreError::Timeout)?
    }
}

/// Each verb a unit by itself: reads on a borrowed connection, writes through the writer.
#[derive(Debug)]
pub(super) struct Once {
    sqlite: Sqlite,
}

impl Once {
    pub(super) async fn run(&mut self, op: Op) -> Stored<Outcome> {
        if op.verb.is_read() {
            return apply(self.sqlite.reader().await?.connection()?, &op);
        }
        let (answer, answered) = oneshot::channel();
        self.sqlite.submit(Job::Once { op, answer })?;
        answered.await.map_err(|_| gone())?
    }
}
