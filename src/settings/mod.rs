//! Settings: what an operator, an app, an environment or an organisation chooses, and which choice counts.
//!
//! ```text
//! default ─▶ platform ─▶ app ─▶ environment ─▶ organisation    the most special choice counts,
//!                └─ enforced: what is below does not count       see [`decide`]
//! ```
//!
//! Every setting is a row of the table in [`Key`]: its type, its bounds, its default and where it may
//! be chosen. A secret one is sealed in the store, and told to nobody. Not here: who may choose
//! ([`crate::tuning`]), where an environment has its pages and who may call it
//! ([`crate::environments`]), and how sessions live ([`crate::session_rules`]): each of these facts
//! has one home.

mod chosen;
#[cfg(test)]
mod fuzz;
mod key;
mod level;
mod precedence;
mod record;
mod repo;
mod service;
mod value;

pub use self::chosen::{Chosen, Decided};
pub use self::key::{Definition, Ground, Key, UnknownKey};
pub use self::level::{Level, Place, UnknownLevel};
pub use self::precedence::{Choice, decide};
pub use self::record::Setting;
pub use self::repo::forget_organization;
pub use self::service::{Levels, SettingError};
pub use self::value::{Kind, Unfit, Value};
