use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Change;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::AppId;
use crate::kernel::metadata::Metadata;
use crate::kernel::text::{Label, Slug};
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, Nobody};

/// The slug of the app that holds the operators.
pub const PLATFORM_SLUG: &str = "platform";

/// One app of each slug.
pub const SLUG_TAKEN: &str = "apps_slug";

/// An application: a pool of users.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct App {
    #[serde(rename = "_id")]
    pub id: AppId,
    pub name: Label,
    pub slug: Slug,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    pub is_platform: bool,
    /// How many users hold the app's guarding role; see [`crate::access::guarding`].
    pub guardian_count: i64,
    /// Counted up by whoever adds an environment, so that those who do it at once are told apart.
    #[serde(default)]
    pub environments_made: i64,
    /// Counted up by every unit of work that brings users in, so that none does behind the back of
    /// whoever closes the app.
    #[serde(default)]
    pub intakes: i64,
    #[serde(default)]
    pub metadata: Metadata,
    /// When it was closed. No query but those of closing finds it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// How an app is described otherwise; what is absent stays.
#[derive(Debug, Clone, Default, ToSchema)]
pub struct AppChanges {
    pub name: Option<Label>,
    pub slug: Option<Slug>,
    /// At most 500 characters.
    #[schema(value_type = Option<String>, max_length = 500)]
    pub description: Change<String>,
    /// An `https` URL of at most 2,048 characters.
    #[schema(value_type = Option<String>)]
    pub logo: Change<String>,
    /// Replaces the whole map.
    pub metadata: Option<Metadata>,
}

/// What an app is made of.
#[derive(Debug, Clone)]
pub struct NewApp {
    pub name: Label,
    pub slug: Slug,
    pub is_platform: bool,
}

impl Entity for App {
    type Owner = Nobody;
    const COLLECTION: &'static str = "authsome_apps";
    const INDEXES: &'static [Index] = &[
        Index::unique(SLUG_TAKEN, &["slug"]),
        Index::on("apps_created", &["created_at", "_id"]),
        Index::on("apps_closing", &["closing_at"]).when_present("closing_at"),
    ];
}

impl NewApp {
    pub(super) fn made(self, now: Timestamp, entropy: &Entropy) -> App {
        App {
            id: AppId::new(now, entropy),
            name: self.name,
            slug: self.slug,
            description: None,
            logo: None,
            is_platform: self.is_platform,
            guardian_count: 0,
            environments_made: 0,
            intakes: 0,
            metadata: Metadata::default(),
            closing_at: None,
            created_at: now,
            updated_at: now,
        }
    }
}
