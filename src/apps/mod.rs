//! Apps: pools of users, each a tenant that knows nothing of the others.
//!
//! An app owns its users and environments. One app, the *platform*, holds the operators. Every app
//! counts the holders of its guarding role in its own document, so that the last one cannot be
//! taken away, whoever else is being demoted at the same time. Not here: environments
//! ([`crate::environments`]), users ([`crate::users`]), and how apps come and go
//! ([`crate::tenancy`]).

mod record;
mod repo;

pub use self::record::{App, AppChanges, NewApp, PLATFORM_SLUG, SLUG_TAKEN};
pub use self::repo::{
    adds_environment, by_slug, close, closing, count_holder, create, discount_holder, get, page,
    remove, takes_in, update,
};
