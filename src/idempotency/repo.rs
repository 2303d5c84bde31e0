use super::record::IdempotencyKey;
use crate::kernel::id::UserId;
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, Store, Stored, Tx, by_id};

const FINGERPRINT: Field<IdempotencyKey, String> = Field::at("fingerprint");
const HOLDER: Field<IdempotencyKey, String> = Field::at("holder");
const LEASE_UNTIL: Field<IdempotencyKey, Timestamp> = Field::at("lease_until");
const ANSWER: Field<IdempotencyKey, String> = Field::at("answer");
const USER_ID: Field<IdempotencyKey, UserId> = Field::at("user_id");
const CREATED_AT: Field<IdempotencyKey, Timestamp> = Field::at("created_at");
const EXPIRES_AT: Field<IdempotencyKey, Timestamp> = Field::at("expires_at");

/// Over at `now`: good for another request.
pub(super) fn over(now: Timestamp) -> Filter<IdempotencyKey> {
    EXPIRES_AT.lte(now)
}

/// [`crate::store::StoreError::Duplicate`] where the key stands for a request already.
pub(super) async fn insert(store: &Store, claim: &IdempotencyKey) -> Stored<()> {
    store.once().shared().insert(claim).await
}

pub(super) async fn get(store: &Store, id: &str) -> Stored<Option<IdempotencyKey>> {
    store.once().shared().get(id).await
}

/// Gives a key that is over to another request; of any number of racers, one gets `true`.
pub(super) async fn take_over(
    store: &Store,
    claim: &IdempotencyKey,
    now: Timestamp,
) -> Stored<bool> {
    let anew = FINGERPRINT
        .set(claim.fingerprint.clone())
        .and(HOLDER.set(claim.holder.clone()))
        .and(LEASE_UNTIL.set(claim.lease_until))
        .and(ANSWER.unset())
        .and(USER_ID.unset())
        .and(CREATED_AT.set(claim.created_at))
        .and(EXPIRES_AT.set(claim.expires_at));
    let free = by_id(claim.id.clone()) & over(now);
    let taken = store.once().shared().update_one(free, anew).await?;
    Ok(taken.is_some())
}

/// `false` where the key is another's by now.
pub(super) async fn answer(
    store: &Store,
    (id, holder): (&str, &str),
    (sealed, signed_in): (String, Option<UserId>),
) -> Stored<bool> {
    let answer = ANSWER.set(sealed);
    let answer = match signed_in {
        Some(user) => answer.and(USER_ID.set(user)),
        None => answer,
    };
    let mut once = store.once();
    let written = once.shared().update_one(held(id, holder), answer).await?;
    Ok(written.is_some())
}

pub(super) async fn forget(store: &Store, (id, holder): (&str, &str)) -> Stored<()> {
    let mut once = store.once();
    once.shared().take_one(held(id, holder)).await.map(drop)
}

/// Forgets the answers that gave a user sessions, in the caller's unit of work, which ends those.
pub async fn forget_sessions<S: Copy>(tx: &mut Tx<'_, S>, user: UserId) -> Stored<()> {
    let mut all = tx.across_tenants("answers are found by the user who has signed in by them");
    all.delete_many(USER_ID.eq(user)).await.map(drop)
}

/// Claimed by this holder, and not answered.
fn held(id: &str, holder: &str) -> Filter<IdempotencyKey> {
    by_id(id) & HOLDER.eq(holder.to_owned()) & ANSWER.absent()
}
