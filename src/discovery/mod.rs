//! Discovery: what a backend or client reads before it trusts or calls this server.
//!
//! ```text
//! issuer ──.well-known/openid-configuration, or oauth-authorization-server──▶ metadata ─▶ key set
//! origin ──.well-known/authsome/manifest──▶ where everything is
//! ```
//!
//! The key set lets backends verify access tokens offline. All of it is public, and the metadata says
//! nothing that is not so: this is no OpenID provider, and nobody is sent here to be authorised.
//! Not here: keys themselves ([`crate::tokens`]).

mod api;
mod metadata;

pub use self::api::{Issuer, routes};
