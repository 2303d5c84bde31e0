//! What the system knows of this process (`proc(5)`), by the names that Prometheus gives it.

use std::fs;

use crate::kernel::measure::{Page, Stopwatch};
use crate::kernel::time::Timestamp;

/// When the process began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Began {
    pub(super) at: Timestamp,
    pub(super) watch: Stopwatch,
}

/// Tells what can be read: elsewhere than on Linux, less.
pub(super) fn tell(page: &mut Page, began: Began) {
    let version = env!("CARGO_PKG_VERSION");
    page.gauge("authsome_build_info", "Which version this is.")
        .sample(&[("version", version)], 1);
    page.gauge(
        "process_start_time_seconds",
        "When the process began, in seconds since 1970.",
    )
    .sample(&[], began.at.as_millis() / 1_000);
    page.gauge(
        "process_uptime_seconds",
        "How long the process has been running.",
    )
    .sample(&[], began.watch.elapsed().as_secs());
    if let Some(bytes) = resident() {
        page.gauge("process_resident_memory_bytes", "Memory in use.")
            .sample(&[], bytes);
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        page.gauge("process_open_fds", "Files and connections that are open.")
            .sample(&[], files.count());
    }
    if let Some(most) = most_files() {
        page.gauge("process_max_fds", "Files and connections that may be open.")
            .sample(&[], most);
    }
}

/// `VmRSS` is in kibibytes.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes * 1024)
}

fn most_files() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|it| it.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}
