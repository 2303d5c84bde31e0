//! Departures: users who are kept out for a time, and users who go for good.
//!
//! ```text
//! ban      sessions end, access tokens are refused; a right password says why       unban, or its term
//! delete   the same; of the person an identifier is left, and a letter on its way     for good
//! export   everything that is kept about the caller, as one document
//! ```
//!
//! Each of the first two is one unit of work: there is no moment at which a user is gone and one of
//! his tokens is good. Nobody bans or deletes himself by an administrator's rights, nor anybody who
//! holds a role that he does not hold, and the last holder of the app's guarding role stays. A
//! feature that keeps something about users has a line in [`forgetting`] and a section in
//! [`export`]. Events stay: they name a deleted user by his identifier, which is never given again.
//! Not here: what a ban means for signing in ([`crate::users::User::may_sign_in`]).

mod api;
mod banning;
mod deleting;
mod export;
mod exported;
mod exported_keys;
mod forgetting;
mod service;

pub use self::api::routes;
pub use self::service::Departures;
