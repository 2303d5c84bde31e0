//! The keys of one environment, opened and parsed: which one signs, which ones still count.

use std::sync::Arc;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use jsonwebtoken::DecodingKey;
use secrecy::SecretSlice;

use super::jwks::{Jwk, Jwks};
use super::keys::{KeyError, SigningKey};
use super::material::Material;
use super::{LONGEST_LIFE, MARGIN};
use crate::kernel::algorithm::Algorithm;
use crate::kernel::id::SigningKeyId;
use crate::kernel::secret::KeyRing;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::store::Sealed;

/// One key, parsed once and shared from then on.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) id: SigningKeyId,
    pub(super) tenant: Tenant,
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
    generation: i64,
    activates_at: Timestamp,
    public: Option<Jwk>,
    material: Material,
    /// The first part of every token it signs.
    header: String,
}

/// All keys of one environment, oldest generation first.
#[derive(Debug, Default)]
pub(super) struct Chain {
    keys: Vec<Arc<Key>>,
}

impl Key {
    /// Opens a stored key. The published half must be that of the sealed one: otherwise somebody
    /// wrote to the store.
    pub(super) fn open(stored: &SigningKey, ring: &KeyRing) -> Result<Self, KeyError> {
        stored.names_a_key_of(ring)?;
        let private = ring
            .open(&stored.private_key, &stored.bound_to())
            .map_err(|_| KeyError::Sealed(stored.id))?;
        let material = Material::parse(stored.algorithm, &SecretSlice::from(private))
            .map_err(|_| KeyError::Damaged(stored.id))?;
        if material.public(stored.id) != stored.public_jwk {
            return Err(KeyError::Damaged(stored.id));
        }
        let header = format!(
            r#"{{"alg":"{}","kid":"{}","typ":"{}"}}"#,
            stored.algorithm,
            stored.id,
            super::claims::TYPE
        );
        Ok(Self {
            id: stored.id,
            tenant: stored.tenant(),
            algorithm: stored.algorithm,
            decoding: material.decoding(),
            generation: stored.generation,
            activates_at: stored.activates_at,
            public: stored.public_jwk.clone(),
            material,
            header: BASE64_URL_SAFE_NO_PAD.encode(header),
        })
    }

    /// The whole token over `payload` (RFC 7515 §3.1, compact serialization).
    pub(super) fn sign(&self, payload: &[u8]) -> Result<String, KeyError> {
        let mut token = String::with_capacity(self.header.len() + payload.len() * 4 / 3 + 360);
        token.push_str(&self.header);
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = self
            .material
            .sign(token.as_bytes())
            .map_err(|_| KeyError::NotSigned)?;
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

impl Chain {
    pub(super) fn new(mut keys: Vec<Arc<Key>>) -> Self {
        keys.sort_by_key(|key| key.generation);
        Self { keys }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key of this identifier, whether it counts or not.
    pub(super) fn key(&self, id: SigningKeyId) -> Option<&Arc<Key>> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// The algorithm of the newest key, whether it signs already or not.
    pub(super) fn newest_algorithm(&self) -> Option<Algorithm> {
        self.keys.last().map(|key| key.algorithm)
    }

    /// The newest activated key. Where a clock went backwards and none is, the oldest.
    pub(super) fn signing(&self, now: Timestamp) -> Option<&Arc<Key>> {
        let active = self.keys.iter().rev().find(|key| key.activates_at <= now);
        active.or_else(|| self.keys.first())
    }

    /// The key of this identifier, if what it signed still counts at `now`.
    pub(super) fn accepted(&self, id: SigningKeyId, now: Timestamp) -> Option<&Arc<Key>> {
        self.key(id)
            .filter(|key| !self.is_past(key.generation, now))
    }

    /// The public keys that count at `now`, those that do not sign yet included.
    pub(super) fn published(&self, now: Timestamp) -> Jwks {
        let counts = self
            .keys
            .iter()
            .filter(|key| !self.is_past(key.generation, now));
        Jwks {
            keys: counts.filter_map(|key| key.public.clone()).collect(),
        }
    }

    fn is_past(&self, generation: i64, now: Timestamp) -> bool {
        let times = self
            .keys
            .iter()
            .map(|key| (key.generation, key.activates_at));
        is_past(generation, times, now)
    }
}

/// Whether `generation` has been superseded for so long that no token of it can be alive, given
/// the generations of its environment and when they activate. The bound is inclusive.
pub(super) fn is_past(
    generation: i64,
    chain: impl Iterator<Item = (i64, Timestamp)>,
    now: Timestamp,
) -> bool {
    let successors = chain.filter(|(newer, _)| *newer > generation);
    let superseded_at = successors.map(|(_, activates_at)| activates_at).min();
    superseded_at.is_some_and(|at| now >= at.plus(LONGEST_LIFE).plus(MARGIN))
}
