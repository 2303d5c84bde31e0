//! Telling a follower: first what it has missed, then what happens.
//!
//! It subscribes before it reads, so that nothing falls between. A follower too slow for what
//! happens is read to from the store again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::api::RevocationView;
use super::places::Place;
use super::service::Feed;
use crate::access::ReadRevocations;
use crate::http::{Allowed, HungUp, Line, Problem, Subscription};
use crate::kernel::page::{Limit, Position};
use crate::kernel::sweep::{Sweep, after};
use crate::kernel::time::Timestamp;
use crate::store::StoreError;
use crate::tokens::Revocation;

/// How often a follower hears that the line is open. His credential is looked at again before each
/// beat, and before anything is told.
const BEAT: Duration = Duration::from_secs(15);

const EVENT: &str = "revocation";

/// Why nothing more is told.
#[derive(Debug, thiserror::Error)]
enum Over {
    #[error(transparent)]
    HungUp(#[from] HungUp),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the credential does not count any more")]
    Refused(#[from] Problem),
    #[error("the node may have missed something")]
    Blind,
    #[error("the server is stopping")]
    Stopping,
}

/// A follower of the feed.
#[derive(Debug)]
pub(super) struct Telling {
    feed: Feed,
    access: Allowed<ReadRevocations>,
    subscription: Subscription,
    line: Line,
    heard: Receiver<Arc<Revocation>>,
    /// Everything that was committed by then has been told.
    told_by: Timestamp,
    _place: Place,
}

impl Telling {
    pub(super) fn new(
        feed: Feed,
        access: Allowed<ReadRevocations>,
        subscription: Subscription,
        line: Line,
        place: Place,
    ) -> Self {
        Self {
            heard: feed.revocations.subscribe(),
            told_by: Timestamp::from_millis(0),
            feed,
            access,
            subscription,
            line,
            _place: place,
        }
    }

    /// Tells until the follower hangs up, may not follow any more, or the node stops.
    pub(super) async fn run(mut self, sweep: Sweep) {
        let (feed, closed) = (self.feed.clone(), self.line.clone());
        let over = tokio::select! {
            over = self.tell(sweep) => over,
            () = feed.stopped() => Over::Stopping,
            () = closed.closed() => Over::HungUp(HungUp),
        };
        tracing::debug!(%over, "a follower of revocations is told no more");
    }

    async fn tell(&mut self, sweep: Sweep) -> Over {
        match self.begin(sweep).await {
            Ok(()) => self.go_on().await,
            Err(over) => over,
        }
    }

    async fn begin(&mut self, sweep: Sweep) -> Result<(), Over> {
        let (began, is_resumed) = (sweep.began, sweep.has_begun());
        self.catch_up(sweep).await?;
        if is_resumed {
            // Of what was committed behind its back since, nobody has told this connection.
            self.catch_up_since(began).await?;
        }
        Ok(self.beat().await?)
    }

    async fn catch_up_since(&mut self, read_at: Timestamp) -> Result<(), Over> {
        let now = self.feed.clock.now();
        self.catch_up(Sweep::since(read_at, now)).await
    }

    /// Reads out a sweep.
    async fn catch_up(&mut self, mut sweep: Sweep) -> Result<(), Over> {
        loop {
            self.access = self.access.again().await?;
            let tenant = self.access.tenant();
            let (found, has_more) = self.feed.read(tenant, &sweep, Limit::MAX).await?;
            for revocation in found {
                sweep.passes(revocation.created_at, revocation.id);
                self.say(revocation, &sweep.place()).await?;
            }
            if !has_more {
                self.told_by = sweep.began;
                return Ok(());
            }
        }
    }

    /// Passes on what happens.
    async fn go_on(&mut self) -> Over {
        let mut due = beats();
        loop {
            let done = tokio::select! {
                heard = self.heard.recv() => self.pass_on(heard).await,
                _ = due.tick() => self.look_again().await,
            };
            if let Err(over) = done {
                return over;
            }
        }
    }

    async fn pass_on(&mut self, heard: Result<Arc<Revocation>, RecvError>) -> Result<(), Over> {
        match heard {
            Ok(told) if Revocation::concerning(self.access.tenant()).matches(&told) => {
                self.access = self.access.again().await?;
                let place = self.place();
                self.say(Arc::unwrap_or_clone(told), &place).await
            }
            Ok(_) => Ok(()),
            Err(RecvError::Lagged(_)) => self.catch_up_since(self.told_by).await,
            Err(RecvError::Closed) => Err(Over::Stopping),
        }
    }

    /// A line that is open says that nothing has happened: it must not be kept open by a node that
    /// cannot know, nor for somebody who may not know.
    async fn look_again(&mut self) -> Result<(), Over> {
        self.access = self.access.again().await?;
        if !self.feed.revocations.is_in_step() {
            return Err(Over::Blind);
        }
        Ok(self.beat().await?)
    }

    async fn beat(&mut self) -> Result<(), HungUp> {
        let place = self.place();
        self.line.beat(&self.subscription.cursor(&place)).await
    }

    async fn say(&self, revocation: Revocation, place: &Position) -> Result<(), Over> {
        let id = self.subscription.cursor(place);
        let view = RevocationView::from(revocation);
        Ok(self.line.tell(EVENT, &id, &view).await?)
    }

    /// Where the follower comes back to. The index has passed on all that was committed when it was
    /// last in step; so has this line, once nothing is waiting.
    fn place(&mut self) -> Position {
        let in_step = self.feed.revocations.read_at();
        if let Some(read_at) = in_step.filter(|_| self.heard.is_empty()) {
            self.told_by = self.told_by.max(read_at);
        }
        after(self.told_by)
    }
}

/// The first beat comes after a whole period.
fn beats() -> Interval {
    let mut due = interval(BEAT);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    due.reset();
    due
}
