//! Where signing keys are had: made on first use, kept parsed, looked up by identifier.
//!
//! An environment's chain is read from the store again after [`FRESH`], which is far less than
//! [`super::MARGIN`]: a node that has not heard of a rotation signs with a key that the others
//! still accept. An identifier that nobody knows costs one look, and then none for a minute.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::{Mutex, MutexGuard};

use super::TokenSettings;
use super::chain::{Chain, Key, is_past};
use super::jwks::Jwks;
use super::keys::{CREATED_AT, GENERATION_OF_ENVIRONMENT, KeyError, PreparedKey, SigningKey};
use super::material::Material;
use crate::kernel::algorithm::Algorithm;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{EnvId, SigningKeyId};
use crate::kernel::secret::{ExposeSecret, KeyRing};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{Filter, Query, Sealed, Store, StoreError, Stored, Tx};

/// How long a chain is used before the store is asked again.
const FRESH: Duration = Duration::from_secs(10);
/// How long the key set of the whole installation is served before it is read again.
const SET_FRESH: Duration = Duration::from_secs(1);
/// How long an identifier without a key is remembered as such.
const UNKNOWN_FOR: Duration = Duration::from_mins(1);
const CHAINS: u64 = 4_096;
const IDENTIFIERS: u64 = 16_384;

/// The signing keys of every environment. Clones share what is in memory.
#[derive(Clone, Debug)]
pub struct SigningKeys {
    store: Store,
    ring: KeyRing,
    entropy: Entropy,
    settings: TokenSettings,
    chains: Cache<EnvId, Known>,
    homes: Cache<SigningKeyId, Tenant>,
    unknown: Cache<SigningKeyId, ()>,
    everything: Cache<(), (Arc<Jwks>, Timestamp)>,
    making: Arc<Mutex<()>>,
}

#[derive(Clone, Debug)]
struct Known {
    chain: Arc<Chain>,
    read_at: Timestamp,
}

impl SigningKeys {
    pub fn new(store: Store, ring: KeyRing, entropy: Entropy, settings: TokenSettings) -> Self {
        Self {
            store,
            ring,
            entropy,
            settings,
            chains: Cache::new(CHAINS),
            homes: Cache::new(IDENTIFIERS),
            unknown: Cache::builder()
                .max_capacity(IDENTIFIERS)
                .time_to_live(UNKNOWN_FOR)
                .build(),
            everything: Cache::new(1),
            making: Arc::default(),
        }
    }

    /// Makes and seals a key for `tenant`, by default of the configured algorithm. Nothing is
    /// stored: see [`super::publish`].
    pub async fn prepare(
        &self,
        tenant: Tenant,
        algorithm: Option<Algorithm>,
        now: Timestamp,
    ) -> Result<PreparedKey, KeyError> {
        let algorithm = algorithm.unwrap_or(self.settings.algorithm);
        let entropy = self.entropy.clone();
        // RSA searches primes for up to a second: never on a worker.
        let made = tokio::task::spawn_blocking(move || Material::generate(algorithm, &entropy));
        let private = made
            .await
            .map_err(|_| KeyError::NotMade)?
            .map_err(|_| KeyError::NotMade)?;
        let material = Material::parse(algorithm, &private).map_err(|_| KeyError::NotMade)?;
        let id = SigningKeyId::new(now, &self.entropy);
        let place = SigningKey::place(tenant.env_id, id);
        Ok(PreparedKey(SigningKey {
            id,
            app_id: tenant.app_id,
            env_id: tenant.env_id,
            algorithm,
            public_jwk: material.public(id),
            private_key: self.ring.seal(private.expose_secret(), &place),
            generation: 0,
            activates_at: now,
            created_at: now,
        }))
    }

    /// Sees to it that the environment can sign; nodes that do it at once end up with one key.
    pub async fn ensure(&self, tenant: Tenant, now: Timestamp) -> Result<(), KeyError> {
        self.signing(tenant, now).await.map(drop)
    }

    /// Waits until nobody else of this node makes a key that many want at once: whoever has waited
    /// looks again whether one is wanted.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.making.lock().await
    }

    /// The algorithm of the environment's newest key; normally without the store.
    pub async fn newest_algorithm(
        &self,
        tenant: Tenant,
        now: Timestamp,
    ) -> Result<Option<Algorithm>, KeyError> {
        Ok(self.chain(tenant, now).await?.newest_algorithm())
    }

    /// Fails where a key that counts is sealed under an encryption key that is not configured: its
    /// environment could not issue a token, and it is better not to start than to find out then.
    pub async fn check(&self, now: Timestamp) -> Result<(), KeyError> {
        for key in counting(self.everywhere().await?, now) {
            key.names_a_key_of(&self.ring)?;
        }
        Ok(())
    }

    pub(super) fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// When a key that is published now should begin to sign.
    pub fn activation(&self, now: Timestamp) -> Timestamp {
        now.plus(self.settings.publish_ahead)
    }

    /// Forgets what is in memory of an environment: after [`super::publish`] and
    /// [`super::withdraw`].
    pub fn forget(&self, tenant: Tenant) {
        self.chains.invalidate(&tenant.env_id);
        self.everything.invalidate(&());
    }

    /// The public keys that count: of one environment, or of all, oldest first.
    pub async fn published(
        &self,
        tenant: Option<Tenant>,
        now: Timestamp,
    ) -> Result<Arc<Jwks>, KeyError> {
        if let Some(tenant) = tenant {
            return Ok(Arc::new(self.chain(tenant, now).await?.published(now)));
        }
        let known = self.everything.get(&());
        if let Some((set, read_at)) = &known
            && is_fresh(*read_at, SET_FRESH, now)
        {
            return Ok(set.clone());
        }
        let stored = match (self.everywhere().await, known) {
            (Ok(stored), _) => stored,
            // Public keys are safe to serve from memory, and verifiers elsewhere need them.
            (Err(_), Some((set, _))) => return Ok(set),
            (Err(error), None) => return Err(error.into()),
        };
        let public = counting(stored, now).filter_map(|key| key.public_jwk);
        let set = Arc::new(Jwks {
            keys: public.collect(),
        });
        self.everything.insert((), (set.clone(), now));
        Ok(set)
    }

    /// The keys of every environment, oldest first.
    pub(super) async fn everywhere(&self) -> Stored<Vec<SigningKey>> {
        let mut once = self.store.once();
        let mut everywhere =
            once.across_tenants("the key set of the issuer has every environment's");
        everywhere
            .find(Query::of(Filter::all()).oldest_by(CREATED_AT))
            .await
    }

    /// The key that signs for `tenant`, made if there is none yet.
    pub(super) async fn signing(
        &self,
        tenant: Tenant,
        now: Timestamp,
    ) -> Result<Arc<Key>, KeyError> {
        if let Some(key) = self.chain(tenant, now).await?.signing(now) {
            return Ok(key.clone());
        }
        let chain = self.first_chain(tenant, now).await?;
        chain.signing(now).cloned().ok_or(KeyError::NoneSigns)
    }

    /// The key that a token names, if it still counts.
    pub(super) async fn accepted(
        &self,
        id: SigningKeyId,
        now: Timestamp,
    ) -> Result<Option<Arc<Key>>, KeyError> {
        if self.unknown.contains_key(&id) {
            return Ok(None);
        }
        let Some(tenant) = self.home(id).await? else {
            self.unknown.insert(id, ());
            return Ok(None);
        };
        let mut chain = self.chain(tenant, now).await?;
        if chain.key(id).is_none() {
            // Published by another node after the chain was read, or withdrawn since.
            self.forget(tenant);
            chain = self.chain(tenant, now).await?;
        }
        if chain.key(id).is_none() {
            self.homes.invalidate(&id);
            self.unknown.insert(id, ());
        }
        Ok(chain.accepted(id, now).cloned())
    }

    /// The environment whose key this is: the one question asked before a tenant is known.
    async fn home(&self, id: SigningKeyId) -> Stored<Option<Tenant>> {
        if let Some(tenant) = self.homes.get(&id) {
            return Ok(Some(tenant));
        }
        let mut once = self.store.once();
        let mut everywhere = once.across_tenants("an access token names its signing key");
        let home = everywhere
            .get::<SigningKey>(id)
            .await?
            .map(|key| key.tenant());
        if let Some(tenant) = home {
            self.homes.insert(id, tenant);
        }
        Ok(home)
    }

    async fn chain(&self, tenant: Tenant, now: Timestamp) -> Result<Arc<Chain>, KeyError> {
        let known = self.chains.get(&tenant.env_id);
        if let Some(known) = &known
            && is_fresh(known.read_at, FRESH, now)
        {
            return Ok(known.chain.clone());
        }
        let chain = match (self.read(tenant, known.as_ref(), now).await, known) {
            (Ok(chain), _) => Arc::new(chain),
            (
                Err(KeyError::Store(StoreError::Unavailable(_) | StoreError::Timeout)),
                Some(known),
            ) => {
                // Nothing is issued without the store; what was issued stays valid meanwhile.
                tracing::warn!(env_id = %tenant.env_id, "signing keys not read again: the store is away");
                known.chain
            }
            (Err(error), _) => return Err(error),
        };
        if !chain.is_empty() {
            self.chains.insert(
                tenant.env_id,
                Known {
                    chain: chain.clone(),
                    read_at: now,
                },
            );
        }
        Ok(chain)
    }

    /// The chain as it is stored; keys that were parsed before are not parsed again.
    async fn read(
        &self,
        tenant: Tenant,
        known: Option<&Known>,
        now: Timestamp,
    ) -> Result<Chain, KeyError> {
        let stored = self
            .store
            .once()
            .within(tenant)
            .find(Query::of(Filter::all()))
            .await?;
        self.open(&stored, known, now)
    }

    /// A past key names no living token: it is not opened, as the next rotation removes it.
    fn open(
        &self,
        stored: &[SigningKey],
        known: Option<&Known>,
        now: Timestamp,
    ) -> Result<Chain, KeyError> {
        let parsed = |id| known.and_then(|known| known.chain.key(id)).cloned();
        let open = |stored: &SigningKey| match parsed(stored.id) {
            Some(key) => Ok(key),
            None => Key::open(stored, &self.ring).map(Arc::new),
        };
        let times = || stored.iter().map(|key| (key.generation, key.activates_at));
        let counts = |key: &&SigningKey| !is_past(key.generation, times(), now);
        Ok(Chain::new(
            stored
                .iter()
                .filter(counts)
                .map(open)
                .collect::<Result<_, _>>()?,
        ))
    }

    /// The chain of an environment that had no key, after this node or another has made one.
    async fn first_chain(&self, tenant: Tenant, now: Timestamp) -> Result<Arc<Chain>, KeyError> {
        let PreparedKey(key) = self.prepare(tenant, None, now).await?;
        let first = SigningKey {
            generation: 1,
            ..key
        };
        let stored = match self.first_or_found(&first).await {
            // Another node committed one after our look: the next look sees it.
            Err(StoreError::Duplicate(GENERATION_OF_ENVIRONMENT)) => {
                self.first_or_found(&first).await
            }
            other => other,
        }?;
        let chain = Arc::new(self.open(&stored, None, now)?);
        self.everything.invalidate(&());
        self.chains.insert(
            tenant.env_id,
            Known {
                chain: chain.clone(),
                read_at: now,
            },
        );
        Ok(chain)
    }

    /// The keys of the environment; `first` alone, where there were none.
    async fn first_or_found(&self, first: &SigningKey) -> Stored<Vec<SigningKey>> {
        let work = async |tx: &mut Tx<'_>| {
            let mut tx = tx.within(first.tenant());
            let found = tx.find(Query::of(Filter::all())).await?;
            if !found.is_empty() {
                return Ok(found);
            }
            tx.insert(first).await?;
            Ok(vec![first.clone()])
        };
        self.store.write(work).await
    }
}

/// Whether what was read then may be used at `now`; not, if a clock went back in between.
fn is_fresh(read_at: Timestamp, fresh: Duration, now: Timestamp) -> bool {
    read_at <= now && now.since(read_at) < fresh
}

/// Those of all keys that count at `now`, in the order given.
pub(super) fn counting(
    stored: Vec<SigningKey>,
    now: Timestamp,
) -> impl Iterator<Item = SigningKey> {
    let mut chains: HashMap<EnvId, Vec<(i64, Timestamp)>> = HashMap::new();
    for key in &stored {
        chains
            .entry(key.env_id)
            .or_default()
            .push((key.generation, key.activates_at));
    }
    let counts = move |key: &SigningKey| {
        let chain = chains.get(&key.env_id).into_iter().flatten().copied();
        !is_past(key.generation, chain, now)
    };
    stored.into_iter().filter(counts)
}

#[cfg(test)]
mod tests;
