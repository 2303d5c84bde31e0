//! Jobs: what a node does without being asked.
//!
//! Now: following the revocations that other nodes and commands write ([`follow_revocations`]).

mod following;

pub use following::follow_revocations;
