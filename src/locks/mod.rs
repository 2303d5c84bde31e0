//! Locks of accounts after wrong passwords, as administrators see and lift them.
//!
//! A lock ends by itself, after minutes; lifting it also forgets the wrong passwords. Sessions that
//! exist go on meanwhile. Not here: when an account is locked ([`crate::limits`]).

mod api;
mod service;

pub use self::api::routes;
pub use self::service::Locks;
