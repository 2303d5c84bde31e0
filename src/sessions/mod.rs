//! Sessions: signing up, in, on and out; one session a sign-in on one device.
//!
//! A session is carried by a pair: an access token of minutes, judged in memory, and a refresh
//! token that is exchanged at every use. Whoever presents a spent one ends the session. Not here:
//! how tokens are made and judged ([`crate::tokens`]), passwords ([`crate::credentials`]).

mod api;
mod authenticator;
mod bindings;
mod device_service;
mod issue;
mod opening;
mod own;
mod own_devices;
mod record;
mod refreshing;
mod repo;
mod service;
mod signing_in;
mod signing_up;
mod turns;
mod wire;

pub use self::api::routes;
pub use self::authenticator::BearerTokens;
pub use self::issue::Issuer;
pub use self::opening::Visit;
pub use self::record::Session;
pub use self::service::Sessions;
pub use self::turns::Turns;
