//! Cloning: an environment like another one, with its configuration and nothing that happened in it.
//!
//! ```text
//! taken over   settings, allowed origins, pages; webhooks, with secrets of their own and inactive
//! the app's    users, roles for all organisations, session rules: shared as by every environment
//! never        organisations, sessions, keys, tokens, letters, the record
//! ```
//!
//! It stands right of every feature that keeps configuration in an environment, and copies all of it
//! in one unit of work. Not here: environments themselves ([`crate::environments`]).

mod api;
mod service;

pub use self::api::routes;
pub use self::service::Cloning;
