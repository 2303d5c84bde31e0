//! Settling: what becomes of a delivery, and of its webhook, after an attempt.
//!
//! ```text
//! 2xx ─────────────▶ delivered, and the webhook is well
//! anything else ───▶ again, later and later ──8 attempts──▶ failed
//! 410 ─────────────▶ failed, and the webhook is switched off
//! ```
//!
//! Where nothing has reached a webhook for five days it is switched off as well, and who looks after
//! it is written to. One unit of work each.

use std::time::Duration;

use super::courier::{Courier, Parcel};
use super::deliveries::repo::{self, Attempt};
use super::deliveries::{Delivery, Failure};
use super::record::{DisabledReason, Webhook};
use super::repo as webhooks;
use super::schedule::next_attempt;
use crate::kernel::time::Timestamp;
use crate::store::Stored;

/// How long nothing may arrive.
const FAILING_FOR: Duration = Duration::from_hours(5 * 24);
/// RFC 9110 §15.5.11: the receiver says that it is gone for good.
const GONE: u16 = 410;
/// Statuses with which `Retry-After` counts.
const NOT_NOW: [u16; 2] = [429, 503];

/// What has come of having a delivery in hand.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Nothing: somebody else is to do it.
    GivenBack,
    /// Nothing, now or later.
    Void(Failure),
    Tried {
        attempt: Attempt,
        retry_after: Option<String>,
    },
}

impl Outcome {
    /// An attempt that failed before anything was sent.
    pub(super) fn tried(failure: Failure) -> Self {
        Self::Tried {
            attempt: failed_by(failure),
            retry_after: None,
        }
    }

    /// `None` where nothing was tried.
    pub(super) fn has_arrived(&self) -> Option<bool> {
        match self {
            Self::GivenBack | Self::Void(_) => None,
            Self::Tried { attempt, .. } => Some(attempt.failure.is_none()),
        }
    }
}

impl Courier {
    pub(super) async fn settle(&self, parcel: &Parcel, outcome: &Outcome) -> Stored<()> {
        let (now, delivery) = (self.clock.now(), &parcel.delivery);
        let mut once = self.store.once();
        let mut tx = once.within(delivery.tenant());
        match (outcome, &parcel.webhook) {
            (Outcome::GivenBack, _) => repo::given_back(&mut tx, delivery, now).await,
            (Outcome::Void(failure), _) => {
                let attempt = failed_by(*failure);
                repo::failed(&mut tx, delivery, &attempt).await.map(drop)
            }
            (Outcome::Tried { attempt, .. }, None) => {
                repo::failed(&mut tx, delivery, attempt).await.map(drop)
            }
            (Outcome::Tried { attempt, .. }, Some(webhook)) if attempt.failure.is_none() => {
                self.arrived(delivery, webhook, attempt).await
            }
            (Outcome::Tried { attempt, .. }, Some(webhook)) => {
                let retry_after = asked_for(outcome, now);
                self.refused(delivery, webhook, (attempt, retry_after))
                    .await
            }
        }
    }

    async fn arrived(
        &self,
        delivery: &Delivery,
        webhook: &Webhook,
        attempt: &Attempt,
    ) -> Stored<()> {
        let (now, tenant) = (self.clock.now(), delivery.tenant());
        if webhook.failing_since.is_none() {
            let mut once = self.store.once();
            let mut tx = once.within(tenant);
            return repo::delivered(&mut tx, delivery, attempt, now)
                .await
                .map(drop);
        }
        self.store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                repo::delivered(&mut tx, delivery, attempt, now).await?;
                webhooks::recovers(&mut tx, webhook.id).await
            })
            .await
    }

    async fn refused(
        &self,
        delivery: &Delivery,
        webhook: &Webhook,
        (attempt, retry_after): (&Attempt, Option<Timestamp>),
    ) -> Stored<()> {
        let (now, tenant) = (self.clock.now(), delivery.tenant());
        let [chance] = self.entropy.bytes();
        let end = end_of(webhook, attempt, now);
        let next = next_attempt(delivery.attempts, retry_after, (now, chance));
        let next = next.filter(|_| end.is_none());
        let farewell = self.farewell(webhook, end, now).await;
        self.store
            .write(async |tx| {
                let mut tx = tx.within(tenant);
                let written = match next {
                    Some(next) => repo::again(&mut tx, delivery, attempt, next).await?,
                    None => repo::failed(&mut tx, delivery, attempt).await?,
                };
                if written.is_none() {
                    return Ok(());
                }
                if webhook.failing_since.is_none() {
                    webhooks::falters(&mut tx, webhook.id, now).await?;
                }
                match &farewell {
                    Some(farewell) => self.disable(&mut tx, farewell).await,
                    None => Ok(()),
                }
            })
            .await?;
        if farewell.is_some() {
            self.outbox.hurry();
        }
        Ok(())
    }
}

/// Why a webhook is to be switched off after an attempt that failed, if it is.
fn end_of(webhook: &Webhook, attempt: &Attempt, now: Timestamp) -> Option<DisabledReason> {
    if attempt.response_status == Some(GONE) {
        return Some(DisabledReason::Gone);
    }
    let is_over = |since: Timestamp| since.plus(FAILING_FOR) <= now;
    let is_over = webhook.failing_since.is_some_and(is_over);
    is_over.then_some(DisabledReason::Failing)
}

/// When the receiver wants to be asked again, in seconds or as a date (RFC 9110 §10.2.3).
fn asked_for(outcome: &Outcome, now: Timestamp) -> Option<Timestamp> {
    let Outcome::Tried {
        attempt,
        retry_after: Some(text),
    } = outcome
    else {
        return None;
    };
    if !NOT_NOW.contains(&attempt.response_status?) {
        return None;
    }
    match text.trim().parse() {
        Ok(seconds) => Some(now.plus(Duration::from_secs(seconds))),
        Err(_) => Timestamp::of_http_date(text),
    }
}

fn failed_by(failure: Failure) -> Attempt {
    Attempt {
        failure: Some(failure),
        ..Attempt::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(2_208_988_800_000);

    fn refused(status: u16, retry_after: &str) -> Outcome {
        Outcome::Tried {
            attempt: Attempt {
                response_status: Some(status),
                ..failed_by(Failure::Status)
            },
            retry_after: Some(retry_after.to_owned()),
        }
    }

    #[test]
    fn a_receiver_that_cannot_now_says_when() {
        let in_two_minutes = Some(NOON.plus(Duration::from_mins(2)));

        for status in NOT_NOW {
            assert_eq!(asked_for(&refused(status, "120"), NOON), in_two_minutes);
            let date = refused(status, "Sun, 01 Jan 2040 00:02:00 GMT");
            assert_eq!(asked_for(&date, NOON), in_two_minutes);
        }
    }

    #[test]
    fn what_says_nothing_of_use_is_not_heard() {
        for (status, text) in [
            (500, "120"),
            (429, "soon"),
            (429, ""),
            (503, "-1"),
            (503, "1.5"),
        ] {
            assert_eq!(
                asked_for(&refused(status, text), NOON),
                None,
                "{status} {text}"
            );
        }
        assert_eq!(asked_for(&Outcome::GivenBack, NOON), None);
    }
}
