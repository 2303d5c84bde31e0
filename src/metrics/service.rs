use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::process::{self, Began};
use crate::kernel::measure::{Measured, Page, Stopwatch};
use crate::kernel::time::Clock;
use crate::notifications::{Backlog, backlog};
use crate::store::{Store, Stored};
use crate::webhooks::{Undelivered, undelivered};

/// How long the store is asked before the rest is told without it.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the store says that it has.
struct Found {
    /// How many seconds the clock is ahead.
    skew: i64,
    letters: Backlog,
    webhooks: Undelivered,
}

/// Everything that is measured on this node.
#[derive(Clone)]
pub struct Metrics {
    store: Store,
    clock: Clock,
    measured: Vec<Arc<dyn Measured>>,
    began: Began,
    /// Whether they have an address of their own.
    pub is_elsewhere: bool,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    pub fn new(store: Store, clock: Clock, measured: Vec<Arc<dyn Measured>>) -> Self {
        let began = Began {
            at: clock.now(),
            watch: Stopwatch::start(),
        };
        Self {
            store,
            clock,
            measured,
            began,
            is_elsewhere: false,
        }
    }

    #[must_use]
    pub fn elsewhere(self, is_elsewhere: bool) -> Self {
        Self {
            is_elsewhere,
            ..self
        }
    }

    /// Everything, as it stands. It is told also while the store does not answer.
    pub(super) async fn page(&self) -> String {
        let mut page = Page::default();
        for measured in &self.measured {
            measured.tell(&mut page);
        }
        let answer = timeout(PATIENCE, self.store.ping()).await;
        let is_up = matches!(answer, Ok(Ok(())));
        page.gauge("authsome_store_up", "Whether the database answers.")
            .sample(&[], u8::from(is_up));
        // Counting what waits may take longer than anybody waits for a page, where much does.
        if is_up && let Ok(Ok(found)) = timeout(PATIENCE, self.asked()).await {
            found.tell(&mut page);
        }
        process::tell(&mut page, self.began);
        page.text()
    }

    async fn asked(&self) -> Stored<Found> {
        let theirs = self.store.time().await?;
        let now = self.clock.now();
        let skew = theirs.map_or(0, |theirs| now.as_millis() - theirs.as_millis());
        Ok(Found {
            skew: skew / 1_000,
            letters: backlog(&self.store, now).await?,
            webhooks: undelivered(&self.store, now).await?,
        })
    }
}

impl Found {
    fn tell(&self, page: &mut Page) {
        let help = "How far ahead of the database's clock this machine's is.";
        page.gauge("authsome_clock_skew_seconds", help)
            .sample(&[], self.skew);
        let Backlog { letters, overdue } = self.letters;
        let help = "Letters that are still to be delivered, of all nodes together.";
        page.gauge("authsome_outbox_letters", help)
            .sample(&[], letters);
        let help = "How long the letter has been due that waits longest.";
        page.gauge("authsome_outbox_overdue_seconds", help)
            .sample(&[], overdue.as_secs_f64());
        let Undelivered {
            events,
            deliveries,
            overdue,
        } = self.webhooks;
        let help = "Events that are still to be passed on to webhooks, of all nodes together.";
        page.gauge("authsome_webhooks_events", help)
            .sample(&[], events);
        let help = "Deliveries to webhooks that are still to arrive, refused ones included.";
        page.gauge("authsome_webhooks_deliveries", help)
            .sample(&[], deliveries);
        let help = "How long the delivery has been due that waits longest.";
        page.gauge("authsome_webhooks_overdue_seconds", help)
            .sample(&[], overdue.as_secs_f64());
    }
}
