//! Limits: what may be tried how often, and accounts that are locked against guessing.
//!
//! ```text
//! Limits     by address, recipient, user or app: one table of rules, shared by all nodes, and one
//!            of what each node counts for itself
//! Lockouts   by account:   open ──5 wrong in a row──▶ locked for 1, 2, 4 … 15 minutes
//!                            ▲                          │ over      ▲
//!                            └──────── right ─────── one try ─wrong─┘
//! ```
//!
//! What guards from guessing fails closed: a store that cannot be asked admits nobody. Subjects are
//! kept as MACs, so no address stands in the counters. A refusal is told by an event once a period
//! or lock, never once a try. A node whose clock is ahead counts for itself: what it has written
//! further ahead than is possible, others leave alone, and count beside it. Not here: what is tried.

mod attempt;
mod gcra;
mod lockout;
mod lockouts;
mod node;
mod rates;
mod rule;

use std::time::Duration;

pub use self::attempt::Attempt;
pub use self::lockout::{Lockout, LockoutSettings, forget, of_user};
pub use self::lockouts::{Lock, Lockouts, Subject};
pub use self::rates::{Limits, RateCounter};
pub use self::rule::{NodeRule, RateSettings, Rule};
use crate::store::StoreError;

/// How far the clocks of nodes may differ and still be taken to agree.
const AGREEMENT: Duration = Duration::from_mins(1);

/// Where those count who find a document that a clock ahead of theirs has written. It is not theirs
/// to mend: whoever lowers it gives the other clock its budget anew, at each turn.
fn beside(id: &str) -> String {
    format!("{id}+")
}

/// Why something is not tried.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    #[error("tried too often")]
    TooMany { retry_after: Duration },
    /// Nobody can say how often it has been tried.
    #[error(transparent)]
    Store(#[from] StoreError),
}
