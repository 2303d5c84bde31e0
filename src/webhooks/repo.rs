use super::headers::Headers;
use super::pattern::Pattern;
use super::record::{DisabledReason, Webhook};
use crate::http::Change;
use crate::kernel::id::WebhookId;
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;
use crate::store::{AcrossTenants, Field, Query, Stored, Tx, Update, by_id};

const ID: Field<Webhook, WebhookId> = Field::at("_id");
const HOLDER: Field<Webhook, String> = Field::at("holder");
const URL: Field<Webhook, String> = Field::at("url");
const EVENTS: Field<Webhook, Vec<Pattern>> = Field::at("events");
const DESCRIPTION: Field<Webhook, Label> = Field::at("description");
const HEADERS: Field<Webhook, Headers> = Field::at("headers");
const SECRET: Field<Webhook, String> = Field::at("secret");
const PREVIOUS_SECRET_UNTIL: Field<Webhook, Timestamp> = Field::at("previous_secret_until");
const ACTIVE: Field<Webhook, bool> = Field::at("active");
const DISABLED_REASON: Field<Webhook, DisabledReason> = Field::at("disabled_reason");
const FAILING_SINCE: Field<Webhook, Timestamp> = Field::at("failing_since");
const CREATED_AT: Field<Webhook, Timestamp> = Field::at("created_at");
const UPDATED_AT: Field<Webhook, Timestamp> = Field::at("updated_at");

/// What is to become of a webhook.
#[derive(Debug, Clone, Default)]
pub(super) struct WebhookChanges {
    pub url: Option<String>,
    pub events: Option<Vec<Pattern>>,
    pub description: Change<Label>,
    /// Empty ones are none.
    pub headers: Option<Headers>,
    pub active: Option<bool>,
}

pub(super) async fn insert(tx: &mut Tx<'_, Tenant>, webhook: &Webhook) -> Stored<()> {
    tx.insert(webhook).await
}

pub(super) async fn get(tx: &mut Tx<'_, Tenant>, id: WebhookId) -> Stored<Option<Webhook>> {
    tx.get(id).await
}

/// All that somebody holds.
pub(super) async fn held_by(tx: &mut Tx<'_, Tenant>, holder: &str) -> Stored<Vec<Webhook>> {
    let held = HOLDER.eq(holder.to_owned());
    tx.find(Query::of(held).oldest_by(CREATED_AT)).await
}

/// One page of what somebody holds, newest first.
pub(super) async fn page(
    tx: &mut Tx<'_, Tenant>,
    holder: &str,
    (after, limit): (Option<&Position>, Limit),
) -> Stored<Slice<Webhook>> {
    let held = HOLDER.eq(holder.to_owned());
    tx.page(held, CREATED_AT, after, limit).await
}

/// The webhooks of these holders that are active.
pub(super) async fn listening(
    tx: &mut Tx<'_, AcrossTenants>,
    holders: impl IntoIterator<Item = String>,
) -> Stored<Vec<Webhook>> {
    let listening = HOLDER.one_of(holders) & ACTIVE.eq(true);
    tx.find(Query::of(listening)).await
}

pub(super) async fn by_ids(
    tx: &mut Tx<'_, AcrossTenants>,
    ids: impl IntoIterator<Item = WebhookId>,
) -> Stored<Vec<Webhook>> {
    tx.find(Query::of(ID.one_of(ids))).await
}

/// One change for all that a patch names. Whoever is switched on begins anew.
pub(super) async fn update(
    tx: &mut Tx<'_, Tenant>,
    id: WebhookId,
    changes: &WebhookChanges,
    now: Timestamp,
) -> Stored<Option<Webhook>> {
    let headers = changes.headers.clone().map(|headers| {
        if headers.is_empty() {
            HEADERS.unset()
        } else {
            HEADERS.set(headers)
        }
    });
    let description = match changes.description.clone() {
        Change::Keep => None,
        Change::Clear => Some(DESCRIPTION.unset()),
        Change::Set(text) => Some(DESCRIPTION.set(text)),
    };
    let begins = || DISABLED_REASON.unset().and(FAILING_SINCE.unset());
    let update = UPDATED_AT
        .set(now)
        .and_if(changes.url.clone().map(|url| URL.set(url)))
        .and_if(changes.events.clone().map(|events| EVENTS.set(events)))
        .and_if(description)
        .and_if(headers)
        .and_if(changes.active.map(|active| ACTIVE.set(active)))
        .and_if(changes.active.filter(|active| *active).map(|_| begins()));
    tx.update_one(by_id(id), update).await
}

/// Puts new secrets in the place of those that were seen; `None` where somebody else has.
pub(super) async fn rotate(
    tx: &mut Tx<'_, Tenant>,
    seen: &Webhook,
    (sealed, until): (String, Option<Timestamp>),
    now: Timestamp,
) -> Stored<Option<Webhook>> {
    let until = until.map_or_else(
        || PREVIOUS_SECRET_UNTIL.unset(),
        |until| PREVIOUS_SECRET_UNTIL.set(until),
    );
    let update = SECRET.set(sealed).and(until).and(UPDATED_AT.set(now));
    let unchanged = by_id(seen.id) & SECRET.eq(seen.secret.clone());
    tx.update_one(unchanged, update).await
}

pub(super) async fn remove(tx: &mut Tx<'_, Tenant>, id: WebhookId) -> Stored<Option<Webhook>> {
    tx.take_one(by_id(id)).await
}

/// Something has arrived.
pub(super) async fn recovers(tx: &mut Tx<'_, Tenant>, id: WebhookId) -> Stored<()> {
    let failing = by_id(id) & FAILING_SINCE.present();
    tx.update_one(failing, FAILING_SINCE.unset())
        .await
        .map(drop)
}

/// Something has not arrived, where the one before had.
pub(super) async fn falters(tx: &mut Tx<'_, Tenant>, id: WebhookId, now: Timestamp) -> Stored<()> {
    let well: crate::store::Filter<Webhook> = by_id(id) & FAILING_SINCE.absent();
    tx.update_one(well, FAILING_SINCE.set(now)).await.map(drop)
}

/// Switches a webhook off. Of any number that try, one does.
pub(super) async fn disable(
    tx: &mut Tx<'_, Tenant>,
    id: WebhookId,
    reason: DisabledReason,
    now: Timestamp,
) -> Stored<Option<Webhook>> {
    let off: Update<Webhook> = ACTIVE
        .set(false)
        .and(DISABLED_REASON.set(reason))
        .and(UPDATED_AT.set(now));
    tx.update_one(by_id(id) & ACTIVE.eq(true), off).await
}
