//! Discovery: what a backend or client reads before it trusts or calls this server.
//!
//! The key set lets backends verify access tokens offline; the manifest says where everything is.
//! Both are public. Not here: keys themselves ([`crate::tokens`]).

mod api;

pub use self::api::{Issuer, routes};
