//! Invitations: offers of a place in an organisation, each to one e-mail address.
//!
//! ```text
//! pending ──accept──▶ accepted          "Expired" is no state that is stored: a pending invitation
//!    ├────decline──▶ declined           whose `expires_at` has come is one that is not live.
//!    ├────revoke───▶ revoked
//!    └─new offer after expiry─▶ superseded      resend: another secret, another term, still pending
//! ```
//!
//! Nobody offers more than he holds, and whoever has invited must still hold it when the invitation
//! is accepted: else it does not hold. It is accepted by the user whose proven address it went to, or
//! by a newcomer, whose address the letter has proven. The secret is in the letter and nowhere else;
//! an identifier opens nothing. Not here: membership itself ([`crate::memberships`]), how letters look
//! and travel ([`crate::mail`], [`crate::notifications`]).

mod accepting;
mod answering;
mod answers_api;
mod api;
mod inviting;
mod own_api;
mod reading;
mod record;
mod repo;
mod service;
mod welcoming;
mod wire;

pub use self::api::routes;
pub use self::repo::{forget, received, sent};
pub use self::service::Invitations;
