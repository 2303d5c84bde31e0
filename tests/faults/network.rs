//! The network between processes, which can be parted, silenced and slowed down.
//!
//! Whoever is to be reached through it has a line: a port of the network's, behind which its own is.
//! Of each connection it is known which process has made it, so that both ends can be on an island.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What becomes of that which goes between an island and the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Crossing {
    /// Connections are closed, and new ones as well.
    #[default]
    Cut,
    /// Connections stay, and nothing goes through.
    Hang,
}

/// The weather.
#[derive(Debug, Clone, Default)]
struct Rule {
    island: BTreeSet<u32>,
    crossing: Crossing,
    delay: Duration,
}

/// Carries what processes say to each other; it ends when dropped.
#[derive(Debug)]
pub(super) struct Network {
    runtime: Option<Runtime>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    rule: watch::Sender<Rule>,
    known: Mutex<BTreeSet<u32>>,
}

/// Where a process is reached.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub port: u16,
    /// Who listens at its end.
    listener: Arc<AtomicU32>,
}

/// Both ends of a connection.
#[derive(Debug, Clone, Copy)]
struct Ends {
    from: u32,
    to: u32,
}

impl Network {
    pub(super) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        Self {
            runtime: Some(runtime.expect("a runtime")),
            shared: Arc::new(Shared {
                rule: watch::Sender::default(),
                known: Mutex::default(),
            }),
        }
    }

    /// A line to a port of this machine.
    pub(super) async fn line_to(&self, port: u16) -> Line {
        let listener = Arc::new(AtomicU32::new(0));
        let (shared, end) = (self.shared.clone(), listener.clone());
        let runtime = self.runtime.as_ref().expect("a network that goes on");
        let laid = runtime.spawn(async move {
            let accepting = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let port_of_line = accepting.local_addr().expect("an address").port();
            tokio::spawn(carry(accepting, ([127, 0, 0, 1], port).into(), end, shared));
            port_of_line
        });
        let port = laid.await.expect("a line that is laid");
        Line { port, listener }
    }

    /// A process that has just started; what it connects to by a line is known to be its.
    pub(super) fn knows(&self, process: u32) {
        self.shared.known().insert(process);
    }

    /// From now on these are on an island.
    pub(super) fn part(&self, island: &[u32], crossing: Crossing) {
        let island = island.iter().copied().collect();
        self.shared.rule.send_modify(|rule| {
            rule.island = island;
            rule.crossing = crossing;
        });
    }

    /// Everything that is said takes so long, in each direction.
    pub(super) fn slow_down(&self, delay: Duration) {
        self.shared.rule.send_modify(|rule| rule.delay = delay);
    }

    /// All is well.
    pub(super) fn heal(&self) {
        self.shared.rule.send_replace(Rule::default());
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Line {
    /// Who listens at its end from now on.
    pub(super) fn leads_to(&self, process: u32) {
        self.listener.store(process, Ordering::SeqCst);
    }
}

impl Shared {
    fn known(&self) -> std::sync::MutexGuard<'_, BTreeSet<u32>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process that has this end of a connection; 0 for one that is not known.
    fn holder(&self, peer: SocketAddr) -> u32 {
        let Some(inode) = inode_of(peer) else {
            return 0;
        };
        let known = self.known().clone();
        known
            .into_iter()
            .find(|process| holds(*process, &inode))
            .unwrap_or_default()
    }
}

/// The socket of a local address, as the kernel numbers it.
fn inode_of(local: SocketAddr) -> Option<String> {
    let SocketAddr::V4(local) = local else {
        return None;
    };
    let address = u32::from_le_bytes(local.ip().octets());
    let wanted = format!("{address:08X}:{:04X}", local.port());
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    let mut rows = table
        .lines()
        .map(|row| row.split_whitespace().collect::<Vec<_>>());
    let row = rows.find(|row| row.get(1) == Some(&wanted.as_str()))?;
    row.get(9).map(|inode| format!("socket:[{inode}]"))
}

fn holds(process: u32, socket: &str) -> bool {
    let files = fs::read_dir(format!("/proc/{process}/fd"));
    let mut files = files.into_iter().flatten().flatten();
    files.any(|file| fs::read_link(file.path()).is_ok_and(|to| to.to_str() == Some(socket)))
}

impl Ends {
    fn cross(self, rule: &Rule) -> bool {
        rule.island.contains(&self.from) != rule.island.contains(&self.to)
    }

    fn are_cut(self, rule: &Rule) -> bool {
        rule.crossing == Crossing::Cut && self.cross(rule)
    }

    /// Returns when nothing more is said between these two.
    async fn severed(self, rule: &watch::Sender<Rule>) {
        let mut rule = rule.subscribe();
        let _ = rule.wait_for(|rule| self.are_cut(rule)).await;
    }

    /// Returns when something can go through, as slowly as everything does.
    async fn open(self, rule: &watch::Sender<Rule>) {
        let mut rule = rule.subscribe();
        let delay = rule.wait_for(|rule| !self.cross(rule)).await;
        let delay = delay.map(|rule| rule.delay).unwrap_or_default();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }
}

async fn carry(accepting: TcpListener, to: SocketAddr, end: Arc<AtomicU32>, shared: Arc<Shared>) {
    while let Ok((near, peer)) = accepting.accept().await {
        let ends = Ends {
            from: shared.holder(peer),
            to: end.load(Ordering::SeqCst),
        };
        if ends.are_cut(&shared.rule.borrow()) {
            continue;
        }
        let shared = shared.clone();
        tokio::spawn(async move {
            // Whoever does not listen is as one who hangs up.
            let Ok(far) = TcpStream::connect(to).await else {
                return;
            };
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            let (near, far) = (near.into_split(), far.into_split());
            let there = pump(near.0, far.1, ends, &shared.rule);
            let back = pump(far.0, near.1, ends, &shared.rule);
            tokio::select! {
                _ = futures_util::future::join(there, back) => {}
                () = ends.severed(&shared.rule) => {}
            }
        });
    }
}

/// Passes on what is said until one side has ended.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    ends: Ends,
    rule: &watch::Sender<Rule>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        ends.open(rule).await;
        if to.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
