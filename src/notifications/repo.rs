use super::record::{INVITATION, Notification, ORGANIZATION, Status};
use crate::kernel::id::{InvitationId, NotificationId, OrgId, UserId};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, OfEnvironment, Query, Reaches, Stored, Tx, Update, by_id};

const USER_ID: Field<Notification, UserId> = Field::at("user_id");
const TO: Field<Notification, String> = Field::at("to");
const TEMPLATE: Field<Notification, String> = Field::at("template");
const STATUS: Field<Notification, Status> = Field::at("status");
const ATTEMPTS: Field<Notification, i64> = Field::at("attempts");
const NEXT_ATTEMPT_AT: Field<Notification, Timestamp> = Field::at("next_attempt_at");
const LEASE_UNTIL: Field<Notification, Timestamp> = Field::at("lease_until");
const SENT_AT: Field<Notification, Timestamp> = Field::at("sent_at");
const LAST_ERROR: Field<Notification, String> = Field::at("last_error");
const CREATED_AT: Field<Notification, Timestamp> = Field::at("created_at");
const INVITED_BY: Field<Notification, InvitationId> = Field::at(INVITATION);
const INVITED_INTO: Field<Notification, OrgId> = Field::at(ORGANIZATION);
const UPDATED_AT: Field<Notification, Timestamp> = Field::at("updated_at");

/// Which letters a list shows; what is absent is not asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct NotificationQuery {
    pub status: Option<Status>,
    pub template: Option<String>,
    pub user_id: Option<UserId>,
}

pub(super) async fn insert<S>(tx: &mut Tx<'_, S>, notification: &Notification) -> Stored<()>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.insert(notification).await
}

/// Letters to deliver now that nobody has in hand, at most `most`: those that wait longest.
pub(super) async fn due<S>(
    tx: &mut Tx<'_, S>,
    now: Timestamp,
    most: u32,
) -> Stored<Vec<Notification>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let first = Query::of(is_due(now))
        .oldest_by(NEXT_ATTEMPT_AT)
        .window(0, most);
    tx.find(first).await
}

/// How many letters are still to be delivered, and since when the first of them is due.
pub(super) async fn backlog<S>(tx: &mut Tx<'_, S>) -> Stored<(u64, Option<Timestamp>)>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let pending = || STATUS.eq(Status::Pending);
    let first = Query::of(pending()).oldest_by(NEXT_ATTEMPT_AT).window(0, 1);
    let first = tx.find(first).await?.into_iter().next();
    let count = tx.count(pending()).await?;
    Ok((count, first.map(|letter| letter.next_attempt_at)))
}

/// A page of letters, newest first.
pub(super) async fn page<S>(
    tx: &mut Tx<'_, S>,
    query: &NotificationQuery,
    (after, limit): (Option<&Position>, Limit),
) -> Stored<Slice<Notification>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let conditions = [
        query.status.map(|status| STATUS.eq(status)),
        query.template.clone().map(|name| TEMPLATE.eq(name)),
        query.user_id.map(|id| USER_ID.eq(id)),
    ];
    let wanted = conditions
        .into_iter()
        .flatten()
        .fold(Filter::all(), |all, condition| all & condition);
    tx.page(wanted, CREATED_AT, after, limit).await
}

/// Takes a letter in hand until `lease_until`. Of any number of nodes that try, one gets it.
pub(super) async fn claim<S>(
    tx: &mut Tx<'_, S>,
    id: NotificationId,
    now: Timestamp,
    lease_until: Timestamp,
) -> Stored<Option<Notification>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let taken = LEASE_UNTIL
        .set(lease_until)
        .and(ATTEMPTS.inc(1))
        .and(UPDATED_AT.set(now));
    tx.update_one(by_id(id) & is_due(now), taken).await
}

fn is_due(now: Timestamp) -> Filter<Notification> {
    let is_free = LEASE_UNTIL.absent() | LEASE_UNTIL.lte(now);
    STATUS.eq(Status::Pending) & NEXT_ATTEMPT_AT.lte(now) & is_free
}

/// The letter got through; also where its lease is over by now.
pub(super) async fn sent<S>(tx: &mut Tx<'_, S>, letter: &Notification, now: Timestamp) -> Stored<()>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let sent = STATUS
        .set(Status::Sent)
        .and_if(forgotten(letter))
        .and(SENT_AT.set(now))
        .and(LAST_ERROR.unset());
    let pending = by_id(letter.id) & STATUS.eq(Status::Pending);
    tx.update_one(pending, sent.and(put_down(now)))
        .await
        .map(drop)
}

/// The letter is tried again at `next`, if nobody else has taken it since.
pub(super) async fn again<S>(
    tx: &mut Tx<'_, S>,
    letter: &Notification,
    (next, reason): (Timestamp, &str),
    now: Timestamp,
) -> Stored<()>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let later = NEXT_ATTEMPT_AT
        .set(next)
        .and(LAST_ERROR.set(reason.to_owned()));
    tx.update_one(in_hand(letter), later.and(put_down(now)))
        .await
        .map(drop)
}

/// The letter is given up; `None` where somebody else has taken it since.
pub(super) async fn failed<S>(
    tx: &mut Tx<'_, S>,
    letter: &Notification,
    reason: &str,
    now: Timestamp,
) -> Stored<Option<Notification>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let failed = STATUS
        .set(Status::Failed)
        .and_if(forgotten(letter))
        .and(LAST_ERROR.set(reason.to_owned()));
    tx.update_one(in_hand(letter), failed.and(put_down(now)))
        .await
}

/// Whoever asks next may have the letter.
pub(super) async fn given_back<S>(
    tx: &mut Tx<'_, S>,
    letter: &Notification,
    now: Timestamp,
) -> Stored<()>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.update_one(in_hand(letter), put_down(now))
        .await
        .map(drop)
}

/// The attempt counted when it was taken tells one holder of a lease from the next.
fn in_hand(letter: &Notification) -> Filter<Notification> {
    by_id(letter.id) & STATUS.eq(Status::Pending) & ATTEMPTS.eq(letter.attempts)
}

fn forgotten(letter: &Notification) -> Option<Update<Notification>> {
    letter.data.is_last().then(|| TO.unset())
}

fn put_down(now: Timestamp) -> Update<Notification> {
    LEASE_UNTIL.unset().and(UPDATED_AT.set(now))
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

/// Takes back the letters of an invitation that are not sent yet, in the unit of work that ends it or
/// gives it another secret: their links would lead nowhere.
pub async fn retract<S>(tx: &mut Tx<'_, S>, invitation: InvitationId) -> Stored<()>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let unsent = INVITED_BY.eq(invitation) & STATUS.eq(Status::Pending);
    tx.delete_many(unsent).await.map(drop)
}

/// The same for every invitation into an organisation that is deleted.
pub async fn retract_all<S>(tx: &mut Tx<'_, S>, org: OrgId) -> Stored<()>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let unsent = INVITED_INTO.eq(org) & STATUS.eq(Status::Pending);
    tx.delete_many(unsent).await.map(drop)
}

/// Removes every letter of these invitations, and with them what they say of people.
pub async fn forget_invitations<S>(tx: &mut Tx<'_, S>, invitations: &[InvitationId]) -> Stored<()>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let letters = INVITED_BY.one_of(invitations.iter().copied());
    tx.delete_many(letters).await.map(drop)
}
