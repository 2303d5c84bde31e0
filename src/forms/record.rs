use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::field::FormField;
use crate::kernel::id::{AppId, FormConfigId, FormVersionId};
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfApp};

/// Fields that a form may have.
pub(super) const MOST_FIELDS: usize = 50;
/// Versions of a form that are kept.
pub(super) const MOST_VERSIONS: i64 = 50;

/// On which occasion an app asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FormType {
    Signup,
    Profile,
}

impl FormType {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signup => "signup",
            Self::Profile => "profile",
        }
    }
}

/// Fails for a form that there is not.
impl std::str::FromStr for FormType {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = [Self::Signup, Self::Profile].into_iter();
        all.find(|it| it.as_str() == text)
            .ok_or("is no form of this product")
    }
}

/// A form as it is now; at most one document a type and app.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FormConfig {
    #[serde(rename = "_id")]
    pub id: FormConfigId,
    pub app_id: AppId,
    pub form_type: FormType,
    /// In the order in which they are asked.
    pub fields: Vec<FormField>,
    /// Whether anybody is asked.
    pub active: bool,
    /// One more with every change, also where the form was removed between.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What a form was from one change to the next. Never changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FormVersion {
    #[serde(rename = "_id")]
    pub id: FormVersionId,
    pub app_id: AppId,
    pub form_type: FormType,
    pub fields: Vec<FormField>,
    pub active: bool,
    pub version: i64,
    /// Later than that of the version before, so that lists have one order.
    pub created_at: Timestamp,
}

impl Entity for FormConfig {
    type Owner = OfApp;
    const COLLECTION: &'static str = "authsome_form_configs";
    const INDEXES: &'static [Index] =
        &[Index::unique("form_configs_type", &["app_id", "form_type"])];
}

impl Entity for FormVersion {
    type Owner = OfApp;
    const COLLECTION: &'static str = "authsome_form_versions";
    const INDEXES: &'static [Index] = &[
        Index::unique("form_versions_version", &["app_id", "form_type", "version"]),
        Index::on(
            "form_versions_created",
            &["app_id", "form_type", "created_at", "_id"],
        ),
    ];
}
