//! Tuning: the settings of every level, read and changed by those who may.
//!
//! ```text
//! platform              operators, wherever they act
//! app, environment      administrators of the app, in the environment that they act on
//! organisation          its own administrators
//! ```
//!
//! Not here: what settings there are and which choice counts ([`crate::settings`]).

mod api;
mod organization_api;
mod service;
mod wire;

pub use self::api::routes;
pub use self::service::Tuning;
