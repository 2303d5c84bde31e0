use std::collections::HashSet;
use std::fmt::Display;

use super::Event;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Field, Query, Stored, Tx};

const ACTOR_ID: Field<Event, String> = Field::at("actor.id");
const TARGET_ID: Field<Event, String> = Field::at("target.id");
const CREATED_AT: Field<Event, Timestamp> = Field::at("created_at");

/// What somebody did in an environment, and what was done to him; newest first, at most `most` of
/// either.
pub async fn concerning(
    tx: &mut Tx<'_, Tenant>,
    party: impl Display,
    most: u32,
) -> Stored<Vec<Event>> {
    let mut found = Vec::new();
    for field in [ACTOR_ID, TARGET_ID] {
        let newest = Query::of(field.eq(party.to_string())).newest_by(CREATED_AT);
        found.extend(tx.find(newest.window(0, most)).await?);
    }
    let mut seen = HashSet::new();
    found.retain(|event| seen.insert(event.id));
    found.sort_by_key(|event| std::cmp::Reverse((event.created_at, event.id)));
    Ok(found)
}
