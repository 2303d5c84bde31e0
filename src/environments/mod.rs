//! Environments: production, staging, development … of an app.
//!
//! ```text
//! made ──▶ named, changed, made the default ──delete──▶ gone at once; its documents a minute later
//!           └─ exactly one of an app is the default: it cannot be deleted
//! ```
//!
//! An app's environments share its users and keep apart everything issued there: publishable
//! keys, sessions, tokens, signing keys. A token of one is refused in another, and who acts on one
//! changes no other. A publishable key is public; it names the environment and grants nothing.
//! Not here: apps ([`crate::apps`]), and making one like another ([`crate::cloning`]).

mod api;
mod changing;
mod deleting;
mod directory;
#[cfg(test)]
mod fuzz;
mod record;
mod removal;
mod repo;
mod service;
mod settings_api;
mod superseded;

pub use self::api::{EnvironmentView, routes};
pub use self::changing::{NewEnvironment, add};
pub use self::deleting::REMOVING;
pub use self::record::{Environment, Kept, Kind, Settings, language};
pub use self::removal::Removal;
pub use self::repo::{by_slug, create, hold, is_removed, list, remove_all, removed_of};
pub use self::service::{ChangeError, EnvironmentError, Environments, Holdings, seen};
pub use self::superseded::SupersededKey;
