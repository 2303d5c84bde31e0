//! Notifications: letters to people, queued in the transaction of what they tell, and their history.
//!
//! ```text
//! pending ──sent──▶ sent
//!    ├──refused, or too late──▶ failed       A refusal for now is tried again, later and later.
//!    └──leased, and the node died──▶ pending
//! ```
//!
//! A dead mail server costs no request and loses no letter; a letter is delivered at least once. A
//! notification holds facts and identifiers: the address is sealed, and the token of a link is
//! derived when the letter is written ([`crate::tokens::LinkTokens`]). Not here: what a letter
//! looks like and how it travels ([`crate::mail`]).

mod api;
mod composing;
mod delivery;
mod outbox;
mod record;
mod repo;
mod service;
mod wearing;

pub use self::api::routes;
pub use self::composing::Composer;
pub use self::delivery::{Deliveries, Post};
pub use self::outbox::{Letter, Outbox};
pub use self::record::{Channel, Invited, Message, Notification, Status};
pub use self::repo::{forget, forget_invitations, of_user, retract, retract_all};
pub use self::service::{Backlog, Notifications, backlog};
