//! The log of every server of this process, kept: a test looks for what must not be in it.

use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};

use tracing_subscriber::EnvFilter;

static KEPT: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static BEGIN: Once = Once::new();

/// Keeps everything down to `debug` of ours from now on, and `info` of what we stand on.
pub fn keep() {
    BEGIN.call_once(|| {
        let filter = EnvFilter::new("info,authsome=trace");
        let log = tracing_subscriber::fmt()
            .json()
            .with_env_filter(filter)
            .with_writer(|| Keeper);
        log.try_init().expect("the only log of this process");
    });
}

/// The lines so far that hold `text`.
pub fn lines_with(text: &str) -> Vec<String> {
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = String::from_utf8_lossy(&kept);
    kept.lines()
        .filter(|line| line.contains(text))
        .map(str::to_owned)
        .collect()
}

struct Keeper;

impl Write for Keeper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        KEPT.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
