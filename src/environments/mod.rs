//! Environments: production, staging, development … of an app.
//!
//! An app's environments share its users and keep apart everything issued there: publishable
//! keys, sessions, tokens, signing keys. A token of one is refused in another. A publishable key
//! is public; it names the environment and grants nothing. Not here: apps ([`crate::apps`]).

mod api;
mod record;
mod repo;
mod service;

pub use self::api::routes;
pub use self::record::{Environment, Kind, Settings};
pub use self::repo::{by_slug, create, create_closed, list};
pub use self::service::{EnvironmentError, Environments};
