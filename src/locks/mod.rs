//! Locks: what an administrator sees of an account that is locked after wrong passwords, and lifts.
//!
//! A lock ends by itself, after minutes; lifting it also forgets the wrong passwords. Not here: when
//! an account is locked ([`crate::limits`]).

mod api;
mod service;

pub use self::api::routes;
pub use self::service::Locks;
