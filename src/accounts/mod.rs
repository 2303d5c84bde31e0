//! Accounts that administrators make for others, and change.
//!
//! Whoever makes an account gives no role that he does not hold, and whoever changes one holds every
//! role of its user. A password that an administrator chose is judged like any other; better, the
//! user is invited by letter to choose his own. Another address is not verified until somebody says
//! so: links that went to the old one are void, and access tokens that name it are refused.
//! Not here: roles, bans, deletion, which are verbs of their own; many at once
//! ([`crate::transfers`]).

mod api;
mod service;

pub use self::api::routes;
pub use self::service::{AccountError, Accounts, NewAccount};
