//! Sessions: signing up, in, on and out; one session a sign-in on one device.
//!
//! ```text
//! signing_up signing_in    who proves what            new_password   what a password must be
//! opening issue            a session and its tokens    letters        what strangers may cause
//! organization             the one organisation that tokens are for
//! refreshing refreshed bindings   the next pair of tokens
//! reauthenticating         proof of oneself, again     reclaiming     an account proven late
//! ending service           the end of one, or of all   turns          sign-ins of one user queue
//! own own_devices own_methods   what people see and do of their own
//! administration together  what administrators do
//! impersonating impersonation   acting as a user
//! roles                    what a user may do, and lends     algorithm      what tokens are signed with
//! ```
//!
//! A session is carried by a pair: an access token of minutes, judged in memory, and a refresh
//! token that is exchanged at every use. Whoever presents a spent one ends the session. Not here:
//! how tokens are made and judged ([`crate::tokens`]), how passwords are kept
//! ([`crate::credentials`]), and what a letter leads to (`verification`, `passwords`,
//! `magic_links`).

mod administration;
mod algorithm;
mod api;
mod authenticator;
mod bindings;
mod device_service;
mod ending;
mod impersonating;
mod impersonation;
mod issue;
mod letters;
mod new_password;
mod opening;
mod organization;
mod own;
mod own_devices;
mod own_methods;
mod reauthenticating;
mod reclaiming;
mod record;
mod refreshed;
mod refreshing;
mod repo;
mod roles;
mod service;
mod signing_in;
mod signing_up;
mod together;
mod turns;
mod wire;

pub use self::api::routes;
pub use self::authenticator::BearerTokens;
pub use self::ending::Ended;
pub use self::issue::{Issued, Issuer};
pub use self::new_password::PasswordRefused;
pub use self::opening::{Opened, Visit};
pub use self::reauthenticating::{Proven, ReauthError};
pub use self::record::{Ending, Session};
pub use self::refreshed::Refreshed;
pub use self::repo::{count_live, forget, of_user};
pub use self::service::{SessionError, Sessions};
pub use self::signing_in::SignInError;
pub use self::turns::Turns;
pub use self::wire::SignedIn;
