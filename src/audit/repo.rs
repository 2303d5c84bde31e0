use crate::events::{Event, Name, Outcome};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::time::Timestamp;
use crate::store::{AcrossTenants, Field, Filter, OfEnvironment, Reaches, Stored, Tx};

const NAME: Field<Event, Name> = Field::at("name");
const OUTCOME: Field<Event, Outcome> = Field::at("outcome");
const ACTOR: Field<Event, String> = Field::at("actor.id");
const TARGET: Field<Event, String> = Field::at("target.id");
const CREATED_AT: Field<Event, Timestamp> = Field::at("created_at");

/// Which events; all of the environment, where nothing is said.
#[derive(Debug, Clone, Default)]
pub struct EventQuery {
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

/// One page, newest first.
pub(super) async fn page<S>(
    tx: &mut Tx<'_, S>,
    query: &EventQuery,
    after: Option<&Position>,
    limit: Limit,
) -> Stored<Slice<Event>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let wanted = wanted(query);
    let Some(party) = &query.party else {
        return tx.page(wanted, CREATED_AT, after, limit).await;
    };
    // An index leads to actors and one to targets; no index leads to either.
    let acted = wanted.clone() & ACTOR.eq(party.clone());
    let acted = tx.page(acted, CREATED_AT, after, limit).await?;
    let met = wanted & TARGET.eq(party.clone());
    let met = tx.page(met, CREATED_AT, after, limit).await?;
    Ok(merged(acted, met, limit))
}

fn wanted(query: &EventQuery) -> Filter<Event> {
    let conditions = [
        query.name.map(|name| NAME.eq(name)),
        query.outcome.map(|outcome| OUTCOME.eq(outcome)),
        query.actor.clone().map(|actor| ACTOR.eq(actor)),
        query.target.clone().map(|target| TARGET.eq(target)),
        query.from.map(|from| CREATED_AT.gte(from)),
        query.to.map(|to| CREATED_AT.lt(to)),
    ];
    conditions
        .into_iter()
        .flatten()
        .fold(Filter::all(), |all, condition| all & condition)
}

/// The page of what is in either of two lists, from the page of each.
fn merged(one: Slice<Event>, other: Slice<Event>, limit: Limit) -> Slice<Event> {
    let more = one.next.is_some() || other.next.is_some();
    let mut items = one.items;
    items.extend(other.items);
    items.sort_by_key(|event| std::cmp::Reverse((event.created_at, event.id)));
    items.dedup_by_key(|event| event.id);
    let more = more || items.len() > limit.get() as usize;
    items.truncate(limit.get() as usize);
    let next = items.last().filter(|_| more).map(|last| Position {
        at: last.created_at,
        id: last.id.to_string(),
    });
    Slice { items, next }
}

/// Removes events from before `until`, the oldest first and `most` at most; the number removed.
pub(super) async fn forget(
    tx: &mut Tx<'_, AcrossTenants>,
    until: Timestamp,
    most: u32,
) -> Stored<u64> {
    tx.sweep(CREATED_AT, until, most).await
}
