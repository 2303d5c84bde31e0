use super::record::{Catalogue, CustomRole, RegisteredResource, Scope};
use crate::access::{OrgRole, Pattern};
use crate::http::Change;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, CatalogueId, OrgId, PolicyId, RoleId};
use crate::kernel::text::{Label, Word};
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, OfApp, Query, Reaches, Stored, Tx, Update, by_id};

const SCOPE: Field<CustomRole, Scope> = Field::at("scope");
const ORG_ID: Field<CustomRole, OrgId> = Field::at("org_id");
const NAME: Field<CustomRole, Word> = Field::at("name");
const DESCRIPTION: Field<CustomRole, Label> = Field::at("description");
const PARENT_ID: Field<CustomRole, OrgRole> = Field::at("parent_id");
const PERMISSIONS: Field<CustomRole, Vec<Pattern>> = Field::at("permissions");
/// Counts nothing: who gives a template and who deletes it meet there.
const HELD: Field<CustomRole, i64> = Field::at("held");
const CREATED_AT: Field<CustomRole, Timestamp> = Field::at("created_at");
const UPDATED_AT: Field<CustomRole, Timestamp> = Field::at("updated_at");

const RESOURCES: Field<Catalogue, Vec<RegisteredResource>> = Field::at("resources");
const VERSION: Field<Catalogue, i64> = Field::at("version");
const POLICY_ID: Field<Catalogue, PolicyId> = Field::at("policy_id");
const CHANGED_AT: Field<Catalogue, Timestamp> = Field::at("updated_at");

/// What becomes of a role.
#[derive(Debug, Clone, Default)]
pub struct RoleChanges {
    pub name: Option<Word>,
    pub description: Change<Label>,
    pub parent: Change<OrgRole>,
    pub permissions: Option<Vec<Pattern>>,
}

impl RoleChanges {
    /// The role as it will be.
    pub fn applied_to(&self, role: &CustomRole) -> CustomRole {
        CustomRole {
            name: self.name.clone().unwrap_or_else(|| role.name.clone()),
            description: self.description.applied_to(&role.description),
            parent_id: self.parent.applied_to(&role.parent_id),
            permissions: self
                .permissions
                .clone()
                .unwrap_or_else(|| role.permissions.clone()),
            ..role.clone()
        }
    }
}

fn of(scope: Option<OrgId>) -> Filter<CustomRole> {
    match scope {
        Some(org) => ORG_ID.eq(org),
        None => SCOPE.eq(Scope::App),
    }
}

/// A role of this organisation, or of the app where none is named.
pub async fn get<S>(
    tx: &mut Tx<'_, S>,
    id: RoleId,
    scope: Option<OrgId>,
) -> Stored<Option<CustomRole>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find_one(by_id(id) & of(scope)).await
}

pub async fn insert<S>(tx: &mut Tx<'_, S>, role: &CustomRole) -> Stored<()>
where
    S: Copy + Reaches<OfApp>,
{
    tx.insert(role).await
}

/// The role as it is afterwards; `None` if it is gone.
pub async fn update<S>(
    tx: &mut Tx<'_, S>,
    role: &CustomRole,
    now: Timestamp,
) -> Stored<Option<CustomRole>>
where
    S: Copy + Reaches<OfApp>,
{
    let description = role.description.clone();
    let description = description.map_or_else(|| DESCRIPTION.unset(), |it| DESCRIPTION.set(it));
    let parent = role
        .parent_id
        .map_or_else(|| PARENT_ID.unset(), |it| PARENT_ID.set(it));
    let update: Update<CustomRole> = NAME
        .set(role.name.clone())
        .and(description)
        .and(parent)
        .and(PERMISSIONS.set(role.permissions.clone()))
        .and(UPDATED_AT.set(now));
    tx.update_one(by_id(role.id) & of(role.org_id), update)
        .await
}

/// Whether there was such a role.
pub async fn remove<S>(tx: &mut Tx<'_, S>, role: &CustomRole) -> Stored<bool>
where
    S: Copy + Reaches<OfApp>,
{
    Ok(tx
        .take_one(by_id(role.id) & of(role.org_id))
        .await?
        .is_some())
}

/// Removes every role that an organisation has defined, with the organisation; how many there were.
pub async fn remove_own<S>(tx: &mut Tx<'_, S>, org: OrgId) -> Stored<u64>
where
    S: Copy + Reaches<OfApp>,
{
    tx.delete_many(of(Some(org))).await
}

/// Roles of the app and of its organisations that inherit from this one directly, `most` at most.
pub async fn children<S>(tx: &mut Tx<'_, S>, parent: RoleId, most: u32) -> Stored<Vec<CustomRole>>
where
    S: Copy + Reaches<OfApp>,
{
    let theirs = PARENT_ID.eq(OrgRole::Custom(parent));
    tx.find(Query::of(theirs).window(0, most)).await
}

/// Has them inherit from another role instead; how many did.
pub async fn reparent<S>(
    tx: &mut Tx<'_, S>,
    parent: RoleId,
    other: OrgRole,
    now: Timestamp,
) -> Stored<u64>
where
    S: Copy + Reaches<OfApp>,
{
    let theirs = PARENT_ID.eq(OrgRole::Custom(parent));
    let update = PARENT_ID.set(other).and(UPDATED_AT.set(now));
    tx.update_many(theirs, update).await
}

/// Holds those of these roles that are templates while they are given to somebody: of a unit of work
/// that deletes one at the same time, and this one, the second sees the first. What is of an
/// organisation is held by its organisation.
pub async fn hold_templates<S>(tx: &mut Tx<'_, S>, roles: &[OrgRole]) -> Stored<()>
where
    S: Copy + Reaches<OfApp>,
{
    for id in roles.iter().filter_map(|role| role.custom()) {
        tx.update_one(by_id(id) & of(None), HELD.inc(1)).await?;
    }
    Ok(())
}

/// Every role of the app itself.
pub async fn templates<S>(tx: &mut Tx<'_, S>) -> Stored<Vec<CustomRole>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find(Query::of(of(None)).oldest_by(CREATED_AT)).await
}

/// Every role that members of an organisation can have, built-in ones aside.
pub async fn of_organization<S>(tx: &mut Tx<'_, S>, org: OrgId) -> Stored<Vec<CustomRole>>
where
    S: Copy + Reaches<OfApp>,
{
    let mut all = templates(tx).await?;
    all.extend(
        tx.find(Query::of(of(Some(org))).oldest_by(CREATED_AT))
            .await?,
    );
    Ok(all)
}

pub async fn catalogue<S>(tx: &mut Tx<'_, S>) -> Stored<Option<Catalogue>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find_one(Filter::all()).await
}

/// Gives the app's part of all its policies a new version, in the unit of work that changes a role
/// of the app. [`crate::store::StoreError::Duplicate`] where another unit makes the first one.
pub async fn app_roles_changed(
    tx: &mut Tx<'_, AppId>,
    made: (Timestamp, &Entropy),
) -> Stored<Catalogue> {
    change(tx, None, made).await
}

/// Registers exactly these resources.
pub async fn replace_catalogue(
    tx: &mut Tx<'_, AppId>,
    resources: Vec<RegisteredResource>,
    made: (Timestamp, &Entropy),
) -> Stored<Catalogue> {
    change(tx, Some(resources), made).await
}

async fn change(
    tx: &mut Tx<'_, AppId>,
    resources: Option<Vec<RegisteredResource>>,
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<Catalogue> {
    let app = tx.scope();
    tx.mark(app);
    let policy_id = PolicyId::new(now, entropy);
    let mut update = VERSION
        .inc(1)
        .and(POLICY_ID.set(policy_id))
        .and(CHANGED_AT.set(now));
    if let Some(resources) = resources.clone() {
        update = update.and(RESOURCES.set(resources));
    }
    if let Some(changed) = tx.update_one(Filter::all(), update).await? {
        return Ok(changed);
    }
    let first = Catalogue {
        id: CatalogueId::new(now, entropy),
        app_id: tx.scope(),
        resources: resources.unwrap_or_default(),
        version: 1,
        policy_id,
        created_at: now,
        updated_at: now,
    };
    tx.insert(&first).await?;
    Ok(first)
}
