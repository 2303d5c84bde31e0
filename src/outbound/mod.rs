//! Outbound: the one way by which this server asks a URL that somebody else has named.
//!
//! ```text
//! text ──Target::parse──▶ Target ──Outbound::post──▶ resolved ─▶ every address judged ─▶ connected
//!          scheme, port, literal address                             Reach
//! ```
//!
//! The address that was judged is the address that is connected to, so a name that resolves to
//! another one the next time gains nothing. No proxy, no redirects, no decompression, seconds
//! in all, and of an answer 64 KiB are read at most (SSRF: OWASP ASVS 1.3.6, 13.2.4–6).
//! Whatever fetches on behalf of a tenant uses this client, and no other.

mod addresses;
mod client;
#[cfg(test)]
mod fuzz;
mod resolving;
mod target;

pub use self::client::{Answered, Outbound, Unbuildable, Unreached};
pub use self::target::{NotATarget, Reach, Target};
