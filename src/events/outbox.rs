//! The record as an outbox: what is still to be passed on, and all of it in the order it was made.
//!
//! Commits come out of the order of identifiers, so nothing here goes by "the last one seen": an event
//! is to be passed on while it has its mark, and a feed is read by sweeps ([`crate::kernel::sweep`]).

use super::{Event, Name};
use crate::kernel::id::EventId;
use crate::kernel::page::Position;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{AcrossTenants, Field, Query, Stored, Tx, by_id};

const ID: Field<Event, String> = Field::at("_id");
const NAME: Field<Event, Name> = Field::at("name");
const CREATED_AT: Field<Event, Timestamp> = Field::at("created_at");
const UNTOLD_SINCE: Field<Event, Timestamp> = Field::at("untold_since");

/// Events that are still to be passed on, those that wait longest first and `most` at most.
pub async fn untold(tx: &mut Tx<'_, AcrossTenants>, most: u32) -> Stored<Vec<Event>> {
    // The bound says nothing new, but which index leads there.
    let waiting = UNTOLD_SINCE.gte(Timestamp::from_millis(0));
    let query = Query::of(waiting).oldest_by(UNTOLD_SINCE);
    tx.find(query.window(0, most)).await
}

/// How many events are still to be passed on.
pub async fn untold_count(tx: &mut Tx<'_, AcrossTenants>) -> Stored<u64> {
    tx.count(UNTOLD_SINCE.gte(Timestamp::from_millis(0))).await
}

/// Takes the mark from an event; whether it had it. Of any number that try, one takes it.
pub async fn told(tx: &mut Tx<'_, AcrossTenants>, id: EventId) -> Stored<bool> {
    let marked = by_id(id) & UNTOLD_SINCE.present();
    let taken = tx.update_one(marked, UNTOLD_SINCE.unset()).await?;
    Ok(taken.is_some())
}

/// The same for events that nobody wants to be told of.
pub async fn told_all(tx: &mut Tx<'_, AcrossTenants>, ids: &[EventId]) -> Stored<()> {
    let which = ID.one_of(ids.iter().map(ToString::to_string));
    tx.update_many(which, UNTOLD_SINCE.unset()).await.map(drop)
}

pub async fn get(tx: &mut Tx<'_, Tenant>, id: EventId) -> Stored<Option<Event>> {
    tx.get(id).await
}

/// The events of an environment behind a place, oldest first and `most` at most; of these names only,
/// where some are given.
pub async fn after(
    tx: &mut Tx<'_, Tenant>,
    place: &Position,
    names: Option<&[Name]>,
    most: u32,
) -> Stored<Vec<Event>> {
    let (at, id) = (place.at, place.id.clone());
    let further_on = CREATED_AT.gt(at) | (CREATED_AT.eq(at) & ID.gt(id));
    // The bound says nothing new, but where in the index to begin.
    let mut wanted = CREATED_AT.gte(at) & further_on;
    if let Some(names) = names {
        wanted = wanted & NAME.one_of(names.iter().copied());
    }
    let query = Query::of(wanted).oldest_by(CREATED_AT);
    tx.find(query.window(0, most)).await
}
