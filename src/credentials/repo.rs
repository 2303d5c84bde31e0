use super::record::Credential;
use super::scheme::StoredHash;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, CredentialId, UserId};
use crate::kernel::time::Timestamp;
use crate::store::{Field, OfApp, Query, Reaches, Stored, Tx, by_id};

const USER_ID: Field<Credential, UserId> = Field::at("user_id");
const PASSWORD_HASH: Field<Credential, StoredHash> = Field::at("password_hash");
const UPDATED_AT: Field<Credential, Timestamp> = Field::at("updated_at");

pub async fn create<S>(
    tx: &mut Tx<'_, S>,
    (app_id, user_id): (AppId, UserId),
    password_hash: StoredHash,
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<()>
where
    S: Copy + Reaches<OfApp>,
{
    let id = CredentialId::new(now, entropy);
    let credential = Credential {
        id,
        app_id,
        user_id,
        password_hash,
        created_at: now,
        updated_at: now,
    };
    tx.insert(&credential).await
}

/// The passwords of several users at once, who have none.
pub async fn create_all<S>(
    tx: &mut Tx<'_, S>,
    app_id: AppId,
    all: &[(UserId, StoredHash)],
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<()>
where
    S: Copy + Reaches<OfApp>,
{
    let credential = |(user_id, hash): &(UserId, StoredHash)| Credential {
        id: CredentialId::new(now, entropy),
        app_id,
        user_id: *user_id,
        password_hash: hash.clone(),
        created_at: now,
        updated_at: now,
    };
    let all: Vec<Credential> = all.iter().map(credential).collect();
    tx.insert_all(&all).await
}

/// The passwords of these users, in no order.
pub async fn by_users<S>(
    tx: &mut Tx<'_, S>,
    users: impl IntoIterator<Item = UserId>,
) -> Stored<Vec<Credential>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find(Query::of(USER_ID.one_of(users))).await
}

pub async fn by_user<S>(tx: &mut Tx<'_, S>, user: UserId) -> Stored<Option<Credential>>
where
    S: Copy + Reaches<OfApp>,
{
    tx.find_one(USER_ID.eq(user)).await
}

/// Takes a user's password away.
pub async fn forget<S>(tx: &mut Tx<'_, S>, user: UserId) -> Stored<()>
where
    S: Copy + Reaches<OfApp>,
{
    tx.delete_many(USER_ID.eq(user)).await.map(drop)
}

/// Replaces the hash that was seen by one of the same password at today's cost. Of any number of
/// racers one wins; a password that was changed meanwhile stays changed.
pub async fn rewrite<S>(
    tx: &mut Tx<'_, S>,
    seen: &Credential,
    hash: StoredHash,
    now: Timestamp,
) -> Stored<()>
where
    S: Copy + Reaches<OfApp>,
{
    let unchanged = by_id(seen.id) & PASSWORD_HASH.eq(seen.password_hash.clone());
    let update = PASSWORD_HASH.set(hash).and(UPDATED_AT.set(now));
    tx.update_one(unchanged, update).await.map(drop)
}

/// Gives the user this password, whether or not he had one.
pub async fn set<S>(
    tx: &mut Tx<'_, S>,
    (app_id, user_id): (AppId, UserId),
    hash: StoredHash,
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<()>
where
    S: Copy + Reaches<OfApp>,
{
    let update = PASSWORD_HASH.set(hash.clone()).and(UPDATED_AT.set(now));
    match tx.update_one(USER_ID.eq(user_id), update).await? {
        Some(_) => Ok(()),
        None => create(tx, (app_id, user_id), hash, (now, entropy)).await,
    }
}
