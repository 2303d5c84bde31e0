//! Credentials: password hashes, apart from the users they belong to.
//!
//! A stored hash names its scheme: `bcrypt-hmac-sha256:$2b$12$…` is bcrypt over
//! base64(HMAC-SHA-256(pepper, password)), so nothing is cut at 72 bytes and no NUL ends it.
//! Hashes of other systems are kept as they came, until their holders sign in: then they are made
//! anew. Hashing is done by [`Hasher`], on threads of its own, several at once. Not here: what a right password opens
//! ([`crate::sessions`]).

mod bcrypt;
mod firebase;
mod foreign;
#[cfg(test)]
mod fuzz;
mod hasher;
mod phc;
mod record;
mod repo;
mod scheme;

pub use self::firebase::FirebaseProject;
pub use self::foreign::BadHash;
pub use self::hasher::{Busy, Hasher, HasherSettings, Share};
pub use self::record::Credential;
pub use self::repo::{by_user, by_users, create, create_all, forget, rewrite, set};
pub use self::scheme::{Pepper, StoredHash};
