use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId};
use crate::kernel::language::Language;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Color, Label, Origin, Slug, WebUrl};
use crate::kernel::time::Timestamp;
use crate::settings::{Chosen, Key};
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
    /// What people tell it by at a glance; absent: the colour of its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<Color>,
    pub is_default: bool,
    /// Public: names the environment, grants nothing.
    pub publishable_key: String,
    #[serde(rename = "settings")]
    pub kept: Kept,
    /// What counts in it; of a document that [`super::Environments`] has settled.
    #[serde(skip)]
    pub settings: Settings,
    /// Where that comes from, and all else that is chosen.
    #[serde(skip)]
    pub chosen: Chosen,
    /// The one that it was made like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloned_from: Option<EnvId>,
    /// Changes whenever something is added of which it has a number at most.
    #[serde(default)]
    pub hold_count: i64,
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

/// What an environment keeps itself: who may call it, and where its pages are. See [`Settings`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub allowed_origins: Vec<Origin>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_email_url: Option<WebUrl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_password_url: Option<WebUrl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub magic_link_url: Option<WebUrl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_email_url: Option<WebUrl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation_url: Option<WebUrl>,
}

/// How an environment behaves: what it keeps itself, and what counts of what is chosen for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EnvironmentSettings)]
pub struct Settings {
    /// Whether people may make accounts for themselves.
    pub signup_open: bool,
    /// Whether an address must be verified before its holder can sign in.
    pub require_verification: bool,
    /// The web origins whose pages may call this API, exactly.
    pub allowed_origins: Vec<Origin>,
    /// What letters are written in where the reader names no language of ours.
    pub default_language: Language,
    /// The page that verifies addresses; letters add `token`. Absent: a page of this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub verify_email_url: Option<WebUrl>,
    /// The page that takes new passwords; letters add `token`. Absent: a page of this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reset_password_url: Option<WebUrl>,
    /// The page that signs in by link; letters add `token`. Absent: a page of this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub magic_link_url: Option<WebUrl>,
    /// The page that confirms new addresses; letters add `token`. Absent: a page of this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub change_email_url: Option<WebUrl>,
    /// The page that takes invitations; letters add `token`. Absent: a page of this server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub invitation_url: Option<WebUrl>,
    /// How long an invitation is good. Counts for those that are sent from now on.
    #[schema(minimum = 3600, maximum = 2_592_000)]
    pub invitation_ttl_seconds: u32,
}

impl Settings {
    fn of(kept: &Kept, chosen: &Chosen) -> Self {
        Self {
            signup_open: chosen.flag(Key::SignupOpen),
            require_verification: chosen.flag(Key::RequireVerification),
            allowed_origins: kept.allowed_origins.clone(),
            default_language: language(chosen),
            verify_email_url: kept.verify_email_url.clone(),
            reset_password_url: kept.reset_password_url.clone(),
            magic_link_url: kept.magic_link_url.clone(),
            change_email_url: kept.change_email_url.clone(),
            invitation_url: kept.invitation_url.clone(),
            invitation_ttl_seconds: chosen.number(Key::InvitationTtl),
        }
    }

    /// What somebody is written to in, who likes `wanted` best.
    pub fn language(&self, wanted: Option<Language>) -> Language {
        wanted.unwrap_or(self.default_language)
    }

    /// The app's own page for a link of this purpose.
    pub fn page(&self, purpose: Purpose) -> Option<&WebUrl> {
        match purpose {
            Purpose::VerifyEmail => self.verify_email_url.as_ref(),
            Purpose::ResetPassword => self.reset_password_url.as_ref(),
            Purpose::MagicLink => self.magic_link_url.as_ref(),
            Purpose::ChangeEmail => self.change_email_url.as_ref(),
            Purpose::Invitation => self.invitation_url.as_ref(),
        }
    }
}

/// What counts where nothing is chosen and nothing kept, until somebody has looked.
impl Default for Settings {
    fn default() -> Self {
        Self::of(&Kept::default(), &Chosen::default())
    }
}

/// What letters are written in by default, of what is chosen.
pub fn language(chosen: &Chosen) -> Language {
    let text = chosen.text(Key::DefaultLanguage);
    let language = text.and_then(|text| text.parse().ok());
    language.unwrap_or_default()
}

/// Two environments of an app with one slug: the second one is refused by this index.
pub(super) const SLUG_TAKEN: &str = "environments_slug";

impl Entity for Environment {
    type Owner = OfApp;
    const COLLECTION: &'static str = "authsome_environments";
    const INDEXES: &'static [Index] = &[
        Index::unique(SLUG_TAKEN, &["app_id", "slug"]),
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

    /// The same, with what counts in it.
    pub(super) fn settled(self, chosen: Chosen) -> Self {
        Self {
            settings: Settings::of(&self.kept, &chosen),
            chosen,
            ..self
        }
    }

    /// A new environment, for which nothing is chosen yet.
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
            color: None,
            is_default,
            publishable_key: kind.publishable_key(entropy),
            kept: Kept::default(),
            settings: Settings::default(),
            chosen: Chosen::default(),
            cloned_from: None,
            hold_count: 0,
            created_at: now,
            updated_at: now,
        }
    }
}

impl Kind {
    pub fn is_production(self) -> bool {
        self == Self::Production
    }

    /// A new key that names an environment of the kind.
    pub(super) fn publishable_key(self, entropy: &Entropy) -> String {
        format!("pk_{}_{}", self.marker(), entropy.token())
    }

    /// The colour of environments for which nobody has chosen one.
    pub(super) fn color(self) -> &'static str {
        match self {
            Kind::Production => "#c5221f",
            Kind::Staging => "#f29900",
            Kind::Development => "#1e8e3e",
        }
    }

    /// The middle of a key: `pk_live_…`.
    pub fn marker(self) -> &'static str {
        match self {
            Kind::Production => "live",
            Kind::Staging => "stg",
            Kind::Development => "test",
        }
    }
}

/// Text that names no kind of environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be `production`, `staging` or `development`")]
pub struct NotAKind;

impl FromStr for Kind {
    type Err = NotAKind;

    fn from_str(text: &str) -> Result<Self, NotAKind> {
        match text {
            "production" => Ok(Self::Production),
            "staging" => Ok(Self::Staging),
            "development" => Ok(Self::Development),
            _ => Err(NotAKind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_named_as_it_is_written_and_has_a_colour() {
        for kind in [Kind::Production, Kind::Staging, Kind::Development] {
            let name = serde_json::to_value(kind).unwrap();
            assert_eq!(name.as_str().unwrap().parse(), Ok(kind));
            assert_eq!(Color::parse(kind.color()).unwrap().as_str(), kind.color());
        }
        assert_eq!("Production".parse::<Kind>(), Err(NotAKind));
    }
}
