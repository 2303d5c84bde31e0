//! Forms: what an app asks of people besides what every account has.
//!
//! ```text
//! signup   who makes an account, by sign-up or by an invitation, or for another; an import by what it
//!          says alone
//! profile  who changes his own account; where there is none, `signup` holds there too
//! ```
//!
//! Answers are kept in the metadata of the user, in one spelling each. An active form is the whole
//! of what he may say there: a name that it does not have is refused, and what is there of other
//! hands (a backend's) stays as it is. Every change is a version; the last ones are kept, so that an
//! answer given under an older one is explained. A node knows the forms of an app for a second
//! without asking again. Not here: users ([`crate::users`]), and what a page shows
//! ([`crate::client_config`]).

mod answers;
mod api;
mod field;
#[cfg(test)]
mod fuzz;
mod record;
mod repo;
mod service;

pub use self::answers::{Answered, Form, FormRefused};
pub use self::api::routes;
pub use self::field::{FieldType, FormField, FormOption, TextFormat};
pub use self::record::{FormConfig, FormType, FormVersion};
pub use self::service::{FormError, Forms};
