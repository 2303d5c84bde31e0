//! Client configuration: by which ways an app lets people in, and what its pages lead to.
//!
//! ```text
//! administrator ──PUT──▶ [`ClientConfig`] ──▶ GET /v1/client-config   what a page shows
//!                                        └──▶ sessions, magic_links   what the server admits
//! ```
//!
//! A way that is switched off is refused, on every node within a second; sessions that there are go
//! on. Where nothing is set every way is open. Not here: whether sign-up is open in an environment
//! ([`crate::environments`]), and what a form asks ([`crate::forms`]).

mod api;
#[cfg(test)]
mod fuzz;
mod public;
mod record;
mod repo;
mod service;
mod shown;

pub use self::api::routes;
pub use self::record::{ClientConfig, Closed, Method, Offered, SignInName};
pub use self::service::ClientConfigs;
