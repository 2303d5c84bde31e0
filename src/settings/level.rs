use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::id::{AppId, OrgId};
use crate::kernel::tenant::Tenant;

/// Where something is chosen, the most general first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[schema(as = SettingLevel)]
pub enum Level {
    /// For every app of the installation, by its operators.
    Platform,
    App,
    Environment,
    Organization,
}

impl Level {
    pub const ALL: [Self; 4] = [
        Self::Platform,
        Self::App,
        Self::Environment,
        Self::Organization,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::App => "app",
            Self::Environment => "environment",
            Self::Organization => "organization",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that names no level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be `platform`, `app`, `environment` or `organization`")]
pub struct UnknownLevel;

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        let named = Self::ALL.into_iter().find(|level| level.as_str() == text);
        named.ok_or(UnknownLevel)
    }
}

/// Who chooses: one place of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The installation. Its choices are kept with the app of its operators.
    Platform(AppId),
    App(AppId),
    Environment(Tenant),
    Organization(Tenant, OrgId),
}

impl Place {
    pub fn level(self) -> Level {
        match self {
            Self::Platform(_) => Level::Platform,
            Self::App(_) => Level::App,
            Self::Environment(_) => Level::Environment,
            Self::Organization(..) => Level::Organization,
        }
    }

    /// The app that its choices are kept with.
    pub fn app(self) -> AppId {
        match self {
            Self::Platform(app) | Self::App(app) => app,
            Self::Environment(tenant) | Self::Organization(tenant, _) => tenant.app_id,
        }
    }

    /// What it is called among the places of the app.
    pub(super) fn name(self) -> String {
        match self {
            Self::Platform(_) | Self::App(_) => self.level().to_string(),
            Self::Environment(tenant) => tenant.env_id.to_string(),
            Self::Organization(_, org) => org.to_string(),
        }
    }
}
