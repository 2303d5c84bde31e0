//! Mail: letters, from typed facts to a mail server or a folder.
//!
//! ```text
//! Template + Head + Language ──Templates──▶ Rendered ──Mailer──▶ SMTP, or a file
//!   facts    looks                 subject, text, HTML   one message, one recipient
//! ```
//!
//! Every letter is a typed context ([`Template`]) with a template in every language and samples
//! from which it can be previewed. What users and apps call themselves passes [`Plain`] first.
//! [`Mailer::send`] says whether a refusal is for now or for good. Not here: when a letter is sent,
//! and sent again ([`crate::notifications`]).

mod folder;
#[cfg(test)]
mod fuzz;
mod letters;
mod mailer;
mod message;
mod plain;
mod refusal;
mod replies;
mod smtp;
mod style;
mod templates;
mod words;

pub use self::letters::{
    AccountDeleted, AccountExists, ConfirmEmailChange, EmailChangeRequested, EmailChanged,
    Enclosed, Invitation, MagicLink, NewDevice, PasswordChanged, ResetPassword, Template,
    VerifyEmail, WebhookDisabled,
};
pub use self::mailer::{MailError, Mailer};
pub use self::message::Parcel;
pub use self::plain::Plain;
pub use self::refusal::Refusal;
pub use self::style::{Logo, Style};
pub use self::templates::{Head, Rendered, Templates, Unrenderable};

#[cfg(test)]
mod tests;
