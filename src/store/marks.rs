//! Marks: what units of work of this process have changed, for whoever keeps what he has seen.
//!
//! ```text
//! a look   moment ── reads ────────────────────────── keeps what it saw, with the moment
//! a work   ───────── writes ── commit ── mark ── answer
//! ```
//!
//! Moments and marks are numbers of one count. A look that has not seen a commit has begun before it,
//! so its moment is below the mark: what it keeps has changed for everybody who asks after the mark,
//! and nobody was told of the commit before. A mark too many costs a look, and says nothing untrue:
//! so names share [`PLACES`], a unit that fails marks as well, and one that writes where it should
//! have named something, and has named nothing, marks everything.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::tx::Tx;
use crate::kernel::measure::Stopwatch;

/// How many marks there are, for any number of names: 32 KiB.
const PLACES: usize = 4096;

/// The marks of one family of handles.
#[derive(Debug)]
pub(super) struct Marks {
    count: AtomicU64,
    places: Box<[AtomicU64]>,
    everything: AtomicU64,
    hasher: RandomState,
}

/// When a look at the store has begun.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    count: u64,
    watch: Stopwatch,
}

/// What a unit of work marks when it has ended, whichever way.
#[derive(Debug)]
pub(super) struct Changes {
    marks: Arc<Marks>,
    named: Vec<usize>,
    has_written: bool,
}

impl Moment {
    /// How long ago that is.
    pub fn age(self) -> Duration {
        self.watch.elapsed()
    }
}

impl Default for Marks {
    fn default() -> Self {
        Self {
            count: AtomicU64::new(0),
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            everything: AtomicU64::new(0),
            hasher: RandomState::new(),
        }
    }
}

impl Marks {
    pub(super) fn moment(&self) -> Moment {
        Moment {
            count: self.count.load(Ordering::SeqCst),
            watch: Stopwatch::start(),
        }
    }

    /// Whether anything of this name may have been changed since a look that began then.
    pub(super) fn has_changed(&self, name: impl Hash, since: Moment) -> bool {
        let is_later = |mark: &AtomicU64| mark.load(Ordering::SeqCst) > since.count;
        is_later(&self.places[self.place_of(name)]) || is_later(&self.everything)
    }

    fn place_of(&self, name: impl Hash) -> usize {
        // Fewer places than any `usize` can tell apart.
        usize::try_from(self.hasher.hash_one(name) % PLACES as u64).unwrap_or_default()
    }

    fn mark<'a>(&'a self, marks: impl Iterator<Item = &'a AtomicU64>) {
        let now = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        for mark in marks {
            mark.fetch_max(now, Ordering::SeqCst);
        }
    }
}

impl Changes {
    pub(super) fn of(marks: Arc<Marks>) -> Self {
        Self {
            marks,
            named: Vec::new(),
            has_written: false,
        }
    }

    pub(super) fn marks(&self) -> &Marks {
        &self.marks
    }

    /// The unit is about to change something of this name.
    pub(super) fn name(&mut self, name: impl Hash) {
        self.named.push(self.marks.place_of(name));
    }

    /// The unit is about to write where whoever writes names what he changes.
    pub(super) fn written(&mut self) {
        self.has_written = true;
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        if !self.named.is_empty() {
            let places = self.named.iter().map(|place| &self.marks.places[*place]);
            self.marks.mark(places);
        } else if self.has_written {
            self.marks.mark([&self.marks.everything].into_iter());
        }
    }
}

impl<S: Copy> Tx<'_, S> {
    /// Says that this unit of work changes something of this name, which somebody may keep in memory.
    pub fn mark(&mut self, name: impl Hash) {
        self.unit.mark(name);
    }

    /// When this unit of work began, where all it can do is look; `None` where it may write, for what
    /// it reads may never come to be.
    pub fn moment(&self) -> Option<Moment> {
        self.unit.looks_since()
    }

    /// Whether a unit of work of this process has changed something of this name that a look since
    /// then need not have seen. Whatever a caller was told of counts.
    pub fn has_changed(&self, name: impl Hash, since: Moment) -> bool {
        self.unit.marks().has_changed(name, since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(marks: &Arc<Marks>, name: Option<&str>) {
        let mut changes = Changes::of(marks.clone());
        changes.written();
        if let Some(name) = name {
            changes.name(name);
        }
    }

    /// Two names that do not happen to share a place.
    fn names(marks: &Marks) -> [String; 2] {
        let first = "first".to_owned();
        let is_apart = |name: &String| marks.place_of(name) != marks.place_of(&first);
        let other = (0..1_000).map(|nth| format!("other-{nth}")).find(is_apart);
        [first, other.unwrap()]
    }

    #[test]
    fn what_is_changed_has_changed_for_looks_that_began_before_and_for_no_others() {
        let marks = Arc::new(Marks::default());
        let [mine, other] = names(&marks);
        let before = marks.moment();

        work(&marks, Some(&mine));

        let after = marks.moment();
        let changed = |name: &str, since| marks.has_changed(name, since);
        assert!(changed(&mine, before) && !changed(&mine, after));
        assert!(!changed(&other, before) && !changed(&other, after));
    }

    #[test]
    fn a_unit_that_names_nothing_has_changed_everything() {
        let marks = Arc::new(Marks::default());
        let before = marks.moment();

        work(&marks, None);

        assert!(marks.has_changed("anything", before));
        assert!(!marks.has_changed("anything", marks.moment()));
    }

    #[test]
    fn a_unit_marks_when_it_has_ended_and_not_before() {
        let marks = Arc::new(Marks::default());
        let before = marks.moment();
        let mut changes = Changes::of(marks.clone());

        changes.name("mine");

        assert!(!marks.has_changed("mine", before));
        drop(changes);
        assert!(marks.has_changed("mine", before));
    }
}
