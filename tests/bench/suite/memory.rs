//! Memory: of a server that nobody has asked anything, and of one whose sessions have all been used.

use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;

use super::options::Options;
use super::ours::{AT_ONCE, Ground, join};
use super::person::{AskingAll, Person, queue};
use crate::installation::Program;
use crate::load::{Asker, Askers, closed, run};
use crate::machine::Memory;
use crate::server::{Running, Where};
/// In KiB; `pss` is what the process holds alone, and its part of what it shares.
#[derive(Debug, Serialize)]
pub struct Row {
    pub store: &'static str,
    pub sessions: usize,
    pub idle_pss_kib: u64,
    pub idle_rss_kib: u64,
    /// After every session has asked who it is, twice.
    pub loaded_pss_kib: u64,
    pub loaded_rss_kib: u64,
    pub error: Option<String>,
}

pub fn measure(ground: &Ground<'_>, place: &Where, options: &Options) -> Row {
    let mut running = ground.raise(place, &[]);
    let idle = settled(&running);
    running.become_another(Program::Filler);
    let people = join(&running, options.sessions, AT_ONCE);
    running.restart();
    let mut error = None;
    for _ in 0..2 {
        error = error.or(ask_all(&running, &people));
    }
    let loaded = running.memory();
    Row {
        store: place.name(),
        sessions: options.sessions,
        idle_pss_kib: idle.proportional,
        idle_rss_kib: idle.resident,
        loaded_pss_kib: loaded.proportional,
        loaded_rss_kib: loaded.resident,
        error,
    }
}

/// Once what begins with a start is done.
fn settled(running: &Running) -> Memory {
    std::thread::sleep(Duration::from_secs(2));
    running.memory()
}

fn ask_all(running: &Running, people: &[Rc<Person>]) -> Option<String> {
    let queue = queue(people);
    let ask = |_| {
        let one: Box<dyn Asker> = Box::new(AskingAll {
            host: running.address.to_string(),
            queue: queue.clone(),
        });
        one
    };
    let mut askers: Askers = (0..AT_ONCE).map(ask).collect();
    let load = run(closed(running.address, Duration::MAX, &mut askers));
    let (failed, refused) = (load.failed, load.refusals.len());
    let why = load.why.unwrap_or_default();
    (failed + refused > 0).then(|| format!("{failed} failed, {refused} refused: {why}"))
}
