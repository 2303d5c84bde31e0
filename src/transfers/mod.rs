//! Transfers: users brought in and taken along by the thousand, with their passwords.
//!
//! ```text
//! NDJSON, or {"users": […]} ─▶ line ─▶ [`NewLine`] ─▶ batch ─▶ unit of work ─▶ a result a line
//!                                  └──not one──▶ failed         └─conflict─▶ one by one
//! ```
//!
//! A line is an account, whole or not at all: user and password are one unit. An address that is
//! taken is passed over, so that an import that broke off is run again as it is. Before each unit,
//! and each page of an export, the caller is judged anew ([`Authority`]). Each unit leaves one
//! `users.imported`, and a `user.created` for whoever has a role: nobody's webhooks drown in a move.
//! An export has the shape of an import. Not here: accounts one by one ([`crate::accounts`]); what a
//! user takes along himself (`departures`).

mod api;
mod authority;
mod batch;
mod exporting;
mod exporting_api;
#[cfg(test)]
mod fuzz;
mod importing;
mod line;
mod wire;

pub use self::api::routes;
pub use self::authority::Authority;
pub use self::exporting::{Export, Exported, ExportedUser};
pub use self::importing::{CutShort, Import, Source, Summary, Told};
pub use self::wire::{ImportedLine, NewLine, Outcome, Project};

use crate::credentials::Hasher;
use crate::forms::Forms;
use crate::kernel::entropy::Entropy;
use crate::kernel::time::Clock;
use crate::store::Store;

/// Brings users in, and takes them along.
#[derive(Debug, Clone)]
pub struct Transfers {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub hasher: Hasher,
    pub forms: Forms,
}
