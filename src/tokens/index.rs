//! The revocation index: what is revoked, as far as this node knows, and how far that is.
//!
//! ```text
//!  applied here ──────────────┐
//!  told by the change stream ─┼─▶ index ──▶ in step? ── yes ──▶ memory alone decides
//!  read from the store ───────┘     │          └ no: ask the store about this very token
//!                                   └─▶ subscribers
//! ```
//!
//! The index is *in step* while it has heard all that was committed up to [`STALE_AFTER`] ago. So a
//! right that is taken away anywhere is refused here within that time, or nothing is accepted
//! without a look at the store; where the store cannot be asked, nothing at all.
//! Not here: who asks the store, and when ([`crate::jobs`]).

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use super::AccessClaims;
use super::claims::Membership;
use super::revocation::{Member, Revocation, counting, since, stopping};
use crate::kernel::id::{AppId, OrgId, SessionId, SigningKeyId, UserId};
use crate::kernel::measure::{Measured, Page};
use crate::kernel::time::Timestamp;
use crate::store::{Filter, Follower, News, Query, Store, Stored};

/// How old the knowledge of a node may be, in time that nobody can set.
pub const STALE_AFTER: Duration = Duration::from_secs(1);

/// How often entries that are over are removed from memory.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// How many revocations a subscriber may be behind before it is told that it has missed some.
const BACKLOG: usize = 1024;

/// The revocations that count, in memory. Clones share one index.
#[derive(Clone, Debug)]
pub struct RevocationIndex {
    store: Store,
    trusted_for: Duration,
    revoked: Arc<RwLock<Revoked>>,
    subscribers: broadcast::Sender<Arc<Revocation>>,
}

#[derive(Debug, Default)]
struct Revoked {
    sessions: HashMap<SessionId, Timestamp>,
    keys: HashMap<SigningKeyId, Timestamp>,
    users: Lowest<(AppId, UserId)>,
    organizations: Lowest<(AppId, OrgId)>,
    members: Lowest<(AppId, Member)>,
    app_roles: Lowest<AppId>,
    /// Everything that was committed by this moment is in the maps.
    in_step: Option<Moment>,
    swept_at: Option<Timestamp>,
}

/// The lowest version that is still accepted, and until when that counts.
type Lowest<K> = HashMap<K, (i64, Timestamp)>;

/// One moment by two clocks: ours, which dates revocations, and the one that only runs forward.
#[derive(Clone, Copy, Debug)]
struct Moment {
    read_at: Timestamp,
    real: Instant,
}

impl RevocationIndex {
    pub fn new(store: Store) -> Self {
        Self::trusted_for(store, STALE_AFTER)
    }

    /// An index that counts as in step for this long.
    pub fn trusted_for(store: Store, time: Duration) -> Self {
        Self {
            store,
            trusted_for: time,
            revoked: Arc::default(),
            subscribers: broadcast::Sender::new(BACKLOG),
        }
    }

    /// Reads all that count at `now`. Before this has succeeded once, no request may be served.
    pub async fn load(&self, now: Timestamp) -> Stored<()> {
        self.read(counting(now), now).await
    }

    /// Reads what other nodes and commands have written since the index was last in step. Applying
    /// one twice is harmless.
    pub async fn catch_up(&self, now: Timestamp) -> Stored<()> {
        match self.read_at() {
            Some(read_at) if read_at <= now => self.read(since(read_at), now).await,
            // A clock that went back may have swept too much before.
            Some(_) | None => self.load(now).await,
        }
    }

    async fn read(&self, which: Filter<Revocation>, now: Timestamp) -> Stored<()> {
        let asked = real();
        let mut once = self.store.once();
        let mut everywhere = once.across_tenants("every node refuses what any tenant has revoked");
        let added = everywhere.find(Query::of(which)).await?;
        self.hear(&News { added, asked }, now);
        Ok(())
    }

    /// Follows what is written from now on; `None` where the store has to be asked instead. What
    /// was written before has to be read after this.
    pub async fn follow(&self) -> Stored<Option<Follower<Revocation>>> {
        let mut once = self.store.once();
        let mut everywhere = once.across_tenants("every node hears of what any tenant revokes");
        everywhere.follow().await
    }

    /// Takes in an answer of the store. `now` is our time at the moment of the question or before.
    pub fn hear(&self, news: &News<Revocation>, now: Timestamp) {
        for revocation in &news.added {
            self.apply(revocation);
        }
        let mut revoked = self.change();
        let is_newer = |known: &Moment| known.real < news.asked;
        if revoked.in_step.as_ref().is_none_or(is_newer) {
            let (read_at, real) = (now, news.asked);
            revoked.in_step = Some(Moment { read_at, real });
        }
        revoked.sweep(now);
    }

    /// Makes a committed revocation count on this node, from the next request on, and tells those
    /// who subscribed, unless it says nothing new.
    pub fn apply(&self, revocation: &Revocation) {
        if self.change().apply(revocation) {
            // Nobody has to listen.
            let _ = self.subscribers.send(Arc::new(revocation.clone()));
        }
    }

    /// The same of each of these.
    pub fn apply_all<'a>(&self, revoked: impl IntoIterator<Item = &'a Revocation>) {
        for revocation in revoked {
            self.apply(revocation);
        }
    }

    /// What is applied from now on. One that is stopped by another in full is not told.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Revocation>> {
        self.subscribers.subscribe()
    }

    /// Our time by which everything committed has been applied, and told to those who subscribed.
    pub fn read_at(&self) -> Option<Timestamp> {
        Some(self.seen().in_step?.read_at)
    }

    /// Whether the index has heard all that was committed up to [`STALE_AFTER`] ago.
    pub fn is_in_step(&self) -> bool {
        self.seen().is_in_step(self.trusted_for)
    }

    /// Whether the token must not be accepted. Asks the store only where this node may have missed
    /// something.
    pub(super) async fn stops(
        &self,
        claims: &AccessClaims,
        key_id: SigningKeyId,
        now: Timestamp,
    ) -> Stored<bool> {
        if self.seen().stops(claims, key_id) {
            return Ok(true);
        }
        if self.is_in_step() {
            return Ok(false);
        }
        let mut once = self.store.once();
        let mut tx = once.within(claims.app_id);
        let found = tx.find_one(stopping(claims, key_id, now)).await?;
        if let Some(revocation) = &found {
            self.apply(revocation);
        }
        Ok(found.is_some())
    }

    /// Whether a token of these versions would be refused for what is known to have been taken away in
    /// its organisation: from everybody there, or from this user.
    pub fn is_outdated(&self, (app, user): (AppId, Option<UserId>), there: Membership) -> bool {
        self.seen().is_outdated((app, user), there)
    }

    /// Whether a user is known to have lost rights that he had at this version of them.
    pub fn has_lowered(&self, (app, user): (AppId, UserId), version: i64) -> bool {
        is_below(&self.seen().users, &(app, user), version)
    }

    /// Whether a signing key is known to be withdrawn.
    pub(super) fn is_withdrawn(&self, key_id: SigningKeyId) -> bool {
        self.seen().keys.contains_key(&key_id)
    }

    /// What a store would tell in this moment, for tests that have no follower.
    #[cfg(test)]
    pub(super) fn is_told(&self, added: &[Revocation], now: Timestamp) {
        let (added, asked) = (added.to_vec(), real());
        self.hear(&News { added, asked }, now);
    }

    /// How long ago this node heard all that was committed by then; `None` before it ever did.
    fn lag(&self) -> Option<Duration> {
        let heard = self.seen().in_step?;
        Some(real().saturating_duration_since(heard.real))
    }

    // The maps are changed entry by entry, so that a panic elsewhere leaves them whole.
    fn seen(&self) -> RwLockReadGuard<'_, Revoked> {
        self.revoked.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Revoked> {
        self.revoked.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Measured for RevocationIndex {
    fn tell(&self, page: &mut Page) {
        let help = "What is revoked, as this node knows it.";
        page.gauge("authsome_revocations", help)
            .sample(&[], self.seen().count());
        let help = "How old this node's knowledge of revocations is.";
        let lag = page.gauge("authsome_revocation_lag_seconds", help);
        if let Some(time) = self.lag() {
            lag.sample(&[], time.as_secs_f64());
        }
        let help = "Whether memory alone decides which tokens are revoked; 0 asks the store.";
        page.gauge("authsome_revocations_in_step", help)
            .sample(&[], u8::from(self.is_in_step()));
    }
}

impl Revoked {
    fn count(&self) -> usize {
        self.sessions.len()
            + self.keys.len()
            + self.users.len()
            + self.organizations.len()
            + self.members.len()
            + self.app_roles.len()
    }

    /// Whether that changed anything.
    fn apply(&mut self, revocation: &Revocation) -> bool {
        let (until, mut is_new) = (revocation.expires_at, false);
        if let Some(session_id) = revocation.session_id {
            is_new |= extend(&mut self.sessions, session_id, until);
        }
        if let Some(key_id) = revocation.key_id {
            is_new |= extend(&mut self.keys, key_id, until);
        }
        let app_id = revocation.app_id;
        if let (Some(user_id), Some(version)) = (revocation.user_id, revocation.min_version) {
            is_new |= raise(&mut self.users, (app_id, user_id), (version, until));
        }
        if let (Some(org_id), Some(version)) = (revocation.org_id, revocation.min_org_version) {
            is_new |= raise(&mut self.organizations, (app_id, org_id), (version, until));
        }
        if let (Some(member), Some(version)) = (revocation.member, revocation.min_member_version) {
            is_new |= raise(&mut self.members, (app_id, member), (version, until));
        }
        if let (Some(app_id), Some(version)) = (revocation.roles_of, revocation.min_app_version) {
            is_new |= raise(&mut self.app_roles, app_id, (version, until));
        }
        self.sweep(revocation.created_at);
        is_new
    }

    fn is_in_step(&self, trusted_for: Duration) -> bool {
        let is_recent = |at: Moment| real().saturating_duration_since(at.real) <= trusted_for;
        self.in_step.is_some_and(is_recent)
    }

    fn stops(&self, claims: &AccessClaims, key_id: SigningKeyId) -> bool {
        self.keys.contains_key(&key_id) || self.is_revoked(claims)
    }

    /// Whether the token's session was ended, or its user lost rights after it was issued.
    fn is_revoked(&self, claims: &AccessClaims) -> bool {
        let is_user_below = |user| is_below(&self.users, &(claims.app_id, user), claims.ver);
        self.sessions.contains_key(&claims.sid)
            || claims.sub.user().is_some_and(is_user_below)
            || self.is_revoked_there(claims)
    }

    /// Whether rights were lost in the organisation that the token is for.
    fn is_revoked_there(&self, claims: &AccessClaims) -> bool {
        let whose = (claims.app_id, claims.sub.user());
        let is_outdated = |membership| self.is_outdated(whose, membership);
        claims.membership().is_some_and(is_outdated)
    }

    fn is_outdated(&self, (app_id, user): (AppId, Option<UserId>), there: Membership) -> bool {
        let (org_id, version) = (there.org_id, there.org_ver);
        let is_member_below = |user_id| {
            let member = Member { org_id, user_id };
            is_below(&self.members, &(app_id, member), version)
        };
        is_below(&self.organizations, &(app_id, org_id), version)
            || user.is_some_and(is_member_below)
            || is_below(&self.app_roles, &app_id, there.app_ver)
    }

    fn sweep(&mut self, now: Timestamp) {
        if self
            .swept_at
            .is_some_and(|swept_at| now.since(swept_at) < SWEEP_EVERY)
        {
            return;
        }
        self.sessions.retain(|_, until| *until > now);
        self.keys.retain(|_, until| *until > now);
        self.users.retain(|_, (_, until)| *until > now);
        self.organizations.retain(|_, (_, until)| *until > now);
        self.members.retain(|_, (_, until)| *until > now);
        self.app_roles.retain(|_, (_, until)| *until > now);
        self.swept_at = Some(now);
    }
}

/// Keeps an entry until then at least; whether it was not kept so long before.
fn extend<K: Eq + Hash>(entries: &mut HashMap<K, Timestamp>, key: K, until: Timestamp) -> bool {
    let is_longer = entries.get(&key).is_none_or(|known| *known < until);
    if is_longer {
        entries.insert(key, until);
    }
    is_longer
}

/// Keeps the higher version, until the later time; whether either was new.
fn raise<K: Eq + Hash>(
    entries: &mut Lowest<K>,
    key: K,
    (version, until): (i64, Timestamp),
) -> bool {
    let known = entries.get(&key).copied();
    let joined = known.map_or((version, until), |known| {
        (known.0.max(version), known.1.max(until))
    });
    entries.insert(key, joined);
    known != Some(joined)
}

fn is_below<K: Eq + Hash>(entries: &Lowest<K>, key: &K, version: i64) -> bool {
    let lowest = entries.get(key);
    lowest.is_some_and(|(lowest, _)| version < *lowest)
}

#[expect(
    clippy::disallowed_methods,
    reason = "how old knowledge is, is measured and not told by a clock that can be set"
)]
fn real() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod organizations;
#[cfg(test)]
mod tests;
