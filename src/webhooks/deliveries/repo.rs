use super::record::{Delivery, DeliveryStatus, Failure};
use crate::kernel::id::{DeliveryId, WebhookId};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{
    AcrossTenants, Field, Filter, OfEnvironment, Query, Reaches, Stored, Tx, Update, by_id,
};

const WEBHOOK_ID: Field<Delivery, WebhookId> = Field::at("webhook_id");
const STATUS: Field<Delivery, DeliveryStatus> = Field::at("status");
const ATTEMPTS: Field<Delivery, i64> = Field::at("attempts");
const NEXT_ATTEMPT_AT: Field<Delivery, Timestamp> = Field::at("next_attempt_at");
const LEASE_UNTIL: Field<Delivery, Timestamp> = Field::at("lease_until");
const RESPONSE_STATUS: Field<Delivery, i64> = Field::at("response_status");
const RESPONSE_EXCERPT: Field<Delivery, String> = Field::at("response_excerpt");
const LATENCY_MS: Field<Delivery, i64> = Field::at("latency_ms");
const FAILURE: Field<Delivery, Failure> = Field::at("failure");
const DELIVERED_AT: Field<Delivery, Timestamp> = Field::at("delivered_at");
const CREATED_AT: Field<Delivery, Timestamp> = Field::at("created_at");

/// What one attempt has brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::webhooks) struct Attempt {
    pub response_status: Option<u16>,
    pub response_excerpt: Option<String>,
    pub latency_ms: Option<i64>,
    pub failure: Option<Failure>,
}

pub(in crate::webhooks) async fn insert<S>(tx: &mut Tx<'_, S>, delivery: &Delivery) -> Stored<()>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.insert(delivery).await
}

pub(in crate::webhooks) async fn get(
    tx: &mut Tx<'_, Tenant>,
    (webhook, id): (WebhookId, DeliveryId),
) -> Stored<Option<Delivery>> {
    tx.find_one(by_id(id) & WEBHOOK_ID.eq(webhook)).await
}

/// A page of what a webhook was told, newest first.
pub(in crate::webhooks) async fn page(
    tx: &mut Tx<'_, Tenant>,
    (webhook, status): (WebhookId, Option<DeliveryStatus>),
    (after, limit): (Option<&Position>, Limit),
) -> Stored<Slice<Delivery>> {
    let mut wanted = WEBHOOK_ID.eq(webhook);
    if let Some(status) = status {
        wanted = wanted & STATUS.eq(status);
    }
    tx.page(wanted, CREATED_AT, after, limit).await
}

/// How much is on its way to a webhook.
pub(in crate::webhooks) async fn backlog(
    tx: &mut Tx<'_, Tenant>,
    webhook: WebhookId,
) -> Stored<u64> {
    let pending = WEBHOOK_ID.eq(webhook) & STATUS.eq(DeliveryStatus::Pending);
    tx.count(pending).await
}

/// How much is on its way to all webhooks, and when the first of it is to be sent.
pub(super) async fn pending(tx: &mut Tx<'_, AcrossTenants>) -> Stored<(u64, Option<Timestamp>)> {
    let pending = || STATUS.eq(DeliveryStatus::Pending);
    let first = Query::of(pending()).oldest_by(NEXT_ATTEMPT_AT).window(0, 1);
    let first = tx.find(first).await?.into_iter().next();
    let count = tx.count(pending()).await?;
    Ok((count, first.map(|delivery| delivery.next_attempt_at)))
}

/// Deliveries whose time has come, to none of these webhooks: those that wait longest, at most `most`.
pub(in crate::webhooks) async fn due(
    tx: &mut Tx<'_, AcrossTenants>,
    except: impl IntoIterator<Item = WebhookId>,
    now: Timestamp,
    most: u32,
) -> Stored<Vec<Delivery>> {
    let others = except
        .into_iter()
        .fold(is_due(now), |due, webhook| due & WEBHOOK_ID.ne(webhook));
    let query = Query::of(others).oldest_by(NEXT_ATTEMPT_AT);
    tx.find(query.window(0, most)).await
}

fn is_due(now: Timestamp) -> Filter<Delivery> {
    STATUS.eq(DeliveryStatus::Pending) & NEXT_ATTEMPT_AT.lte(now)
}

/// Takes a delivery in hand until `lease_until`. Of any number of nodes that try, one gets it.
pub(in crate::webhooks) async fn claim(
    tx: &mut Tx<'_, AcrossTenants>,
    id: DeliveryId,
    now: Timestamp,
    lease_until: Timestamp,
) -> Stored<Option<Delivery>> {
    let taken = NEXT_ATTEMPT_AT
        .set(lease_until)
        .and(LEASE_UNTIL.set(lease_until))
        .and(ATTEMPTS.inc(1));
    tx.update_one(by_id(id) & is_due(now), taken).await
}

/// It has arrived; also where the lease is over by now.
pub(in crate::webhooks) async fn delivered(
    tx: &mut Tx<'_, Tenant>,
    delivery: &Delivery,
    attempt: &Attempt,
    now: Timestamp,
) -> Stored<Option<Delivery>> {
    let there = STATUS
        .set(DeliveryStatus::Delivered)
        .and(DELIVERED_AT.set(now))
        .and(brought(attempt));
    let pending = by_id(delivery.id) & STATUS.eq(DeliveryStatus::Pending);
    tx.update_one(pending, there.and(LEASE_UNTIL.unset())).await
}

/// It is tried again at `next`; `None` where somebody else has taken it since.
pub(in crate::webhooks) async fn again(
    tx: &mut Tx<'_, Tenant>,
    delivery: &Delivery,
    attempt: &Attempt,
    next: Timestamp,
) -> Stored<Option<Delivery>> {
    let later = NEXT_ATTEMPT_AT.set(next).and(brought(attempt));
    tx.update_one(in_hand(delivery), later.and(LEASE_UNTIL.unset()))
        .await
}

/// It is given up; `None` where somebody else has taken it since.
pub(in crate::webhooks) async fn failed(
    tx: &mut Tx<'_, Tenant>,
    delivery: &Delivery,
    attempt: &Attempt,
) -> Stored<Option<Delivery>> {
    let failed = STATUS.set(DeliveryStatus::Failed).and(brought(attempt));
    tx.update_one(in_hand(delivery), failed.and(LEASE_UNTIL.unset()))
        .await
}

/// Whoever asks next may have it, as if nobody had.
pub(in crate::webhooks) async fn given_back(
    tx: &mut Tx<'_, Tenant>,
    delivery: &Delivery,
    now: Timestamp,
) -> Stored<()> {
    let free = NEXT_ATTEMPT_AT
        .set(now)
        .and(LEASE_UNTIL.unset())
        .and(ATTEMPTS.inc(-1));
    tx.update_one(in_hand(delivery), free).await.map(drop)
}

/// Begins anew, at once; `None` for one that is in hand. One that arrived is sent a second time.
pub(in crate::webhooks) async fn retry(
    tx: &mut Tx<'_, Tenant>,
    id: DeliveryId,
    now: Timestamp,
) -> Stored<Option<Delivery>> {
    let is_free = LEASE_UNTIL.absent() | LEASE_UNTIL.lte(now);
    let anew = STATUS
        .set(DeliveryStatus::Pending)
        .and(NEXT_ATTEMPT_AT.set(now))
        .and(ATTEMPTS.set(0))
        .and(DELIVERED_AT.unset());
    tx.update_one(by_id(id) & is_free, anew).await
}

/// The attempt counted when it was taken tells one holder of a lease from the next.
fn in_hand(delivery: &Delivery) -> Filter<Delivery> {
    let is_pending = STATUS.eq(DeliveryStatus::Pending);
    by_id(delivery.id) & is_pending & ATTEMPTS.eq(delivery.attempts)
}

fn brought(attempt: &Attempt) -> Update<Delivery> {
    let status = attempt.response_status.map(i64::from);
    let excerpt = attempt.response_excerpt.clone();
    set_or_unset(RESPONSE_STATUS, status)
        .and(set_or_unset(RESPONSE_EXCERPT, excerpt))
        .and(set_or_unset(LATENCY_MS, attempt.latency_ms))
        .and(set_or_unset(FAILURE, attempt.failure))
}

fn set_or_unset<T: serde::Serialize>(
    field: Field<Delivery, T>,
    value: Option<T>,
) -> Update<Delivery> {
    value.map_or_else(|| field.unset(), |value| field.set(value))
}
