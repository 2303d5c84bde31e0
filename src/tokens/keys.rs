//! Signing keys as they are stored: one environment's, sealed, in generations.
//!
//! ```text
//! published ──activates_at──▶ signs ──a successor activates──▶ accepted ──life + margin──▶ gone
//!     └───────────────────────────── withdrawn ─────────────────────────┴──▶ gone at once
//! ```
//!
//! The newest activated generation signs. States are never written down: they follow from the
//! times of a key and its successors (see [`super::chain`]). Publishing and withdrawing happen in
//! the caller's transaction, beside its event; then the caller tells [`super::SigningKeys`].

use std::fmt;

use serde::{Deserialize, Serialize};

use super::chain::is_past;
use super::jwks::Jwk;
use super::revocation::{self, Revocation};
use crate::kernel::algorithm::Algorithm;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId, SigningKeyId};
use crate::kernel::secret::KeyRing;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::{
    Entity, Field, Filter, Index, OfEnvironment, Query, Reaches, Sealed, StoreError, Stored, Tx,
    by_id,
};

/// One generation of an environment's signing keys.
#[derive(Clone, Serialize, Deserialize)]
pub struct SigningKey {
    #[serde(rename = "_id")]
    pub id: SigningKeyId,
    pub app_id: AppId,
    pub env_id: EnvId,
    pub algorithm: Algorithm,
    /// Absent for [`Algorithm::Hs256`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_jwk: Option<Jwk>,
    /// PKCS#8 v1, or the secret itself; sealed for this key in this environment.
    pub private_key: String,
    /// Counts upwards from 1 within the environment; the highest is the newest.
    pub generation: i64,
    pub activates_at: Timestamp,
    pub created_at: Timestamp,
}

/// A key that is made and sealed, but belongs to no generation yet. See [`publish`].
#[derive(Clone, Debug)]
pub struct PreparedKey(pub(super) SigningKey);

/// Why keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Sealed under an encryption key that is not configured.
    #[error("signing key {0} is sealed under the encryption key {1}, which is not configured")]
    NoEncryptionKey(SigningKeyId, String),
    /// Altered, or moved from another record.
    #[error("signing key {0} does not open where it is")]
    Sealed(SigningKeyId),
    /// What opened is no key of its algorithm, or not the one that is published.
    #[error("signing key {0} is damaged")]
    Damaged(SigningKeyId),
    #[error("a signing key was not made")]
    NotMade,
    #[error("the environment has signing keys but none that may sign")]
    NoneSigns,
    #[error("nothing could be signed")]
    NotSigned,
}

/// Two nodes that make the same generation at once: the second one is refused by this index.
pub const GENERATION_OF_ENVIRONMENT: &str = "signing_keys_env_id_generation";

const GENERATION: Field<SigningKey, i64> = Field::at("generation");
pub(super) const CREATED_AT: Field<SigningKey, Timestamp> = Field::at("created_at");

impl Entity for SigningKey {
    type Owner = OfEnvironment;
    const COLLECTION: &'static str = "authsome_signing_keys";
    const INDEXES: &'static [Index] = &[
        Index::unique(GENERATION_OF_ENVIRONMENT, &["env_id", "generation"]),
        Index::on("signing_keys_created_at", &["created_at", "_id"]),
        Index::on("signing_keys_app", &["app_id", "env_id"]),
    ];
}

impl Sealed for SigningKey {
    type Home = EnvId;
    const FIELD: &'static str = "private_key";

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn home(&self) -> EnvId {
        self.env_id
    }

    fn sealed(&self) -> Option<&str> {
        Some(&self.private_key)
    }
}

impl SigningKey {
    pub fn tenant(&self) -> Tenant {
        Tenant {
            app_id: self.app_id,
            env_id: self.env_id,
        }
    }

    /// Refuses a key that is sealed under an encryption key the ring lacks.
    pub(super) fn names_a_key_of(&self, ring: &KeyRing) -> Result<(), KeyError> {
        match ring.lacks(&self.private_key) {
            Some(lacking) => Err(KeyError::NoEncryptionKey(self.id, lacking.to_owned())),
            None => Ok(()),
        }
    }
}

/// Makes `key` the environment's newest generation, in the caller's transaction, and removes
/// generations that no living token can name.
///
/// It is published as soon as that commits and signs from `activates_at`, normally
/// [`super::TokenSettings::publish_ahead`] from now, so that verifiers elsewhere have it in time;
/// with `activates_at = now` they may refuse tokens until they fetch the key set again. Afterwards
/// call [`super::SigningKeys::forget`].
pub async fn publish(
    tx: &mut Tx<'_, Tenant>,
    key: &PreparedKey,
    activates_at: Timestamp,
) -> Stored<SigningKey> {
    let chain: Vec<SigningKey> = tx.find(Query::of(Filter::all())).await?;
    let times = || chain.iter().map(|key| (key.generation, key.activates_at));
    let past = times().map(|(generation, _)| generation);
    let past: Vec<_> = past
        .filter(|it| is_past(*it, times(), key.0.created_at))
        .collect();
    if !past.is_empty() {
        tx.delete_many(GENERATION.one_of(past)).await?;
    }
    let generation = times().map(|(generation, _)| generation).max().unwrap_or(0) + 1;
    let key = SigningKey {
        generation,
        activates_at,
        ..key.0.clone()
    };
    tx.insert(&key).await?;
    Ok(key)
}

/// Removes a key that others may have, and puts `successor` in its place at once. `None`, and
/// nothing done, if the environment has no such key.
///
/// All its tokens are dead when the revocation is applied after the commit; sessions survive by
/// refreshing. Afterwards call [`super::SigningKeys::forget`].
pub async fn withdraw(
    tx: &mut Tx<'_, Tenant>,
    id: SigningKeyId,
    successor: &PreparedKey,
    now: Timestamp,
    entropy: &Entropy,
) -> Stored<Option<Revocation>> {
    if tx.take_one(by_id::<SigningKey>(id)).await?.is_none() {
        return Ok(None);
    }
    publish(tx, successor, now).await?;
    revocation::revoke_key(tx, id, now, entropy).await.map(Some)
}

/// Removes every key of an environment, and puts `successor` in their place at once; otherwise as
/// [`withdraw`].
pub async fn withdraw_all(
    tx: &mut Tx<'_, Tenant>,
    successor: &PreparedKey,
    now: Timestamp,
    entropy: &Entropy,
) -> Stored<Vec<Revocation>> {
    let revoked = revoke_all_keys(tx, (now, entropy)).await?;
    tx.delete_many(Filter::<SigningKey>::all()).await?;
    publish(tx, successor, now).await?;
    Ok(revoked)
}

/// Removes every key of an app that is no more, in all its environments: each token it signed is dead
/// when the revocations are applied after the commit.
pub async fn remove_all_keys(
    tx: &mut Tx<'_, AppId>,
    made: (Timestamp, &Entropy),
) -> Stored<Vec<Revocation>> {
    let revoked = revoke_all_keys(tx, made).await?;
    tx.delete_many(Filter::<SigningKey>::all()).await?;
    Ok(revoked)
}

/// Stops every token that a key in scope has signed, be it of an environment or of an app, in the
/// caller's transaction.
///
/// The keys stay: whoever has not heard yet signs with one of them, and what he signs is stopped too.
/// Apply the answer after the commit.
pub async fn revoke_all_keys<S>(
    tx: &mut Tx<'_, S>,
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<Vec<Revocation>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let mut revoked = Vec::new();
    for key in tx.find(Query::of(Filter::<SigningKey>::all())).await? {
        let mut tx = tx.within(key.tenant());
        revoked.push(revocation::revoke_key(&mut tx, key.id, now, entropy).await?);
    }
    Ok(revoked)
}

/// As [`publish`], for a key of another algorithm than the newest one's. `None`, and nothing done,
/// where that is of the same already; of those who do it at once, one is refused as a duplicate.
pub async fn publish_other(
    tx: &mut Tx<'_, Tenant>,
    key: &PreparedKey,
    activates_at: Timestamp,
) -> Stored<Option<SigningKey>> {
    let newest = Query::of(Filter::all()).newest_by(GENERATION).window(0, 1);
    let newest: Vec<SigningKey> = tx.find(newest).await?;
    if newest.iter().any(|it| it.algorithm == key.0.algorithm) {
        return Ok(None);
    }
    publish(tx, key, activates_at).await.map(Some)
}

/// The only algorithm that a token of such a key is judged by.
pub(super) const fn in_jsonwebtoken(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Hs256 => jsonwebtoken::Algorithm::HS256,
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.id)
            .field("env_id", &self.env_id)
            .field("algorithm", &self.algorithm)
            .field("generation", &self.generation)
            .field("activates_at", &self.activates_at)
            .finish_non_exhaustive()
    }
}
