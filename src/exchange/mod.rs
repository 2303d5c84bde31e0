//! What a key or a token is worth: keys exchanged for access tokens, and either looked into.
//!
//! ```text
//! key ──POST /v1/token/exchange──▶ access token of minutes: this server judges it by the key, others
//!                                  by what it says; it is refused with the key
//! key, access or refresh token ──POST /v1/introspect──▶ what it is good for now, or that it is not
//! ```
//!
//! Nobody signs in by either: a token that a key was exchanged for has no session and is never
//! refreshed. A key whose uses are counted is not exchanged. Whoever introspects asks about his own
//! environment; of anything else he learns nothing.

mod api;
mod introspecting;
mod service;
mod wire;

pub use self::api::routes;
pub use self::service::{Exchange, ExchangeError};
