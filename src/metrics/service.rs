use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::process::{self, Began};
use crate::kernel::measure::{Measured, Page, Stopwatch};
use crate::kernel::time::Clock;
use crate::notifications::{Backlog, backlog};
use crate::store::{Store, Stored};

/// How long the store is asked before the rest is told without it.
const PATIENCE: Duration = Duration::from_secs(2);

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
        let asked = timeout(PATIENCE, self.asked()).await;
        let asked = asked.ok().and_then(Result::ok);
        page.gauge("authsome_store_up", "Whether the database answers.")
            .sample(&[], u8::from(asked.is_some()));
        if let Some((Backlog { letters, overdue }, skew)) = asked {
            let help = "How far ahead of the database's clock this machine's is.";
            page.gauge("authsome_clock_skew_seconds", help)
                .sample(&[], skew);
            let help = "Letters that are still to be delivered, of all nodes together.";
            page.gauge("authsome_outbox_letters", help)
                .sample(&[], letters);
            let help = "How long the letter has been due that waits longest.";
            page.gauge("authsome_outbox_overdue_seconds", help)
                .sample(&[], overdue.as_secs_f64());
        }
        process::tell(&mut page, self.began);
        page.text()
    }

    /// What waits, and how many seconds the clock is ahead.
    async fn asked(&self) -> Stored<(Backlog, i64)> {
        self.store.ping().await?;
        let theirs = self.store.time().await?;
        let now = self.clock.now();
        let skew = theirs.map_or(0, |theirs| now.as_millis() - theirs.as_millis());
        Ok((backlog(&self.store, now).await?, skew / 1_000))
    }
}
