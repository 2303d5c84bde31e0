//! Apps: pools of users, each a tenant that knows nothing of the others.
//!
//! An app owns its users and environments. One app, the *platform*, holds the operators. Every app
//! counts the holders of its guarding role in its own document, so that the last one cannot be
//! taken away, whoever else is being demoted at the same time. Not here: environments
//! ([`crate::environments`]), users ([`crate::users`]).

mod record;
mod repo;

pub use self::record::{App, NewApp, PLATFORM_SLUG, SLUG_TAKEN};
pub use self::repo::{by_slug, count_holder, create, discount_holder, get};
