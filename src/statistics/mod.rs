//! Statistics: how many there are, and how many there were each day.
//!
//! Every figure is counted when it is asked for, in one look at the store, along an index that leads
//! to what is counted: nothing is estimated, and no counter can drift. What each figure means stands
//! in the document, beside the figure. Days are of UTC. Not here: how the server is doing
//! (`/metrics`).

mod api;

pub use self::api::{Statistics, routes};
