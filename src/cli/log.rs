//! What a server says while it runs: written if somebody reads it, dropped if not.
//!
//! ```text
//! a line ──▶ kept, 1 MiB at most ──▶ a thread of its own, ──▶ the stream
//!              └─ full: dropped      some lines at a time  └─ cannot be written: dropped
//! ```
//!
//! Whoever speaks never waits, and never fails: a disk that is full, a reader that is gone and one
//! that has stopped reading are no reason to serve nobody (ASVS 16.5.2). What was dropped is counted,
//! and told in the log as soon as it can be written again. At an end in order what is kept is
//! written, for a second at most.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::mem;
use std::panic;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// How much is kept for a stream that is slower than those who speak.
const MOST_KEPT: usize = 1 << 20;
/// How long lines are gathered, and how much, before the thread is woken for them.
const GATHERED_FOR: Duration = Duration::from_millis(5);
const GATHERED: usize = 64 << 10;
/// How long the end waits for what is kept.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Begins the log of this process, on standard error. It ends when what is returned is dropped.
pub(super) fn begin(log: &Log) -> anyhow::Result<Stream> {
    let filter = EnvFilter::try_new(&log.level).context("the log level is not one")?;
    let told = |dropped| tracing::warn!(dropped, "lines of the log could not be written");
    let stream = Stream::to(io::stderr(), told).context("the log cannot be started")?;
    let voice = stream.voice();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(move || voice.clone())
        .log_internal_errors(false);
    let set = match log.format {
        LogFormat::Json => subscriber.json().try_init(),
        LogFormat::Text => subscriber.with_ansi(false).try_init(),
    };
    set.map_err(|error| anyhow!("the log cannot be started: {error}"))?;
    log_panics();
    Ok(stream)
}

/// Says one thing beside the log, for which nobody has to listen; takes a second at most.
pub(super) fn say(out: impl Write + Send + 'static, text: &str) {
    if let Ok(stream) = Stream::to(out, |_| ()) {
        stream.voice().keep(format!("{text}\n").as_bytes());
    }
}

/// The hook of the standard library writes to standard error itself, and waits for its reader.
fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let why = panic.payload_as_str();
        let backtrace = Backtrace::capture();
        let captured = backtrace.status() == BacktraceStatus::Captured;
        let backtrace = captured.then(|| backtrace.to_string());
        tracing::error!(place, why, backtrace, "panicked");
    }));
}

/// A stream that nobody waits for. Dropping it writes what is kept, for [`LAST_WORDS`] at most.
#[derive(Debug)]
pub(super) struct Stream(Arc<Shared>);

/// What speaks to a stream, a line a call.
#[derive(Debug, Clone)]
struct Voice(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    kept: Vec<u8>,
    is_writing: bool,
    is_over: bool,
    /// Lines, since the beginning.
    dropped: u64,
}

impl Stream {
    /// `tell` hears how many lines were dropped so far, when one could be written after them.
    fn to(
        out: impl Write + Send + 'static,
        tell: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let theirs = shared.clone();
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || theirs.write_all(Output::of(out), tell))?;
        Ok(Self(shared))
    }

    fn voice(&self) -> Voice {
        Voice(self.0.clone())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_over = true;
        self.0.changed.notify_all();
        let unwritten = |state: &mut State| state.is_writing || !state.kept.is_empty();
        // Too late or not: the process may end.
        drop(
            self.0
                .changed
                .wait_timeout_while(state, LAST_WORDS, unwritten),
        );
    }
}

impl Voice {
    fn keep(&self, line: &[u8]) {
        let mut state = self.0.state();
        if state.kept.len() + line.len() > MOST_KEPT {
            state.dropped += lines(line);
            return;
        }
        let before = state.kept.len();
        state.kept.extend_from_slice(line);
        // To wake a thread costs more than to write a line.
        if before == 0 || (before < GATHERED && state.kept.len() >= GATHERED) {
            self.0.changed.notify_all();
        }
    }
}

impl Write for Voice {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.keep(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    /// What is kept is whole also after a panic elsewhere.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self, mut output: Output<impl Write>, tell: impl Fn(u64)) {
        let mut told = 0;
        while let Some(kept) = self.next() {
            let unwritten = output.write(&kept);
            let dropped = self.written(unwritten);
            if unwritten == 0 && dropped > told {
                told = dropped;
                tell(dropped);
            }
        }
    }

    /// What is to be written, as soon as there is something; `None` when all is over.
    fn next(&self) -> Option<Vec<u8>> {
        let is_idle = |state: &mut State| state.kept.is_empty() && !state.is_over;
        let waited = self.changed.wait_while(self.state(), is_idle);
        let state = waited.unwrap_or_else(PoisonError::into_inner);
        let has_room = |state: &mut State| state.kept.len() < GATHERED && !state.is_over;
        let gathered = self
            .changed
            .wait_timeout_while(state, GATHERED_FOR, has_room);
        let (mut state, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        state.is_writing = !state.kept.is_empty();
        state.is_writing.then(|| mem::take(&mut state.kept))
    }

    /// How many lines have been dropped so far, with those that could not be written now.
    fn written(&self, unwritten: u64) -> u64 {
        let mut state = self.state();
        state.is_writing = false;
        state.dropped += unwritten;
        self.changed.notify_all();
        state.dropped
    }
}

/// Where lines go.
struct Output<W> {
    out: W,
    /// The last line has no end.
    is_torn: bool,
}

impl<W: Write> Output<W> {
    fn of(out: W) -> Self {
        let is_torn = false;
        Self { out, is_torn }
    }

    /// Writes what it can; how many lines it could not.
    fn write(&mut self, text: &[u8]) -> u64 {
        if self.is_torn && !self.writes(b"\n").is_empty() {
            return lines(text);
        }
        let rest = self.writes(text);
        let written = text.len() - rest.len();
        self.is_torn = written > 0 && text.get(written - 1) != Some(&b'\n');
        lines(rest)
    }

    /// What could not be written.
    fn writes<'a>(&mut self, text: &'a [u8]) -> &'a [u8] {
        let mut rest = text;
        while !rest.is_empty() {
            match self.out.write(rest) {
                Ok(written) if written > 0 => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => break,
            }
        }
        // What standard output still holds back was not written either, but nobody knows how much.
        let _ = self.out.flush();
        rest
    }
}

fn lines(text: &[u8]) -> u64 {
    let ends = text.iter().filter(|byte| **byte == b'\n');
    u64::try_from(ends.count()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
