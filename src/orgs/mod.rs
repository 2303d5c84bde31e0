//! Organisations and their members: founding, changing, joining by hand, leaving, handing over.
//!
//! ```text
//! founded ──▶ there is an owner, always ──delete──▶ gone, with everything that was part of it
//!               ▲ join, leave, transfer: memberships
//! ```
//!
//! Whoever founds an organisation owns it. To somebody who is no member it does not exist, unless he
//! administers the app. Not here: what a place in an organisation is worth ([`crate::memberships`]),
//! and invitations, by which most members come.

mod api;
mod changing;
mod founding;
mod list_api;
mod members;
mod members_api;
mod service;
mod slugs;
mod wire;

pub use self::api::routes;
pub use self::members::KnownMember;
pub use self::service::{OrgError, Orgs};
pub use self::wire::{MemberUser, MemberView, Roles};
