//! Credentials: password hashes, apart from the users they belong to.
//!
//! A stored hash names its scheme: `bcrypt-hmac-sha256:$2b$12$…` is bcrypt over
//! base64(HMAC-SHA-256(pepper, password)), so nothing is cut at 72 bytes and no NUL ends it.
//! Hashing is done by [`Hasher`], on threads of its own. Not here: what a right password opens
//! ([`crate::sessions`]).

mod hasher;
mod record;
mod repo;
mod scheme;

pub use self::hasher::{Busy, Hasher, HasherSettings};
pub use self::record::Credential;
pub use self::repo::{by_user, create, forget, rewrite, set};
pub use self::scheme::{Pepper, StoredHash};
