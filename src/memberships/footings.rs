//! Footings in memory: for questions, and never for what is written or shown.
//!
//! ```text
//! what is kept counts as long as     because of what has changed since
//! no mark says otherwise             on this node: whoever writes marks before he is answered
//! no token of its versions is ended  elsewhere: whoever takes a role away ends older tokens
//! it is no second old                elsewhere, and anything else
//! ```
//!
//! Of each of these there is one source, which others rely on too: [`Tx::has_changed`], the index of
//! revocations, and time that nobody can set. Nothing has to be dropped, so nothing can be forgotten
//! to be; and of a look that a change has overtaken, nothing is ever used.
//! Not here: what is written into tokens, which outlives a second by far, and is read from the store.

use std::sync::Arc;

use moka::sync::Cache;

use super::standing::Footing;
use crate::kernel::id::{OrgId, UserId};
use crate::kernel::measure::{Lookups, Measured, Page};
use crate::kernel::tenant::Tenant;
use crate::store::{Moment, Tx};
use crate::tokens::{RevocationIndex, STALE_AFTER};

/// How many bytes of footings are kept: some six thousand.
const KEPT: u64 = 8 << 20;

/// In which organisation; and which user, or nobody in particular.
pub(super) type Where = (OrgId, Option<UserId>);

/// The footings that this node has seen within the last second. Clones share what they know.
#[derive(Debug, Clone)]
pub struct Footings {
    kept: Cache<(Tenant, Where), Kept>,
    revocations: RevocationIndex,
    lookups: Arc<Lookups>,
}

#[derive(Debug, Clone)]
struct Kept {
    footing: Arc<Footing>,
    /// When the look at the store began.
    seen: Moment,
}

impl Footings {
    pub fn new(revocations: RevocationIndex) -> Self {
        let kept = Cache::builder()
            .max_capacity(KEPT)
            .time_to_live(STALE_AFTER)
            .weigher(|_, kept: &Kept| u32::try_from(kept.footing.weight()).unwrap_or(u32::MAX))
            .build();
        Self {
            kept,
            revocations,
            lookups: Arc::default(),
        }
    }

    /// What is known, for a unit of work that only looks.
    pub(super) fn get(&self, tx: &Tx<'_, Tenant>, place: Where) -> Option<Arc<Footing>> {
        tx.moment()?;
        let kept = self.kept.get(&(tx.scope(), place));
        let kept = kept.filter(|kept| self.counts(tx, place, kept));
        Some(self.lookups.noted(kept)?.footing)
    }

    /// Keeps what a unit of work that only looks has seen.
    pub(super) fn keep(&self, tx: &Tx<'_, Tenant>, place: Where, footing: &Arc<Footing>) {
        let Some(seen) = tx.moment() else {
            return;
        };
        let footing = footing.clone();
        self.kept
            .insert((tx.scope(), place), Kept { footing, seen });
    }

    fn counts(&self, tx: &Tx<'_, Tenant>, (org, user): Where, kept: &Kept) -> bool {
        let (app, seen) = (tx.scope().app_id, kept.seen);
        let has_changed = tx.has_changed(org, seen) || tx.has_changed(app, seen);
        let versions = kept.footing.versions();
        seen.age() < STALE_AFTER
            && !has_changed
            && !self.revocations.is_outdated((app, user), versions)
    }
}

impl Measured for Footings {
    fn tell(&self, page: &mut Page) {
        self.lookups.tell(page, "standings");
    }
}

#[cfg(test)]
mod tests;
