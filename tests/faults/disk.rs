//! The embedded store on a disk that is full, or cannot be written.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use rusqlite::Connection;
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use serde_json::{Value, json};

use super::asking::{Answer, As, Ask};
use super::house::{generous, served};
use super::load::Load;
use super::{Form, NORMAL, PATIENCE, run, until};
use crate::e2e::server::{Home, PASSWORD, Server, text};

const SOMEBODY: &str = "somebody@example.org";

/// Where a home keeps its data.
fn data_of(home: &Home) -> PathBuf {
    home.folder().join("authsome-data")
}

/// A file system of its own in memory; it goes when dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// `None` where this process may not mount.
    fn at(place: &Path, megabytes: u32) -> Option<Self> {
        fs::create_dir_all(place).expect("a folder");
        let size = format!("size={megabytes}m,mode=0700");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(place)
            .output();
        let is_mounted = mount.is_ok_and(|it| it.status.success());
        is_mounted.then(|| Self(place.to_owned()))
    }

    fn is_written_no_more(&self) {
        let mut remount = Command::new("mount");
        remount.args(["-o", "remount,ro"]).arg(&self.0);
        assert!(remount.status().expect("mount can be run").success());
    }

    /// Takes whatever room is left.
    fn fills(&self) {
        let mut filler = fs::File::create(self.filler()).expect("a file");
        while filler.write_all(&[0; 4096]).is_ok() {}
    }

    fn empties(&self) {
        fs::remove_file(self.filler()).expect("the file of before");
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: whoever still has files there may keep them.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A server on the embedded store, and somebody who is signed in there.
struct Embedded {
    home: Home,
    server: Server,
    load: Rc<Load>,
    somebody: Value,
}

impl Embedded {
    async fn of(home: Home) -> Self {
        let told = home.bootstrap(&[]);
        let server = served(&home, None).await;
        let load = Load::on(vec![server.url.clone()], &told, None);
        let somebody = load.somebody(SOMEBODY).await;
        Self {
            home,
            server,
            load,
            somebody,
        }
    }

    /// Goes on until that many have been told to come again.
    async fn refuses(&self, times: usize) {
        let began = std::time::Instant::now();
        let mut refused = 0;
        for number in 0.. {
            let address = format!("new-{number}@example.org");
            let account = json!({"email": address, "password": PASSWORD});
            let new = Ask::post("/v1/signup", account).by(&self.load.visitor);
            match self.load.ask(0, &new).await {
                Answer::Done(told) => {
                    let user_id = text(&told, "/user/id");
                    self.load.ledger.signed_up(&address, &user_id);
                }
                Answer::Away => refused += 1,
                other => panic!("{other:?}"),
            }
            if refused >= times {
                return;
            }
            assert!(began.elapsed() < PATIENCE * 2, "{refused} refused");
        }
    }

    /// What needs no writing is there.
    async fn reads(&self) {
        let holder = As::Holder(text(&self.somebody, "/access_token"));
        let users = Ask::get("/v1/admin/users?limit=1").by(&self.load.backend);
        for ask in [
            Ask::get("/livez"),
            Ask::get("/.well-known/jwks.json"),
            Ask::get("/v1/me").by(&holder),
            users,
        ] {
            let answer = self.load.ask(0, &ask).await;
            assert!(matches!(answer, Answer::Done(_)), "{ask:?}: {answer:?}");
        }
    }

    /// By itself; and what was acknowledged is there, now and after the next start.
    async fn recovers(mut self) {
        until("it is well again", NORMAL, async || {
            self.load.is_normal(0, SOMEBODY).await
        })
        .await;
        self.load.holds().await;
        self.server.process.signal(Signal::KILL);
        self.server.process.ended().await;
        self.home.go_back_to(&self.server.url);
        let _server = served(&self.home, None).await;
        self.load.holds().await;
        let file = data_of(&self.home).join("authsome.db");
        let file = Connection::open(file).expect("a database");
        let is_whole: String = file
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .expect("an answer");
        assert_eq!(is_whole, "ok");
    }
}

/// Lets a process write files up to this size, or any.
fn limit_files(server: &Server, most: Option<u64>) {
    let process = i32::try_from(server.process.id())
        .ok()
        .and_then(Pid::from_raw);
    let soft = Rlimit {
        current: most,
        maximum: None,
    };
    prlimit(process, Resource::Fsize, soft).expect("a child of ours");
}

/// RL-11. Not even its log can grow.
#[test]
fn a_server_that_may_write_nothing_goes_on_reading_and_recovers() {
    run(async {
        let embedded = Embedded::of(generous(Home::embedded())).await;
        limit_files(&embedded.server, Some(0));

        embedded.refuses(Form::asked_for().refusals).await;
        embedded.reads().await;

        limit_files(&embedded.server, None);
        embedded.recovers().await;
    });
}

/// RL-11.
#[test]
fn a_server_on_a_full_disk_goes_on_reading_and_recovers() {
    run(async {
        let home = generous(Home::embedded());
        let Some(disk) = Mounted::at(&data_of(&home), 16) else {
            eprintln!("nothing can be mounted here: no disk was full");
            return;
        };
        let embedded = Embedded::of(home).await;
        disk.fills();

        embedded.refuses(Form::asked_for().refusals).await;
        embedded.reads().await;

        disk.empties();
        embedded.recovers().await;
    });
}

#[test]
fn a_server_whose_database_is_read_only_ends_with_the_file_named() {
    run(async {
        let home = generous(Home::embedded());
        let data = data_of(&home);
        let disk = Mounted::at(&data, 16);
        home.bootstrap(&[]);
        match &disk {
            Some(disk) => disk.is_written_no_more(),
            // Whoever may not mount is held by permissions.
            None => {
                for (place, mode) in [(data.join("authsome.db"), 0o400), (data, 0o500)] {
                    let mode = Permissions::from_mode(mode);
                    fs::set_permissions(place, mode).expect("a place of ours");
                }
            }
        }

        let mut process = home.start();

        assert_eq!(process.ended().await.code(), Some(1));
        let log = process.log();
        assert!(log.contains("authsome.db cannot be opened"), "{log}");
    });
}
