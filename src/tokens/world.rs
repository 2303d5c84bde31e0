//! One installation in memory, for the tests of this module.

use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::{Value, json};

use super::material::Material;
use super::{
    AccessClaims, AccessTokens, ActiveOrganization, Algorithm, Grant, LONGEST_LIFE, Refused,
    Revocation, RevocationIndex, SigningKey, SigningKeys, TokenSettings,
};
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{AppId, EnvId, OrgId, SessionId, SigningKeyId, UserId};
use crate::kernel::secret::KeyRing;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{Clock, Timestamp};
use crate::store::{Filter, Location, Query, Schema, Sealed, Store, StoreSettings};

pub(super) const NOON: Timestamp = Timestamp::from_millis(2_208_988_800_000);
pub(super) const MINUTE: Duration = Duration::from_mins(1);

/// A store, and one node with the keys and revocations that it has in memory.
pub(super) struct World {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) entropy: Entropy,
    pub(super) ring: KeyRing,
    pub(super) tenant: Tenant,
    pub(super) settings: TokenSettings,
    pub(super) keys: SigningKeys,
    pub(super) revocations: RevocationIndex,
    pub(super) tokens: AccessTokens,
}

pub(super) fn tenant(entropy: &Entropy) -> Tenant {
    Tenant {
        app_id: AppId::new(NOON, entropy),
        env_id: EnvId::new(NOON, entropy),
    }
}

pub(super) fn ring() -> KeyRing {
    KeyRing::parse(&"7f".repeat(32)).unwrap()
}

pub(super) fn b64(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) async fn world(algorithm: Algorithm) -> World {
    let store = Store::open(&StoreSettings::at(Location::Memory))
        .await
        .unwrap();
    let schemas = [Schema::of::<SigningKey>(), Schema::of::<Revocation>()];
    store.migrate(&schemas, NOON).await.unwrap();
    let settings = TokenSettings {
        issuer: "https://auth.example.com".to_owned(),
        access_ttl: 15 * MINUTE,
        refresh_ttl: 60 * MINUTE,
        algorithm,
        publish_ahead: 24 * 60 * MINUTE,
    };
    let entropy = Entropy::seeded(1);
    World::new(
        store,
        Clock::frozen(NOON),
        tenant(&entropy),
        entropy,
        settings,
    )
}

impl World {
    fn new(
        store: Store,
        clock: Clock,
        tenant: Tenant,
        entropy: Entropy,
        settings: TokenSettings,
    ) -> Self {
        let ring = ring();
        let revocations = RevocationIndex::trusted_for(store.clone(), LONGEST_LIFE);
        // Nothing has been revoked yet.
        revocations.is_told(&[], clock.now());
        let keys = SigningKeys::new(
            store.clone(),
            ring.clone(),
            entropy.clone(),
            settings.clone(),
        );
        let tokens = AccessTokens::new(
            keys.clone(),
            revocations.clone(),
            settings.clone(),
            clock.clone(),
            entropy.clone(),
        );
        Self {
            store,
            clock,
            entropy,
            ring,
            tenant,
            settings,
            keys,
            revocations,
            tokens,
        }
    }

    /// A second node on the same store, with nothing in memory.
    pub(super) fn node(&self) -> Self {
        let (store, clock) = (self.store.clone(), self.clock.clone());
        Self::new(
            store,
            clock,
            self.tenant,
            self.entropy.clone(),
            self.settings.clone(),
        )
    }

    pub(super) fn grant(&self) -> Grant {
        Grant {
            tenant: self.tenant,
            user_id: UserId::new(NOON, &self.entropy),
            session_id: SessionId::new(NOON, &self.entropy),
            rights_version: 3,
            roles: vec!["USER".to_owned()],
            email: "mia@example.org".to_owned(),
            email_verified: true,
            organization: None,
            amr: vec!["pwd".to_owned()],
            auth_time: NOON,
            impersonated_by: None,
        }
    }

    /// Claims of a new session of a new user.
    pub(super) fn claims(&self) -> AccessClaims {
        self.tokens.claims(self.grant(), None, self.clock.now())
    }

    pub(super) fn organization(&self) -> ActiveOrganization {
        ActiveOrganization {
            id: OrgId::new(NOON, &self.entropy),
            slug: "acme".to_owned(),
            roles: vec!["owner".to_owned()],
            teams: vec![],
            permissions: vec!["members:read".to_owned()],
            version: 5,
            app_version: 2,
        }
    }

    /// Claims of a new session of a new user, for an organisation.
    pub(super) fn claims_in(&self, organization: &ActiveOrganization) -> AccessClaims {
        let organization = Some(organization.clone());
        let grant = Grant {
            organization,
            ..self.grant()
        };
        self.tokens.claims(grant, None, self.clock.now())
    }

    pub(super) async fn token(&self) -> String {
        self.tokens.sign(&self.claims()).await.unwrap()
    }

    pub(super) async fn refused(&self, token: &str) -> Refused {
        self.tokens
            .verify(token)
            .await
            .err()
            .unwrap_or_else(|| panic!("accepted: {token}"))
    }

    pub(super) async fn stored_keys(&self) -> Vec<SigningKey> {
        self.store
            .once()
            .within(self.tenant)
            .find(Query::of(Filter::all()))
            .await
            .unwrap()
    }

    /// The environment's private key, as nobody outside has it.
    pub(super) async fn material(&self) -> (SigningKeyId, Material) {
        self.keys.ensure(self.tenant, NOON).await.unwrap();
        let stored = self.stored_keys().await.pop().unwrap();
        let private = self
            .ring
            .open(&stored.private_key, &stored.bound_to())
            .unwrap();
        (
            stored.id,
            Material::parse(stored.algorithm, &private.into()).unwrap(),
        )
    }

    /// A token of any header and payload, well signed.
    async fn signed(&self, header: &str, payload: &[u8]) -> String {
        let (_, material) = self.material().await;
        let message = format!("{}.{}", b64(header.as_bytes()), b64(payload));
        let signature = material.sign(message.as_bytes()).unwrap();
        format!("{message}.{}", b64(&signature))
    }

    pub(super) async fn with_header(&self, header: &str) -> String {
        self.signed(header, &serde_json::to_vec(&self.claims()).unwrap())
            .await
    }

    pub(super) async fn with_payload(&self, payload: &str) -> String {
        let header = self.header(json!({})).await;
        self.signed(&header, payload.as_bytes()).await
    }

    pub(super) async fn with_claims(&self, changes: Value) -> String {
        self.with_changes(&self.claims(), changes).await
    }

    /// A token of claims that were changed; `null` takes one away.
    pub(super) async fn with_changes(&self, claims: &AccessClaims, changes: Value) -> String {
        let mut claims = serde_json::to_value(claims).unwrap();
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.with_payload(&claims.to_string()).await
    }

    /// Our header, with members replaced or added.
    pub(super) async fn header(&self, members: Value) -> String {
        let (kid, _) = self.material().await;
        let mut header = json!({ "alg": self.settings.algorithm, "kid": kid, "typ": "at+jwt" });
        for (name, value) in members.as_object().unwrap() {
            header[name] = value.clone();
        }
        header.to_string()
    }
}
