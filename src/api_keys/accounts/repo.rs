use super::record::ServiceAccount;
use crate::access::Role;
use crate::http::Change;
use crate::kernel::id::ServiceAccountId;
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, Stored, Tx, Update, by_id};

const NAME: Field<ServiceAccount, Label> = Field::at("name");
const DESCRIPTION: Field<ServiceAccount, Label> = Field::at("description");
const ROLES: Field<ServiceAccount, Vec<Role>> = Field::at("roles");
const DISABLED: Field<ServiceAccount, bool> = Field::at("disabled");
const HOLD_COUNT: Field<ServiceAccount, i64> = Field::at("hold_count");
const CREATED_AT: Field<ServiceAccount, Timestamp> = Field::at("created_at");
const UPDATED_AT: Field<ServiceAccount, Timestamp> = Field::at("updated_at");

/// What becomes of a service account.
#[derive(Debug, Clone, Default)]
pub struct AccountChanges {
    pub name: Option<Label>,
    pub description: Change<Label>,
    pub roles: Option<Vec<Role>>,
    pub disabled: Option<bool>,
}

pub async fn account(
    tx: &mut Tx<'_, Tenant>,
    id: ServiceAccountId,
) -> Stored<Option<ServiceAccount>> {
    tx.get(id).await
}

/// An account as it is at this moment, and as it stays until the unit of work commits.
pub async fn hold_account(
    tx: &mut Tx<'_, Tenant>,
    id: ServiceAccountId,
) -> Stored<Option<ServiceAccount>> {
    tx.update_one(by_id(id), HOLD_COUNT.inc(1)).await
}

pub async fn insert_account(tx: &mut Tx<'_, Tenant>, new: &ServiceAccount) -> Stored<()> {
    tx.insert(new).await
}

/// Newest first.
pub async fn account_page(
    tx: &mut Tx<'_, Tenant>,
    (after, limit): (Option<&Position>, Limit),
) -> Stored<Slice<ServiceAccount>> {
    tx.page(Filter::all(), CREATED_AT, after, limit).await
}

pub async fn update_account(
    tx: &mut Tx<'_, Tenant>,
    id: ServiceAccountId,
    changes: &AccountChanges,
    now: Timestamp,
) -> Stored<Option<ServiceAccount>> {
    let changes = changes.clone();
    let description = match changes.description {
        Change::Keep => None,
        Change::Clear => Some(DESCRIPTION.unset()),
        Change::Set(text) => Some(DESCRIPTION.set(text)),
    };
    let update: Update<ServiceAccount> = UPDATED_AT
        .set(now)
        .and(HOLD_COUNT.inc(1))
        .and_if(changes.name.map(|name| NAME.set(name)))
        .and_if(description)
        .and_if(changes.roles.map(|roles| ROLES.set(roles)))
        .and_if(changes.disabled.map(|disabled| DISABLED.set(disabled)));
    tx.update_one(by_id(id), update).await
}

/// Of any number who delete an account at once, one gets it.
pub async fn remove_account(
    tx: &mut Tx<'_, Tenant>,
    id: ServiceAccountId,
) -> Stored<Option<ServiceAccount>> {
    tx.take_one(by_id(id)).await
}
