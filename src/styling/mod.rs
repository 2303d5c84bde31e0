//! Styling: branding, read and changed by those who may.
//!
//! ```text
//! app            its administrators
//! organisation   members read it, those who may change the organisation set it
//! ```
//!
//! Not here: what can be set and what counts ([`crate::branding`]).

mod api;
mod organization_api;
mod service;
mod wire;

pub use self::api::routes;
pub use self::service::Styling;
