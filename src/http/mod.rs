//! The edge kit: everything between a socket and a handler that knows no feature.
//!
//! ```text
//! problems problem           one table of refusals, and one refusal
//! edge                       the app with every middleware in order; start reading here
//! routing                    what features register, and how it is found
//!   trace traffic limits cors headers errors client_ip      what every request and answer passes
//!   unit unread              a task of its own, with a deadline; what becomes of unread bodies
//!   authenticate caller      who asks, in which tenant
//!   replay operations        the same request again has the same answer; what a request is for
//! witness                    what becomes of refusals
//! waiting leaving            before the first request, and from the signal to stop on
//! guard                      Allowed, Anyone, Public: the first argument of every handler
//! body form query path fields json                  arguments, parsed, every fault told at once
//! answer oauth cookies event_stream ndjson          what handlers return, and what browsers keep
//! openapi docs               the document, made complete, and its pages
//! ```
//!
//! A handler without a guard has no tenant. Features implement [`Authenticator`] and [`Directory`].

mod answer;
mod authenticate;
mod body;
mod caller;
mod client_ip;
mod cookies;
mod cors;
mod docs;
mod edge;
mod errors;
mod event_stream;
mod fields;
mod form;
#[cfg(test)]
mod fuzz;
mod guard;
mod headers;
mod json;
mod leaving;
mod limits;
mod ndjson;
mod oauth;
mod openapi;
mod operations;
mod path;
mod problem;
mod problems;
mod query;
mod repeatable;
mod replay;
mod routing;
#[cfg(test)]
mod tests;
mod trace;
mod traffic;
mod unit;
mod unread;
mod waiting;
mod witness;

pub use answer::{Accepted, Answer, Attachment, Cacheable, Created, NoContent, Ok200, Text};
pub use body::Body;
pub use caller::{Authenticator, Caller, Credential, Directory, KeyOwner, Principal};
pub use cookies::{Cookies, HostCookie, WithCookie};
pub use edge::{Edge, app};
pub use event_stream::{EventStream, HungUp, Line, Subscription};
#[cfg(test)]
pub(crate) use fields::assert_documented;
pub use fields::{Change, Fields, FromFields};
pub use form::{FormOrJson, Sent};
pub use guard::{Allowed, Anyone, Entering, Entrance, Public};
pub use leaving::Leaving;
pub use ndjson::{CutOff, Lines, NdJson, Scribe, Upload, read_line};
pub use oauth::{OAuthAnswer, OAuthError, OAuthErrorKind};
pub use path::{PathId, PathIds};
pub use problem::{Fault, FieldError, Problem};
pub use problems::ProblemKind;
pub use query::{Paging, Query};
pub use repeatable::Repeatable;
pub use replay::{Claim, Recorded, Replays};
pub use routing::{Api, Routing, document};
pub use traffic::Traffic;
pub use unit::{Afterwards, InFlight};
pub use waiting::wait_on;
pub use witness::{Denial, Witness};
