//! Roles that somebody defines: an app for all its organisations, or an organisation for itself.
//!
//! ```text
//! built in ◀── template, of the app ◀── role of an organisation      ◀── inherits from, ten at most
//!    │                │                        │
//!    └────────────────┴────────┬───────────────┘
//!                     given to members and teams ──delete──▶ they have its replacement
//! ```
//!
//! Nobody defines, changes, gives or deletes a role that amounts to more than he has, inheritance
//! counted, before or after. Who manages the roles of an app has what its organisations' owners have
//! (`policies/organization.csv`), and so holds any template. Built-in roles cannot be redefined, so
//! that no definition takes an organisation's owners away. Older access tokens of those whose rights
//! change are refused. Invitations are not asked: accepting one looks whether its role is there.
//! Not here: the documents, and policies compiled from them ([`crate::rbac`]).

mod api;
mod assigning;
mod assigning_api;
mod changing;
mod deleting;
mod ground;
mod organization_api;
mod permissions;
mod permissions_api;
mod previewing;
mod reading;
mod service;
mod wire;

pub use self::api::routes;
pub use self::service::{RoleError, Roles};
