//! The letters: one typed context each, with the samples it is previewed and tested by.

use std::fmt;

use serde::{Serialize, Serializer};

use super::plain::Plain;
use super::templates::{Head, Rendered, Templates, Unrenderable};
use crate::kernel::language::Language;
use crate::kernel::secret::{ExposeSecret, SecretString};
use crate::kernel::time::Timestamp;

/// The facts of a letter. Its fields are the variables of the template of this name.
pub trait Template: Serialize + Sized {
    const NAME: &'static str;

    /// Facts of every shape the letter can have.
    fn samples() -> Vec<Self>;
}

/// What only the recipient may see: a link or a code.
#[derive(Clone)]
pub struct Enclosed(SecretString);

impl Enclosed {
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }
}

impl Serialize for Enclosed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

impl fmt::Debug for Enclosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enclosed")
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape that serde asks of a serializer"
)]
/// An instant, as letters tell it: to the minute, in UTC.
fn to_the_minute<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    let text = at.to_string();
    let (day, time) = text.split_once('T').unwrap_or((&text, ""));
    let minute = time.get(..5).unwrap_or(time);
    serializer.collect_str(&format_args!("{day} {minute} UTC"))
}

/// The template of a letter in every language: `en/verify_email`, and its source.
macro_rules! in_every_language {
    ($name:literal) => {
        in_every_language!($name: "en" "de")
    };
    ($name:literal: $($language:literal)+) => {
        [$((
            concat!($language, "/", $name),
            include_str!(concat!("templates/", $language, "/", $name, ".jinja")),
        )),+]
    };
}

macro_rules! letters {
    ($(
        $(#[doc = $about:literal])+
        $Letter:ident = $name:literal {
            $( $(#[$meta:meta])* $field:ident: $type:ty, )*
        }
        samples [ $({ $($sample:tt)* }),+ ]
    )+) => {
        $(
            $(#[doc = $about])+
            #[derive(Debug, Clone, Serialize)]
            pub struct $Letter {
                $( $(#[$meta])* pub $field: $type, )*
            }

            impl Template for $Letter {
                const NAME: &'static str = $name;

                fn samples() -> Vec<Self> {
                    vec![$( Self { $($sample)* } ),+]
                }
            }
        )+

        /// The names of all letters, in the order of the table.
        pub(super) const NAMES: &[&str] = &[$($name),+];

        /// The templates of all letters, and the frame that they share.
        pub(super) const SOURCES: &[[(&str, &str); Language::ALL.len()]] =
            &[in_every_language!("frame"), $(in_every_language!($name)),+];

        /// Every sample of every letter, written in `language`.
        pub(super) fn samples(
            templates: &Templates,
            head: &Head,
            language: Language,
        ) -> Result<Vec<(&'static str, Rendered)>, Unrenderable> {
            let mut all = Vec::new();
            $(
                for letter in $Letter::samples() {
                    all.push(($name, templates.render(&letter, head, language)?));
                }
            )+
            Ok(all)
        }
    };
}

letters! {
    /// Prove that this is your address.
    VerifyEmail = "verify_email" {
        link: Enclosed,
        code: Enclosed,
        /// How long both are good.
        minutes: u64,
    }
    samples [
        { link: link("verify-email"), code: Enclosed::new("042917"), minutes: 1_440 },
        { link: link("verify-email"), code: Enclosed::new("831660"), minutes: 10 }
    ]

    /// Somebody signed up with an address that has an account.
    AccountExists = "account_exists" {}
    samples [ {} ]

    /// Choose a new password.
    ResetPassword = "reset_password" {
        link: Enclosed,
        minutes: u64,
    }
    samples [ { link: link("reset-password"), minutes: 30 } ]

    /// Sign in without a password.
    MagicLink = "magic_link" {
        link: Enclosed,
        minutes: u64,
    }
    samples [ { link: link("magic-link"), minutes: 10 } ]

    /// The password is another one.
    PasswordChanged = "password_changed" {
        #[serde(serialize_with = "to_the_minute")]
        happened_at: Timestamp,
    }
    samples [ { happened_at: NOON } ]

    /// To the new address: prove that it is yours.
    ConfirmEmailChange = "confirm_email_change" {
        link: Enclosed,
        minutes: u64,
    }
    samples [ { link: link("change-email"), minutes: 60 } ]

    /// To the old address, when another one is asked for.
    EmailChangeRequested = "email_change_requested" {
        #[serde(serialize_with = "to_the_minute")]
        happened_at: Timestamp,
    }
    samples [ { happened_at: NOON } ]

    /// To the old address, when it is not the address any more.
    EmailChanged = "email_changed" {
        #[serde(serialize_with = "to_the_minute")]
        happened_at: Timestamp,
    }
    samples [ { happened_at: NOON } ]

    /// A sign-in from a device that the account does not know.
    NewDevice = "new_device" {
        #[serde(serialize_with = "to_the_minute")]
        happened_at: Timestamp,
        browser: Option<Plain>,
        os: Option<Plain>,
        ip_address: Option<String>,
    }
    samples [
        {
            happened_at: NOON,
            browser: Plain::name("Firefox"),
            os: Plain::name("Linux"),
            ip_address: Some("2001:db8::7".to_owned()),
        },
        { happened_at: NOON, browser: None, os: Plain::name("iOS"), ip_address: None },
        { happened_at: NOON, browser: None, os: None, ip_address: None }
    ]

    /// Join an organization.
    Invitation = "invitation" {
        link: Enclosed,
        organization: Plain,
        inviter: Option<Plain>,
        roles: Vec<Plain>,
        /// What the inviter wants to be told.
        message: Option<Plain>,
        minutes: u64,
    }
    samples [
        {
            link: link("invitation"),
            organization: northwind(),
            inviter: Plain::name("Zoe Winter"),
            roles: ["admin", "editor"].into_iter().filter_map(Plain::name).collect(),
            message: Plain::message("See you on Monday!"),
            minutes: 10_080
        },
        {
            link: link("invitation"),
            organization: northwind(),
            inviter: None,
            roles: Plain::name("member").into_iter().collect(),
            message: None,
            minutes: 60
        }
    ]

    /// A webhook was switched off.
    WebhookDisabled = "webhook_disabled" {
        #[serde(serialize_with = "to_the_minute")]
        happened_at: Timestamp,
        /// Its identifier.
        webhook: String,
        host: Plain,
        /// Whether its receiver said that it is gone, and not only failed for days.
        is_gone: bool,
    }
    samples [
        {
            happened_at: NOON,
            webhook: "awhk_01h2xcejqtf2nbrexx3vqjhp41".to_owned(),
            host: Plain::organization("hooks.example.com").unwrap_or_default(),
            is_gone: false
        },
        {
            happened_at: NOON,
            webhook: "awhk_01h2xcejqtf2nbrexx3vqjhp41".to_owned(),
            host: Plain::organization("hooks.example.com").unwrap_or_default(),
            is_gone: true
        }
    ]

    /// The account is gone.
    AccountDeleted = "account_deleted" {
        #[serde(serialize_with = "to_the_minute")]
        happened_at: Timestamp,
    }
    samples [ { happened_at: NOON } ]
}

/// 2040-01-01T12:00Z
const NOON: Timestamp = Timestamp::from_millis(2_209_032_000_000);

fn northwind() -> Plain {
    Plain::organization("Northwind").unwrap_or_default()
}

fn link(page: &str) -> Enclosed {
    Enclosed::new(format!(
        "https://app.example.com/{page}?token=Zm9yIGEgc2FtcGxlIG9ubHksIG9wZW5zIG5vdGhpbmc"
    ))
}
