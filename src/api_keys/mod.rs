//! API keys: who acts that is nobody, and what it may do at this moment.
//!
//! ```text
//! ApiKey ── of the environment ──▶ its roles             ┐
//!        ── of a service account ─▶ the account's roles  ├ ∩ scopes of the key = what it may
//!        ── of a user ───────────▶ what he may now       │
//!        ── of an organisation ──▶ all that may be there ┘
//! ```
//!
//! A key, `sk_live_…`, is shown once, when it is made; the store holds its SHA-256, its first
//! characters and its last. It acts in its own environment only, and is judged at every use: its
//! owner may be gone, or less than he was. Documents, queries and authentication are here; the verbs
//! are in `keys`, `service_accounts` and `exchange`. Not here: publishable keys, which are public
//! ([`crate::environments`]).

mod accounts;
mod authenticator;
#[cfg(test)]
mod fuzz;
mod leaving;
mod live;
mod record;
mod repo;
mod secret;

pub use self::accounts::{
    AccountChanges, ServiceAccount, account, account_page, hold_account, insert_account,
    remove_account, update_account,
};
pub use self::authenticator::SecretKeys;
pub use self::leaving::{MayTell, creator_left, forget, forget_own};
pub use self::live::{Live, LiveKeys};
pub use self::record::{ApiKey, LONGEST_TOKEN, NewKey, OwnerKind, Secret};
pub use self::repo::{
    KeyChanges, about, count, create, get, insert, of_account, page, remove, remove_all,
    renew_tokens, rotate, update,
};
