//! Magic links: signing in by a letter instead of a password.
//!
//! A link signs in once, for ten minutes, and never makes an account. Whoever follows one holds the
//! address; where it had not been proven before, the account is made his alone: the password, the
//! username and the sessions of whoever made it are gone. Not here: links themselves
//! ([`crate::links`]), sessions ([`crate::sessions`]).

mod api;
mod service;

pub use self::api::routes;
pub use self::service::MagicLinks;
