//! Verification: proving that an address is one's own, and exchanging it for another.
//!
//! ```text
//! sign-up ──letter──▶ link or code ──▶ verified
//! change  ──password──▶ letter to the new address ──link──▶ changed     The old one is told.
//! ```
//!
//! Whoever asks for a letter is answered before anybody looks whether there is an account
//! (OWASP ASVS 6.3.8). Not here: links themselves ([`crate::links`]).

mod api;
mod service;

pub use self::api::routes;
pub use self::service::Verification;
