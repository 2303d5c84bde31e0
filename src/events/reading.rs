//! The record, read newest first, and cut off at its age.

use std::fmt::Display;

use super::{Event, Name, Outcome};
use crate::kernel::id::OrgId;
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{AcrossTenants, Field, Filter, Query, Stored, Tx};

const ORG_ID: Field<Event, OrgId> = Field::at("org_id");
const NAME: Field<Event, Name> = Field::at("name");
const OUTCOME: Field<Event, Outcome> = Field::at("outcome");
const ACTOR_ID: Field<Event, String> = Field::at("actor.id");
const TARGET_ID: Field<Event, String> = Field::at("target.id");
const CREATED_AT: Field<Event, Timestamp> = Field::at("created_at");

/// Which events; all of the environment, where nothing is said.
#[derive(Debug, Clone, Default)]
pub struct Which {
    pub org_id: Option<OrgId>,
    pub name: Option<Name>,
    pub outcome: Option<Outcome>,
    pub actor: Option<String>,
    pub target: Option<String>,
    /// Actor or target.
    pub party: Option<String>,
    /// Inclusive.
    pub from: Option<Timestamp>,
    /// Exclusive.
    pub to: Option<Timestamp>,
}

/// One page of an environment, newest first.
pub async fn page(
    tx: &mut Tx<'_, Tenant>,
    which: &Which,
    after: Option<&Position>,
    limit: Limit,
) -> Stored<Slice<Event>> {
    let wanted = wanted(which);
    let Some(party) = &which.party else {
        return tx.page(wanted, CREATED_AT, after, limit).await;
    };
    let (mut found, mut has_more) = (Vec::new(), false);
    for of_party in either(party) {
        let wanted = wanted.clone() & of_party;
        let slice = tx.page(wanted, CREATED_AT, after, limit).await?;
        has_more |= slice.next.is_some();
        found.extend(slice.items);
    }
    Ok(sliced(newest_first(found), has_more, limit))
}

/// What somebody did in an environment, and what was done to him; newest first, at most `most` of
/// either.
pub async fn concerning(
    tx: &mut Tx<'_, Tenant>,
    party: impl Display,
    most: u32,
) -> Stored<Vec<Event>> {
    let mut found = Vec::new();
    for of_party in either(&party.to_string()) {
        let newest = Query::of(of_party).newest_by(CREATED_AT);
        found.extend(tx.find(newest.window(0, most)).await?);
    }
    Ok(newest_first(found))
}

/// How many events of a name and an outcome there were in `[from, to)`, by an index alone.
pub async fn count(
    tx: &mut Tx<'_, Tenant>,
    (name, outcome): (Name, Outcome),
    (from, to): (Timestamp, Timestamp),
) -> Stored<u64> {
    let then = CREATED_AT.gte(from) & CREATED_AT.lt(to);
    tx.count(NAME.eq(name) & OUTCOME.eq(outcome) & then).await
}

/// Removes events from before `until`, the oldest first and `most` at most; the number removed.
pub async fn expire(tx: &mut Tx<'_, AcrossTenants>, until: Timestamp, most: u32) -> Stored<u64> {
    tx.sweep(CREATED_AT, until, most).await
}

/// Those who did it, and those to whom it was done. Each is a query of its own: an index leads to
/// actors and one to targets; no index leads to either.
fn either(party: &str) -> [Filter<Event>; 2] {
    [ACTOR_ID, TARGET_ID].map(|field| field.eq(party.to_owned()))
}

fn wanted(which: &Which) -> Filter<Event> {
    let conditions = [
        which.org_id.map(|org_id| ORG_ID.eq(org_id)),
        which.name.map(|name| NAME.eq(name)),
        which.outcome.map(|outcome| OUTCOME.eq(outcome)),
        which.actor.clone().map(|actor| ACTOR_ID.eq(actor)),
        which.target.clone().map(|target| TARGET_ID.eq(target)),
        which.from.map(|from| CREATED_AT.gte(from)),
        which.to.map(|to| CREATED_AT.lt(to)),
    ];
    conditions
        .into_iter()
        .flatten()
        .fold(Filter::all(), |all, condition| all & condition)
}

/// Each event once, however often it was found.
fn newest_first(mut events: Vec<Event>) -> Vec<Event> {
    events.sort_by_key(|event| std::cmp::Reverse((event.created_at, event.id)));
    events.dedup_by_key(|event| event.id);
    events
}

/// The first page of `items`, behind which there is more wherever they were found.
fn sliced(mut items: Vec<Event>, has_more: bool, limit: Limit) -> Slice<Event> {
    let has_more = has_more || items.len() > limit.get() as usize;
    items.truncate(limit.get() as usize);
    let next = items.last().filter(|_| has_more).map(|last| Position {
        at: last.created_at,
        id: last.id.to_string(),
    });
    Slice { items, next }
}
