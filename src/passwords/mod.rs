//! Passwords: changing one that is known, and setting one anew by letter.
//!
//! ```text
//! known       ──change──▶ changed    every other session ends
//! forgotten   ──letter──▶ link ──▶ set anew    every session ends, every other link is void
//! ```
//!
//! Whoever follows a link holds the address. Where it had not been proven before, the account is
//! made his alone: a username, a number or API keys that somebody else left there are gone. Of an
//! account whose address was proven the keys stay, whatever becomes of its password. Not here: how a
//! password is hashed ([`crate::credentials`]) and judged ([`crate::sessions`]).

mod api;
mod service;

pub use self::api::routes;
pub use self::service::Passwords;
