use actix_web::web::Data;
use actix_web::{delete, get, patch, post};
use serde::Serialize;
use utoipa::ToSchema;

use super::changing::{Rotation, WantedChanges};
use super::holding::By;
use super::making::WantedKey;
use super::requests::{ApiKeyPatch, KeyRotation, KeysQuery, NewAccountKey, NewApiKey};
use super::service::{KeyError, Keys};
use super::wire::KeyView;
use crate::access::{
    CreateKey, InApp, ListKeys, ManageKeys, ManageOrganizationKeys, ManageServiceAccounts,
    Permission, ReadKey, ReadServiceAccounts, RevokeKey, RotateKey, UpdateKey,
};
use crate::http::{
    Allowed, Answer, Body, Created, KeyOwner, NoContent, Ok200, Paging, PathId, ProblemKind, Query,
    Routing,
};
use crate::kernel::id::{ApiKeyId, ServiceAccountId};

pub fn routes(config: &mut Routing) {
    config
        .service(list)
        .service(create)
        .service(read)
        .service(update)
        .service(rotate)
        .service(revoke);
}

impl<'a> By<'a> {
    /// Whoever has passed a guard.
    pub fn of<P: Permission<In = InApp>>(access: &'a Allowed<P>) -> Self {
        Self {
            caller: access.caller(),
            origin: access.origin(),
            manages_keys: access.also::<ManageKeys>(),
            manages_accounts: access.also::<ManageServiceAccounts>(),
            reads_accounts: access.also::<ReadServiceAccounts>(),
        }
    }
}

impl Keys {
    /// Makes a key of a service account, and tells its secret for the only time.
    pub async fn create_for_account(
        &self,
        by: &By<'_>,
        id: ServiceAccountId,
        wanted: NewAccountKey,
    ) -> Result<KeyView, KeyError> {
        let (owner, wanted) = (KeyOwner::ServiceAccount(id), WantedKey::from(wanted));
        let made = self.create_for(by, owner, &wanted).await?;
        Ok(KeyView::revealed(made))
    }
}

/// A page of keys, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKeyPage)]
struct KeyPage {
    keys: Vec<KeyView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
}

/// List API keys
///
/// One's own, those of an organisation, or those of the environment; newest first. An organisation's
/// key lists those of its organisation, with a scope for `organization_keys:read`. A key that is over is
/// shown for 30 days more.
#[utoipa::path(
    tag = "keys", operation_id = "keys.list",
    params(Paging, KeysQuery),
    responses((status = 200, description = "A page of keys", body = KeyPage)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(ListKeys::NAME)),
        ("x-problems" = json!([ProblemKind::UserRequired, ProblemKind::InvalidBody])),
    ),
)]
#[get("/v1/keys")]
async fn list(
    access: Allowed<ListKeys>,
    query: Query<KeysQuery>,
    keys: Data<Keys>,
) -> Answer<Ok200<KeyPage>> {
    let query = query.into_inner();
    let page = (query.paging.after.as_ref(), query.paging.limit);
    let found = keys.list(&By::of(&access), query.whose(), page).await?;
    let next_cursor = query.paging.cursor(found.next.as_ref());
    Ok(Ok200::new(KeyPage {
        keys: found.items.into_iter().map(KeyView::from).collect(),
        has_more: next_cursor.is_some(),
        next_cursor,
    }))
}

/// Make an API key
///
/// For oneself; with `org_id` for an organisation, whose key stays when its maker leaves; with
/// `owner` for the environment. It is shown once. No scope of it goes beyond what its maker has, and
/// a user's key never does more than its user may at that moment. A key makes keys only where a scope
/// of it names that right (`api_keys:own`; of an organisation's key, `organization_keys:manage`), and
/// gives roles to people, or roles what they amount to, only where its scopes leave out nothing of
/// them: what no `*` covers is named.
///
/// A user's keys stay when his password changes or is set anew and when his sessions end; they go with
/// him.
#[utoipa::path(
    tag = "keys", operation_id = "keys.create",
    request_body(
        content = NewApiKey,
        example = json!({"name": "Deployment", "scopes": ["members:read"], "expires_in": 7_776_000}),
    ),
    responses((status = 201, description = "The key, with its secret", body = KeyView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(CreateKey::NAME)),
        ("x-problems" = json!([
            ProblemKind::ScopeNotHeld, ProblemKind::RoleNotHeld, ProblemKind::UnknownRole,
            ProblemKind::KeyLimit, ProblemKind::UserRequired,
        ])),
    ),
)]
#[post("/v1/keys")]
async fn create(
    access: Allowed<CreateKey>,
    new: Body<NewApiKey>,
    keys: Data<Keys>,
) -> Answer<Created<KeyView>> {
    let new = new.into_inner();
    let (by, whose) = (By::of(&access), new.whose());
    if whose.org.is_some() {
        access.comes_for::<ManageOrganizationKeys>();
    }
    let made = keys.create(&by, whose, &new.into()).await?;
    Ok(Created::new(KeyView::revealed(made)))
}

/// Read an API key
///
/// Without its secret: that was shown when it was made.
#[utoipa::path(
    tag = "keys", operation_id = "keys.read",
    params(("key" = ApiKeyId, Path, description = "The key")),
    responses((status = 200, description = "The key, without its secret", body = KeyView)),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(ReadKey::NAME))),
)]
#[get("/v1/keys/{key}")]
async fn read(
    access: Allowed<ReadKey>,
    id: PathId<ApiKeyId>,
    keys: Data<Keys>,
) -> Answer<Ok200<KeyView>> {
    let key = keys.get(&By::of(&access), id.into_inner()).await?;
    Ok(Ok200::new(key.into()))
}

/// Change an API key
///
/// Another name, other scopes, an earlier end. Tokens that it was exchanged for are refused where it
/// has other scopes or another end. A key changes no other that is good for more than itself; one that
/// has no scopes is.
#[utoipa::path(
    tag = "keys", operation_id = "keys.update",
    params(("key" = ApiKeyId, Path, description = "The key")),
    request_body(content = ApiKeyPatch, example = json!({"name": "Deployment of the shop"})),
    responses((status = 200, description = "The key", body = KeyView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(UpdateKey::NAME)),
        ("x-problems" = json!([ProblemKind::ScopeNotHeld, ProblemKind::RoleNotHeld])),
    ),
)]
#[patch("/v1/keys/{key}")]
async fn update(
    access: Allowed<UpdateKey>,
    id: PathId<ApiKeyId>,
    changes: Body<ApiKeyPatch>,
    keys: Data<Keys>,
) -> Answer<Ok200<KeyView>> {
    let wanted = WantedChanges::from(changes.into_inner());
    let key = keys
        .update(&By::of(&access), id.into_inner(), &wanted)
        .await?;
    Ok(Ok200::new(key.into()))
}

/// Rotate an API key
///
/// Gives it another secret, which is shown once. The one before is good for `grace_seconds`, at most
/// seven days, never for longer than it was, and never for longer than the key; the one before that is
/// over. Tokens that they were exchanged for are refused where they could outlive them: within 15
/// minutes of its end a secret has none from before the rotation.
///
/// The key ends when it would have, unless `expires_at` or `expires_in` says otherwise: sooner, or
/// later, which lengthens its life, also of a key that has ended. Without either such a key is not
/// rotated, and one whose uses are used up never is.
#[utoipa::path(
    tag = "keys", operation_id = "keys.rotate",
    params(("key" = ApiKeyId, Path, description = "The key")),
    request_body(content = KeyRotation, example = json!({"grace_seconds": 3600})),
    responses((status = 200, description = "The key, with its new secret", body = KeyView)),
    security(("session" = []), ("api_key" = [])),
    extensions(
        ("x-permission" = json!(RotateKey::NAME)),
        ("x-problems" = json!([
            ProblemKind::ScopeNotHeld, ProblemKind::RoleNotHeld, ProblemKind::KeyOver,
        ])),
    ),
)]
#[post("/v1/keys/{key}/rotate")]
async fn rotate(
    access: Allowed<RotateKey>,
    id: PathId<ApiKeyId>,
    wanted: Body<KeyRotation>,
    keys: Data<Keys>,
) -> Answer<Ok200<KeyView>> {
    let wanted = Rotation::from(wanted.into_inner());
    let rotated = keys
        .rotate(&By::of(&access), id.into_inner(), wanted)
        .await?;
    Ok(Ok200::new(KeyView::revealed(rotated)))
}

/// Revoke an API key
///
/// At once and for good, with the tokens that it was exchanged for.
#[utoipa::path(
    tag = "keys", operation_id = "keys.revoke",
    params(("key" = ApiKeyId, Path, description = "The key")),
    responses((status = 204, description = "It is gone")),
    security(("session" = []), ("api_key" = [])),
    extensions(("x-permission" = json!(RevokeKey::NAME))),
)]
#[delete("/v1/keys/{key}")]
async fn revoke(
    access: Allowed<RevokeKey>,
    id: PathId<ApiKeyId>,
    keys: Data<Keys>,
) -> Answer<NoContent> {
    keys.revoke(&By::of(&access), id.into_inner()).await?;
    Ok(NoContent)
}
