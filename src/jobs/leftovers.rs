//! Ending what was left open: of a process that was killed nothing keeps the others out for long.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::store::{Leftovers, Store};

/// How often it is looked for. Whoever did nothing in between has left; so nothing stays longer than twice this.
const EVERY: Duration = Duration::from_secs(4);

/// Looks for as long as the process lives, where there is something to look for.
pub fn end_leftovers(store: &Store) {
    if let Some(leftovers) = store.leftovers() {
        actix_web::rt::spawn(async move { match look(leftovers).await {} });
    }
}

async fn look(mut leftovers: Leftovers) -> Infallible {
    let (mut due, mut is_well) = (interval(EVERY), true);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Whoever was killed may have been started again: what he left is in his own way.
    let mut ended = leftovers.end_now().await;
    loop {
        match &ended {
            Ok(0) => {}
            Ok(ended) => tracing::warn!(ended, "units of work were left open, and were ended"),
            Err(why) if is_well => tracing::warn!(%why, "what was left open cannot be ended"),
            Err(_) => {}
        }
        is_well = ended.is_ok();
        // A look that took long would be close to the next.
        due.reset();
        due.tick().await;
        ended = leftovers.end().await;
    }
}
