//! Idempotency keys, as they are kept: what becomes of a request that carries one.
//!
//! ```text
//! claimed ──answer──▶ answered      one conditional write each; 24 hours after the claim the key
//!    │  └────forget──▶ (gone)       is good for another request
//!    └─ the lease is over ──▶ lost
//! ```
//!
//! The claim is written before the handler begins, and the answer after it is done: a process that is
//! killed in between leaves a claim. Until its lease is over others wait; from then on the answer is
//! lost, and the request is *not* done again, since it may have taken effect. Answers hold what is
//! told once (keys, tokens), so they are sealed; keys and requests are keyed digests.
//! Not here: which requests, and whose ([`crate::http::Replays`]).

mod record;
mod repo;
mod service;

pub use self::record::IdempotencyKey;
pub use self::repo::forget_sessions;
pub use self::service::{Idempotency, KEPT};
