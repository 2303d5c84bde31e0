//! What waits, taken in turns by whose it is, so that nobody's storm is everybody's.
//!
//! ```text
//! a  1 2 3 4 5 6 …
//! b  7              ─▶ 1 7 8 2 9 3 4 …
//! c  8 9
//! ```

use std::collections::{HashMap, VecDeque};

use crate::kernel::id::EnvId;
use crate::kernel::tenant::Tenant;

/// On whose account something is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Share {
    Environment(EnvId),
    /// The installation's own: its first operator.
    Installation,
}

impl From<Tenant> for Share {
    fn from(tenant: Tenant) -> Self {
        Self::Environment(tenant.env_id)
    }
}

/// By what something that waits is found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

#[derive(Debug)]
pub(super) struct Fair<T> {
    /// In the order in which they came; none is empty.
    waiting: HashMap<Share, VecDeque<(Ticket, T)>>,
    /// Whose turn comes when: each of `waiting` once.
    turns: VecDeque<Share>,
    length: usize,
    next: u64,
}

impl<T> Default for Fair<T> {
    fn default() -> Self {
        Self {
            waiting: HashMap::new(),
            turns: VecDeque::new(),
            length: 0,
            next: 0,
        }
    }
}

impl<T> Fair<T> {
    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn push(&mut self, share: Share, thing: T) -> Ticket {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.length += 1;
        let own = self.waiting.entry(share).or_default();
        if own.is_empty() {
            self.turns.push_back(share);
        }
        own.push_back((ticket, thing));
        ticket
    }

    /// The first thing that `fits` of the first whose turn it is and who has one; his next turn comes
    /// after everybody else's.
    pub(super) fn take(&mut self, fits: impl Fn(&T) -> bool) -> Option<T> {
        let mut found = None;
        for (turn, share) in self.turns.iter().enumerate() {
            let own = self.waiting.get(share)?;
            if let Some(at) = own.iter().position(|(_, thing)| fits(thing)) {
                found = Some((turn, *share, at));
                break;
            }
        }
        let (turn, share, at) = found?;
        self.turns.remove(turn);
        self.turns.push_back(share);
        self.removed(share, at)
    }

    /// What has not been taken, for whoever does not wait any more.
    pub(super) fn give_up(&mut self, share: Share, ticket: Ticket) -> Option<T> {
        let own = self.waiting.get(&share)?;
        let at = own.binary_search_by_key(&ticket, |(ticket, _)| *ticket);
        self.removed(share, at.ok()?)
    }

    /// The newest thing of who has the most, if he has so much that `share` may have its place.
    pub(super) fn yields_to(&mut self, share: Share) -> Option<T> {
        let own = self.waiting.get(&share).map_or(0, VecDeque::len);
        let (most, things) = self.waiting.iter().max_by_key(|(_, things)| things.len())?;
        let (most, last) = (*most, things.len().checked_sub(1)?);
        (last > own).then(|| self.removed(most, last))?
    }

    /// How many are taken before what `share` asks for next, if nobody else asks for anything.
    pub(super) fn ahead_of(&self, share: Share) -> usize {
        let own = self.waiting.get(&share).map_or(0, VecDeque::len);
        let of_each = self.waiting.values();
        of_each.map(|things| things.len().min(own + 1)).sum()
    }

    fn removed(&mut self, share: Share, at: usize) -> Option<T> {
        let own = self.waiting.get_mut(&share)?;
        let (_, thing) = own.remove(at)?;
        self.length -= 1;
        if own.is_empty() {
            self.waiting.remove(&share);
            self.turns.retain(|it| *it != share);
        }
        Some(thing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::entropy::Entropy;
    use crate::kernel::id::Id;
    use crate::kernel::time::Timestamp;

    fn shares<const N: usize>() -> [Share; N] {
        let entropy = Entropy::seeded(1);
        std::array::from_fn(|_| Share::Environment(Id::new(Timestamp::from_millis(0), &entropy)))
    }

    fn all(fair: &mut Fair<u32>) -> Vec<u32> {
        std::iter::from_fn(|| fair.take(|_| true)).collect()
    }

    #[test]
    fn one_of_each_is_taken_in_turn_and_of_one_in_the_order_they_came() {
        let ([a, b, c], mut fair) = (shares(), Fair::default());
        for (share, thing) in [(a, 1), (a, 2), (a, 3), (a, 4), (b, 5), (c, 6), (c, 7)] {
            fair.push(share, thing);
        }

        assert_eq!(fair.len(), 7);
        assert_eq!(all(&mut fair), [1, 5, 6, 2, 7, 3, 4]);
        assert_eq!(fair.len(), 0);
    }

    #[test]
    fn whoever_comes_into_a_storm_is_next_but_one() {
        let ([storm, late], mut fair) = (shares(), Fair::default());
        for thing in 0..1_000 {
            fair.push(storm, thing);
        }
        assert_eq!(fair.take(|_| true), Some(0));
        assert_eq!((fair.ahead_of(late), fair.ahead_of(storm)), (1, 999));
        fair.push(late, 2_000);

        assert_eq!(fair.take(|_| true), Some(1));
        assert_eq!(fair.take(|_| true), Some(2_000));
        assert_eq!(fair.take(|_| true), Some(2));
    }

    #[test]
    fn what_does_not_fit_keeps_its_place_and_its_turn() {
        let ([a, b], mut fair) = (shares(), Fair::default());
        for (share, thing) in [(a, 1), (a, 2), (b, 3), (b, 4)] {
            fair.push(share, thing);
        }

        assert_eq!(fair.take(|it| it % 2 == 0), Some(2));
        assert_eq!(fair.take(|it| it % 2 == 0), Some(4));
        assert_eq!(fair.take(|it| it % 2 == 0), None);

        assert_eq!(all(&mut fair), [1, 3]);
    }

    #[test]
    fn what_is_given_up_is_gone_and_what_was_taken_cannot_be() {
        let ([a, b], mut fair) = (shares(), Fair::default());
        let tickets = [1, 2, 3].map(|thing| fair.push(a, thing));
        let other = fair.push(b, 4);

        assert_eq!(fair.give_up(a, tickets[1]), Some(2));
        assert_eq!(fair.give_up(a, tickets[1]), None);
        assert_eq!(fair.give_up(a, other), None);
        assert_eq!(fair.give_up(b, other), Some(4));
        assert_eq!(fair.take(|_| true), Some(1));
        assert_eq!(fair.give_up(a, tickets[0]), None);

        assert_eq!(all(&mut fair), [3]);
        assert_eq!(fair.len(), 0);
    }

    #[test]
    fn who_has_most_makes_room_until_all_have_as_much() {
        let ([a, b, c], mut fair) = (shares(), Fair::default());
        for (share, thing) in [(a, 1), (a, 2), (a, 3), (a, 4), (b, 5)] {
            fair.push(share, thing);
        }

        assert_eq!(fair.yields_to(a), None);
        assert_eq!(fair.yields_to(c), Some(4));
        fair.push(c, 6);
        assert_eq!(fair.yields_to(c), Some(3));
        fair.push(c, 7);

        assert_eq!([a, b, c].map(|it| fair.yields_to(it)), [None; 3]);
        assert_eq!(all(&mut fair), [1, 5, 6, 2, 7]);
    }

    #[test]
    fn ahead_of_somebody_are_all_his_own_and_as_many_and_one_of_the_others() {
        let ([a, b, c], mut fair) = (shares(), Fair::default());
        for (share, many) in [(a, 10), (b, 2)] {
            for thing in 0..many {
                fair.push(share, thing);
            }
        }

        assert_eq!([a, b, c].map(|it| fair.ahead_of(it)), [12, 5, 2]);
    }
}
