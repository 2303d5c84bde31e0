use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId};
use crate::kernel::language::Language;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Label, Origin, Slug, WebUrl};
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfApp};
use crate::tokens::Purpose;

/// An environment of an app: its own keys, sessions and tokens over the app's users.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Environment {
    #[serde(rename = "_id")]
    pub id: EnvId,
    pub app_id: AppId,
    pub name: Label,
    pub slug: Slug,
    #[serde(rename = "type")]
    pub kind: Kind,
    pub is_default: bool,
    /// Public: names the environment, grants nothing.
    pub publishable_key: String,
    pub settings: Settings,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What an environment is for; its keys show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = EnvironmentType)]
pub enum Kind {
    Production,
    Staging,
    Development,
}

/// How an environment behaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = EnvironmentSettings)]
pub struct Settings {
    /// Whether people may make accounts for themselves.
    pub signup_open: bool,
    /// Whether an address must be verified before its holder can sign in.
    pub require_verification: bool,
    /// The web origins whose pages may call this API, exactly.
    pub allowed_origins: Vec<Origin>,
    /// What letters are written in where the reader names no language of ours.
    #[serde(default)]
    pub default_language: Language,
    /// The page that verifies addresses; letters add `token`. Absent: a page of this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub verify_email_url: Option<WebUrl>,
    /// The page that takes new passwords; letters add `token`. Absent: a page of this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reset_password_url: Option<WebUrl>,
    /// The page that signs in by link; letters add `token`. Absent: a page of this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub magic_link_url: Option<WebUrl>,
    /// The page that confirms new addresses; letters add `token`. Absent: a page of this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub change_email_url: Option<WebUrl>,
    /// The page that takes invitations; letters add `token`. Absent: a page of this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub invitation_url: Option<WebUrl>,
    /// How long an invitation is good. Counts for those that are sent from now on.
    #[serde(default = "a_week")]
    #[schema(minimum = 3600, maximum = 2_592_000)]
    pub invitation_ttl_seconds: u32,
}

const HOUR: u32 = 60 * 60;
const DAY: u32 = 24 * HOUR;

pub(super) const INVITATION_TTL: RangeInclusive<u32> = HOUR..=30 * DAY;

const fn a_week() -> u32 {
    7 * DAY
}

impl Settings {
    /// What an environment begins with: nothing allowed that was not asked for.
    fn new(signup_open: bool, require_verification: bool) -> Self {
        Self {
            signup_open,
            require_verification,
            allowed_origins: Vec::new(),
            default_language: Language::default(),
            verify_email_url: None,
            reset_password_url: None,
            magic_link_url: None,
            change_email_url: None,
            invitation_url: None,
            invitation_ttl_seconds: a_week(),
        }
    }

    /// What somebody is written to in, who likes `wanted` best.
    pub fn language(&self, wanted: Option<Language>) -> Language {
        wanted.unwrap_or(self.default_language)
    }

    /// The page of the app that a link of this purpose leads to.
    pub fn page(&self, purpose: Purpose) -> Option<&WebUrl> {
        match purpose {
            Purpose::VerifyEmail => self.verify_email_url.as_ref(),
            Purpose::ResetPassword => self.reset_password_url.as_ref(),
            Purpose::MagicLink => self.magic_link_url.as_ref(),
            Purpose::ChangeEmail => self.change_email_url.as_ref(),
            Purpose::Invitation => self.invitation_url.as_ref(),
        }
    }

    /// How long an invitation is good that is sent now.
    pub fn invitation_life(&self) -> Duration {
        Duration::from_secs(self.invitation_ttl_seconds.into())
    }
}

impl Entity for Environment {
    type Owner = OfApp;
    const COLLECTION: &'static str = "authsome_environments";
    const INDEXES: &'static [Index] = &[
        Index::unique("environments_slug", &["app_id", "slug"]),
        Index::unique("environments_publishable_key", &["publishable_key"]),
        Index::on(
            "environments_allowed_origins",
            &["settings.allowed_origins"],
        ),
    ];
}

impl Environment {
    pub fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.id,
        }
    }

    /// A new environment with the settings its kind begins with: production requires verified
    /// addresses, the others do not.
    pub(super) fn new(
        app_id: AppId,
        (name, slug, kind): (Label, Slug, Kind),
        is_default: bool,
        (now, entropy): (Timestamp, &Entropy),
    ) -> Self {
        Self {
            id: EnvId::new(now, entropy),
            app_id,
            name,
            slug,
            kind,
            is_default,
            publishable_key: format!("pk_{}_{}", kind.marker(), entropy.token()),
            settings: Settings::new(true, kind == Kind::Production),
            created_at: now,
            updated_at: now,
        }
    }
}

impl Kind {
    /// The middle of a key: `pk_live_…`.
    pub fn marker(self) -> &'static str {
        match self {
            Kind::Production => "live",
            Kind::Staging => "stg",
            Kind::Development => "test",
        }
    }
}
