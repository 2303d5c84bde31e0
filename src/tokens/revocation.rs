//! Revocations: what must no longer be accepted although it is signed and not over.
//!
//! A revocation is written in the transaction that takes the right away, and lives until the last
//! token it stops is over. Every node holds those that count in memory, and asks them on every
//! request. A user's tokens are stopped below a version of the user's rights, so that no two
//! clocks are ever compared: the caller raises that version in the same transaction.
//! Not here: refresh tokens, which the session itself refuses.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AccessClaims, LONGEST_LIFE, MARGIN};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId, RevocationId, SessionId, SigningKeyId, UserId};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Entity, Field, Filter, Index, OfEnvironment, Query, Store, Stored, Tx};

/// One thing that is no longer accepted: a session, a user below a version, or a signing key.
#[must_use = "a revocation counts on this node only once it is applied to the index"]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Revocation {
    #[serde(rename = "_id")]
    pub id: RevocationId,
    pub app_id: AppId,
    /// Where it was decided. A user is revoked in every environment of the app.
    pub env_id: EnvId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// With `user_id`: the lowest `ver` that is still accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_version: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<SigningKeyId>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

const CREATED_AT: Field<Revocation, Timestamp> = Field::at("created_at");
const EXPIRES_AT: Field<Revocation, Timestamp> = Field::at("expires_at");

/// How far [`RevocationIndex::catch_up`] looks back behind its last reading: what the clocks of two
/// nodes may differ by, and what a transaction may take from its clock reading to its commit.
const OVERLAP: Duration = Duration::from_mins(2);

/// How often entries that are over are removed from memory.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

impl Entity for Revocation {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_revocations";
    const INDEXES: &'static [Index] = &[
        Index::on("revocations_expires_at", &["expires_at"]).expires_after(Duration::ZERO),
        Index::on("revocations_created_at", &["created_at", "_id"]),
    ];
}

/// Stops the tokens of one session, in the caller's transaction. Apply the answer after the commit.
pub async fn revoke_session(
    tx: &mut Tx<'_, Tenant>,
    session_id: SessionId,
    now: Timestamp,
    entropy: &Entropy,
) -> Stored<Revocation> {
    let blank = Revocation::blank(tx.scope(), now, entropy);
    write(
        tx,
        Revocation {
            session_id: Some(session_id),
            ..blank
        },
    )
    .await
}

/// Stops the tokens of one user whose `ver` is below `min_version`, in the caller's transaction,
/// which also raises the user's rights version to `min_version`. Apply the answer after the commit.
pub async fn revoke_user(
    tx: &mut Tx<'_, Tenant>,
    user_id: UserId,
    min_version: i64,
    now: Timestamp,
    entropy: &Entropy,
) -> Stored<Revocation> {
    let blank = Revocation::blank(tx.scope(), now, entropy);
    let (user_id, min_version) = (Some(user_id), Some(min_version));
    write(
        tx,
        Revocation {
            user_id,
            min_version,
            ..blank
        },
    )
    .await
}

/// Stops every token that a key has signed. See [`super::withdraw`].
pub(super) async fn revoke_key(
    tx: &mut Tx<'_, Tenant>,
    key_id: SigningKeyId,
    now: Timestamp,
    entropy: &Entropy,
) -> Stored<Revocation> {
    let blank = Revocation::blank(tx.scope(), now, entropy);
    write(
        tx,
        Revocation {
            key_id: Some(key_id),
            ..blank
        },
    )
    .await
}

async fn write(tx: &mut Tx<'_, Tenant>, revocation: Revocation) -> Stored<Revocation> {
    tx.insert(&revocation).await?;
    Ok(revocation)
}

impl Revocation {
    fn blank(tenant: Tenant, now: Timestamp, entropy: &Entropy) -> Self {
        Self {
            id: RevocationId::new(now, entropy),
            app_id: tenant.app_id,
            env_id: tenant.env_id,
            session_id: None,
            user_id: None,
            min_version: None,
            key_id: None,
            created_at: now,
            expires_at: now.plus(LONGEST_LIFE).plus(MARGIN),
        }
    }
}

/// The revocations that count, in memory. Clones share one index.
#[derive(Clone, Debug, Default)]
pub struct RevocationIndex(Arc<RwLock<Revoked>>);

#[derive(Debug, Default)]
struct Revoked {
    sessions: HashMap<SessionId, Timestamp>,
    users: HashMap<(AppId, UserId), (i64, Timestamp)>,
    keys: HashMap<SigningKeyId, Timestamp>,
    /// When the store was last read.
    read_at: Option<Timestamp>,
    swept_at: Option<Timestamp>,
}

impl RevocationIndex {
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads all that count at `now`. Before this has succeeded once, no request may be served.
    pub async fn load(&self, store: &Store, now: Timestamp) -> Stored<()> {
        self.read(store, EXPIRES_AT.gt(now), now).await
    }

    /// Reads what other nodes and commands have written since the last call; called at least once
    /// a second where no change stream brings them. Applying one twice is harmless.
    pub async fn catch_up(&self, store: &Store, now: Timestamp) -> Stored<()> {
        let read_at = self.seen().read_at;
        match read_at {
            Some(read_at) if read_at <= now => {
                self.read(store, CREATED_AT.gte(read_at.minus(OVERLAP)), now)
                    .await
            }
            // A clock that went back may have swept too much before.
            Some(_) | None => self.load(store, now).await,
        }
    }

    async fn read(&self, store: &Store, which: Filter<Revocation>, now: Timestamp) -> Stored<()> {
        let mut once = store.once();
        let mut everywhere = once.across_tenants("every node refuses what any tenant has revoked");
        let found = everywhere.find(Query::of(which)).await?;
        for revocation in &found {
            self.apply(revocation);
        }
        let mut revoked = self.change();
        revoked.read_at = Some(now);
        revoked.sweep(now);
        Ok(())
    }

    /// Makes a committed revocation count on this node, from the next request on.
    pub fn apply(&self, revocation: &Revocation) {
        let mut revoked = self.change();
        let until = revocation.expires_at;
        if let Some(session_id) = revocation.session_id {
            extend(&mut revoked.sessions, session_id, until);
        }
        if let Some(key_id) = revocation.key_id {
            extend(&mut revoked.keys, key_id, until);
        }
        if let (Some(user_id), Some(version)) = (revocation.user_id, revocation.min_version) {
            let known = revoked
                .users
                .entry((revocation.app_id, user_id))
                .or_insert((version, until));
            *known = (known.0.max(version), known.1.max(until));
        }
        revoked.sweep(revocation.created_at);
    }

    /// Whether the token's session was ended, or its user lost rights after it was issued.
    pub fn is_revoked(&self, claims: &AccessClaims) -> bool {
        let revoked = self.seen();
        let user = revoked.users.get(&(claims.app_id, claims.sub));
        revoked.sessions.contains_key(&claims.sid)
            || user.is_some_and(|(min_version, _)| claims.ver < *min_version)
    }

    /// Whether a signing key was withdrawn.
    pub(super) fn is_withdrawn(&self, key_id: SigningKeyId) -> bool {
        self.seen().keys.contains_key(&key_id)
    }

    // The maps are changed entry by entry, so that a panic elsewhere leaves them whole.
    fn seen(&self) -> RwLockReadGuard<'_, Revoked> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> RwLockWriteGuard<'_, Revoked> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Revoked {
    fn sweep(&mut self, now: Timestamp) {
        if self
            .swept_at
            .is_some_and(|swept_at| now.since(swept_at) < SWEEP_EVERY)
        {
            return;
        }
        self.sessions.retain(|_, until| *until > now);
        self.users.retain(|_, (_, until)| *until > now);
        self.keys.retain(|_, until| *until > now);
        self.swept_at = Some(now);
    }
}

fn extend<K: Eq + Hash>(entries: &mut HashMap<K, Timestamp>, key: K, until: Timestamp) {
    let known = entries.entry(key).or_insert(until);
    *known = (*known).max(until);
}

#[cfg(test)]
mod tests;
