//! The machine: whose core is which, and what processes have used.
//!
//! ```text
//! first core   the server and its database, a peer and its database, or a limit: one at a time
//! last core    whoever asks
//! ```
//!
//! What a thread starts, threads and processes, stays on the core of that thread. On a machine with
//! one core both are the same, and the report says so.

use std::fs::{read_dir, read_to_string};
use std::thread::scope;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde_json::{Value, json};

/// `USER_HZ` (proc(5)): what the kernel counts the time of processes in, whatever it ticks at.
const TICKS_A_SECOND: f64 = 100.0;

/// The two cores of a measurement.
#[derive(Debug, Clone, Copy)]
pub struct Cores {
    server: usize,
    client: usize,
}

impl Cores {
    /// Two of those that this process may use, as far apart as they can be; this thread, and what it
    /// starts from now on, asks.
    pub fn split() -> Self {
        let allowed = sched_getaffinity(None).expect("the cores of this process");
        let mut all = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let server = all.next().expect("a core");
        let cores = Self {
            server,
            client: all.next_back().unwrap_or(server),
        };
        stay(cores.client);
        cores
    }

    /// Runs on the core of the server, to the end.
    pub fn serving<T: Send>(self, work: impl FnOnce() -> T + Send) -> T {
        scope(|scope| {
            let there = scope.spawn(|| {
                stay(self.server);
                work()
            });
            there.join().expect("what runs on the server's core ends")
        })
    }

    /// What the figures depend on.
    pub fn tell(self) -> Value {
        let cpu = read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
        let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        json!({
            "cpu": model.map(|it| it.trim_start_matches([' ', '\t', ':'])),
            "kernel": kernel.trim_end(),
            "server_core": self.server,
            "client_core": self.client,
        })
    }
}

fn stay(core: usize) {
    let mut one = CpuSet::new();
    one.set(core);
    sched_setaffinity(None, &one).expect("a core of this process");
}

/// What a process has run for so far, in its own code and in the kernel; none where there is no
/// such process.
pub fn cpu_time(process: u32) -> Option<Duration> {
    let stat = read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program comes before, in parentheses, and may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let user: f64 = fields.nth(11)?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some(Duration::from_secs_f64((user + system) / TICKS_A_SECOND))
}

/// What the threads of a process whose names begin so have run for so far; none where there is no such
/// thread, or the kernel does not say (`/proc/<pid>/task/<tid>/schedstat`, nanoseconds).
pub fn threads_time(process: u32, named: &str) -> Option<Duration> {
    let all = read_dir(format!("/proc/{process}/task")).ok()?;
    let own = all.flatten().map(|thread| thread.path()).filter(|thread| {
        let name = read_to_string(thread.join("comm"));
        name.is_ok_and(|name| name.starts_with(named))
    });
    let times = own.filter_map(|thread| {
        let told = read_to_string(thread.join("schedstat")).ok()?;
        told.split_whitespace().next()?.parse().ok()
    });
    times.map(Duration::from_nanos).reduce(|all, one| all + one)
}

/// Memory of a process, in KiB.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    pub resident: u64,
    /// What it shares with others counts as its share.
    pub proportional: u64,
}

pub fn memory(process: u32) -> Memory {
    let rollup = read_to_string(format!("/proc/{process}/smaps_rollup")).expect("a process");
    let kib = |name: &str| {
        let mut lines = rollup.lines();
        let line = lines.find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|it| it.split_whitespace().next());
        number.and_then(|it| it.parse().ok()).expect("a number")
    };
    Memory {
        resident: kib("Rss:"),
        proportional: kib("Pss:"),
    }
}
