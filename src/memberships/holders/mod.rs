//! Who has a role: members and teams that have it themselves, and whom it reaches.

mod repo;

pub use self::repo::{Holders, Reached, exchange_role, holders, reached_by};
