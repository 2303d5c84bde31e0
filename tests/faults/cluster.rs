//! Some `mongod` as a replica set, each behind a line of the network.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bson::{Bson, Document, doc};
use mongodb::Client;
use mongodb::options::ClientOptions;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use tempfile::TempDir;
use tokio::time::timeout;

use super::network::{Line, Network};
use super::{PATIENCE, until};
use crate::e2e::server::free_port;

const SET: &str = "rs0";
/// A secondary that copies from a member that hangs gives it up a second after the time of its
/// question, and not after five: until then no majority has what the new primary writes.
const PATIENT_FOR: &str = "oplogNetworkTimeoutBufferSeconds=1";
/// How long a member may take to say what it is.
const WORD: Duration = Duration::from_secs(2);

/// A replica set; its servers are killed when it is dropped.
#[derive(Debug)]
pub(super) struct Cluster {
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    process: Child,
    is_stopped: bool,
    port: u16,
    line: Line,
    data: TempDir,
    /// Past the network.
    direct: Client,
}

impl Cluster {
    /// A set of so many, with a primary.
    pub(super) async fn of(count: usize, network: &Network) -> Self {
        let mut members = Vec::new();
        for _ in 0..count {
            members.push(Member::start(network).await);
        }
        let cluster = Self { members };
        let hosts = cluster.members.iter().enumerate();
        let hosts = hosts.map(|(at, member)| {
            let at = i32::try_from(at).expect("a few");
            doc! { "_id": at, "host": format!("127.0.0.1:{}", member.line.port) }
        });
        let set = doc! {
            "_id": SET,
            "members": hosts.collect::<Vec<_>>(),
            "settings": { "electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 500 },
        };
        let initiate = doc! { "replSetInitiate": set };
        until("the set is initiated", PATIENCE, async || {
            // On a busy machine it may be done when nobody waits for the answer any more.
            cluster.members[0].asked(initiate.clone()).await;
            let hello = cluster.members[0].asked(doc! { "hello": 1 }).await?;
            hello.contains_key("setName").then_some(())
        })
        .await;
        until("there is a primary", PATIENCE, async || {
            cluster.primary().await
        })
        .await;
        cluster.is_whole().await;
        cluster
    }

    /// A database of it, as servers are told of it.
    pub(super) fn url(&self) -> String {
        let hosts = self.members.iter();
        let hosts = hosts.map(|it| format!("127.0.0.1:{}", it.line.port));
        let hosts = hosts.collect::<Vec<_>>().join(",");
        format!("mongodb://{hosts}/authsome?replicaSet={SET}")
    }

    /// The member that was elected last, while it accepts writes.
    pub(super) async fn primary(&self) -> Option<usize> {
        let mut newest = None;
        for (at, member) in self.members.iter().enumerate() {
            let Some(hello) = member.asked(doc! { "hello": 1 }).await else {
                continue;
            };
            let election = hello.get("electionId").and_then(Bson::as_object_id);
            if hello.get_bool("isWritablePrimary").unwrap_or(false) {
                newest = newest.max(Some((election, at)));
            }
        }
        newest.map(|(_, at)| at)
    }

    /// Waits for a primary, and tells which it is.
    pub(super) async fn elected(&self) -> usize {
        let elected = until("a primary is elected", PATIENCE, async || {
            self.primary().await
        });
        elected.await.0
    }

    /// Waits until every member has what the others have, or is their primary.
    pub(super) async fn is_whole(&self) {
        until("every member is up", PATIENCE, async || {
            let mut up = 0;
            for member in &self.members {
                let hello = member.asked(doc! { "hello": 1 }).await.unwrap_or_default();
                let is = |role: &str| hello.get_bool(role).unwrap_or(false);
                up += usize::from(is("isWritablePrimary") || is("secondary"));
            }
            (up == self.members.len()).then_some(())
        })
        .await;
    }

    pub(super) fn process(&self, member: usize) -> u32 {
        self.members[member].process.id()
    }

    /// Ends a member at once; what it has written to its files stays, flushed to the disk or not.
    pub(super) fn kill(&mut self, member: usize) {
        let process = &mut self.members[member].process;
        process.kill().expect("it runs");
        process.wait().expect("it ends");
    }

    /// Starts a member again that was killed.
    pub(super) fn start_again(&mut self, member: usize, network: &Network) {
        let member = &mut self.members[member];
        member.process = spawn(member.port, &member.data);
        network.knows(member.process.id());
        member.line.leads_to(member.process.id());
    }

    /// Asks a primary to be none.
    pub(super) async fn step_down(&self, member: usize) {
        let command = doc! { "replSetStepDown": 10, "secondaryCatchUpPeriodSecs": 5 };
        self.members[member].asked(command).await;
    }

    /// Lets a member hang, connected and silent.
    pub(super) fn stop(&mut self, member: usize) {
        let member = &mut self.members[member];
        let process = Pid::from_child(&member.process);
        kill_process(process, Signal::STOP).expect("it runs");
        let stopped = waitpid(Some(process), WaitOptions::UNTRACED).expect("a child of ours");
        assert!(stopped.is_some_and(|(_, status)| status.stopped()));
        member.is_stopped = true;
    }

    /// Lets it go on.
    pub(super) fn resume(&mut self, member: usize) {
        let member = &mut self.members[member];
        kill_process(Pid::from_child(&member.process), Signal::CONT).expect("it is there");
        member.is_stopped = false;
    }
}

impl Member {
    async fn start(network: &Network) -> Self {
        let (port, data) = (free_port(), TempDir::new().expect("a folder"));
        let line = network.line_to(port).await;
        let process = spawn(port, &data);
        network.knows(process.id());
        line.leads_to(process.id());
        let url = format!("mongodb://127.0.0.1:{port}/?directConnection=true");
        let mut options = ClientOptions::parse(url).await.expect("a URL");
        options.server_selection_timeout = Some(WORD);
        options.heartbeat_freq = Some(Duration::from_millis(500));
        Self {
            process,
            is_stopped: false,
            port,
            line,
            data,
            direct: Client::with_options(options).expect("a client"),
        }
    }

    /// What it says to an administrative command, if it says anything.
    async fn asked(&self, command: Document) -> Option<Document> {
        if self.is_stopped {
            return None;
        }
        let admin = self.direct.database("admin");
        // A dropped connection is no harm here: nobody else uses this client.
        timeout(WORD, admin.run_command(command)).await.ok()?.ok()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(port: u16, data: &TempDir) -> Child {
    let program = std::env::var("MONGOD").expect("MONGOD: run the tests by tests/run");
    Command::new(program)
        .args(["--replSet", SET, "--bind_ip", "127.0.0.1", "--nounixsocket"])
        .args(["--setParameter", PATIENT_FOR])
        .args(["--wiredTigerCacheSizeGB", "0.25", "--port"])
        .arg(port.to_string())
        .arg("--dbpath")
        .arg(data.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("mongod can be started")
}
