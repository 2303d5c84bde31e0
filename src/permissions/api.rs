use std::collections::HashSet;

use actix_web::web::Data;
use actix_web::{get, put};
use serde::Serialize;
use utoipa::ToSchema;

use super::check_api;
use super::service::Permissions;
use crate::access::{PERMISSIONS, Permission, ReadPermissions, Realm, RegisterPermissions};
use crate::http::{Allowed, Answer, Body, Fields, FromFields, Ok200, Routing};
use crate::kernel::text::{Label, Word};
use crate::rbac::RegisteredResource;

/// How many resources an app registers, and how many actions each has.
const MOST_RESOURCES: usize = 100;
const MOST_ACTIONS: usize = 50;

pub fn routes(config: &mut Routing) {
    config
        .service(read)
        .service(register)
        .configure(check_api::routes);
}

/// What can be allowed in the app.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PermissionCatalogue)]
struct CatalogueView {
    /// What the product guards, the same in every app.
    permissions: Vec<PermissionView>,
    /// What the app has registered; it counts in its organisations.
    resources: Vec<RegisteredResource>,
}

/// Something that the product guards.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Permission)]
struct PermissionView {
    /// `resource:action`, as tokens carry it.
    #[schema(example = "members:read")]
    name: &'static str,
    realm: Realm,
    resource: &'static str,
    action: &'static str,
    /// What holding it allows.
    description: &'static str,
}

impl From<Vec<RegisteredResource>> for CatalogueView {
    fn from(resources: Vec<RegisteredResource>) -> Self {
        let permissions = PERMISSIONS.iter().map(|row| PermissionView {
            name: row.name,
            realm: row.realm,
            resource: row.object,
            action: row.action,
            description: row.description,
        });
        Self {
            permissions: permissions.collect(),
            resources,
        }
    }
}

/// Read the catalogue
///
/// What roles can grant: the product's permissions, of the app and of organisations, and the
/// resources that the app has registered.
#[utoipa::path(
    tag = "permissions", operation_id = "permissions.list",
    responses((status = 200, description = "The catalogue", body = CatalogueView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadPermissions::NAME))),
)]
#[get("/v1/permissions")]
async fn read(
    access: Allowed<ReadPermissions>,
    permissions: Data<Permissions>,
) -> Answer<Ok200<CatalogueView>> {
    let registered = permissions.registered(access.caller()).await?;
    Ok(Ok200::new(registered.into()))
}

/// What an app's backends guard.
#[derive(Debug, ToSchema)]
#[schema(as = NewPermissionCatalogue)]
struct CatalogueBody {
    #[schema(max_items = 100)]
    resources: Vec<ResourceBody>,
}

/// A kind of thing that the app's backends guard, and what can be done to one.
#[derive(Debug, ToSchema)]
#[schema(as = NewRegisteredResource)]
struct ResourceBody {
    /// None of the product's own, and no other of the list.
    name: Word,
    #[schema(min_items = 1, max_items = 50)]
    actions: Vec<Word>,
    #[schema(nullable = false)]
    description: Option<Label>,
}

impl FromFields for CatalogueBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let resources: Vec<ResourceBody> = fields.objects("resources", MOST_RESOURCES)?;
        let mut names = HashSet::new();
        for (at, resource) in resources.iter().enumerate() {
            if !names.insert(&resource.name) {
                let name = format!("resources/{at}/name");
                return fields.fault(&name, "duplicate_resource", "is named twice");
            }
        }
        Some(Self { resources })
    }
}

impl FromFields for ResourceBody {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", Word::parse);
        let actions = fields.list("actions", Word::parse);
        let description = fields.optional("description", Label::parse);
        let (name, actions) = (name?, actions?);
        if PERMISSIONS.iter().any(|row| row.object == name.as_str()) {
            return fields.fault("name", "reserved_resource", "is a resource of the product");
        }
        if !(1..=MOST_ACTIONS).contains(&actions.len()) {
            return fields.fault("actions", "invalid_actions", "must name 1 to 50 actions");
        }
        let distinct: HashSet<_> = actions.iter().collect();
        if distinct.len() < actions.len() {
            return fields.fault("actions", "duplicate_action", "must name each action once");
        }
        Some(Self {
            name,
            actions,
            description: description?,
        })
    }
}

impl CatalogueBody {
    /// In one order, whatever order they were named in: the same set is the same catalogue.
    fn sorted(self) -> Vec<RegisteredResource> {
        let mut resources: Vec<_> = self.resources.into_iter().map(sorted).collect();
        resources.sort_by(|one, other| one.name.cmp(&other.name));
        resources
    }
}

fn sorted(mut resource: ResourceBody) -> RegisteredResource {
    resource.actions.sort();
    RegisteredResource {
        name: resource.name,
        actions: resource.actions,
        description: resource.description,
    }
}

/// Register resources
///
/// Exactly these, of at most 100 resources with at most 50 actions each. Roles of the app and of its
/// organisations can grant them, by action or by `*`, and access tokens carry what they grant, as
/// `documents:read`; owners and admins of organisations are granted all of them. A resource or an
/// action that is left out is granted to nobody from then on, whatever roles say, and again as soon
/// as it is registered again. Access tokens for organisations that were issued before are refused;
/// the same catalogue again, in any order, changes nothing.
#[utoipa::path(
    tag = "permissions", operation_id = "permissions.register",
    request_body(content = CatalogueBody, example = json!({"resources": [
        {"name": "documents", "actions": ["read", "write"], "description": "What customers write"},
    ]})),
    responses((status = 200, description = "The catalogue", body = CatalogueView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(RegisterPermissions::NAME))),
)]
#[put("/v1/permissions/catalogue")]
async fn register(
    access: Allowed<RegisterPermissions>,
    catalogue: Body<CatalogueBody>,
    permissions: Data<Permissions>,
) -> Answer<Ok200<CatalogueView>> {
    let resources = catalogue.into_inner().sorted();
    permissions
        .register(access.caller(), &resources, access.origin())
        .await?;
    Ok(Ok200::new(resources.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<CatalogueBody>();
        assert_documented::<ResourceBody>();
    }
}
