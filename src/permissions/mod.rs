//! Permissions: what can be allowed in an app, and asking who is allowed what.
//!
//! ```text
//! the product's table ┐
//! what the app registers ┴─▶ catalogue ──▶ policy of each organisation ──▶ check: yes or no, and why
//! ```
//!
//! An app registers resources and actions of its own; roles grant them, tokens carry them, and its
//! backends guard them. What is registered no more is allowed to nobody, whatever roles still grant;
//! registered again, it is allowed to them again. A check is answered as a guard would decide, for
//! oneself or for others as far as one may ask; what the asker may not know of, and what there is
//! not, is one answer. Not here: what is registered as a document ([`crate::rbac`]), and what
//! somebody is in an organisation ([`crate::memberships`]).

mod api;
mod asking;
mod check_api;
mod deciding;
mod looking;
mod registering;
mod service;

pub use self::api::routes;
pub use self::service::Permissions;
