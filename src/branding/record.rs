use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::css::StyleSheet;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, BrandingId, EnvId, OrgId};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::{Color, FontFamily, Label, Reason, WebUrl};
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfApp};

/// Of two first times in one place at once, the second one is refused by this index.
pub const ONE_LOOK: &str = "branding_configs_place";

/// Whose look something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    App(AppId),
    Organization(Tenant, OrgId),
}

/// What is set for an app or an organisation; at most one document each.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BrandingConfig {
    #[serde(rename = "_id")]
    pub id: BrandingId,
    pub app_id: AppId,
    /// Of an organisation's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<EnvId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<OrgId>,
    /// `app`, or the identifier of the organisation.
    pub place: String,
    pub look: Look,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Entity for BrandingConfig {
    type Owner = OfApp;
    const COLLECTION: &'static str = "authsome_branding_configs";
    const INDEXES: &'static [Index] = &[
        Index::unique(ONE_LOOK, &["app_id", "place"]),
        Index::on("branding_configs_environment", &["env_id"]).when_present("env_id"),
    ];
}

/// How something looks, as far as it is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Branding)]
pub struct Look {
    /// An `https` address of a picture, which readers' programs fetch; absent: the `logo` of the app
    /// or the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub logo_url: Option<WebUrl>,
    /// Of the line above letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub primary_color: Option<Color>,
    /// Behind letters and pages; what is written on it is black or white, whichever can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub background_color: Option<Color>,
    /// Of buttons, and of links where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub accent_color: Option<Color>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub font_family: Option<FontFamily>,
    /// Kept and shown in its normal form. What letters have already is overruled by `!important`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub custom_css: Option<StyleSheet>,
    /// Absent: the name of the app or the organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub company_name: Option<Label>,
    /// Below letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tagline: Option<Reason>,
}

impl Place {
    pub const fn app(self) -> AppId {
        match self {
            Self::App(app) => app,
            Self::Organization(tenant, _) => tenant.app_id,
        }
    }

    /// The name of the place among those of its app.
    pub(super) fn name(self) -> String {
        match self {
            Self::App(_) => "app".to_owned(),
            Self::Organization(_, org) => org.to_string(),
        }
    }

    pub const fn organization(self) -> Option<OrgId> {
        match self {
            Self::App(_) => None,
            Self::Organization(_, org) => Some(org),
        }
    }
}

impl BrandingConfig {
    pub(super) fn new(place: Place, look: Look, (now, entropy): (Timestamp, &Entropy)) -> Self {
        let env_id = match place {
            Place::App(_) => None,
            Place::Organization(tenant, _) => Some(tenant.env_id),
        };
        Self {
            id: BrandingId::new(now, entropy),
            app_id: place.app(),
            env_id,
            org_id: place.organization(),
            place: place.name(),
            look,
            created_at: now,
            updated_at: now,
        }
    }
}
