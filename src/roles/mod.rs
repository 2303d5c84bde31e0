//! Roles that somebody defines: an app for all its organisations, or an organisation for itself.
//!
//! ```text
//! built in ◀── template, of the app ◀── role of an organisation      ◀── inherits from, ten at most
//!    │                │                        │
//!    └────────────────┴────────┬───────────────┘
//!                     given to members and teams ──delete──▶ they have its replacement
//! ```
//!
//! Nobody defines, changes, gives or deletes what amounts to more than he has, inheritance counted,
//! before or after; who manages an app's roles has what owners have (`policies/organization.csv`).
//! Built-in roles stay as they are, so that no definition takes an organisation's owners away. Older
//! tokens of those whose rights change are refused. Not here: documents and compiled policies
//! ([`crate::rbac`]); invitations, which look when they are accepted whether their role is there.

mod api;
mod assigning;
mod assigning_api;
mod changing;
mod deleting;
#[cfg(test)]
mod fuzz;
mod ground;
mod inheriting;
mod organization_api;
mod permissions;
mod permissions_api;
mod previewing;
mod reading;
mod requests;
mod service;
mod wire;

pub use self::api::routes;
pub use self::service::{RoleError, Roles};
