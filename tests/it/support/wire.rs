//! The wire between a server and its database, for a test to cut.
//!
//! SQLite has none: there a writer comes who does not let go, and reading goes on.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use authsome::store::Location;
use rusqlite::Connection;

/// Whole until it is cut; whole again when it is mended.
#[derive(Debug)]
pub enum Wire {
    Lock {
        path: PathBuf,
        holder: Mutex<Option<Connection>>,
    },
    Line {
        to: String,
        line: Arc<Line>,
    },
}

/// What goes through a port of our own.
#[derive(Debug)]
pub struct Line {
    own: SocketAddr,
    cut: AtomicBool,
    over: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl Wire {
    pub fn to(location: &Location) -> Self {
        match location {
            Location::Sqlite(path) => Self::Lock {
                path: path.clone(),
                holder: Mutex::default(),
            },
            Location::Mongo(url) => {
                let (host, path) = parts(url);
                let line = Line::laid(host.parse().expect("the test server has an address"));
                // Directly: a replica set would tell the server its members' own addresses.
                Self::Line {
                    to: format!("mongodb://{}/{path}?directConnection=true", line.own),
                    line,
                }
            }
            Location::Memory => unreachable!("no test is about a database in memory"),
        }
    }

    /// The URL by which a server comes through the wire; `None` where the usual one will do.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Lock { .. } => None,
            Self::Line { to, .. } => Some(to),
        }
    }

    pub fn cut(&self) {
        match self {
            Self::Lock { path, holder } => {
                let connection = Connection::open(path).expect("the database is there");
                connection
                    .execute_batch("BEGIN IMMEDIATE")
                    .expect("nobody else is writing");
                *held(holder) = Some(connection);
            }
            Self::Line { line, .. } => {
                line.cut.store(true, Ordering::SeqCst);
                for stream in held(&line.open).drain(..) {
                    let _ = stream.shutdown(Shutdown::Both);
                }
            }
        }
    }

    pub fn mend(&self) {
        match self {
            Self::Lock { holder, .. } => *held(holder) = None,
            Self::Line { line, .. } => line.cut.store(false, Ordering::SeqCst),
        }
    }
}

impl Line {
    fn laid(to: SocketAddr) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let own = listener
            .local_addr()
            .expect("a bound listener has an address");
        let (cut, over) = (AtomicBool::new(false), AtomicBool::new(false));
        let line = Arc::new(Self {
            own,
            cut,
            over,
            open: Mutex::default(),
        });
        let carrier = line.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if carrier.over.load(Ordering::SeqCst) {
                    return;
                }
                if !carrier.cut.load(Ordering::SeqCst) {
                    carrier.carry(stream, to);
                }
            }
        });
        line
    }

    fn carry(&self, near: TcpStream, to: SocketAddr) {
        let Ok(far) = TcpStream::connect(to) else {
            return;
        };
        let copies = (
            near.try_clone().expect("a stream"),
            far.try_clone().expect("a stream"),
        );
        let (mut near_in, mut far_in) = copies;
        let (mut near_out, mut far_out) = (
            near.try_clone().expect("a stream"),
            far.try_clone().expect("a stream"),
        );
        held(&self.open).extend([near, far]);
        thread::spawn(move || {
            let _ = io::copy(&mut near_in, &mut far_out);
            let _ = far_out.shutdown(Shutdown::Both);
        });
        thread::spawn(move || {
            let _ = io::copy(&mut far_in, &mut near_out);
            let _ = near_out.shutdown(Shutdown::Both);
        });
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let Self::Line { line, .. } = self {
            line.over.store(true, Ordering::SeqCst);
            // The carrier is waiting for somebody to come.
            let _ = TcpStream::connect(line.own);
        }
    }
}

/// The first host of a MongoDB URL, and its database.
fn parts(url: &str) -> (&str, &str) {
    let address = url.split('?').next().unwrap_or_default();
    let (_, address) = address.split_once("://").expect("a URL has a scheme");
    let (hosts, database) = address.split_once('/').expect("a URL names a database");
    let host = hosts.rsplit('@').next().unwrap_or(hosts);
    (host.split(',').next().unwrap_or(host), database)
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
