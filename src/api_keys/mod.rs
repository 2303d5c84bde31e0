//! API keys: secrets of backends, `sk_live_…`, as strong as the roles they carry.
//!
//! A key is shown once, when it is made; the store holds its SHA-256 and its first characters.
//! It acts in its own app and environment only. Not here: publishable keys, which are public
//! ([`crate::environments`]).

mod authenticator;
mod record;
mod repo;

pub use self::authenticator::SecretKeys;
pub use self::record::ApiKey;
pub use self::repo::create;
