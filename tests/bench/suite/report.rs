//! What a run has come to, as JSON: `target/bench/quick.json`, or `full.json`.
//!
//! ```text
//! version    1: of this form           options  what was asked for
//! machine    cpu, kernel, cores        store    the version of MongoDB, or null
//! rows[]     scenario, clients, name, store, kind (authsome, limit, peer), what, error, figure:
//!            count, per_second, p50_us, p99_us, cpu_us, store_cpu_us, hashing_us, besides_hashing_us, busy
//! beside[]   store, beside, me_p50_us, me_p99_us, sign_ins_per_second, sign_in_p99_us, refused, …
//! memory[]   store, sessions, …_kib    starts[]     store, apps, users, ready_after_ms, least_ms
//! scale[]    store, scenario, small, large, growth  decisions[]  organizations, …_us
//! goals[]    number, what, store, figure, bound, met (null: not measured)
//! ```
//!
//! Members are as the structs of these names have them. Where there is an `error` no figure counts.

use std::fs::{create_dir_all, write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::decisions::Decisions;
use super::goals::Goal;
use super::options::Options;
use super::rounds::Table;
use super::{beside, memory, scale, starting};
use crate::load::run;
use crate::machine::Cores;
use crate::mongod::Mongo;

#[derive(Debug, Serialize)]
pub struct Report {
    version: u8,
    pub options: Options,
    pub machine: Value,
    /// The version of MongoDB; absent where it was not measured.
    pub mongodb: Option<String>,
    /// Whether the embedded store waits until a commit is on the disk.
    pub durable: bool,
    #[serde(rename = "rows")]
    pub table: Table,
    pub beside: Vec<beside::Row>,
    pub memory: Vec<memory::Row>,
    pub starts: Vec<starting::Row>,
    pub decisions: Vec<Decisions>,
    pub scale: Vec<scale::Row>,
    pub goals: Vec<Goal>,
}

impl Report {
    pub fn new(options: Options, cores: Cores, mongo: Option<&Mongo>) -> Self {
        Self {
            version: 1,
            options,
            machine: cores.tell(),
            mongodb: mongo.map(|mongo| run(mongo.version())),
            durable: false,
            table: Table::default(),
            beside: Vec::new(),
            memory: Vec::new(),
            starts: Vec::new(),
            decisions: Vec::new(),
            scale: Vec::new(),
            goals: Vec::new(),
        }
    }

    /// How many measurements had a request that failed.
    pub fn failures(&self) -> usize {
        let beside = self.beside.iter().filter(|it| it.error.is_some()).count();
        let memory = self.memory.iter().filter(|it| it.error.is_some()).count();
        let scale = self.scale.iter().filter(|it| it.error.is_some()).count();
        self.table.failures() + beside + memory + scale
    }

    pub fn path(&self) -> PathBuf {
        // The folder of temporary files is below the target directory.
        let below = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let form = if self.options.quick {
            "quick.json"
        } else {
            "full.json"
        };
        let target = below.parent().expect("a target directory");
        target.join("bench").join(form)
    }

    pub fn write(&self) {
        let path = self.path();
        create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let text = serde_json::to_string_pretty(self).expect("JSON");
        write(path, text + "\n").expect("a file");
    }
}
