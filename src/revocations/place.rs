//! Places in the feed: how a reader that goes on misses nothing.
//!
//! A reader *sweeps*: page after page from some revocation on to the last. What is committed
//! meanwhile behind its back was made at most [`OVERLAP`] before the sweep began; so the next sweep
//! starts that much before the beginning of this one, and a cursor carries that beginning along.

use crate::kernel::id::RevocationId;
use crate::kernel::page::Position;
use crate::kernel::time::Timestamp;
use crate::tokens::{OVERLAP, Revocation};

/// A sweep, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sweep {
    pub(super) began: Timestamp,
    /// Exclusive. No identifier stands before all of that instant.
    pub(super) behind: Position,
}

impl Sweep {
    /// Of everything.
    pub(super) fn whole(now: Timestamp) -> Self {
        Self::from(Timestamp::from_millis(0), now)
    }

    /// Of what may have been committed since `read_at`, when all had been read.
    pub(super) fn since(read_at: Timestamp, now: Timestamp) -> Self {
        Self::from(read_at.minus(OVERLAP), now)
    }

    fn from(at: Timestamp, began: Timestamp) -> Self {
        let id = String::new();
        Self {
            began,
            behind: Position { at, id },
        }
    }

    /// The sweep that a cursor leads on to.
    pub(super) fn at(place: Option<&Position>, now: Timestamp) -> Self {
        let Some(place) = place else {
            return Self::whole(now);
        };
        match underway(place) {
            Some(sweep) => sweep,
            None => Self::since(place.at, now),
        }
    }

    /// Whether something has been passed: it is not of this moment.
    pub(super) fn has_begun(&self) -> bool {
        !self.behind.id.is_empty()
    }

    pub(super) fn passes(&mut self, revocation: &Revocation) {
        self.behind = Position {
            at: revocation.created_at,
            id: revocation.id.to_string(),
        };
    }

    /// Where the sweep goes on.
    pub(super) fn place(&self) -> Position {
        let Position { at, id } = &self.behind;
        Position {
            at: *at,
            id: format!("{} {id}", self.began.as_millis()),
        }
    }
}

/// Where a sweep begins for a reader that knows all that was committed by `read_at`.
pub(super) fn after(read_at: Timestamp) -> Position {
    Position {
        at: read_at,
        id: String::new(),
    }
}

/// The inverse of [`Sweep::place`]; `None` for a place of [`after`].
fn underway(place: &Position) -> Option<Sweep> {
    let (began, id) = place.id.split_once(' ')?;
    let began = Timestamp::from_millis(began.parse().ok()?);
    // Nothing has been passed yet: the identifier is empty.
    let is_whole = id.is_empty() || id.parse::<RevocationId>().is_ok();
    is_whole.then(|| Sweep {
        began,
        behind: Position {
            at: place.at,
            id: id.to_owned(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::entropy::Entropy;

    const NOON: Timestamp = Timestamp::from_millis(2_208_988_800_000);

    #[test]
    fn a_sweep_goes_on_where_its_cursor_says_and_remembers_its_beginning() {
        let id = RevocationId::new(NOON, &Entropy::seeded(1)).to_string();
        let sweep = Sweep {
            began: NOON.minus(OVERLAP),
            behind: Position { at: NOON, id },
        };

        assert_eq!(Sweep::at(Some(&sweep.place()), NOON.plus(OVERLAP)), sweep);
        let unbegun = Sweep::since(NOON, NOON);
        assert_eq!(
            Sweep::at(Some(&unbegun.place()), NOON.plus(OVERLAP)),
            unbegun
        );
    }

    #[test]
    fn a_sweep_that_has_ended_is_followed_by_one_from_before_its_beginning() {
        let next = Sweep::at(Some(&after(NOON)), NOON.plus(OVERLAP));

        assert_eq!(next, Sweep::since(NOON, NOON.plus(OVERLAP)));
        assert_eq!(next.behind.at, NOON.minus(OVERLAP));
    }

    #[test]
    fn without_a_cursor_everything_is_swept() {
        assert_eq!(Sweep::at(None, NOON), Sweep::whole(NOON));
    }
}
