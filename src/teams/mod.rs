//! Teams: groups of members of one organisation, who have the team's roles beside their own.
//!
//! ```text
//! made ──▶ has roles of the organisation, never `owner`, and members ──delete──▶ gone, with every place
//!            lead or member: a place in this team alone
//! ```
//!
//! A team gives its roles to whoever is in it, so that nobody makes, changes or deletes one, or puts
//! somebody in or takes him out, also with his membership, without holding all that its roles amount
//! to. A lead changes his own team and who is in it, but not its roles. Older access tokens of those
//! whose rights change are refused. Not here: what a place in a team is worth, and its documents
//! ([`crate::memberships`]).

mod api;
mod changing;
mod members;
mod members_api;
mod service;
mod wire;

pub use self::api::routes;
pub use self::service::{MOST_MEMBERS, TeamError, Teams};
