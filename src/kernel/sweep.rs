//! Sweeps: how a reader of a feed that goes on misses nothing.
//!
//! A reader *sweeps*: page after page from some document on to the last. What is committed
//! meanwhile behind its back was made at most [`OVERLAP`] before the sweep began; so the next sweep
//! starts that much before the beginning of this one, and a cursor carries that beginning along.

use std::fmt::Display;
use std::time::Duration;

use super::page::Position;
use super::time::Timestamp;

/// How far a reading of what is new looks back behind the one before: what the clocks of two nodes
/// may differ by, and what a transaction may take from its clock reading to its commit.
pub const OVERLAP: Duration = Duration::from_mins(2);

/// A sweep, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    pub began: Timestamp,
    /// Exclusive. No identifier stands before all of that instant.
    pub behind: Position,
}

impl Sweep {
    /// Of everything.
    pub fn whole(now: Timestamp) -> Self {
        Self::from(Timestamp::from_millis(0), now)
    }

    /// Of what may have been committed since `read_at`, when all had been read.
    pub fn since(read_at: Timestamp, now: Timestamp) -> Self {
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
    pub fn at(place: Option<&Position>, now: Timestamp) -> Self {
        let Some(place) = place else {
            return Self::whole(now);
        };
        match underway(place) {
            Some(sweep) => sweep,
            None => Self::since(place.at, now),
        }
    }

    /// Whether something has been passed: it is not of this moment.
    pub fn has_begun(&self) -> bool {
        !self.behind.id.is_empty()
    }

    /// Goes on behind the document that was made then.
    pub fn passes(&mut self, at: Timestamp, id: impl Display) {
        let id = id.to_string();
        self.behind = Position { at, id };
    }

    /// Where the sweep goes on.
    pub fn place(&self) -> Position {
        let Position { at, id } = &self.behind;
        Position {
            at: *at,
            id: format!("{} {id}", self.began.as_millis()),
        }
    }
}

/// Where a sweep begins for a reader that knows all that was committed by `read_at`.
pub fn after(read_at: Timestamp) -> Position {
    Position {
        at: read_at,
        id: String::new(),
    }
}

/// The inverse of [`Sweep::place`]; `None` for a place of [`after`].
fn underway(place: &Position) -> Option<Sweep> {
    let (began, id) = place.id.split_once(' ')?;
    let began = Timestamp::from_millis(began.parse().ok()?);
    // Where nothing has been passed yet the identifier is empty.
    let id = id.to_owned();
    Some(Sweep {
        began,
        behind: Position { at: place.at, id },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(2_208_988_800_000);

    #[test]
    fn a_sweep_goes_on_where_its_cursor_says_and_remembers_its_beginning() {
        let id = "arvk_01h2xcejqtf2nbrexx3vqjhp41".to_owned();
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
