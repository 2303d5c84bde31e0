//! Following revocations: what is taken away elsewhere is refused here within a second.
//!
//! ```text
//!            ┌──────────── polling ◀───────────┐
//!  start ─▶  │ asks four times a second, and   │ cut, or silent
//!            │ tries to open the change stream │
//!            └── open, all read again ──▶ listening
//! ```
//!
//! SQLite has no stream: there it is polling for ever. What no node can say for sure in the
//! meantime, [`RevocationIndex`] asks the store.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use crate::kernel::time::Clock;
use crate::store::{Follower, StoreError, Stored};
use crate::tokens::{Revocation, RevocationIndex};

/// How often the store is asked where it does not tell.
const EVERY: Duration = Duration::from_millis(250);

/// How long an answer may be out before the question is asked again.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a stream may say nothing at all; the server sends word twice in this time.
const SILENCE: Duration = Duration::from_secs(1);

/// Pauses between attempts to open a stream, which grow.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Follows revocations for as long as the process lives.
pub fn follow_revocations(revocations: RevocationIndex, clock: Clock) {
    let following = Following { revocations, clock };
    actix_web::rt::spawn(async move { match following.run().await {} });
}

#[derive(Debug, Clone)]
struct Following {
    revocations: RevocationIndex,
    clock: Clock,
}

impl Following {
    async fn run(self) -> Infallible {
        loop {
            let mut stream = tokio::select! {
                stream = self.opened() => stream,
                never = self.poll() => match never {},
            };
            let why = self.listen(&mut stream).await;
            tracing::warn!(%why, "revocations are asked for: the stream that told them is cut");
        }
    }

    /// A stream from whose beginning on nothing is missed: it is opened first, and then all is read.
    /// Waits for ever where there is none.
    async fn opened(&self) -> Follower<Revocation> {
        let mut pause = FIRST_PAUSE;
        loop {
            match in_time(self.open()).await {
                Ok(Some(stream)) => return stream,
                Ok(None) => std::future::pending().await,
                Err(why) => tracing::debug!(%why, "the stream of revocations cannot be opened"),
            }
            ticks(pause).tick().await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn open(&self) -> Stored<Option<Follower<Revocation>>> {
        let stream = self.revocations.follow().await?;
        if stream.is_some() {
            self.revocations.load(self.clock.now()).await?;
        }
        Ok(stream)
    }

    /// Takes in what the stream tells until it ends.
    async fn listen(&self, stream: &mut Follower<Revocation>) -> StoreError {
        loop {
            match timeout(SILENCE, stream.next()).await {
                Ok(Ok(news)) => {
                    let asked = self.clock.now().minus(news.asked.elapsed());
                    self.revocations.hear(&news, asked);
                }
                Ok(Err(why)) => return why,
                Err(_) => return StoreError::Timeout,
            }
        }
    }

    async fn poll(&self) -> Infallible {
        let (mut due, mut is_well) = (ticks(EVERY), true);
        loop {
            due.tick().await;
            let asked = in_time(self.revocations.catch_up(self.clock.now())).await;
            match &asked {
                Err(why) if is_well => tracing::warn!(%why, "revocations cannot be read"),
                Ok(()) if !is_well => tracing::info!("revocations can be read again"),
                Ok(()) | Err(_) => {}
            }
            is_well = asked.is_ok();
        }
    }
}

async fn in_time<T>(asking: impl Future<Output = Stored<T>>) -> Stored<T> {
    let answered = timeout(PATIENCE, asking).await;
    answered.unwrap_or(Err(StoreError::Timeout))
}

/// The first tick comes after a whole period.
fn ticks(period: Duration) -> Interval {
    let mut due = interval(period);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    due.reset();
    due
}
