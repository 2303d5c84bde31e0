//! Why a letter did not get through.

use std::fmt;

/// What kept a letter from being delivered. Its text is short and stable, and holds nothing of the
/// letter: `smtp 550 5.1.1`, `connection refused`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Whether the same letter may get through later.
    pub for_now: bool,
    reason: String,
}

impl Refusal {
    pub fn for_now(reason: impl Into<String>) -> Self {
        Self {
            for_now: true,
            reason: reason.into(),
        }
    }

    pub fn for_good(reason: impl Into<String>) -> Self {
        Self {
            for_now: false,
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Refusal {}
