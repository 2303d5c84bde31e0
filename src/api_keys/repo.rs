use super::record::{ApiKey, NewKey, OwnerKind, Previous};
use crate::access::{Role, Scopes};
use crate::environments::Environment;
use crate::http::KeyOwner;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{ApiKeyId, AppId, OrgId, ServiceAccountId, SessionId, UserId};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::secret::SecretString;
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;
use crate::store::{
    AcrossTenants, Field, Filter, OfEnvironment, Query, Reaches, Stored, Tx, Update, by_id,
};

const OWNER: Field<ApiKey, OwnerKind> = Field::at("owner");
const USER_ID: Field<ApiKey, UserId> = Field::at("user_id");
const ORG_ID: Field<ApiKey, OrgId> = Field::at("org_id");
const SERVICE_ACCOUNT_ID: Field<ApiKey, ServiceAccountId> = Field::at("service_account_id");
const NAME: Field<ApiKey, Label> = Field::at("name");
const KEY_HASH: Field<ApiKey, String> = Field::at("key_hash");
const KEY_PREFIX: Field<ApiKey, String> = Field::at("key_prefix");
const LAST_FOUR: Field<ApiKey, String> = Field::at("last_four");
const SESSION_ID: Field<ApiKey, SessionId> = Field::at("session_id");
const PREVIOUS: Field<ApiKey, Previous> = Field::at("previous");
const PREVIOUS_SESSION_ID: Field<ApiKey, SessionId> = Field::at("previous.session_id");
const PREVIOUS_HASH: Field<ApiKey, String> = Field::at("previous.key_hash");
const SCOPES: Field<ApiKey, Scopes> = Field::at("scopes");
const CREATED_BY: Field<ApiKey, UserId> = Field::at("created_by");
const CREATOR_LEFT: Field<ApiKey, bool> = Field::at("creator_left");
const EXPIRES_AT: Field<ApiKey, Timestamp> = Field::at("expires_at");
const REMAINING_USES: Field<ApiKey, i64> = Field::at("remaining_uses");
const LAST_USED_AT: Field<ApiKey, Timestamp> = Field::at("last_used_at");
const LAST_USED_IP: Field<ApiKey, String> = Field::at("last_used_ip");
const CREATED_AT: Field<ApiKey, Timestamp> = Field::at("created_at");
const UPDATED_AT: Field<ApiKey, Timestamp> = Field::at("updated_at");

/// What becomes of a key.
#[derive(Debug, Clone, Default)]
pub struct KeyChanges {
    pub name: Option<Label>,
    pub scopes: Option<Scopes>,
    /// Earlier than it was.
    pub expires_at: Option<Timestamp>,
}

/// Makes a key of the environment with these roles, for all that they allow, and answers its secret,
/// for the only time.
pub async fn create<S>(
    tx: &mut Tx<'_, S>,
    environment: &Environment,
    (name, roles): (Label, Vec<Role>),
    made: (Timestamp, &Entropy),
) -> Stored<SecretString>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let new = NewKey {
        owner: KeyOwner::Environment,
        name,
        roles,
        scopes: None,
        created_by: None,
        expires_at: None,
        remaining_uses: None,
    };
    let (key, secret) = ApiKey::new(environment, new, made);
    tx.insert(&key).await?;
    Ok(secret)
}

/// Removes every key of an app that is closed.
pub async fn remove_all(tx: &mut Tx<'_, AppId>) -> Stored<u64> {
    tx.delete_many::<ApiKey>(Filter::all()).await
}

pub async fn insert(tx: &mut Tx<'_, Tenant>, key: &ApiKey) -> Stored<()> {
    tx.insert(key).await
}

pub async fn get(tx: &mut Tx<'_, Tenant>, id: ApiKeyId) -> Stored<Option<ApiKey>> {
    tx.get(id).await
}

/// By the digest of the whole key, or of the one before it; never by its prefix.
pub(super) async fn by_hash(tx: &mut Tx<'_, AcrossTenants>, hash: &str) -> Stored<Option<ApiKey>> {
    let one = KEY_HASH.eq(hash.to_owned()) | PREVIOUS_HASH.eq(hash.to_owned());
    tx.find_one(one).await
}

fn of(owner: KeyOwner) -> Filter<ApiKey> {
    match owner {
        KeyOwner::Environment => OWNER.eq(OwnerKind::Environment),
        KeyOwner::Organization(id) => ORG_ID.eq(id),
        KeyOwner::User(id) => USER_ID.eq(id),
        KeyOwner::ServiceAccount(id) => SERVICE_ACCOUNT_ID.eq(id),
    }
}

/// The keys of one owner, newest first.
pub async fn page(
    tx: &mut Tx<'_, Tenant>,
    owner: KeyOwner,
    (after, limit): (Option<&Position>, Limit),
) -> Stored<Slice<ApiKey>> {
    tx.page(of(owner), CREATED_AT, after, limit).await
}

pub async fn count(tx: &mut Tx<'_, Tenant>, owner: KeyOwner) -> Stored<u64> {
    tx.count(of(owner)).await
}

pub async fn of_account(tx: &mut Tx<'_, Tenant>, id: ServiceAccountId) -> Stored<Vec<ApiKey>> {
    tx.find(Query::of(SERVICE_ACCOUNT_ID.eq(id))).await
}

/// The keys of a user, and those that he has made for others, in every environment of his app; `most`
/// at most.
pub async fn about(tx: &mut Tx<'_, AppId>, user: UserId, most: u32) -> Stored<Vec<ApiKey>> {
    let own = Query::of(USER_ID.eq(user)).newest_by(CREATED_AT);
    let mut all = tx.find(own.window(0, most)).await?;
    let made = Query::of(CREATED_BY.eq(user)).newest_by(CREATED_AT);
    all.extend(tx.find(made.window(0, most)).await?);
    Ok(all)
}

/// One use less; `None` where there is none left. Of any number at once, as many get one as there are.
pub(super) async fn spend(tx: &mut Tx<'_, Tenant>, id: ApiKeyId) -> Stored<Option<ApiKey>> {
    let is_left = by_id(id) & REMAINING_USES.gt(0);
    tx.update_one(is_left, REMAINING_USES.inc(-1)).await
}

/// Notes that a key is used, unless that was noted at `since` or later.
pub(super) async fn used(
    tx: &mut Tx<'_, Tenant>,
    id: ApiKeyId,
    (now, since): (Timestamp, Timestamp),
    ip: Option<String>,
) -> Stored<()> {
    let is_due = by_id(id) & (LAST_USED_AT.absent() | LAST_USED_AT.lte(since));
    let ip = ip.map_or_else(|| LAST_USED_IP.unset(), |ip| LAST_USED_IP.set(ip));
    let noted = tx.update_one(is_due, LAST_USED_AT.set(now).and(ip)).await;
    noted.map(drop)
}

/// The key as it is afterwards, with another `sid` for each secret where it is good for less; `None` where it is gone
/// or is another by now.
pub async fn update(
    tx: &mut Tx<'_, Tenant>,
    seen: &ApiKey,
    changes: &KeyChanges,
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<Option<ApiKey>> {
    let KeyChanges {
        name,
        scopes,
        expires_at,
    } = changes.clone();
    let is_less = scopes.is_some() || expires_at.is_some();
    let update: Update<ApiKey> = UPDATED_AT
        .set(now)
        .and_if(name.map(|name| NAME.set(name)))
        .and_if(scopes.map(|scopes| SCOPES.set(scopes)))
        .and_if(is_less.then(|| renewed(seen, (now, entropy))))
        .and_if(expires_at.map(|at| EXPIRES_AT.set(at)));
    tx.update_one(unchanged(seen), update).await
}

/// Has the tokens that a key is exchanged for from now on carry another `sid`, by whatever secret.
pub async fn renew_tokens(
    tx: &mut Tx<'_, Tenant>,
    seen: &ApiKey,
    made: (Timestamp, &Entropy),
) -> Stored<Option<ApiKey>> {
    tx.update_one(unchanged(seen), renewed(seen, made)).await
}

fn renewed(seen: &ApiKey, (now, entropy): (Timestamp, &Entropy)) -> Update<ApiKey> {
    let anew = || SessionId::new(now, entropy);
    let before = seen.previous.is_some();
    SESSION_ID
        .set(anew())
        .and_if(before.then(|| PREVIOUS_SESSION_ID.set(anew())))
}

/// Puts another secret in the place of the one that was seen.
pub async fn rotate(
    tx: &mut Tx<'_, Tenant>,
    (seen, next): (&ApiKey, &ApiKey),
) -> Stored<Option<ApiKey>> {
    let next = next.clone();
    let update: Update<ApiKey> = KEY_HASH
        .set(next.key_hash)
        .and(KEY_PREFIX.set(next.key_prefix))
        .and_if(next.last_four.map(|it| LAST_FOUR.set(it)))
        .and_if(next.session_id.map(|it| SESSION_ID.set(it)))
        .and_if(next.previous.map(|it| PREVIOUS.set(it)))
        .and_if(next.expires_at.map(|it| EXPIRES_AT.set(it)))
        .and(UPDATED_AT.set(next.updated_at));
    tx.update_one(unchanged(seen), update).await
}

fn unchanged(seen: &ApiKey) -> Filter<ApiKey> {
    by_id(seen.id) & KEY_HASH.eq(seen.key_hash.clone())
}

/// Of any number who revoke a key at once, one gets it.
pub async fn remove(tx: &mut Tx<'_, Tenant>, id: ApiKeyId) -> Stored<Option<ApiKey>> {
    tx.take_one(by_id(id)).await
}

/// Removes the keys of a user in every environment of his app.
pub(super) async fn remove_own(tx: &mut Tx<'_, AppId>, user: UserId) -> Stored<u64> {
    tx.delete_many(USER_ID.eq(user)).await
}

/// The keys that somebody has made for others.
pub(super) async fn made_by(tx: &mut Tx<'_, AppId>, user: UserId) -> Stored<Vec<ApiKey>> {
    tx.find(Query::of(CREATED_BY.eq(user))).await
}

/// Forgets who has made them.
pub(super) async fn orphan(tx: &mut Tx<'_, AppId>, user: UserId) -> Stored<u64> {
    let update = CREATED_BY.unset().and(CREATOR_LEFT.set(true));
    tx.update_many(CREATED_BY.eq(user), update).await
}

/// The keys of an organisation that a member has made who has not left before.
pub(super) async fn made_within(
    tx: &mut Tx<'_, Tenant>,
    (org, user): (OrgId, UserId),
) -> Stored<Vec<ApiKey>> {
    let own = CREATED_BY.eq(user) & ORG_ID.eq(org) & CREATOR_LEFT.ne(true);
    tx.find(Query::of(own)).await
}

/// Notes of these that whoever made them has left.
pub(super) async fn deserted(tx: &mut Tx<'_, Tenant>, (org, user): (OrgId, UserId)) -> Stored<u64> {
    let own = CREATED_BY.eq(user) & ORG_ID.eq(org);
    tx.update_many(own, CREATOR_LEFT.set(true)).await
}
