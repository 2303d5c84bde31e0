//! The table of settings: one row each, and everything else derived from it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::level::Level::{self, App, Environment, Organization, Platform};
use super::value::{Kind, Value};

/// What a setting is where nobody chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    Flag(bool),
    Number(u32),
    Text(&'static str),
    /// The feature does without.
    Nothing,
    /// As the ground is.
    By {
        platform: bool,
        production: bool,
        elsewhere: bool,
    },
}

/// What kind of environment it is that something counts in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ground {
    /// One of the operators' own app, whose users are appointed.
    Platform,
    Production,
    #[default]
    Elsewhere,
}

/// Nobody signs up to the platform.
const SIGNUP_OPEN: Fallback = Fallback::By {
    platform: false,
    production: true,
    elsewhere: true,
};

const REQUIRE_VERIFICATION: Fallback = Fallback::By {
    platform: false,
    production: true,
    elsewhere: false,
};

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    pub key: Key,
    pub kind: Kind,
    pub fallback: Fallback,
    /// Where it may be chosen, the most general first.
    pub levels: &'static [Level],
    pub help: &'static str,
}

macro_rules! settings {
    ($($key:ident $name:literal $kind:expr, $fallback:expr, $levels:expr; $help:literal)+) => {
        /// What can be chosen.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub enum Key {
            $(#[doc = $help] #[serde(rename = $name)] $key,)+
        }

        impl Key {
            /// Every row, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$key),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$key => $name,)+ }
            }

            pub const fn definition(self) -> Definition {
                match self {
                    $(Self::$key => Definition {
                        key: self,
                        kind: $kind,
                        fallback: $fallback,
                        levels: $levels,
                        help: $help,
                    },)+
                }
            }
        }
    };
}

// Written out because the derive does not see names that come out of a table.
impl PartialSchema for Key {
    fn schema() -> RefOr<Schema> {
        let row = |key: &Self| format!("- `{key}`: {}\n", key.definition().help);
        let rows: String = Self::ALL.iter().map(row).collect();
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Self::ALL.iter().map(|key| key.as_str())))
            .description(Some(format!("What can be chosen.\n\n{rows}")))
            .into()
    }
}

impl ToSchema for Key {
    fn name() -> Cow<'static, str> {
        "SettingKey".into()
    }
}

const HOUR: u32 = 60 * 60;
const DAY: u32 = 24 * HOUR;

/// Where what concerns a whole environment is chosen.
const DOWN_TO_ENVIRONMENTS: &[Level] = &[Platform, App, Environment];
const EVERYWHERE: &[Level] = &[Platform, App, Environment, Organization];

settings! {
    SignupOpen "signup_open" Kind::Flag, SIGNUP_OPEN, DOWN_TO_ENVIRONMENTS;
        "Whether people may make accounts for themselves."
    SignupCode "signup_code" Kind::Secret(8, 128), Fallback::Nothing, &[App, Environment];
        "What people must know, and send as `signup_code`, to make accounts for themselves."
    RequireVerification "require_verification" Kind::Flag, REQUIRE_VERIFICATION,
        DOWN_TO_ENVIRONMENTS;
        "Whether an address must be verified before its holder can sign in."
    PasswordMinLength "password_min_length" Kind::Number(8, 64), Fallback::Number(8),
        DOWN_TO_ENVIRONMENTS;
        "The fewest characters of a new password."
    DefaultLanguage "default_language" Kind::Choice(&["en", "de"]), Fallback::Text("en"), EVERYWHERE;
        "What letters are written in where the reader names no language of ours."
    InvitationTtl "invitation_ttl_seconds" Kind::Number(HOUR, 30 * DAY), Fallback::Number(7 * DAY),
        EVERYWHERE;
        "How long an invitation is good that is sent from now on, in seconds."
    MailSenderName "mail_sender_name" Kind::Text(64), Fallback::Nothing, DOWN_TO_ENVIRONMENTS;
        "Whom letters are from, beside the address of the server."
    SupportUrl "support_url" Kind::Url, Fallback::Nothing, DOWN_TO_ENVIRONMENTS;
        "Where people find help; sign-in pages are told of it."
    OrganizationCreationOpen "organization_creation_open" Kind::Flag, Fallback::Flag(true),
        DOWN_TO_ENVIRONMENTS;
        "Whether people may found organisations by themselves."
    TeamsPerOrganization "teams_per_organization" Kind::Number(0, 500), Fallback::Number(500),
        DOWN_TO_ENVIRONMENTS;
        "How many teams an organisation has at most."
}

impl Definition {
    /// What counts where nobody chooses; `None` where that is nothing.
    pub fn default(&self, ground: Ground) -> Option<Value> {
        match self.fallback {
            Fallback::Flag(flag) => Some(Value::Flag(flag)),
            Fallback::Number(number) => Some(Value::Number(number)),
            Fallback::Text(text) => Some(Value::Text(text.to_owned())),
            Fallback::Nothing => None,
            Fallback::By {
                platform,
                production,
                elsewhere,
            } => Some(Value::Flag(match ground {
                Ground::Platform => platform,
                Ground::Production => production,
                Ground::Elsewhere => elsewhere,
            })),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that names no setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a setting")]
pub struct UnknownKey;

impl FromStr for Key {
    type Err = UnknownKey;

    fn from_str(text: &str) -> Result<Self, UnknownKey> {
        let named = Self::ALL.iter().copied().find(|key| key.as_str() == text);
        named.ok_or(UnknownKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_fits_its_kind_and_every_row_says_where_and_what() {
        for key in Key::ALL {
            let row = key.definition();
            assert_eq!((row.key, key.as_str().parse()), (*key, Ok(*key)));
            assert!(row.levels.is_sorted() && !row.levels.is_empty(), "{key}");
            assert!(row.help.ends_with('.'), "{key}");
            for ground in [Ground::Platform, Ground::Production, Ground::Elsewhere] {
                let default = row.default(ground).and_then(|value| value.shown());
                assert!(
                    default.is_none_or(|json| row.kind.parse(&json).is_ok()),
                    "{key}"
                );
            }
            let is_written = serde_json::to_value(key).unwrap();
            assert_eq!(is_written, key.as_str());
        }
    }
}
