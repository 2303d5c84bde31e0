//! Users by the crowd: pages of them, how many there are, and many made at once.

mod repo;

pub use self::repo::{Counts, Taken, counts, create_all, made_between, page, taken};
pub(super) use self::repo::{count, numbered_page};
