//! Jobs: what a node does without being asked.
//!
//! Every node follows the revocations that other nodes and commands write ([`follow_revocations`]),
//! so that a right taken away elsewhere is refused here within a second, and ends what others left open
//! when they were killed ([`end_leftovers`]). What one node does for all
//! is a [`Schedule`] of its [`Jobs`], under a lease: see [`sweep`]. What all do at once, each taking what
//! nobody has in hand, is [`Steady`]. Not here: the jobs of features, such as letters and the record of
//! events.

mod following;
mod lease;
mod leftovers;
mod schedule;
mod steady;
mod sweeper;

pub use self::following::follow_revocations;
pub use self::lease::{Claim, Lease};
pub use self::leftovers::end_leftovers;
pub use self::schedule::{Jobs, Schedule, TERM};
pub use self::steady::{Steady, Stopping};
pub use self::sweeper::{BATCH, SWEEPING, by_batches, sweep};
