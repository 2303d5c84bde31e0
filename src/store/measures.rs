//! How the database fares: verbs, and how long each kind of call takes.

use std::ops::Sub;
use std::time::Duration;

use crate::kernel::measure::{Counter, Histogram, Measured, Page};

/// How often a database was asked, by what for. What two counts differ by is what lies between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Calls {
    pub reads: u64,
    /// Conditional ones that changed nothing included.
    pub writes: u64,
    /// Units of work that were made to last: one call more each, on a database that is far away.
    pub commits: u64,
}

/// What this family of handles has asked of the database.
#[derive(Debug, Default)]
pub(super) struct Measures {
    asked_to_read: Counter,
    asked_to_write: Counter,
    reads: Histogram,
    writes: Histogram,
    commits: Histogram,
    failures: Counter,
}

impl Measures {
    /// A verb is about to be sent.
    pub(super) fn sent(&self, is_read: bool) {
        let counter = if is_read {
            &self.asked_to_read
        } else {
            &self.asked_to_write
        };
        counter.add(1);
    }

    pub(super) fn calls(&self) -> Calls {
        Calls {
            reads: self.asked_to_read.count(),
            writes: self.asked_to_write.count(),
            commits: self.commits.count(),
        }
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

impl Calls {
    /// Of the verbs alone.
    pub fn verbs(self) -> u64 {
        self.reads + self.writes
    }
}

impl Sub for Calls {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            reads: self.reads - before.reads,
            writes: self.writes - before.writes,
            commits: self.commits - before.commits,
        }
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
