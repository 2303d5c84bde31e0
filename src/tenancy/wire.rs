//! Apps as clients describe and see them.

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::founding::Founded;
use super::service::Wanted;
use crate::apps::{App, AppChanges};
use crate::environments::{Environment, Kind};
use crate::http::{Change, Fields, FromFields};
use crate::kernel::id::{AppId, EnvId};
use crate::kernel::metadata::Metadata;
use crate::kernel::secret::{ExposeSecret, SecretString};
use crate::kernel::text::{Label, Slug};
use crate::kernel::time::Timestamp;
use crate::users::image_url;

/// Characters of a description.
const LONGEST: usize = 500;

/// An app, as administrators see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = App)]
pub(super) struct AppView {
    pub id: AppId,
    pub name: Label,
    pub slug: Slug,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub logo: Option<String>,
    /// Whether it holds the operators.
    pub is_platform: bool,
    pub metadata: Metadata,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A page of apps, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AppPage {
    pub apps: Vec<AppView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_cursor: Option<String>,
    pub has_more: bool,
}

/// An app that was just founded.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FoundedApp {
    app: AppView,
    environments: Vec<FoundedEnvironment>,
}

#[derive(Debug, Serialize, ToSchema)]
struct FoundedEnvironment {
    id: EnvId,
    name: Label,
    slug: Slug,
    #[serde(rename = "type")]
    kind: Kind,
    is_default: bool,
    publishable_key: String,
    /// Told this once.
    secret_key: String,
}

impl From<App> for AppView {
    fn from(app: App) -> Self {
        Self {
            id: app.id,
            name: app.name,
            slug: app.slug,
            description: app.description,
            logo: app.logo,
            is_platform: app.is_platform,
            metadata: app.metadata,
            created_at: app.created_at,
            updated_at: app.updated_at,
        }
    }
}

impl From<Founded> for FoundedApp {
    fn from(founded: Founded) -> Self {
        let environments = founded.environments.into_iter();
        Self {
            app: founded.app.into(),
            environments: environments.map(FoundedEnvironment::from).collect(),
        }
    }
}

impl From<(Environment, SecretString)> for FoundedEnvironment {
    fn from((environment, secret): (Environment, SecretString)) -> Self {
        Self {
            id: environment.id,
            name: environment.name,
            slug: environment.slug,
            kind: environment.kind,
            is_default: environment.is_default,
            publishable_key: environment.publishable_key,
            secret_key: secret.expose_secret().to_owned(),
        }
    }
}

/// An app to be founded.
#[derive(Debug, ToSchema)]
#[schema(as = NewApp)]
pub(super) struct NewAppBody {
    name: Label,
    /// Made of the name, where it is left out.
    slug: Option<Slug>,
    /// At most 500 characters.
    #[schema(max_length = 500)]
    description: Option<String>,
    /// An `https` URL of at most 2,048 characters.
    logo: Option<String>,
    metadata: Option<Metadata>,
}

impl FromFields for NewAppBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", Label::parse);
        let slug = fields.optional("slug", Slug::parse);
        let description = fields.optional("description", description);
        let logo = fields.optional("logo", image_url);
        let metadata = fields.map("metadata", Metadata::parse);
        Some(Self {
            name: name?,
            slug: slug?,
            description: description?,
            logo: logo?,
            metadata: metadata?,
        })
    }
}

impl From<NewAppBody> for Wanted {
    fn from(new: NewAppBody) -> Self {
        Self {
            name: new.name,
            slug: new.slug,
            changes: AppChanges {
                description: new.description.map_or(Change::Keep, Change::Set),
                logo: new.logo.map_or(Change::Keep, Change::Set),
                metadata: new.metadata,
                ..AppChanges::default()
            },
        }
    }
}

impl FromFields for AppChanges {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional("name", Label::parse);
        let slug = fields.optional("slug", Slug::parse);
        let description = fields.change("description", description);
        let logo = fields.change("logo", image_url);
        let metadata = fields.map("metadata", Metadata::parse);
        Some(Self {
            name: name?,
            slug: slug?,
            description: description?,
            logo: logo?,
            metadata: metadata?,
        })
    }
}

/// Some lines about an app; no other control characters than their ends.
fn description(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let is_plain = text.chars().all(|c| !c.is_control() || c == '\n');
    if text.is_empty() || text.chars().count() > LONGEST || !is_plain {
        return Err("not 1 to 500 printable characters");
    }
    Ok(text.to_owned())
}

/// That the app is meant.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Confirmation {
    /// The slug of the app.
    #[param(required = false, nullable = false)]
    pub confirm: String,
}

impl FromFields for Confirmation {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let confirm = fields.optional("confirm", str::parse::<String>);
        Some(Self {
            confirm: confirm?.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<NewAppBody>();
        assert_documented::<AppChanges>();
    }

    #[test]
    fn a_description_is_some_plain_lines() {
        assert_eq!(description(" Two\nlines ").as_deref(), Ok("Two\nlines"));
        for bad in ["", "  ", "a\rb", "a\u{0}b", &"x".repeat(501)] {
            assert!(description(bad).is_err(), "{bad:.20}");
        }
    }
}
