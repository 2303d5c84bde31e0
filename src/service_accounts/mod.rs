//! Service accounts: machines that have roles in an app, as users have, and act by API keys.
//!
//! ```text
//! enabled ◀──▶ disabled: none of its keys is good    ──delete──▶ gone, with its keys
//! ```
//!
//! Nobody makes, changes or deletes an account that has a role which he does not hold himself, nor
//! gives it a key. Its keys are what they are for any owner (`keys`); its document is with them
//! ([`crate::api_keys`]).

mod api;
mod service;

pub use self::api::routes;
pub use self::service::{AccountError, ServiceAccounts};
