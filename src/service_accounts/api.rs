use actix_web::web::Data;
use actix_web::{delete, get, patch, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::service::{ServiceAccounts, WantedAccount, WantedAccountChanges};
use crate::access::{ManageServiceAccounts, Permission, ReadServiceAccounts, Role};
use crate::api_keys::ServiceAccount;
use crate::http::{
    Allowed, Answer, Body, Change, Created, Fields, FromFields, NoContent, Ok200, Paging, PathId,
    ProblemKind, Query, Routing,
};
use crate::kernel::id::{EnvId, ServiceAccountId};
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;
use crate::keys::{By, KeyView, NewAccountKey};

const MOST_ROLES: usize = 10;

pub fn routes(config: &mut Routing) {
    config
        .service(list)
        .service(create)
        .service(read)
        .service(update)
        .service(remove)
        .service(create_key);
}

/// A service account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServiceAccount)]
struct AccountView {
    id: ServiceAccountId,
    env_id: EnvId,
    name: Label,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<Label>,
    /// What it is in the app.
    roles: Vec<Role>,
    /// Whether none of its keys is good.
    disabled: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<ServiceAccount> for AccountView {
    fn from(account: ServiceAccount) -> Self {
        Self {
            id: account.id,
            env_id: account.env_id,
            name: account.name,
            description: account.description,
            roles: account.roles,
            disabled: account.disabled,
            created_at: account.created_at,
            updated_at: account.updated_at,
        }
    }
}

/// A page of service accounts, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServiceAccountPage)]
struct AccountPage {
    service_accounts: Vec<AccountView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
}

/// A service account to make.
#[derive(Debug, ToSchema)]
struct NewServiceAccount {
    name: Label,
    #[schema(nullable = false)]
    description: Option<Label>,
    /// What it is to be in the app, such as `ADMIN`; absent: nothing.
    #[schema(nullable = false, max_items = 10)]
    roles: Option<Vec<String>>,
}

/// What is to become of a service account. `null` takes away the description.
#[derive(Debug, ToSchema)]
struct ServiceAccountPatch {
    #[schema(nullable = false)]
    name: Option<Label>,
    #[schema(value_type = Option<String>)]
    description: Change<Label>,
    /// In place of all that it is.
    #[schema(nullable = false, max_items = 10)]
    roles: Option<Vec<String>>,
    /// Whether none of its keys is to be good.
    #[schema(nullable = false)]
    disabled: Option<bool>,
}

#[expect(
    clippy::option_option,
    reason = "`None` is a fault, and none inside is nothing said"
)]
fn roles(fields: &mut Fields) -> Option<Option<Vec<String>>> {
    let roles = fields.optional_list("roles", str::parse::<String>)?;
    if roles.as_ref().is_some_and(|it| it.len() > MOST_ROLES) {
        return fields.fault("roles", "invalid_roles", "must name at most 10 roles");
    }
    Some(roles)
}

impl FromFields for NewServiceAccount {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", Label::parse);
        let description = fields.optional("description", Label::parse);
        let roles = roles(fields);
        Some(Self {
            name: name?,
            description: description?,
            roles: roles?,
        })
    }
}

impl FromFields for ServiceAccountPatch {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.optional("name", Label::parse);
        let description = fields.change("description", Label::parse);
        let roles = roles(fields);
        let disabled = fields.flag("disabled");
        Some(Self {
            name: name?,
            description: description?,
            roles: roles?,
            disabled: disabled?,
        })
    }
}

impl From<NewServiceAccount> for WantedAccount {
    fn from(body: NewServiceAccount) -> Self {
        Self {
            name: body.name,
            description: body.description,
            roles: body.roles.unwrap_or_default(),
        }
    }
}

impl From<ServiceAccountPatch> for WantedAccountChanges {
    fn from(body: ServiceAccountPatch) -> Self {
        Self {
            name: body.name,
            description: body.description,
            roles: body.roles,
            disabled: body.disabled,
        }
    }
}

/// List service accounts
///
/// Of the environment, newest first.
#[utoipa::path(
    tag = "administration", operation_id = "admin.service_accounts.list",
    params(Paging),
    responses((status = 200, description = "A page of service accounts", body = AccountPage)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadServiceAccounts::NAME))),
)]
#[get("/v1/admin/service-accounts")]
async fn list(
    access: Allowed<ReadServiceAccounts>,
    paging: Query<Paging>,
    accounts: Data<ServiceAccounts>,
) -> Answer<Ok200<AccountPage>> {
    let paging = paging.into_inner();
    let page = (paging.after.as_ref(), paging.limit);
    let found = accounts.page(access.tenant(), page).await?;
    let next_cursor = paging.cursor(found.next.as_ref());
    Ok(Ok200::new(AccountPage {
        service_accounts: found.items.into_iter().map(AccountView::from).collect(),
        has_more: next_cursor.is_some(),
        next_cursor,
    }))
}

/// Make a service account
///
/// Nobody gives it a role that he does not hold himself. It can do nothing until it has a key.
#[utoipa::path(
    tag = "administration", operation_id = "admin.service_accounts.create",
    request_body(
        content = NewServiceAccount,
        example = json!({"name": "Nightly import", "roles": ["ADMIN"]}),
    ),
    responses((status = 201, description = "The service account", body = AccountView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ManageServiceAccounts::NAME)),
        ("x-problems" = json!([ProblemKind::UnknownRole, ProblemKind::RoleNotHeld])),
    ),
)]
#[post("/v1/admin/service-accounts")]
async fn create(
    access: Allowed<ManageServiceAccounts>,
    new: Body<NewServiceAccount>,
    accounts: Data<ServiceAccounts>,
) -> Answer<Created<AccountView>> {
    let wanted = WantedAccount::from(new.into_inner());
    let account = accounts.create(&By::of(&access), &wanted).await?;
    Ok(Created::new(account.into()))
}

/// Read a service account
///
/// What it is, and whether its keys are good.
#[utoipa::path(
    tag = "administration", operation_id = "admin.service_accounts.read",
    params(("id" = ServiceAccountId, Path, description = "The service account")),
    responses((status = 200, description = "The service account", body = AccountView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadServiceAccounts::NAME))),
)]
#[get("/v1/admin/service-accounts/{id}")]
async fn read(
    access: Allowed<ReadServiceAccounts>,
    id: PathId<ServiceAccountId>,
    accounts: Data<ServiceAccounts>,
) -> Answer<Ok200<AccountView>> {
    let account = accounts.get(access.tenant(), id.into_inner()).await?;
    Ok(Ok200::new(account.into()))
}

/// Change a service account
///
/// Where it is disabled, none of its keys is good, and none of the tokens that they were exchanged
/// for. Nobody changes one that is, or would be, more than he is himself.
#[utoipa::path(
    tag = "administration", operation_id = "admin.service_accounts.update",
    params(("id" = ServiceAccountId, Path, description = "The service account")),
    request_body(content = ServiceAccountPatch, example = json!({"disabled": true})),
    responses((status = 200, description = "The service account", body = AccountView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ManageServiceAccounts::NAME)),
        ("x-problems" = json!([ProblemKind::UnknownRole, ProblemKind::RoleNotHeld])),
    ),
)]
#[patch("/v1/admin/service-accounts/{id}")]
async fn update(
    access: Allowed<ManageServiceAccounts>,
    id: PathId<ServiceAccountId>,
    changes: Body<ServiceAccountPatch>,
    accounts: Data<ServiceAccounts>,
) -> Answer<Ok200<AccountView>> {
    let wanted = WantedAccountChanges::from(changes.into_inner());
    let account = accounts
        .update(&By::of(&access), id.into_inner(), &wanted)
        .await?;
    Ok(Ok200::new(account.into()))
}

/// Delete a service account
///
/// With its keys, and the tokens that they were exchanged for.
#[utoipa::path(
    tag = "administration", operation_id = "admin.service_accounts.delete",
    params(("id" = ServiceAccountId, Path, description = "The service account")),
    responses((status = 204, description = "It is gone")),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ManageServiceAccounts::NAME)),
        ("x-problems" = json!([ProblemKind::RoleNotHeld])),
    ),
)]
#[delete("/v1/admin/service-accounts/{id}")]
async fn remove(
    access: Allowed<ManageServiceAccounts>,
    id: PathId<ServiceAccountId>,
    accounts: Data<ServiceAccounts>,
) -> Answer<NoContent> {
    accounts.delete(&By::of(&access), id.into_inner()).await?;
    Ok(NoContent)
}

/// Give a service account a key
///
/// It is shown once. It may what the roles of the account allow, within its scopes.
#[utoipa::path(
    tag = "administration", operation_id = "admin.service_accounts.create_key",
    params(("id" = ServiceAccountId, Path, description = "The service account")),
    request_body(
        content = NewAccountKey,
        example = json!({"name": "First", "scopes": ["users:*"], "expires_in": 7_776_000}),
    ),
    responses((status = 201, description = "The key, with its secret", body = KeyView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ManageServiceAccounts::NAME)),
        ("x-problems" = json!([
            ProblemKind::ScopeNotHeld, ProblemKind::RoleNotHeld, ProblemKind::KeyLimit,
        ])),
    ),
)]
#[post("/v1/admin/service-accounts/{id}/api-keys")]
async fn create_key(
    access: Allowed<ManageServiceAccounts>,
    id: PathId<ServiceAccountId>,
    new: Body<NewAccountKey>,
    accounts: Data<ServiceAccounts>,
) -> Answer<Created<KeyView>> {
    let (by, new) = (By::of(&access), new.into_inner());
    let made = accounts
        .keys
        .create_for_account(&by, id.into_inner(), new)
        .await?;
    Ok(Created::new(made))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<NewServiceAccount>();
        assert_documented::<ServiceAccountPatch>();
    }
}
