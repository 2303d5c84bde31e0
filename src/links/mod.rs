//! Links: what a letter asks its reader to follow, once, and what is known of it meanwhile.
//!
//! ```text
//! asked for ──followed──▶ used
//!     ├──another asked for, of the same purpose──▶ superseded    Only the newest one counts.
//!     ├──password, address or standing changed──▶ void
//!     └──expires_at──▶ over
//! ```
//!
//! A link is good once, for one purpose, in one environment. Its token is derived and nowhere
//! stored ([`crate::tokens::LinkTokens`]); a document holds its digest. Letters that verify an
//! address carry a code of six digits too, good for five attempts. Not here: what following a link
//! does, which belongs to the feature that asked for it; nor
//! invitations, which are documents of their own.

mod record;
mod repo;
mod service;
mod wire;

pub use self::record::{Link, LinkPurpose, PasswordReset, Verification};
pub use self::repo::of_user;
pub use self::service::{CodeRefused, LinkRefused, Links, NewLink, forget, void};
pub use self::wire::{Outcome, Recipient};
