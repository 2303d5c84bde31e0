//! Lanes: how much a node sends at once, in all and to each webhook.
//!
//! A webhook that answers has a wide lane; one whose last attempt on this node failed has a narrow one,
//! until one arrives. So whoever is slow holds up to a few places, for as long as is waited each, and the
//! deliveries of all others pass by.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::kernel::id::WebhookId;

/// Deliveries in hand at once, on a node.
pub(super) const PLACES: usize = 128;
/// Of them, those to one webhook.
const WIDE: usize = 16;
const NARROW: usize = 1;
/// A lane is filled again once it is half empty, so that several deliveries are taken in one unit.
const REFILLED: usize = WIDE / 2;
/// Failing webhooks that a node remembers.
const REMEMBERED: usize = 10_000;

/// What is under way. Clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Lanes(Rc<RefCell<UnderWay>>);

#[derive(Debug, Default)]
struct UnderWay {
    in_hand: HashMap<WebhookId, usize>,
    failing: HashSet<WebhookId>,
}

/// A delivery's place in its lane, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    lanes: Lanes,
    webhook: WebhookId,
}

impl Lanes {
    pub(super) fn free(&self) -> usize {
        PLACES.saturating_sub(self.0.borrow().in_hand.values().sum())
    }

    /// How many more may be sent to a webhook now.
    pub(super) fn room(&self, webhook: WebhookId) -> usize {
        self.0.borrow().room(webhook)
    }

    /// Webhooks for which nothing more is taken in hand for now.
    pub(super) fn closed(&self) -> Vec<WebhookId> {
        let under_way = self.0.borrow();
        let is_closed = |webhook: &WebhookId| under_way.room(*webhook) < REFILLED;
        let in_hand = under_way.in_hand.keys().copied();
        in_hand.filter(is_closed).collect()
    }

    pub(super) fn enter(&self, webhook: WebhookId) -> Place {
        *self.0.borrow_mut().in_hand.entry(webhook).or_default() += 1;
        Place {
            lanes: self.clone(),
            webhook,
        }
    }
}

impl UnderWay {
    fn room(&self, webhook: WebhookId) -> usize {
        let width = if self.failing.contains(&webhook) {
            NARROW
        } else {
            WIDE
        };
        let in_hand = self.in_hand.get(&webhook).copied().unwrap_or_default();
        width.saturating_sub(in_hand)
    }
}

impl Place {
    /// Whether what was sent has arrived.
    pub(super) fn learns(&self, has_arrived: bool) {
        let failing = &mut self.lanes.0.borrow_mut().failing;
        if has_arrived {
            failing.remove(&self.webhook);
        } else if failing.len() < REMEMBERED {
            failing.insert(self.webhook);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let in_hand = &mut self.lanes.0.borrow_mut().in_hand;
        if let Some(count) = in_hand.get_mut(&self.webhook) {
            *count -= 1;
            if *count == 0 {
                in_hand.remove(&self.webhook);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::entropy::Entropy;
    use crate::kernel::time::Timestamp;

    fn webhooks<const N: usize>() -> [WebhookId; N] {
        let entropy = Entropy::seeded(1);
        [(); N].map(|()| WebhookId::new(Timestamp::from_millis(0), &entropy))
    }

    #[test]
    fn no_webhook_takes_more_than_its_lane() {
        let ([slow, other], lanes) = (webhooks(), Lanes::default());
        let mut places = Vec::new();

        while lanes.room(slow) > 0 {
            places.push(lanes.enter(slow));
        }

        assert_eq!(lanes.free(), PLACES - WIDE);
        assert_eq!(lanes.closed(), [slow]);
        assert_eq!(lanes.room(other), WIDE);
    }

    #[test]
    fn a_lane_opens_again_when_it_is_half_empty() {
        let ([webhook], lanes) = (webhooks(), Lanes::default());
        let mut places: Vec<_> = (0..WIDE).map(|_| lanes.enter(webhook)).collect();

        for left in 1..=WIDE {
            places.pop();
            assert_eq!(lanes.closed().is_empty(), left >= REFILLED, "{left}");
        }
        assert_eq!(lanes.free(), PLACES);
    }

    #[test]
    fn whoever_fails_is_tried_one_at_a_time_until_something_arrives() {
        let ([webhook], lanes) = (webhooks(), Lanes::default());
        lanes.enter(webhook).learns(false);

        assert_eq!(lanes.room(webhook), NARROW);
        let place = lanes.enter(webhook);
        assert_eq!((lanes.room(webhook), lanes.closed()), (0, vec![webhook]));
        drop(place);
        assert_eq!(lanes.room(webhook), NARROW);
        lanes.enter(webhook).learns(true);
        assert_eq!(lanes.room(webhook), WIDE);
    }

    #[test]
    fn many_slow_ones_leave_places_for_others() {
        let (slow, lanes) = (webhooks::<100>(), Lanes::default());
        let fails_and_goes_on = |webhook| {
            lanes.enter(webhook).learns(false);
            assert_eq!(lanes.room(webhook), NARROW);
            lanes.enter(webhook)
        };

        let places = slow.map(fails_and_goes_on);

        assert_eq!(lanes.free(), PLACES - places.len());
    }
}
