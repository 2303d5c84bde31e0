//! The verbs on API keys: making, reading, changing, rotating and revoking them.
//!
//! ```text
//! making    for oneself, an organisation, a service account, or the environment
//! reading   the keys of one owner, newest first; one
//! changing  another name, fewer scopes, an earlier end; another secret; the end
//! holding   whose affair a key is, and what may be given to one
//! ```
//!
//! Nobody gives a key what he does not have, and a key that is one itself gives nothing beyond its
//! scopes. Somebody else's key is not there. Not here: what a key may do when it is used, and what
//! becomes of it when people go ([`crate::api_keys`]).

mod api;
mod changing;
mod holding;
mod making;
mod reading;
mod requests;
mod service;
mod wire;

pub use self::api::routes;
pub use self::holding::By;
pub use self::requests::NewAccountKey;
pub use self::service::{KeyError, Keys};
pub use self::wire::KeyView;
