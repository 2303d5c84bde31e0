//! What becomes of a key: another name, fewer scopes, an earlier end; another secret; the end.

use std::time::Duration;

use super::holding::{By, Deed, refuse_beyond};
use super::making::Term;
use super::service::{KeyError, Keys, LONGEST_GRACE};
use crate::access::{Pattern, Scopes};
use crate::api_keys::{self, ApiKey, KeyChanges};
use crate::environments::Environment;
use crate::events::{self, Name};
use crate::http::KeyOwner;
use crate::kernel::id::ApiKeyId;
use crate::kernel::secret::SecretString;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;
use crate::store::{StoreError, Tx};
use crate::tokens::Revocation;

/// What is to become of a key.
#[derive(Debug, Clone)]
pub(super) struct WantedChanges {
    pub name: Option<Label>,
    pub scopes: Option<Vec<Pattern>>,
    pub expires_at: Option<Timestamp>,
}

/// How a key is to be given another secret.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rotation {
    /// How long the secret before is good still.
    pub grace: Duration,
    /// Absent: the key ends when it would have.
    pub term: Option<Term>,
}

impl Keys {
    pub(super) async fn update(
        &self,
        by: &By<'_>,
        id: ApiKeyId,
        wanted: &WantedChanges,
    ) -> Result<ApiKey, KeyError> {
        let (key, revoked) = self
            .store
            .write(async |tx| self.update_in(tx, by, id, wanted).await)
            .await?;
        self.revocations.apply_all(&revoked);
        Ok(key)
    }

    async fn update_in(
        &self,
        tx: &mut Tx<'_>,
        by: &By<'_>,
        id: ApiKeyId,
        wanted: &WantedChanges,
    ) -> Result<(ApiKey, Vec<Revocation>), KeyError> {
        let now = self.clock.now();
        let mut tx = tx.within(by.caller.tenant);
        let key = self.one(&mut tx, (by, Deed::Change), id).await?;
        refuse_beyond(by, key.scopes.as_ref())?;
        if let Some(lines) = &wanted.scopes {
            let given = (key.owner(), key.roles.as_slice(), lines.as_slice());
            self.may_give(&mut tx, by, given, now).await?;
        }
        let is_later = |end: Timestamp| key.expires_at.is_some_and(|before| end > before);
        if wanted.expires_at.is_some_and(is_later) {
            return Err(KeyError::NotEarlier);
        }
        let expires_at = wanted.expires_at.map(|end| Term::At(end).end(now));
        let changes = KeyChanges {
            name: wanted.name.clone(),
            scopes: wanted.scopes.clone().map(Scopes::new),
            expires_at: expires_at.transpose()?,
        };
        let made = (now, &self.entropy);
        let updated = api_keys::update(&mut tx, &key, &changes, made).await?;
        let updated = updated.ok_or(StoreError::Conflict)?;
        let is_less = changes.scopes.is_some() || changes.expires_at.is_some();
        let revoked = if is_less {
            self.revoke_tokens(&mut tx, &key, now).await?
        } else {
            Vec::new()
        };
        let told = self
            .event(Name::ApiKeyUpdated, by, &key, now)
            .with("scopes", updated.scopes.as_ref().map(Scopes::texts));
        events::record(&mut tx, &told).await?;
        Ok((updated, revoked))
    }

    /// Gives a key another secret, and tells it for the only time. The one before is good for a
    /// grace, seven days at most, and never for longer than it was. Tokens of secrets that it drops,
    /// or ends sooner than them, are refused.
    pub(super) async fn rotate(
        &self,
        by: &By<'_>,
        id: ApiKeyId,
        wanted: Rotation,
    ) -> Result<(ApiKey, SecretString), KeyError> {
        let environment = self.environment(by.caller.tenant).await?;
        let (key, secret, revoked) = self
            .store
            .write(async |tx| self.rotate_in(tx, by, (id, &environment), wanted).await)
            .await?;
        self.revocations.apply_all(&revoked);
        Ok((key, secret))
    }

    async fn rotate_in(
        &self,
        tx: &mut Tx<'_>,
        by: &By<'_>,
        (id, environment): (ApiKeyId, &Environment),
        wanted: Rotation,
    ) -> Result<(ApiKey, SecretString, Vec<Revocation>), KeyError> {
        let now = self.clock.now();
        let mut tx = tx.within(by.caller.tenant);
        let key = self.one(&mut tx, (by, Deed::Change), id).await?;
        refuse_beyond(by, key.scopes.as_ref())?;
        // Whoever is told the secret has what the key is given; of his own he has no more by it.
        if !matches!(key.owner(), KeyOwner::User(_)) {
            let lines = key.scopes.as_ref().map(Scopes::lines).unwrap_or_default();
            let given = (key.owner(), key.roles.as_slice(), lines);
            self.may_give(&mut tx, by, given, now).await?;
        }
        let grace = wanted.grace.min(LONGEST_GRACE);
        let end = wanted.term.map(|term| term.end(now)).transpose()?;
        if key.is_used_up() || (end.is_none() && key.has_ended(now)) {
            return Err(KeyError::Over);
        }
        let (next, secret) = key.rotated(environment, (grace, end), (now, &self.entropy));
        let rotated = api_keys::rotate(&mut tx, (&key, &next)).await?;
        let rotated = rotated.ok_or(StoreError::Conflict)?;
        let (mut dropped, kept) = (key.session_ids(), next.session_ids());
        dropped.retain(|id| !kept.contains(id));
        let revoked = self.revoke_sessions(&mut tx, dropped, now).await?;
        let until = next.previous_until().map(|until| until.to_string());
        let told = self
            .event(Name::ApiKeyRotated, by, &key, now)
            .with("until", until);
        events::record(&mut tx, &told).await?;
        Ok((rotated, secret, revoked))
    }

    /// Ends a key at once, with the tokens that it was exchanged for.
    pub(super) async fn revoke(&self, by: &By<'_>, id: ApiKeyId) -> Result<(), KeyError> {
        let revoked = self
            .store
            .write(async |tx| {
                let now = self.clock.now();
                let mut tx = tx.within(by.caller.tenant);
                let key = self.one(&mut tx, (by, Deed::Revoke), id).await?;
                api_keys::remove(&mut tx, id)
                    .await?
                    .ok_or(KeyError::Unknown)?;
                let told = self.event(Name::ApiKeyRevoked, by, &key, now);
                events::record(&mut tx, &told).await?;
                Ok::<_, KeyError>(self.revoke_tokens(&mut tx, &key, now).await?)
            })
            .await?;
        self.revocations.apply_all(&revoked);
        Ok(())
    }
}
