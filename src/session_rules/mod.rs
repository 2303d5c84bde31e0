//! Session rules: how long the sessions of an app live, how many a user has, and what they are
//! bound to.
//!
//! An administrator sets some of the rules; what he leaves out is the server's own default. A node
//! knows them for a second without asking again. What a rule gives when a session begins, its last
//! end, is the session's own from then on; every other rule counts at the next refresh.
//! Not here: keeping to the rules ([`crate::sessions`]).

mod api;
#[cfg(test)]
mod fuzz;
mod record;
mod repo;
mod service;

pub use self::api::routes;
pub use self::record::{Rules, SessionConfig};
pub use self::service::SessionRules;
