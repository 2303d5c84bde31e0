//! Places: how many may follow at once, on a node and of one environment.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::kernel::id::EnvId;

/// Clients that a node tells of revocations as they happen.
const MOST: usize = 1_000;
/// Of them, those of one environment: nobody takes the places of all others.
const MOST_OF_ONE: usize = 200;

type Taken = HashMap<EnvId, usize>;

/// The places of a node. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(Arc<Mutex<Taken>>);

/// A place, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    of: Places,
    environment: EnvId,
}

impl Places {
    /// A place for a follower of an environment, while there is one.
    pub(super) fn take(&self, environment: EnvId) -> Option<Place> {
        let mut taken = self.taken();
        if taken.values().sum::<usize>() >= MOST {
            return None;
        }
        let of_one = taken.entry(environment).or_default();
        if *of_one >= MOST_OF_ONE {
            return None;
        }
        *of_one += 1;
        Some(Place {
            of: self.clone(),
            environment,
        })
    }

    /// Counts are whole also after a panic elsewhere.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Entry::Occupied(mut of_one) = self.of.taken().entry(self.environment) {
            *of_one.get_mut() -= 1;
            if *of_one.get() == 0 {
                of_one.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::entropy::Entropy;
    use crate::kernel::time::Timestamp;

    fn environments() -> Vec<EnvId> {
        let entropy = Entropy::seeded(1);
        let new = |_| EnvId::new(Timestamp::from_millis(0), &entropy);
        (0..6).map(new).collect()
    }

    #[test]
    fn an_environment_has_so_many_followers_and_leaves_the_others_theirs() {
        let (places, of) = (Places::default(), environments());
        let mut taken: Vec<_> = (0..MOST_OF_ONE).map(|_| places.take(of[0])).collect();

        assert!(taken.iter().all(Option::is_some));
        assert!(places.clone().take(of[0]).is_none());
        assert!(places.take(of[1]).is_some());
        taken.pop();
        assert!(places.take(of[0]).is_some());
        drop(taken);
        assert!(places.taken().is_empty());
    }

    #[test]
    fn a_node_has_so_many_followers_and_no_more() {
        let (places, of) = (Places::default(), environments());
        let mut taken: Vec<_> = of[..5]
            .iter()
            .flat_map(|one| (0..MOST_OF_ONE).map(|_| places.take(*one)))
            .collect();

        assert_eq!(taken.iter().flatten().count(), MOST);
        assert!(places.take(of[5]).is_none());
        taken.pop();
        assert!(places.take(of[5]).is_some());
    }
}
