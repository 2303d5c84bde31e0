//! How the database fares: verbs, and how long each kind of call takes.

use std::time::Duration;

use crate::kernel::measure::{Counter, Histogram, Measured, Page};

/// What this family of handles has asked of the database.
#[derive(Debug, Default)]
pub(super) struct Measures {
    verbs: Counter,
    reads: Histogram,
    writes: Histogram,
    commits: Histogram,
    failures: Counter,
}

impl Measures {
    /// A verb is about to be sent.
    pub(super) fn sent(&self) {
        self.verbs.add(1);
    }

    pub(super) fn verbs(&self) -> u64 {
        self.verbs.count()
    }

    /// A verb was answered, or not.
    pub(super) fn answered(&self, is_read: bool, took: Duration, is_well: bool) {
        let histogram = if is_read { &self.reads } else { &self.writes };
        histogram.record(took);
        if !is_well {
            self.failures.add(1);
        }
    }

    /// A unit of work was made to last.
    pub(super) fn committed(&self, took: Duration) {
        self.commits.record(took);
    }
}

impl Measured for Measures {
    fn tell(&self, page: &mut Page) {
        let took = page.histogram(
            "authsome_store_duration_seconds",
            "Calls of the database, by kind.",
        );
        took.samples(&[("kind", "read")], &self.reads);
        took.samples(&[("kind", "write")], &self.writes);
        took.samples(&[("kind", "commit")], &self.commits);
        let failures = page.counter(
            "authsome_store_refusals_total",
            "Calls that the database refused or did not answer, lost races and duplicates included.",
        );
        failures.sample(&[], self.failures.count());
    }
}
