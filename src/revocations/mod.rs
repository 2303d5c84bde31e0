//! Revocations: the feed by which backends refuse at once what was taken away.
//!
//! ```text
//! a page      what counts, oldest first; `next` leads on, and at the end back to what came since
//! events      the same as it happens (server-sent events), until the client or the node goes
//! ```
//!
//! An environment sees what was revoked in it, and users and roles that were revoked anywhere in its
//! app. Every revocation is told at least once: one may be committed after later ones, so a reader
//! that comes back is told again what was made in the last two minutes ([`crate::kernel::sweep::OVERLAP`]).
//! For backends with a secret key, and administrators. Not here: writing revocations, and refusing by
//! them on this server ([`crate::tokens`]).

mod api;
mod places;
mod repo;
mod service;
mod telling;

pub use self::api::routes;
pub use self::service::Feed;
