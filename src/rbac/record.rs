use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{OrgRole, Pattern, Resource, RoleRule};
use crate::kernel::id::{AppId, CatalogueId, EnvId, OrgId, PolicyId, RoleId};
use crate::kernel::text::{Label, Word};
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Index, OfApp};

pub const TEMPLATE_NAME_TAKEN: &str = "roles_template_name";
pub const ROLE_NAME_TAKEN: &str = "roles_organization_name";

/// A role that an app has defined for all its organisations, or an organisation for itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CustomRole {
    #[serde(rename = "_id")]
    pub id: RoleId,
    pub app_id: AppId,
    pub scope: Scope,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_id: Option<EnvId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org_id: Option<OrgId>,
    pub name: Word,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Label>,
    /// Whose permissions it has as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<OrgRole>,
    pub permissions: Vec<Pattern>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Who has defined a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = RoleScope)]
pub enum Scope {
    App,
    Organization,
}

/// What an app has registered beside the product's own permissions; one document an app. It is also
/// what all roles of the app have in common: a change of one is a change of this document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Catalogue {
    #[serde(rename = "_id")]
    pub id: CatalogueId,
    pub app_id: AppId,
    pub resources: Vec<RegisteredResource>,
    /// Bumped with every change of the catalogue or of a role of the app; access tokens for an
    /// organisation carry it.
    pub version: i64,
    pub policy_id: PolicyId,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A kind of thing that the app's backend guards, and what can be done to one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RegisteredResource {
    pub name: Word,
    pub actions: Vec<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub description: Option<Label>,
}

impl Entity for CustomRole {
    type Owner = OfApp;
    const COLLECTION: &'static str = "authsome_roles";
    const KEPT: bool = true;
    const INDEXES: &'static [Index] = &[
        Index::unique(TEMPLATE_NAME_TAKEN, &["app_id", "name"]).when_equals("scope", "app"),
        Index::unique(ROLE_NAME_TAKEN, &["org_id", "name"]).when_present("org_id"),
        Index::on("roles_scope", &["app_id", "scope", "created_at", "_id"]),
        Index::on("roles_organization", &["org_id", "created_at", "_id"]).when_present("org_id"),
        Index::on("roles_environment", &["env_id"]).when_present("env_id"),
        Index::on("roles_parent", &["app_id", "parent_id"]).when_present("parent_id"),
    ];
}

impl Entity for Catalogue {
    type Owner = OfApp;
    const COLLECTION: &'static str = "authsome_permissions";
    const KEPT: bool = true;
    const INDEXES: &'static [Index] = &[Index::unique("permissions_app", &["app_id"])];
}

impl CustomRole {
    /// The role as policies are compiled from it.
    pub fn rule(&self) -> RoleRule {
        RoleRule {
            id: self.id,
            name: self.name.clone(),
            is_template: self.scope == Scope::App,
            parent: self.parent_id,
            permissions: self.permissions.clone(),
        }
    }

    pub fn role(&self) -> OrgRole {
        OrgRole::Custom(self.id)
    }
}

impl RegisteredResource {
    /// The resource as policies are compiled from it.
    pub fn resource(&self) -> Resource {
        Resource {
            name: self.name.clone(),
            actions: self.actions.clone(),
        }
    }
}
