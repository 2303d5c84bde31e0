//! Setup: what a first start makes, and finds again at every other.
//!
//! ```text
//! platform app ── environment ── operator (OWNER), made with the app and never by signing up
//! app          ── production, development (default), each with keys of its own
//! ```
//!
//! All of it is one unit of work: of any number of nodes on an empty store, one makes it and the
//! others find it. Secrets are told by the one that made them, once. Of those that come from outside
//! the store keeps marks, so that another one is noticed.

mod record;
mod repo;
mod report;
mod service;

pub use self::record::SecretMark;
pub use self::repo::{is_other, is_other_than_ever, mark_anew};
pub use self::report::Report;
pub use self::service::{Setup, SetupError, Wanted};
