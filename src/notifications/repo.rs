use super::record::Notification;
use crate::kernel::id::UserId;
use crate::kernel::time::Timestamp;
use crate::store::{Field, OfEnvironment, Query, Reaches, Stored, Tx};

const USER_ID: Field<Notification, UserId> = Field::at("user_id");
const CREATED_AT: Field<Notification, Timestamp> = Field::at("created_at");

pub(super) async fn insert<S>(tx: &mut Tx<'_, S>, notification: &Notification) -> Stored<()>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.insert(notification).await
}

/// The letters that concern a user, newest first, `most` at most.
pub async fn of_user<S>(tx: &mut Tx<'_, S>, user: UserId, most: u32) -> Stored<Vec<Notification>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let newest = Query::of(USER_ID.eq(user)).newest_by(CREATED_AT);
    tx.find(newest.window(0, most)).await
}

/// Removes every letter that concerns a user who is deleted, sent or not.
pub async fn forget<S>(tx: &mut Tx<'_, S>, user: UserId) -> Stored<()>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.delete_many(USER_ID.eq(user)).await.map(drop)
}
