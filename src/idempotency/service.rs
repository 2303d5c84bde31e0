use std::time::Duration;

use futures_util::future::LocalBoxFuture;

use super::record::{IdempotencyKey, sealed};
use super::repo;
use crate::access::Grantable;
use crate::events::Origin;
use crate::http::{Caller, Claim, Entrance, Problem, Recorded, Repeatable, Replays};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{OrgId, TeamId};
use crate::kernel::secret::KeyRing;
use crate::kernel::time::{Clock, Timestamp};
use crate::memberships::{EnterError, Memberships};
use crate::store::{Store, StoreError, Stored};

/// How long a key stands for its request.
pub const KEPT: Duration = Duration::from_hours(24);

/// Looks at a key that changes hands at the same moment, before others are told to wait.
const LOOKS: u32 = 3;

/// Keeps answers in the store, for every node.
#[derive(Debug, Clone)]
pub struct Idempotency {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub ring: KeyRing,
    pub memberships: Memberships,
    /// How long a request may be under way before it is taken to be cut off.
    pub lease: Duration,
}

impl Idempotency {
    async fn claimed(&self, request: &Repeatable) -> Stored<Claim> {
        let now = self.clock.now();
        let claim = IdempotencyKey {
            id: request.id.clone(),
            fingerprint: request.fingerprint.clone(),
            holder: self.entropy.token(),
            lease_until: now.plus(self.lease),
            answer: None,
            user_id: None,
            created_at: now,
            expires_at: now.plus(KEPT),
        };
        for _ in 0..LOOKS {
            match repo::insert(&self.store, &claim).await {
                Ok(()) => return Ok(Claim::Taken(claim.holder)),
                Err(StoreError::Duplicate(_)) => {}
                Err(error) => return Err(error),
            }
            let Some(found) = repo::get(&self.store, &request.id).await? else {
                continue;
            };
            if !repo::over(now).matches(&found) {
                return Ok(self.standing(&found, request, now));
            }
            if repo::take_over(&self.store, &claim, now).await? {
                return Ok(Claim::Taken(claim.holder));
            }
        }
        Ok(Claim::UnderWay)
    }

    /// What a key that is not over stands for.
    fn standing(&self, found: &IdempotencyKey, request: &Repeatable, now: Timestamp) -> Claim {
        if !found.is_of(request) {
            return Claim::Differs;
        }
        if found.answer.is_none() && now < found.lease_until {
            return Claim::UnderWay;
        }
        // What no key opens any more is lost, too: the encryption key has been changed meanwhile.
        found
            .opened(&self.ring)
            .map_or(Claim::Lost, Claim::Answered)
    }

    async fn answered(&self, request: &Repeatable, proof: &str, answer: Recorded) -> Stored<()> {
        let signed_in = answer.signed_in;
        let answer = (sealed(&self.ring, &request.id, answer), signed_in);
        if !repo::answer(&self.store, (&request.id, proof), answer).await? {
            tracing::warn!("an idempotency key was over before its request was answered");
        }
        Ok(())
    }

    async fn entered(
        &self,
        caller: &Caller,
        permission: Grantable,
        (org, team): (OrgId, Option<TeamId>),
    ) -> Result<(), EnterError> {
        let origin = Origin::default();
        let entrance = Entrance {
            caller,
            permission,
            origin: &origin,
        };
        self.store
            .read(async |tx| {
                let mut tx = tx.within(caller.tenant);
                match team {
                    Some(team) => {
                        let entered = self.memberships.enter_team(&mut tx, &entrance, (org, team));
                        entered.await.map(drop)
                    }
                    None => self
                        .memberships
                        .enter(&mut tx, &entrance, org)
                        .await
                        .map(drop),
                }
            })
            .await
    }
}

impl Replays for Idempotency {
    fn claim<'a>(
        &'a self,
        request: &'a Repeatable,
    ) -> LocalBoxFuture<'a, Result<Claim, StoreError>> {
        Box::pin(self.claimed(request))
    }

    fn answer<'a>(
        &'a self,
        request: &'a Repeatable,
        proof: &'a str,
        answer: Recorded,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.answered(request, proof, answer))
    }

    fn forget<'a>(
        &'a self,
        request: &'a Repeatable,
        proof: &'a str,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        Box::pin(repo::forget(&self.store, (&request.id, proof)))
    }

    fn may<'a>(
        &'a self,
        caller: &'a Caller,
        permission: Grantable,
        place: (OrgId, Option<TeamId>),
    ) -> LocalBoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move { Ok(self.entered(caller, permission, place).await?) })
    }
}
